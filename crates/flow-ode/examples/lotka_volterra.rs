//! Work-precision diagram of every method on the predator-prey equations: error at the end against
//! evaluations of the field, in four panels over the same axes, each with the others in grey.
//!
//! `cargo run --release -p flow-ode --example lotka_volterra [FILE.svg]`

use std::error::Error;

use flow_ode::{Adaptive, Method, Stepping, Tolerance, solve};
use flow_plot::{Chart, Figure};

const SPAN: (f64, f64) = (0.0, 10.0);
const START: [f64; 2] = [1.0, 1.0];

/// Prey grow and are eaten, predators eat and starve.
fn lotka_volterra(_t: f64, [prey, predators]: &[f64; 2]) -> [f64; 2] {
    [1.5 * prey - prey * predators, prey * predators - 3.0 * predators]
}

/// Evaluations and error at the end, from coarse to fine.
type Curve = Vec<(f64, f64)>;

fn curve(method: Method, settings: &[Stepping], answer: [f64; 2]) -> Curve {
    let points = settings.iter().filter_map(|stepping| {
        // A grid too coarse for the method blows up, which is no point of the diagram.
        let end = solve(&lotka_volterra, SPAN, START, method, stepping).ok()?;
        let error = (end.y[0] - answer[0]).hypot(end.y[1] - answer[1]);
        (error < 1.0).then_some((end.stats.evals as f64, error.max(1e-13)))
    });
    points.collect()
}

/// Names and curves of one panel.
type Panel = Vec<(&'static str, Curve)>;

fn panel(methods: &[Method], settings: &[Stepping], answer: [f64; 2]) -> Panel {
    methods.iter().map(|method| (method.name(), curve(*method, settings, answer))).collect()
}

fn chart(title: &str, solid: &[&Panel], dashed: &Panel, all: &[&Panel]) -> Figure {
    let mut chart = Chart::new(title)
        .x("evaluations of the field")
        .y("error at t = 10")
        .log_x()
        .log_y()
        .size(560.0, 440.0);
    for (_, points) in all.iter().copied().flatten() {
        chart = chart.faint("", points);
    }
    for (name, points) in solid.iter().copied().flatten() {
        chart = chart.line(name, points);
    }
    for (name, points) in dashed {
        chart = chart.dashed(name, points);
    }
    chart.figure()
}

fn main() -> Result<(), Box<dyn Error>> {
    use Method as M;
    let file = std::env::args().nth(1).unwrap_or_else(|| "lotka_volterra.svg".to_owned());
    let within = |tol| Stepping::from(Adaptive::new(Tolerance { atol: tol, rtol: tol }));
    let answer = solve(&lotka_volterra, SPAN, START, M::Dop853, &within(1e-14))?.y;

    let tolerances: Vec<_> = (4..=20).map(|i| within(10f64.powf(-0.5 * f64::from(i)))).collect();
    let grids: Vec<_> = (6..=13).map(|i| Stepping::Count(1 << i)).collect();
    let fixed = [M::Euler, M::Midpoint, M::Heun2, M::Ralston2, M::Heun3, M::Ssprk3, M::Rk4];
    let fixed = panel(&fixed, &grids, answer);
    let three_eighths = panel(&[M::Rk4ThreeEighths], &grids, answer);
    let low = [M::Midpoint, M::Heun2, M::Ralston2, M::Ssprk3, M::Bosh3];
    let low = panel(&low, &tolerances, answer);
    let high = [M::Fehlberg45, M::CashKarp, M::Dopri5, M::Tsit5, M::Dop853];
    let high = panel(&high, &tolerances, answer);
    let bashforth = panel(&[M::Ab1, M::Ab2, M::Ab3, M::Ab4, M::Ab5], &grids, answer);
    let moulton = panel(&[M::Abm1, M::Abm2, M::Abm3, M::Abm4, M::Abm5], &grids, answer);

    let all = [&fixed, &three_eighths, &low, &high, &bashforth, &moulton];
    // Two nameless curves let the seven colours begin again, so that a colour is an order.
    let nameless = vec![("", Vec::new()); 2];
    let figure = Figure::column([
        Figure::row([
            chart("Runge-Kutta on fixed grids", &[&fixed], &three_eighths, &all),
            chart("Adams on fixed grids", &[&bashforth, &nameless], &moulton, &all),
        ]),
        Figure::row([
            chart("adaptive, orders 2 and 3", &[&low], &Vec::new(), &all),
            chart("adaptive, orders 4 to 8", &[&high], &Vec::new(), &all),
        ]),
    ]);
    figure.save(std::path::Path::new(&file))?;
    Ok(())
}
