//! One picture of each kind, from made-up data:
//! `cargo run --release -p flow-plot --example gallery -- FOLDER`.

use std::f64::consts::{PI, TAU};
use std::path::PathBuf;

use flow_plot::{
    Chart, Figure, Limits, PlotError, animate, clouds, density_frames, flow_frames, heat_map,
    image_grid, trajectories,
};

/// Points of the plane at a time.
type State = (f64, Vec<[f32; 2]>);

fn main() -> Result<(), PlotError> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let limits = Limits::square(4.5);
    let flow = Flow::new(10_000);
    let data = Flow::new(9_999).at(1.0);
    let paths = flow.paths(200, 100);
    let quarters = states(&Flow::new(100_000), 4);
    let figures = [
        ("training", training_curves()),
        ("solver-errors", solver_errors()),
        ("clouds", clouds(&[("data", &data), ("samples", &flow.at(0.97))], limits)),
        ("trajectories", trajectories(&paths, limits)),
        ("density", density_frames(&views(&quarters), limits)),
        ("heat-map", wave()),
    ];
    for (name, figure) in figures {
        figure.save(folder.join(name).with_extension("png"))?;
        figure.save(folder.join(name).with_extension("svg"))?;
    }
    image_grid(&digits(60), 60, 1, 8, 8, 10)?.save(folder.join("digits.png"))?;
    let moving = states(&Flow::new(3000), 40);
    animate(&flow_frames(&views(&moving), limits)?, folder.join("flow.gif"), 20.0)
}

/// The flow at `steps + 1` equidistant times from 0 to 1.
fn states(flow: &Flow, steps: u32) -> Vec<State> {
    let times = (0..=steps).map(|i| f64::from(i) / f64::from(steps));
    times.map(|t| (t, flow.at(t))).collect()
}

fn views(states: &[State]) -> Vec<(f64, &[[f32; 2]])> {
    states.iter().map(|(t, points)| (*t, points.as_slice())).collect()
}

/// A loss with its running mean, and the learning rate, over the same images.
fn training_curves() -> Figure {
    let mut random = Random(1);
    let (mut loss, mut smooth, mut rate) = (Vec::new(), Vec::new(), Vec::new());
    let mut mean = 1.0;
    for i in 1..=5000 {
        let step = f64::from(i);
        let images = 512.0 * step;
        let value = (0.9 * (-step / 300.0).exp() + 0.12) * (0.25 * random.normal()).exp();
        mean += 0.01 * (value - mean);
        loss.push((images, value));
        smooth.push((images, mean));
        let decay = 0.5 + 0.5 * (PI * step / 5000.0).cos();
        rate.push((images, 3e-4 * decay.min(step / 250.0)));
    }
    let floor = [(0.0, 0.1), (512.0 * 5000.0, 0.1)];
    Figure::column([
        Chart::new("Training loss")
            .y("loss")
            .log_y()
            .faint("each step", &loss)
            .line("running mean", &smooth)
            .dashed("floor", &floor)
            .size(640.0, 340.0)
            .figure(),
        Chart::new("Learning rate")
            .x("images")
            .y("rate")
            .line("", &rate)
            .size(640.0, 200.0)
            .figure(),
    ])
}

/// Errors of methods of orders 1, 2, 4 and 5 against the cost of a solution.
fn solver_errors() -> Figure {
    let [euler, midpoint, rk4, dopri5] =
        [(1.0, 1.0), (2.0, 2.0), (4.0, 4.0), (5.0, 6.0)].map(|(order, stages): (f64, f64)| {
            let evaluations = (3..12).map(|i| 2f64.powi(i));
            evaluations.map(|n| (n, (stages / n).powf(order))).collect::<Vec<_>>()
        });
    Chart::new("Error against cost")
        .x("function evaluations")
        .y("error")
        .log_x()
        .log_y()
        .line("euler", &euler)
        .line("midpoint", &midpoint)
        .line("rk4", &rk4)
        .line("dopri5", &dopri5)
        .figure()
}

/// A velocity component over the square from -2 to 2.
fn wave() -> Figure {
    let at = |i: i32| f64::from(i) / 20.0 - 2.0;
    let velocity =
        |x: f64, y: f64| (3.0 * x).sin() * (2.0 * y).cos() * (-0.3 * (x * x + y * y)).exp();
    let row = |r| (0..=80).map(move |c| velocity(at(c), at(r)));
    let values: Vec<f64> = (0..=80).flat_map(row).collect();
    heat_map(&values, 81, 81, Limits::square(2.0), "velocity u(x)")
}

/// Points that move straight from Gaussian noise to a checkerboard.
struct Flow {
    noise: Vec<[f64; 2]>,
    data: Vec<[f64; 2]>,
}

impl Flow {
    fn new(n: usize) -> Self {
        let mut random = Random(n as u64);
        let noise = (0..n).map(|_| [random.normal(), random.normal()]).collect();
        let data = (0..n)
            .map(|_| {
                let (x, y) = (8.0 * random.uniform() - 4.0, 2.0 * random.uniform());
                let band = 4.0 * (2.0 * random.uniform()).floor() - 4.0;
                [x, y + band + 2.0 * (x / 2.0).floor().rem_euclid(2.0)]
            })
            .collect();
        Self { noise, data }
    }

    fn point(&self, i: usize, t: f64) -> [f32; 2] {
        let bend = 0.4 * (PI * t).sin();
        let [x0, x1] = [self.noise[i], self.data[i]];
        [
            ((1.0 - t) * x0[0] + t * x1[0] + bend * (x1[1] - x0[1]) / 3.0) as f32,
            ((1.0 - t) * x0[1] + t * x1[1] - bend * (x1[0] - x0[0]) / 3.0) as f32,
        ]
    }

    fn at(&self, t: f64) -> Vec<[f32; 2]> {
        (0..self.noise.len()).map(|i| self.point(i, t)).collect()
    }

    fn paths(&self, count: usize, steps: u32) -> Vec<Vec<[f32; 2]>> {
        let path =
            |i| (0..=steps).map(|k| self.point(i, f64::from(k) / f64::from(steps))).collect();
        (0..count).map(path).collect()
    }
}

/// Blurred, noisy digits of 8 by 8 pixels, values in [-1, 1].
fn digits(n: usize) -> Vec<f32> {
    const ROWS: [[u8; 7]; 10] = [
        [14, 17, 19, 21, 25, 17, 14],
        [4, 12, 4, 4, 4, 4, 14],
        [14, 17, 1, 2, 4, 8, 31],
        [31, 2, 4, 2, 1, 17, 14],
        [2, 6, 10, 18, 31, 2, 2],
        [31, 16, 30, 1, 1, 17, 14],
        [6, 8, 16, 30, 17, 17, 14],
        [31, 1, 2, 4, 8, 8, 8],
        [14, 17, 17, 14, 17, 17, 14],
        [14, 17, 17, 15, 1, 2, 12],
    ];
    let mut random = Random(3);
    let mut pixels = Vec::new();
    for i in 0..n {
        for row in 0..8 {
            for column in 0..8 {
                let bits = ROWS[i % 10].get(row).copied().unwrap_or(0);
                let on = (1..6).contains(&column) && bits >> (5 - column) & 1 == 1;
                let value = if on { 0.8 } else { -0.9 } + 0.15 * random.normal();
                pixels.push(value.clamp(-1.0, 1.0) as f32);
            }
        }
    }
    pixels
}

/// A small generator (splitmix64), so that the gallery needs no other crate.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }
}
