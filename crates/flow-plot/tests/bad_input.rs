//! Odd numbers leave gaps, impossible files are refused in a sentence, and nothing is left behind.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;
use std::path::Path;

use common::{Folder, read_png};
use flow_plot::{
    Chart, Figure, Limits, Picture, PlotError, animate, clouds, density_frames, flow_frames,
    heat_map, trajectories,
};

fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.file("")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn pixels(figure: &Figure) -> Picture {
    figure.to_picture(1.0).unwrap()
}

#[test]
fn plots_of_nothing_are_drawn_empty() {
    let limits = Limits::around(&[]);
    let figures = [
        Chart::new("").figure(),
        Chart::new("t").log_x().log_y().line("l", &[]).dots("d", &[]).figure(),
        clouds(&[], limits),
        clouds(&[("none", &[])], limits),
        trajectories(&[], limits),
        trajectories(&[Vec::new(), vec![[0.0, 0.0]]], limits),
        density_frames(&[], limits),
        density_frames(&[(0.0, &[])], limits),
        heat_map(&[f64::NAN], 1, 1, limits, ""),
    ];
    for figure in figures {
        assert!(pixels(&figure).width() > 100 && figure.to_svg().ends_with("</svg>\n"));
    }
    let empty = Figure::column([]);
    assert_eq!(pixels(&empty), Picture::new(1, 1, vec![255; 3]));
}

#[test]
fn numbers_that_are_not_finite_are_gaps() {
    let whole = [(0.0, 1.0), (1.0, 2.0), (2.0, 1.0), (3.0, 2.0), (4.0, 1.0)];
    let mut broken = whole;
    for hole in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e305] {
        broken[2].1 = hole;
        let [with, without] =
            [&whole, &broken].map(|points| Chart::new("").line("", points).figure());
        assert_ne!(pixels(&with), pixels(&without), "{hole} is drawn");
        let ends = Chart::new("").line("", &whole[..2]).line("", &whole[3..]).figure();
        assert_eq!(
            without.to_svg().matches("<path").count(),
            ends.to_svg().matches("<path").count() - 1
        );
    }
    let all_lost = [(f64::NAN, 1.0), (2.0, f64::NAN)];
    let nothing = Chart::new("").line("", &[]).figure();
    assert_eq!(pixels(&Chart::new("").line("", &all_lost).figure()), pixels(&nothing));
}

#[test]
fn points_that_are_not_finite_are_left_out_of_clouds() {
    let limits = Limits::square(1.0);
    let odd = [[0.5, 0.5], [f32::NAN, 0.0], [0.0, f32::INFINITY], [7.0, 0.0]];
    let [some, one] = [&odd[..], &odd[..1]];
    assert_eq!(clouds(&[("", some)], limits).to_svg(), clouds(&[("", one)], limits).to_svg());
    assert!(pixels(&trajectories(&[some.to_vec()], limits)).width() > 0);
}

#[test]
fn huge_and_tiny_numbers_are_drawn() {
    for size in [1e-290, 1e-12, 1e12, 1e290] {
        let points = [(size, size), (2.0 * size, 3.0 * size), (2.5 * size, 1.5 * size)];
        for chart in
            [Chart::new("").line("", &points), Chart::new("").log_x().log_y().line("", &points)]
        {
            let labels = chart.figure().to_svg().matches("<text").count();
            assert!(labels >= 6, "{size}: {labels} texts");
            assert_ne!(pixels(&chart.figure()), pixels(&Chart::new("").figure()));
        }
    }
}

#[test]
fn an_unknown_extension_is_named_with_the_known_ones() {
    let chart = Chart::new("");
    let message = chart.save("plots/loss.pdf").unwrap_err().to_string();
    assert_eq!(
        message,
        "cannot tell the picture format of plots/loss.pdf: give the file the extension .svg or .png"
    );
    let tile = Picture::new(1, 1, vec![0; 3]);
    let message = tile.save("grid").unwrap_err().to_string();
    assert_eq!(message, "cannot tell the picture format of grid: give the file the extension .png");
    let message = animate(&[tile], "flow.png", 1.0).unwrap_err().to_string();
    assert_eq!(
        message,
        "cannot tell the picture format of flow.png: give the file the extension .gif"
    );
}

#[test]
fn a_folder_that_is_missing_is_an_error_that_says_what_to_check() {
    let error = Chart::new("").save("/no/such/folder/loss.svg").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot write /no/such/folder/loss.svg: check that its folder exists, may be written and \
         has room"
    );
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn an_animation_needs_a_frame_and_sides_that_gif_can_count() {
    let message = animate(&[], "flow.gif", 1.0).unwrap_err().to_string();
    assert_eq!(message, "no frames for flow.gif: an animation needs at least one");
    let wide = Picture::new(70_000, 1, vec![0; 210_000]);
    let message = animate(&[wide], "flow.gif", 1.0).unwrap_err().to_string();
    assert_eq!(
        message,
        "a picture of 70000 x 1 pixels is too large: draw fewer panels or smaller tiles"
    );
    assert!(!Path::new("flow.gif").exists());
}

#[test]
fn a_file_that_cannot_take_its_place_leaves_the_folder_as_it_was() {
    let folder = Folder::new("atomic");
    let taken = folder.file("loss.svg");
    fs::create_dir(&taken).unwrap();
    let error = Chart::new("").save(&taken).unwrap_err();
    assert!(matches!(error, PlotError::Write { .. }), "{error:?}");
    assert_eq!(names(&folder), ["loss.svg"]);
}

#[test]
fn a_file_is_replaced_and_nothing_else_is_left() {
    let folder = Folder::new("replace");
    let path = folder.file("loss.png");
    Chart::new("").size(200.0, 150.0).save(&path).unwrap();
    Chart::new("").size(300.0, 150.0).save(&path).unwrap();
    assert_eq!(read_png(&path).width(), 600);
    assert_eq!(names(&folder), ["loss.png"]);
}

#[test]
fn threads_may_write_one_file_at_once() {
    let folder = Folder::new("threads");
    let path = folder.file("loss.png");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| Chart::new("").size(200.0, 150.0).save(&path).unwrap());
        }
    });
    assert_eq!(read_png(&path).width(), 400);
    assert_eq!(names(&folder), ["loss.png"]);
}

#[test]
#[should_panic(expected = "expected 2 x 2 values")]
fn a_heat_map_with_a_missing_value_is_refused() {
    let _ = heat_map(&[0.0; 3], 2, 2, Limits::square(1.0), "");
}

#[test]
#[should_panic(expected = "expected all frames to have the size of the first")]
fn frames_of_different_sizes_are_refused() {
    let frames = [Picture::new(1, 1, vec![0; 3]), Picture::new(2, 1, vec![0; 6])];
    let _ = animate(&frames, "flow.gif", 1.0);
}

#[test]
fn frames_of_empty_clouds_are_pictures_of_one_size() {
    let points = [[0.0, 0.0]];
    let frames = flow_frames(&[(0.0, &[]), (f64::NAN, &points)], Limits::square(1.0)).unwrap();
    assert_eq!(frames[0].height(), frames[1].height());
}

#[test]
fn a_picture_that_memory_may_not_hold_is_refused_before_it_is_made() {
    let wide = |width, height| Chart::new("t").size(width, height).figure();
    for figure in [wide(300.0, f32::INFINITY), wide(f32::INFINITY, 300.0), wide(1e6, 1e6)] {
        let refused = figure.to_picture(1.0);
        assert!(matches!(refused, Err(PlotError::TooLarge { .. })), "{refused:?}");
        let svg = figure.to_svg();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let attributes = document.descendants().flat_map(|node| node.attributes());
        assert!(attributes.map(|a| a.value()).all(|value| !value.contains("inf")));
    }
    // A chart of 640 by 400 at a hundred pixels a unit: ten gigabytes.
    for scale in [100.0, 1e9] {
        let refused = Chart::new("t").figure().to_picture(scale);
        assert!(matches!(refused, Err(PlotError::TooLarge { .. })), "{refused:?}");
    }
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let refused = Chart::new("t").figure().to_picture(scale).unwrap_err().to_string();
        assert!(refused.contains("give a positive, finite scale"), "{refused}");
    }
}

#[test]
fn texts_of_any_characters_stay_well_formed_and_on_one_line() {
    let title = "one\ntwo\t\u{fffe}three\u{ffff} \u{0} <&> \u{202e}";
    let figure = Chart::new(title).x(title).y(title).line(title, &[(0.0, 1.0)]).figure();
    let svg = figure.to_svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    let texts = texts.filter_map(|node| node.text());
    assert_eq!(texts.filter(|text| text.contains("one two three <&>")).count(), 4, "{svg}");
    assert!(pixels(&figure).width() > 0);
}
