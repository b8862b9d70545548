//! PNG, SVG and GIF files can be read back, and are written whole or not at all.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs::{self, File};
use std::path::Path;

use common::{Folder, read_png};
use flow_plot::{
    Chart, Figure, Limits, Picture, Series, Style, animate, cloud_strips, clouds, density_frames,
    flow_frames, heat_map, heat_maps, image_grid, image_strips, trajectories,
};

/// Points on a spiral.
fn cloud(n: u16) -> Vec<[f32; 2]> {
    (0..n).map(|i| f32::from(i) * 0.1).map(|a| [0.1 * a.sin() * a, 0.1 * a.cos() * a]).collect()
}

/// A figure of every kind.
fn figures() -> Vec<(&'static str, Figure)> {
    let points = cloud(200);
    let curve = [(1.0, 0.5), (2.0, 0.25), (3.0, 0.125)];
    let limits = Limits::around(&[&points]);
    let frames = [(0.0, &points[..]), (0.5, &points[..100]), (1.0, &points[..])];
    vec![
        ("chart", Chart::new("a < b & c").x("x").y("y").log_y().line("l", &curve).figure()),
        ("dots", Chart::new("").dots("d", &curve).dashed("e", &curve).faint("f", &curve).figure()),
        ("styles", styles(&curve)),
        ("band", Chart::new("").band(&curve).line("l", &curve).figure()),
        ("clouds", clouds(&[("data", &points), ("samples", &points)], limits)),
        ("trajectories", trajectories(std::slice::from_ref(&points), limits)),
        ("density", density_frames(&frames, limits)),
        (
            "image strips",
            image_strips(&[("a", &[0.5; 12]), ("b", &[-1.0; 12])], &[0.0, 1.0], [1, 2, 3]),
        ),
        ("cloud strips", cloud_strips(&[("a", &[points.clone(), vec![]])], &[0.0, 1.0], limits)),
        ("heat map", heat_map(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3, limits, "u")),
        ("heat maps", heat_maps(&[("a", &[1.0, 2.0]), ("b", &[0.0, f64::NAN])], 1, 2, limits, "u")),
    ]
}

/// Two lines of one colour that differ in their style.
fn styles(points: &[(f64, f64)]) -> Figure {
    let series = |style| Series { label: "s", points, style, color: Some(1) };
    Chart::new("").series(series(Style::Dotted)).series(series(Style::DashDotted)).figure()
}

#[test]
fn lines_of_one_colour_differ_in_their_dashes() {
    let svg = styles(&[(1.0, 0.5), (2.0, 0.25)]).to_svg();
    for dashes in ["1.75 3.5", "7.5 2.25 1.5 2.25"] {
        let line = format!("stroke=\"#d55e00\" stroke-dasharray=\"{dashes}\"");
        // The line, and its sample in the legend.
        assert_eq!(svg.matches(&line).count(), 2, "{svg}");
    }
}

#[test]
fn every_figure_is_a_png_of_twice_its_size() {
    let folder = Folder::new("png");
    for (name, figure) in figures() {
        let path = folder.file(&format!("{name}.png"));
        figure.save(&path).unwrap();
        let picture = read_png(&path);
        let (width, height) = figure.size();
        let size = (picture.width() as f32, picture.height() as f32);
        assert_eq!(size, (2.0 * width, 2.0 * height), "{name}");
        assert!(picture.rgb().iter().any(|byte| *byte < 255), "{name} is blank");
    }
}

#[test]
fn every_figure_is_well_formed_svg_with_its_size_and_finite_numbers() {
    for (name, figure) in figures() {
        let svg = figure.to_svg();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "svg", "{name}");
        assert_eq!(root.attribute("width"), Some(figure.size().0.to_string().as_str()), "{name}");
        let attributes = document.descendants().flat_map(|node| node.attributes());
        for attribute in attributes.filter(|a| !a.value().starts_with("data:")) {
            let value = attribute.value();
            assert!(!value.contains("NaN") && !value.contains("inf"), "{name}: {value}");
        }
    }
}

#[test]
fn titles_keep_their_markup_signs_in_svg() {
    let svg = Chart::new("a < b & c").figure().to_svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    assert!(document.descendants().any(|node| node.text() == Some("a < b & c")));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = Folder::new("same");
    for ((name, first), (_, second)) in figures().into_iter().zip(figures()) {
        for format in ["png", "svg"] {
            let paths = ["first", "second"].map(|turn| folder.file(&format!("{turn}.{format}")));
            first.save(&paths[0]).unwrap();
            second.save(&paths[1]).unwrap();
            assert!(fs::read(&paths[0]).unwrap() == fs::read(&paths[1]).unwrap(), "{name}");
        }
    }
}

#[test]
fn a_hundred_thousand_points_stay_a_small_svg() {
    let points: Vec<[f32; 2]> = (0..2).flat_map(|_| cloud(50_000)).collect();
    let svg = clouds(&[("data", &points)], Limits::around(&[&points])).to_svg();
    // At most 5,000 circles of some 40 bytes.
    assert!(svg.len() < 300_000, "{} bytes", svg.len());
    let curve: Vec<(f64, f64)> =
        (0..100_000).map(|i| (f64::from(i), f64::from(i * 7919 % 1000))).collect();
    let svg = Chart::new("").line("", &curve).figure().to_svg();
    assert!(svg.len() < 100_000, "{} bytes", svg.len());
}

#[test]
fn figures_stand_one_above_the_other_or_side_by_side() {
    let chart = || Chart::new("").size(300.0, 200.0).figure();
    assert_eq!(Figure::column([chart(), chart(), chart()]).size(), (300.0, 600.0));
    assert_eq!(Figure::row([chart(), chart()]).size(), (600.0, 200.0));
    let both = Figure::row([chart(), chart()]).to_picture(1.0).unwrap();
    let row = &both.rgb()[600 * 3 * 100..][..600 * 3];
    assert_eq!(row[..900], row[900..], "both halves show the same chart");
}

#[test]
fn a_chart_grows_with_its_legend() {
    let names: Vec<String> = (0..12).map(|i| format!("series {i}")).collect();
    let chart = names.iter().fold(Chart::new("").size(200.0, 150.0), |c, name| c.line(name, &[]));
    let (width, height) = chart.figure().size();
    // Twelve names need at least six lines of 20 pixels.
    assert!(width < 201.0 && height > 200.0, "{height}");
}

#[test]
fn an_image_grid_survives_its_file() {
    let folder = Folder::new("grid");
    let images: Vec<f32> = (0..4 * 64u16).map(|i| f32::from(i) / 128.0 - 1.0).collect();
    let grid = image_grid(&images, 4, 1, 8, 8, 2).unwrap();
    grid.save(folder.file("grid.png")).unwrap();
    assert_eq!(read_png(&folder.file("grid.png")), grid);
}

/// The frames of a GIF as a viewer shows them, and how long, in hundredths of a second.
fn read_gif(path: &Path) -> Vec<(Picture, u16)> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(File::open(path).unwrap()).unwrap();
    assert_eq!(decoder.repeat(), gif::Repeat::Infinite);
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    let mut canvas = vec![0; width * height * 3];
    let mut shown = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        for (i, pixel) in frame.buffer.chunks(4).enumerate().filter(|(_, pixel)| pixel[3] > 0) {
            let x = usize::from(frame.left) + i % usize::from(frame.width);
            let y = usize::from(frame.top) + i / usize::from(frame.width);
            canvas[(y * width + x) * 3..][..3].copy_from_slice(&pixel[..3]);
        }
        shown.push((Picture::new(width as u32, height as u32, canvas.clone()), frame.delay));
    }
    shown
}

#[test]
fn an_animation_of_few_colours_shows_exactly_its_frames() {
    let folder = Folder::new("gif");
    let path = folder.file("grid.gif");
    let frame = |shift: u16| {
        let images: Vec<f32> =
            (0..4 * 64u16).map(|i| f32::from((i + shift) % 16) / 8.0 - 1.0).collect();
        image_grid(&images, 4, 1, 8, 8, 2).unwrap()
    };
    // The third frame changes nothing.
    let frames = [frame(0), frame(3), frame(3), frame(5)];
    animate(&frames, &path, 20.0).unwrap();
    let shown = read_gif(&path);
    assert_eq!(shown.iter().map(|(_, delay)| *delay).collect::<Vec<_>>(), [5, 5, 5, 200]);
    for (i, ((picture, _), frame)) in shown.iter().zip(&frames).enumerate() {
        assert!(picture == frame, "frame {i}");
    }
}

#[test]
fn an_animation_of_many_colours_is_near_its_frames() {
    let folder = Folder::new("gif-flow");
    let path = folder.file("flow.gif");
    let (early, late) = (cloud(300), cloud(3000));
    let frames = flow_frames(&[(0.0, &early), (1.0, &late)], Limits::around(&[&late])).unwrap();
    animate(&frames, &path, 10.0).unwrap();
    for ((shown, _), frame) in read_gif(&path).iter().zip(&frames) {
        let far = shown.rgb().iter().zip(frame.rgb()).map(|(a, b)| a.abs_diff(*b)).max();
        // 255 colours along a few ramps from white to blue or grey leave gaps of some ten steps.
        assert!(far.unwrap() <= 24, "{far:?}");
    }
}
