//! How many velocities meet at a point, in the data and in a model of them.

use std::fmt::Write as _;
use std::sync::Arc;

use flow_eval::{Bins, velocity_spread};
use flow_path::stream::{Purpose, Streams};
use flow_path::{Schedule, Target};
use flow_run::{Model, Recipe};
use flow_sample::normal_rows;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::error::JudgeError;

/// Latents at each point of the report.
const LATENTS: usize = 4000;
/// Times of the report.
const TIMES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 0.9];
/// Pairs in each row of a map.
const PAIRS: usize = 20_000;

/// Spread of the velocities at `x = 0`.
#[derive(Debug, Serialize, Deserialize)]
pub struct AmbiguityReport {
    /// By time.
    pub points: Vec<AmbiguityPoint>,
}

/// Standard deviations of the velocity at one point.
#[derive(Debug, Serialize, Deserialize)]
pub struct AmbiguityPoint {
    /// The time.
    pub t: f64,
    /// Of the pairs that pass there, in closed form: what regression on the mean cannot express.
    pub data: f64,
    /// Of the model over its latents; 0 without a latent.
    pub model: f64,
}

/// Spreads on a grid of `x` and `t`, from the lowest `t`.
#[derive(Debug)]
pub struct Maps {
    /// Of the pairs, in closed form.
    pub exact: Vec<f64>,
    /// Of pairs that were drawn, within each cell.
    pub drawn: Vec<f64>,
    /// Of the model at these points, with a latent for each.
    pub model: Vec<f64>,
}

/// Compares at `x = 0`, for data on the line with a closed form.
pub(crate) fn report(recipe: &Recipe, model: &Model, seed: u64) -> Option<AmbiguityReport> {
    let (target, schedule) = known(recipe, model)?;
    let size = model.latent();
    let latents = normal_rows(seed, Purpose::SampleLatent, 0..LATENTS, size);
    let point = |t: f64| {
        let velocities = model.velocity(&[0.0; LATENTS], t, &latents)?;
        let data = target.marginal(&[0.0], &schedule.at(t)).velocity_variance.sqrt();
        let model = if size == 0 { 0.0 } else { deviation(&velocities) };
        Some(AmbiguityPoint { t, data, model })
    };
    Some(AmbiguityReport { points: TIMES.into_iter().map(point).collect::<Option<_>>()? })
}

/// Maps over `x` and `t`, for data on the line with a closed form; none for others.
///
/// # Errors
/// When there is a velocity that is no number.
pub fn maps(
    recipe: &Recipe,
    model: &Model,
    seed: u64,
    x: Bins,
    t: Bins,
) -> Result<Option<Maps>, JudgeError> {
    let Some((target, schedule)) = known(recipe, model) else { return Ok(None) };
    let size = model.latent();
    let centre = |bins: Bins, i: usize| {
        bins.low + (bins.high - bins.low) * (i as f64 + 0.5) / bins.count as f64
    };
    let mut maps = Maps { exact: Vec::new(), drawn: Vec::new(), model: Vec::new() };
    for i in 0..t.count {
        let time = centre(t, i);
        let c = schedule.at(time);
        let variance = |j| target.marginal(&[centre(x, j)], &c).velocity_variance;
        maps.exact.extend((0..x.count).map(|j| variance(j).sqrt()));

        let mut rng = Streams::new(seed).rng(i as u64, Purpose::Ambiguity);
        let x1 = target.sample(PAIRS, &mut rng);
        let x0: Vec<f64> = StandardNormal.sample_iter(&mut rng).take(PAIRS).collect();
        let mix = |a: f64, b: f64| -> Vec<f32> {
            x1.iter().zip(&x0).map(|(x1, x0)| (a * x1 + b * x0) as f32).collect()
        };
        let (x_t, conditional) = (mix(c.alpha, c.sigma), mix(c.d_alpha, c.d_sigma));
        let rows = i * PAIRS..(i + 1) * PAIRS;
        let latents = normal_rows(seed, Purpose::SampleLatent, rows, size);
        let Some(learned) = model.velocity(&x_t, time, &latents) else { return Ok(None) };
        let row = Bins { count: 1, ..t };
        for (velocities, map) in [(&conditional, &mut maps.drawn), (&learned, &mut maps.model)] {
            let spread = velocity_spread(&x_t, &vec![time as f32; PAIRS], velocities, x, row)?;
            // Of a few velocities a spread says little.
            map.extend(spread.iter().map(|s| if s.count < 10 { f64::NAN } else { s.std }));
        }
    }
    Ok(Some(maps))
}

/// The law of the data and the schedule, where the spread of velocities has a closed form.
fn known(recipe: &Recipe, model: &Model) -> Option<(Arc<dyn Target>, Arc<dyn Schedule>)> {
    let target = flow_run::target(&recipe.data.set)?;
    let simple = recipe.path.is_affine() && recipe.reflow.is_none() && model.shape() == [1];
    simple.then(|| (target, recipe.path.schedule.build()))
}

fn deviation(values: &[f32]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let squares = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>();
    (squares / (n - 1.0)).sqrt()
}

impl AmbiguityReport {
    /// The report as text for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from("standard deviation of the velocity at x = 0\n");
        for AmbiguityPoint { t, data, model } in &self.points {
            let _ = writeln!(text, "  t = {t:.2}  data {data:.3}  model {model:.3}");
        }
        text
    }
}
