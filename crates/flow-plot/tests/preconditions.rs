//! Every plot takes every number: it draws, leaves a gap, or refuses in a sentence.
//!
//! One row for each public function that takes numbers, called with every awkward set of points and
//! scalar. What comes out is a whole picture and a well-formed SVG without NaN or infinity, an
//! error, or the panic that the documentation names.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use flow_plot::{
    Chart, Figure, Limits, Picture, PlotError, animate, cloud_strips, clouds, corner,
    density_frames, flow_frames, heat_map, heat_maps, image_grid, image_strips, marginals, samples,
    trajectories,
};
use flow_testing::panics::unless_it_says;
use flow_testing::{awkward, public};

/// What a function is called with.
#[derive(Clone, Copy)]
struct Awkward<'a> {
    /// Any numbers, an even count of them.
    rows: &'a [f32],
    x: f64,
}

impl Awkward<'_> {
    fn points(&self) -> Vec<[f32; 2]> {
        self.rows.as_chunks::<2>().0.to_vec()
    }

    fn curve(&self) -> Vec<(f64, f64)> {
        self.points().iter().map(|&[x, y]| (f64::from(x), f64::from(y))).collect()
    }

    /// The limits that the numbers themselves suggest, and odd ones.
    fn limits(&self) -> [Limits; 3] {
        let odd = Limits { x: (-1.0, self.x), y: (0.0, 1.0) };
        [Limits::around(&[&self.points()]), Limits::square(2.0), odd]
    }
}

/// Draws a figure both ways.
fn check(figure: &Figure) {
    let svg = figure.to_svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    for attribute in document.descendants().flat_map(|node| node.attributes()) {
        let value = attribute.value();
        let odd = value.contains("NaN") || value.contains("inf");
        assert!(!odd || value.starts_with("data:"), "{value}");
    }
    match figure.to_picture(0.05) {
        Ok(picture) => assert!(picture.width() > 0),
        Err(error) => assert!(matches!(error, PlotError::TooLarge { .. }), "{error}"),
    }
}

fn grow(limits: &Limits) -> bool {
    [limits.x, limits.y].iter().all(|(low, high)| low < high && (high - low).is_finite())
}

/// Draws within each of the limits that grow.
fn within(awkward: Awkward<'_>, draw: impl Fn(Limits) -> Figure) {
    awkward.limits().into_iter().filter(grow).for_each(|limits| check(&draw(limits)));
}

type Row = (&'static str, fn(Awkward<'_>));

const TABLE: &[Row] = &[
    ("Chart::size", |a| {
        let x = a.x as f32;
        for (width, height) in [(x, 300.0), (300.0, x), (x, x)] {
            check(&Chart::new("t").size(width, height).line("l", &a.curve()).figure());
        }
    }),
    ("Chart::line", |a| check(&Chart::new("t").line("l", &a.curve()).figure())),
    ("Chart::band", |a| check(&Chart::new("t").band(&a.curve()).line("l", &a.curve()).figure())),
    ("Chart::dashed", |a| check(&Chart::new("t").log_y().dashed("l", &a.curve()).figure())),
    ("Chart::dots", |a| check(&Chart::new("t").log_x().dots("l", &a.curve()).figure())),
    ("Chart::faint", |a| check(&Chart::new("t").faint("l", &[(0.0, a.x), (a.x, 1.0)]).figure())),
    ("clouds", |a| within(a, |limits| clouds(&[("t", &a.points())], limits))),
    ("corner", |a| check(&corner(&["x".into(), "y".into()], &[("t", a.rows), ("u", &[])]))),
    ("marginals", |a| {
        check(&marginals(&["x".into()], &[("t", a.rows)]));
        let draw = || marginals(&["x".into(), "y".into()], &[("t", &[1.0])]);
        assert!(unless_it_says("expected rows of 2 numbers", draw).is_none());
    }),
    ("Picture::to_numbers", |_| {
        let picture = Picture::new(1, 1, vec![0, 255, 255]);
        assert!((picture.to_numbers(1)[0] - 1.0 / 3.0).abs() < 1e-6);
        for (channels, planes) in [(0, 0), (2, 2), (3, 3), (usize::MAX, 3)] {
            assert_eq!(picture.to_numbers(channels).len(), planes);
        }
    }),
    ("trajectories", |a| within(a, |limits| trajectories(&[a.points(), a.points()], limits))),
    ("density_frames", |a| within(a, |limits| density_frames(&[(a.x, &a.points())], limits))),
    ("heat_map", |a| {
        let values: Vec<f64> = a.rows.iter().map(|&x| f64::from(x)).chain([a.x]).collect();
        within(a, |limits| heat_map(&values, 1, values.len(), limits, "u"));
        for (rows, columns) in [(0, 1), (usize::MAX, 2), (1 << 32, 1 << 32)] {
            let draw = || heat_map(&[], rows, columns, Limits::square(1.0), "u");
            assert!(unless_it_says("expected", draw).is_none(), "{rows} x {columns}");
        }
    }),
    ("heat_maps", |a| {
        let values = [a.x, 1.0];
        within(a, |limits| heat_maps(&[("a", &values), ("b", &[0.0, 1.0])], 1, 2, limits, "u"));
    }),
    ("image_grid", |a| {
        for columns in [1, 3, usize::MAX] {
            image_grid(a.rows, a.rows.len() / 2, 1, 1, 2, columns).unwrap();
        }
        assert!(image_grid(&[], 0, 1, usize::MAX, usize::MAX, 1).is_err());
        let wrong = || image_grid(a.rows, usize::MAX, 3, 1 << 40, 1 << 40, 1);
        assert!(unless_it_says("expected", wrong).is_none());
    }),
    ("image_strips", |a| {
        let times = vec![a.x; a.rows.len() / 2];
        check(&image_strips(&[("t", a.rows)], &times, [1, 1, 2]));
        check(&image_strips(&[], &times, [3, 1, usize::MAX]));
        let wrong = || image_strips(&[("t", a.rows)], &[a.x], [3, 1 << 40, 1 << 40]);
        assert!(unless_it_says("expected", wrong).is_none());
    }),
    ("cloud_strips", |a| {
        within(a, |limits| cloud_strips(&[("t", &[a.points(), vec![]])], &[0.0, a.x], limits));
    }),
    ("samples", |a| {
        for shape in [&[2][..], &[1, 1, 2], &[1, 2, 1]] {
            let (one, none) = (samples(a.rows, shape), samples(&[], shape));
            let fine = |made| matches!(made, Ok(_) | Err(PlotError::TooLarge { .. }));
            assert!(fine(one) && fine(none), "{shape:?}");
        }
        assert!(samples(a.rows, &[7]).is_err() && samples(a.rows, &[]).is_err());
    }),
    ("flow_frames", |a| {
        for limits in a.limits().into_iter().filter(grow) {
            assert_eq!(flow_frames(&[(a.x, &a.points())], limits).unwrap().len(), 1);
        }
    }),
    ("animate", |a| {
        let path = std::env::temp_dir().join(format!("flow-plot-{}.gif", std::process::id()));
        let frame = Picture::new(1, 1, vec![0; 3]);
        let write = || animate(&[frame.clone(), frame.clone()], &path, a.x).unwrap();
        unless_it_says("expected a positive number of frames", write);
        let _ = std::fs::remove_file(path);
    }),
    ("Figure::to_picture", |a| {
        let figure = Chart::new("t").size(200.0, 150.0).figure();
        for scale in [a.x as f32, f32::INFINITY, 1e9, 100.0, -1.0] {
            match figure.to_picture(scale) {
                Ok(picture) => assert!((1..=300_000_000).contains(&picture.rgb().len())),
                Err(PlotError::Scale { .. }) => assert!(!(scale.is_finite() && 0.0 < scale)),
                Err(error) => assert!(matches!(error, PlotError::TooLarge { .. }), "{error}"),
            }
        }
    }),
    ("Limits::square", |a| {
        let limits = Limits::square(a.x);
        if grow(&limits) {
            check(&clouds(&[("t", &a.points())], limits));
        }
    }),
    ("Limits::around", |a| {
        let Limits { x, y } = Limits::around(&[&a.points(), &[]]);
        assert!(x.0 < x.1 && y.0 < y.1 && (x.1 - x.0).is_finite(), "{x:?} {y:?}");
    }),
];

#[test]
fn every_plot_takes_every_number() {
    // Documented panics are caught; their messages would only hide those of a failure.
    for (name, call) in TABLE {
        for set in awkward::rows(8, 2) {
            for (scalar, x) in awkward::SCALARS {
                println!("{name} of {} with {scalar}", set.name);
                call(Awkward { rows: &set.rows, x });
            }
        }
    }
}

#[test]
fn limits_that_do_not_grow_are_refused_by_name() {
    for (_, x) in awkward::SCALARS {
        let limits = Limits { x: (0.0, x), y: (-1.0, 1.0) };
        let draw = || clouds(&[("t", &[])], limits);
        let drawn = unless_it_says("expected limits from a low to a high number", draw);
        assert_eq!(drawn.is_some(), grow(&limits), "{x}");
    }
}

#[test]
fn every_public_function_that_takes_numbers_has_a_row() {
    let rows: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &rows, &[]);
}
