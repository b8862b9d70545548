//! Fields and paths of a single datum: figures 2, 3 and 8 of Lipman et al. (2023).

use std::path::Path;

use flow_matching::path::{Linear, Schedule, VariancePreserving};
use flow_matching::plot::{Chart, Figure};

use crate::support::Outcome;

/// The datum that every field leads to.
const X1: [f64; 2] = [0.9, 0.6];
/// Times of the panels. The last is short of the end, where all has arrived.
const TIMES: [f64; 4] = [0.0, 1.0 / 3.0, 2.0 / 3.0, 0.98];
/// Half the side of a panel, and arrows along it.
const REACH: f64 = 2.5;
const ARROWS: i32 = 11;
/// Where the single paths start.
const STARTS: [[f64; 2]; 3] = [[-2.0, 1.5], [0.5, -2.0], [1.6, 1.9]];

/// The arrows of a panel as one line with gaps.
type Arrows = Vec<(f64, f64)>;

pub(crate) fn draw(folder: &Path) -> Outcome<()> {
    let linear = Linear { sigma_min: 0.0 };
    let diffusion = VariancePreserving::default();
    let schedules: [(&str, &dyn Schedule); 2] =
        [("straight line", &linear), ("diffusion", &diffusion)];
    let mut rows = Vec::new();
    for (name, schedule) in schedules {
        let turn = turned(schedule);
        println!("  {name}: the field at a point turns by {turn:.0} degrees at most");
        rows.push(Figure::row(TIMES.map(|t| panel(name, t, &arrows(schedule, t)))));
    }
    for c in [0.5_f64, 1.0, 2.0] {
        let [line, arc] = schedules.map(|(_, schedule)| largest(schedule, c));
        println!(
            "  from {c} x_1: largest factor of x_1 on the way {line:.3} on the straight line, \
             {arc:.3} by diffusion, sqrt(1 + c^2) = {:.3}",
            c.hypot(1.0)
        );
    }
    rows.push(Figure::row(schedules.map(|(name, schedule)| paths(name, schedule))));
    Ok(Figure::column(rows).save(folder.join("equivalence-fields.png"))?)
}

/// `u_t(x | x_1) = alpha' x_1 + sigma' (x - alpha x_1) / sigma`.
fn velocity(schedule: &dyn Schedule, t: f64, x: [f64; 2]) -> [f64; 2] {
    let c = schedule.at(t);
    [0, 1].map(|i| c.conditional_velocity(x[i], X1[i]))
}

fn grid() -> impl Iterator<Item = [f64; 2]> {
    let place = |i: i32| REACH * (2.0 * f64::from(i) / f64::from(ARROWS - 1) - 1.0);
    (0..ARROWS).flat_map(move |i| (0..ARROWS).map(move |j| [place(i), place(j)]))
}

/// An arrow at each place of a grid: its direction is that of the velocity, and its length grows
/// with the root of the speed, up to that of the fastest place.
fn arrows(schedule: &dyn Schedule, t: f64) -> Arrows {
    let all: Vec<_> = grid().map(|x| (x, velocity(schedule, t, x))).collect();
    let fastest = all.iter().map(|(_, [a, b])| a.hypot(*b)).fold(0.0, f64::max);
    let mut line = Arrows::new();
    for ([x, y], [a, b]) in all {
        let speed = a.hypot(b);
        if speed < 1e-9 {
            continue;
        }
        let length = 0.5 * (speed / fastest).sqrt();
        let [a, b] = [a / speed * length, b / speed * length];
        let tip = (x + a, y + b);
        let barb = |side: f64| (tip.0 - 0.35 * (a + side * b), tip.1 - 0.35 * (b - side * a));
        line.extend([(x, y), tip, barb(0.6), tip, barb(-0.6), (f64::NAN, f64::NAN)]);
    }
    line
}

fn panel(name: &str, t: f64, arrows: &[(f64, f64)]) -> Figure {
    let title = format!("{name}, t = {t:.2}");
    let corners = [(-REACH - 0.5, -REACH - 0.5), (REACH + 0.5, REACH + 0.5)];
    let corners = [corners[0], (f64::NAN, f64::NAN), corners[1]];
    Chart::new(&title)
        .size(300.0, 300.0)
        .line("", arrows)
        .dots("", &[(X1[0], X1[1])])
        .faint("", &corners)
        .figure()
}

/// The largest angle between the field at time 0 and at 0.98, over the grid, in degrees.
fn turned(schedule: &dyn Schedule) -> f64 {
    let angle = |x: [f64; 2]| {
        let [[a, b], [c, d]] = [TIMES[0], TIMES[3]].map(|t| velocity(schedule, t, x));
        let cosine = (a * c + b * d) / (a.hypot(b) * c.hypot(d));
        cosine.clamp(-1.0, 1.0).acos().to_degrees()
    };
    grid().map(angle).fold(0.0, f64::max)
}

/// The largest factor of `x_1` on the path from `x_0 = c x_1`.
fn largest(schedule: &dyn Schedule, c: f64) -> f64 {
    let factor = |k: u32| {
        let at = schedule.at(f64::from(k) / 10_000.0);
        at.alpha + c * at.sigma
    };
    (0..=10_000).map(factor).fold(0.0, f64::max)
}

/// `x_t = alpha x_1 + sigma x_0` from a few starts.
fn paths(name: &str, schedule: &dyn Schedule) -> Figure {
    let path = |x0: [f64; 2]| -> Vec<(f64, f64)> {
        let at = |k: u32| {
            let c = schedule.at(f64::from(k) / 200.0);
            let [x, y] = [0, 1].map(|i| c.alpha * X1[i] + c.sigma * x0[i]);
            (x, y)
        };
        (0..=200).map(at).collect()
    };
    let ways = STARTS.map(path);
    let title = format!("{name}: x_t of single pairs");
    let starts = STARTS.map(|[x, y]| (x, y));
    let mut chart = Chart::new(&title).size(600.0, 420.0);
    for way in &ways {
        chart = chart.line("", way);
    }
    chart.dots("", &starts).dots("", &[(X1[0], X1[1])]).figure()
}
