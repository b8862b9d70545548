//! Which path is straight depends on the data: the figure on straightness of Gao et al. (2024).

use std::path::Path;

use flow_matching::path::{Gaussian, Linear, Schedule};
use flow_matching::plot::{Chart, Figure};

use crate::scaling::{START, STEPS, euler, rescaled, states};
use crate::support::Outcome;

/// Variance of the data, and the published ends of five steps on the linear and the
/// variance-preserving schedule.
const PUBLISHED: [(f64, f64, f64); 5] = [
    (0.01, -0.07197, 0.00248),
    (0.05, -0.26812, -0.27259),
    (0.1, -0.42764, -0.49712),
    (0.5, -1.07859, -1.39452),
    (1.0, -1.54100, -2.00000),
];

pub(crate) fn draw(folder: &Path) -> Outcome<()> {
    let mut panels = Vec::new();
    for (variance, linear, diffusion) in PUBLISHED {
        let flow = states(Linear { sigma_min: 0.0 }, variance, &euler())?;
        let vp = states(rescaled(1.0), variance, &euler())?;
        let exact = -2.0 * variance.sqrt();
        let (flow_end, vp_end) = (flow[STEPS].1, vp[STEPS].1);
        println!(
            "  variance {variance}: linear {flow_end:.5} (published {linear:.5}), vp {vp_end:.5} \
             (published {diffusion:.5}), exact {exact:.5}"
        );
        let title = format!("variance {variance}");
        let (exact_flow, exact_vp) =
            (path(&Linear { sigma_min: 0.0 }, variance), path(&rescaled(1.0), variance));
        let chart = Chart::new(&title)
            .x("t")
            .y("x")
            .size(300.0, 300.0)
            .line("linear, 5 steps", &flow)
            .dashed("linear, exact", &exact_flow)
            .line("vp, 5 steps", &vp)
            .dashed("vp, exact", &exact_vp);
        panels.push(chart.figure());
    }
    let below = panels.split_off(3);
    let figure = Figure::column([Figure::row(panels), Figure::row(below)]);
    Ok(figure.save(folder.join("equivalence-straightness.png"))?)
}

/// The exact way of the starting point.
fn path(schedule: &dyn Schedule, variance: f64) -> Vec<(f64, f64)> {
    let target = Gaussian::new(vec![0.0], variance.sqrt());
    let at = |k: u32| {
        let t = f64::from(k) / 100.0;
        (t, target.transport(&[START], &schedule.at(0.0), &schedule.at(t))[0])
    };
    (0..=100).map(at).collect()
}
