//! Data far from zero fill their plots, as data near it do.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::collections::BTreeSet;

use flow_plot::{Chart, Figure, Limits, clouds, heat_map};

/// The values of an attribute of all elements of a name.
fn attributes(figure: &Figure, element: &str, name: &str) -> Vec<String> {
    let svg = figure.to_svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let elements = document.descendants().filter(|node| node.has_tag_name(element));
    elements.filter_map(|node| node.attribute(name).map(str::to_owned)).collect()
}

fn labels(figure: &Figure) -> Vec<String> {
    let svg = figure.to_svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.filter_map(|node| node.text().map(str::to_owned)).collect()
}

#[test]
fn a_circle_is_round_wherever_it_lies() {
    for (offset, least) in [(0.0, 150), (1e3, 150), (1e5, 100), (1e6, 50)] {
        let angle = |i: u16| std::f32::consts::TAU * f32::from(i) / 500.0;
        let point = |a: f32| [offset + 2.0 * a.cos(), offset + 2.0 * a.sin()];
        let cloud: Vec<[f32; 2]> = (0..500).map(angle).map(point).collect();
        let figure = clouds(&[("circle", &cloud)], Limits::around(&[&cloud]));
        let columns: BTreeSet<String> = attributes(&figure, "circle", "cx").into_iter().collect();
        // At 1e6 numbers of f32 are 0.0625 apart: 65 columns over a diameter of 4.
        assert!(least < columns.len(), "{} columns at {offset}", columns.len());
    }
}

#[test]
fn a_small_change_of_a_large_number_is_seen_with_short_labels() {
    let wave: Vec<(f64, f64)> = (0..100_u8)
        .map(|i| f64::from(i) / 200.0)
        .map(|t| (1e6 + t, 1e5 + 0.005 * (30.0 * t).sin()))
        .collect();
    let figure = Chart::new("").line("", &wave).figure();
    let labels = labels(&figure);
    assert!(labels.contains(&"1000000.0".to_owned()), "{labels:?}");
    let added = labels.iter().filter(|label| label.starts_with('+')).count();
    assert!(2 <= added && labels.iter().all(|label| label.len() <= 10), "{labels:?}");
    // The curve spans the height of the plot, some 300 pixels.
    let path = attributes(&figure, "path", "d").into_iter().max_by_key(String::len).unwrap();
    let rows = path.split(['M', 'L']).filter_map(|point| point.split(' ').nth(1)?.parse().ok());
    let (top, bottom) = rows.fold((f32::MAX, f32::MIN), |(a, b), y: f32| (a.min(y), b.max(y)));
    assert!(bottom - top > 250.0, "{top} {bottom}");
}

#[test]
fn a_heat_map_of_near_values_has_a_colour_for_each() {
    let values = [0.0, 0.2, 0.4, 0.6].map(|x| 1e6 + x);
    let figure = heat_map(&values, 1, 4, Limits::square(1.0), "u");
    let picture = figure.to_picture(1.0).unwrap();
    let colours: BTreeSet<&[u8]> = picture.rgb().chunks(3).collect();
    // The four of viridis at 0, 1/3, 2/3 and 1, as its published table has them to 6 steps of 255.
    for colour in [[68, 1, 84], [49, 104, 142], [53, 183, 121], [253, 231, 37]] {
        let near = |found: &&&[u8]| found.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 6);
        assert!(colours.iter().any(|found| near(&found)), "{colour:?}");
    }
}
