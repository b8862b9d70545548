//! A change of scale moves the Euler method and leaves DDIM: the figure on scaling of Gao et al.
//! (2024).

use std::path::Path;

use flow_matching::ode::Method;
use flow_matching::path::{Dual, Exact, Gaussian, Linear, Scaled, Schedule};
use flow_matching::plot::{Chart, Figure};
use flow_matching::sample::{Ddim, Grid, Ode, Sampler, Way};

use crate::support::{Outcome, end, host, rows};

/// Steps from pure noise.
pub(crate) const STEPS: usize = 5;
/// Where all paths start.
pub(crate) const START: f64 = -2.0;
/// Published ends of the Euler method, by how far the schedule is rescaled.
const PUBLISHED: [(f64, f64); 4] =
    [(0.0, -0.73846), (1.0 / 7.0, -0.77143), (3.0 / 7.0, -0.83128), (1.0, -0.93135)];

/// The linear schedule rescaled towards unit norm: not at all for `k = 0`, fully for `k = 1`.
pub(crate) fn rescaled(k: f64) -> impl Schedule {
    Scaled::new(Linear { sigma_min: 0.0 }, move |t: Dual| {
        let norm = ((1.0 - t) * (1.0 - t) + t * t).sqrt();
        1.0 + k * (1.0 / norm - 1.0)
    })
}

/// The states of a sampler after 0, 1, .., 5 steps.
pub(crate) fn states(
    schedule: impl Schedule,
    variance: f64,
    sampler: &dyn Sampler,
) -> Outcome<Vec<(f64, f64)>> {
    let field = Exact::new(Gaussian::new(vec![0.0], variance.sqrt()), schedule);
    let mut states = vec![(0.0, START)];
    for last in 1..=STEPS {
        let times: Vec<f64> = (0..=last).map(|k| k as f64 / STEPS as f64).collect();
        let way = Way::along(Grid::Given(times.clone()));
        let x = host(end(sampler, &field, rows(&[START], 1), &way)?)[0];
        states.push((times[last], x));
    }
    Ok(states)
}

pub(crate) fn euler() -> Ode {
    Ode::on_grid(Method::Euler)
}

pub(crate) fn draw(folder: &Path) -> Outcome<()> {
    let variance = 0.25;
    let mut panels = Vec::new();
    let samplers: [(&str, &dyn Sampler); 2] =
        [("DDIM", &Ddim::default()), ("Euler on dx/dt", &euler())];
    for (name, sampler) in samplers {
        let mut curves = Vec::new();
        for (k, published) in PUBLISHED {
            let curve = states(rescaled(k), variance, sampler)?;
            let end = curve[STEPS].1;
            let published = if name == "DDIM" { PUBLISHED[0].1 } else { published };
            println!("  {name:15} scaled {k:.3}: ends at {end:.5}, published {published:.5}");
            curves.push((format!("scaled {k:.2}"), curve));
        }
        let title = format!("{name}, 5 steps");
        let mut chart = Chart::new(&title).x("t").y("x").size(420.0, 320.0);
        for (label, curve) in &curves {
            chart = chart.line(label, curve);
        }
        panels.push(chart.figure());
    }
    let field = Exact::new(Gaussian::new(vec![0.0], 0.5), Linear { sigma_min: 0.0 });
    let exact = end(&Ode::on_grid(Method::Rk4), &field, rows(&[START], 1), &Way::steps(200))?;
    println!("  the exact flow ends at {:.5}", host(exact)[0]);
    Ok(Figure::row(panels).save(folder.join("equivalence-scaling.png"))?)
}
