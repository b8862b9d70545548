//! The spread of the velocities that meet at a point, in the data and in a model of them.

use std::fmt::Write as _;
use std::sync::Arc;

use flow_eval::{Bins, velocity_spread};
use flow_path::stream::{Purpose, Streams};
use flow_path::{Schedule, Target};
use flow_run::{Model, Recipe};
use flow_sample::normal_rows;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::error::{JudgeError, usage};

/// Latents at each point of the report.
const LATENTS: usize = 4000;
/// Times of the report.
const TIMES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 0.9];
/// Places of the report: the middle, where paths to both modes cross, and beside it.
const PLACES: [f64; 5] = [0.0, -1.0, -0.5, 0.5, 1.0];
/// Pairs in each row of a map.
const PAIRS: usize = 20_000;
/// Cells of the map whose mean error the report gives, over `x` and over `t`.
const CELLS: (usize, usize) = (16, 10);
/// Fewest pairs of a cell: of fewer velocities a spread says little.
const FEWEST: usize = 10;

/// How many velocities meet at points of the line, and their mean.
#[derive(Debug, Serialize, Deserialize)]
pub struct AmbiguityReport {
    /// By place, and there by time.
    pub points: Vec<AmbiguityPoint>,
    /// Mean over the cells of a map of `|model - exact|`, the standard deviations of the velocity;
    /// missing in reports of versions that did not measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map_error: Option<f64>,
}

/// The velocities at one point.
#[derive(Debug, Serialize, Deserialize)]
pub struct AmbiguityPoint {
    /// The place.
    #[serde(default)]
    pub x: f64,
    /// The time.
    pub t: f64,
    /// Standard deviation over the pairs that pass there, in closed form: what regression on the
    /// mean cannot express.
    pub data: f64,
    /// Standard deviation of the model over its latents. A network without a latent has one
    /// velocity at a point, so that there is none to measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<f64>,
    /// How far the model's velocity, averaged over its latents, is from the mean `u_t(x)` of the
    /// pairs: 0 for a perfect one, with a latent or without. Missing in reports of versions that
    /// did not measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_error: Option<f64>,
}

/// Spreads on a grid of `x` and `t`, from the lowest `t`.
#[derive(Debug)]
pub struct Maps {
    /// Of the pairs, in closed form.
    pub exact: Vec<f64>,
    /// Of pairs that were drawn, within each cell; NaN where fewer than ten pass.
    pub drawn: Vec<f64>,
    /// Of the model at these points, with a latent for each; NaN where fewer than ten pass.
    pub model: Vec<f64>,
}

/// Compares for data on the line with a closed form; nothing for others.
///
/// # Errors
/// When there is a velocity that is no number.
pub(crate) fn report(
    recipe: &Recipe,
    model: &Model,
    seed: u64,
) -> Result<Option<AmbiguityReport>, JudgeError> {
    let Some((target, schedule)) = known(recipe, model) else { return Ok(None) };
    let size = model.latent();
    // Without a latent there is one velocity at a point.
    let asked = if size == 0 { 1 } else { LATENTS };
    let latents = normal_rows(seed, Purpose::SampleLatent, 0..asked, size);
    let point = |x: f64, t: f64| {
        let velocities = model.velocity(&vec![x as f32; asked], t, &latents)?;
        let (mean, deviation) = moments(&velocities);
        let exact = target.marginal(&[x], &schedule.at(t));
        Some(AmbiguityPoint {
            x,
            t,
            data: exact.velocity_variance.sqrt(),
            model: (0 < size).then_some(deviation),
            mean_error: Some((mean - exact.velocity[0]).abs()),
        })
    };
    let places = PLACES.into_iter().flat_map(|x| TIMES.map(|t| (x, t)));
    let Some(points) = places.map(|(x, t)| point(x, t)).collect() else { return Ok(None) };
    let x = Bins { low: -2.0, high: 2.0, count: CELLS.0 };
    let t = Bins { low: 0.0, high: 1.0, count: CELLS.1 };
    let map_error = maps(recipe, model, seed, x, t)?.map(|maps| maps.error());
    Ok(Some(AmbiguityReport { points, map_error }))
}

/// Maps over `x` and `t`, for data on the line with a closed form; none for others, and for a model
/// whose velocity is no finite number.
///
/// # Errors
/// For bins that are none or too many, and for times that are not between 0 and 1.
pub fn maps(
    recipe: &Recipe,
    model: &Model,
    seed: u64,
    x: Bins,
    t: Bins,
) -> Result<Option<Maps>, JudgeError> {
    let Some((target, schedule)) = known(recipe, model) else { return Ok(None) };
    // Without a velocity nothing is looked at but the bins.
    velocity_spread(&[], &[], &[], x, t)?;
    if t.low < 0.0 || 1.0 < t.high {
        return Err(usage!("times go from 0 to 1, a map over {} to {} has others", t.low, t.high));
    }
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
            map.extend(spread.iter().map(|s| if s.count < FEWEST { f64::NAN } else { s.std }));
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

/// Mean and standard deviation.
fn moments(values: &[f32]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let squares = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>();
    (mean, (squares / (n - 1.0)).sqrt())
}

impl Maps {
    /// Mean of `|model - exact|` over the cells that enough pairs pass; NaN if none does.
    #[must_use]
    pub fn error(&self) -> f64 {
        let cells = self.model.iter().zip(&self.exact).filter(|(model, _)| !model.is_nan());
        let (n, sum) = cells.fold((0, 0.0), |(n, sum), (a, b)| (n + 1, sum + (a - b).abs()));
        sum / f64::from(n)
    }
}

impl AmbiguityReport {
    /// The report as text for a terminal: at `x = 0`, and the error of the map.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from("standard deviation of the velocity at x = 0\n");
        let number = |value: Option<f64>| value.map_or("  -  ".into(), |v| format!("{v:.3}"));
        for point in self.points.iter().filter(|point| point.x == 0.0) {
            let AmbiguityPoint { t, data, model, mean_error, .. } = point;
            let (model, off) = (number(*model), number(*mean_error));
            let _ = writeln!(
                text,
                "  t = {t:.2}  data {data:.3}  model {model}  mean velocity off by {off}"
            );
        }
        if let Some(error) = self.map_error {
            let _ = writeln!(text, "  mean error of its map over x and t: {error:.3}");
        }
        text
    }
}
