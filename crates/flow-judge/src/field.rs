//! A trained field beside the exact one, for data with a closed form.

use std::fmt::Write as _;
use std::sync::Arc;

use flow_path::stream::{Purpose, Streams};
use flow_path::{Schedule, Target};
use flow_run::{Model, Recipe};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// Pairs at each time.
const PAIRS: usize = 4000;

/// How far the network is from what a perfect one would learn.
#[derive(Debug, Serialize, Deserialize)]
pub struct FieldReport {
    /// Error at some times.
    pub times: Vec<FieldError>,
    /// Mean over times of the conditional loss of the network, per dimension.
    pub loss: f64,
    /// The same of the exact field: no network can have less, but for the noise of the draw.
    pub loss_floor: f64,
}

/// Root mean square error of the velocity at one time, and of the exact velocity for scale.
#[derive(Debug, Serialize, Deserialize)]
pub struct FieldError {
    /// The time.
    pub t: f64,
    /// Of the network.
    pub rmse: f64,
    #[serde(default)]
    exact_rms: f64,
}

/// Compares, where the data have a closed form.
///
/// Points are drawn from the path, so errors are weighted by its density. The loss of the network
/// and of the exact field are measured on the same pairs. The exact field is that of independent
/// pairs on the points of a schedule; a model with a latent has a velocity for each.
pub(crate) fn report(recipe: &Recipe, model: &Model, seed: u64) -> Option<FieldReport> {
    if !recipe.path.is_affine() || 0 < model.latent() || recipe.reflow.is_some() {
        return None;
    }
    let target = flow_run::target(&recipe.data.set)?;
    let schedule = recipe.path.schedule.build();
    let (start, end) = schedule.span();
    let (mut times, mut loss, mut loss_floor) = (Vec::new(), 0.0, 0.0);
    let count = 20_u32;
    for i in 0..count {
        let t = start + (end - start) * (f64::from(i) + 0.5) / f64::from(count);
        let errors = at(&target, &*schedule, model, t, Streams::new(seed), u64::from(i))?;
        loss += errors.loss / f64::from(count);
        loss_floor += errors.floor / f64::from(count);
        if i % 4 == 2 || i == count - 1 {
            times.push(FieldError { t, rmse: errors.field.sqrt(), exact_rms: errors.exact.sqrt() });
        }
    }
    Some(FieldReport { times, loss, loss_floor })
}

/// Mean squares per dimension.
#[derive(Default)]
struct Errors {
    /// Network against exact field.
    field: f64,
    /// The exact field.
    exact: f64,
    /// Network against the conditional velocity.
    loss: f64,
    /// Exact field against the conditional velocity.
    floor: f64,
}

fn at(
    target: &Arc<dyn Target>,
    schedule: &dyn Schedule,
    model: &Model,
    t: f64,
    streams: Streams,
    index: u64,
) -> Option<Errors> {
    let c = schedule.at(t);
    let mut rng = streams.rng(index, Purpose::FieldError);
    let x1 = target.sample(PAIRS, &mut rng);
    let x0: Vec<f64> = StandardNormal.sample_iter(&mut rng).take(x1.len()).collect();
    let mix = |a: f64, b: f64| -> Vec<f64> {
        x1.iter().zip(&x0).map(|(x1, x0)| a * x1 + b * x0).collect()
    };
    let (x_t, conditional) = (mix(c.alpha, c.sigma), mix(c.d_alpha, c.d_sigma));
    let points: Vec<f32> = x_t.iter().map(|&x| x as f32).collect();
    let learned = model.velocity(&points, t, &[])?;
    let exact: Vec<f64> = x_t
        .chunks(target.dim())
        .flat_map(|x| {
            let marginal = target.marginal(x, &c);
            let pairs = marginal.data.iter().zip(&marginal.noise);
            pairs.map(|(data, noise)| c.velocity(*noise, *data)).collect::<Vec<f64>>()
        })
        .collect();
    let mut errors = Errors::default();
    let scale = 1.0 / x_t.len() as f64;
    for ((&learned, &exact), &conditional) in learned.iter().zip(&exact).zip(&conditional) {
        let learned = f64::from(learned);
        errors.field += scale * (learned - exact).powi(2);
        errors.exact += scale * exact.powi(2);
        errors.loss += scale * (learned - conditional).powi(2);
        errors.floor += scale * (exact - conditional).powi(2);
    }
    Some(errors)
}

impl FieldReport {
    /// The report as text for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from("error of the velocity field against the exact one\n");
        for FieldError { t, rmse, exact_rms } in &self.times {
            let _ = writeln!(text, "  t = {t:.3}  rmse {rmse:.4}  (exact field {exact_rms:.3})");
        }
        let _ = writeln!(
            text,
            "loss {:.4} (floor {:.4}, per dimension, same pairs)",
            self.loss, self.loss_floor
        );
        text
    }
}
