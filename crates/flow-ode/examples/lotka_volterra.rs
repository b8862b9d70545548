//! Work-precision diagram of every method on the predator-prey equations: error at the end against
//! evaluations of the field.
//!
//! `cargo run --release -p flow-ode --example lotka_volterra [FILE.svg]`

use std::error::Error;

use flow_ode::{Adaptive, Method, Stepping, Tolerance, solve};
use flow_plot::Chart;

const SPAN: (f64, f64) = (0.0, 10.0);
const START: [f64; 2] = [1.0, 1.0];

/// Prey grow and are eaten, predators eat and starve.
fn lotka_volterra(_t: f64, [prey, predators]: &[f64; 2]) -> [f64; 2] {
    [1.5 * prey - prey * predators, prey * predators - 3.0 * predators]
}

/// Evaluations and error at the end.
type Point = (f64, f64);

/// The method's points, from coarse to fine: by tolerance where it adapts, by step size otherwise.
fn work_and_precision(method: Method, answer: [f64; 2]) -> Vec<Point> {
    let settings: Vec<Stepping> = if method.is_adaptive() {
        (4..=20)
            .map(|i| 10f64.powf(-0.5 * f64::from(i)))
            .map(|tol| Adaptive::new(Tolerance { atol: tol, rtol: tol }).into())
            .collect()
    } else {
        (6..=13).map(|i| Stepping::Count(1 << i)).collect()
    };
    let points = settings.iter().filter_map(|stepping| {
        // A grid too coarse for the method blows up, which is no point of the diagram.
        let end = solve(&lotka_volterra, SPAN, START, method, stepping).ok()?;
        let error = (end.y[0] - answer[0]).hypot(end.y[1] - answer[1]);
        (error < 1.0).then_some((end.stats.evals as f64, error.max(1e-13)))
    });
    points.collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).unwrap_or_else(|| "lotka_volterra.svg".to_owned());
    let exact = Stepping::from(Adaptive::new(Tolerance { atol: 1e-14, rtol: 1e-14 }));
    let answer = solve(&lotka_volterra, SPAN, START, Method::Dop853, &exact)?.y;

    let mut chart = Chart::new("predator and prey")
        .x("evaluations of the field")
        .y("error at t = 10")
        .log_x()
        .log_y()
        .size(900.0, 640.0);
    let lines: Vec<(&str, Vec<Point>)> = Method::ALL
        .iter()
        .map(|method| (method.name(), work_and_precision(*method, answer)))
        .collect();
    for (name, points) in &lines {
        chart = chart.line(name, points);
    }
    chart.save(std::path::Path::new(&file))?;
    Ok(())
}
