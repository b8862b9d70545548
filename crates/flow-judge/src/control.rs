//! The effect of the latent on the images of a model, beside that of the noise.
//!
//! # Reference
//! Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, figures 6 and 7.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use flow_model::SamplePlan;
use flow_ode::{Method, Stepping};
use flow_path::stream::Purpose;
use flow_run::together::told;
use flow_run::{Given, Listener, Model, Recipe, Request, SampleChanges, check_scored};
use flow_sample::{latent_grid, normal_rows};
use serde::{Deserialize, Serialize};

use crate::classifier::{Judge, Verdict};
use crate::error::JudgeError;

/// Samples on a side of a manifold.
pub const SIDE: usize = 20;
/// Starts, and latents, of which each is joined with each.
const CROSSED: usize = 16;

/// What the latent controls, sampled by the recipe's solver; for class 0 of a model with classes.
#[derive(Debug, Serialize, Deserialize)]
pub struct ControlReport {
    /// Number of starts, and of latents.
    #[serde(default)]
    n: usize,
    /// Variances of the mean intensity of each colour channel.
    pub intensity: Vec<Variance>,
    /// Variances of the features of the classifier, summed over them: of what an image shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Variance>,
    /// What the classifier sees on each grid of latents; only for a latent of two numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manifolds: Vec<Manifold>,
}

/// Variances of a number that depends on a start and a latent.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Variance {
    /// With the start fixed, mean over starts.
    pub over_latents: f64,
    /// With the latent fixed, mean over latents.
    pub over_starts: f64,
    /// The control: with the latents of the starts shuffled, so that none is fixed. It is the sum
    /// of the two others where start and latent do not act together, and so no less than either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shuffled: Option<f64>,
}

/// What the classifier sees on a grid of latents.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifold {
    /// Classes that occur.
    pub classes: usize,
    /// Share of neighbouring cells, side by side or one below the other, that are of one class.
    pub same: f64,
    /// That of any two cells, drawn with replacement.
    pub by_chance: f64,
}

/// Looks at a model of images with a latent; processes that share its samples get none, but for the
/// first.
pub(crate) fn report(
    recipe: &Recipe,
    model: &Model,
    judge: Option<&Judge>,
    seed: u64,
    told: &dyn Listener,
) -> Result<Option<ControlReport>, JudgeError> {
    let &[channels, h, w] = model.shape() else { return Ok(None) };
    let (Some(judge), true) = (judge, 0 < model.latent()) else { return Ok(None) };
    let group = &**model.group();
    let images = crossed(recipe, model, CROSSED, seed)?;
    let mut means = vec![Vec::new(); channels];
    for (i, pixels) in images.chunks(h * w).enumerate() {
        let sum: f64 = pixels.iter().copied().map(f64::from).sum();
        means[i % channels].push(sum / pixels.len() as f64);
    }
    let Verdict { features, dim, .. } = judge.judge_together(group, &images, told)?;
    let seen = manifolds(recipe, model, seed)?
        .iter()
        .map(|images| Ok(judge.judge_together(group, images, told)?.classes))
        .collect::<Result<Vec<_>, JudgeError>>()?;
    if !group.is_first() {
        return Ok(None);
    }
    let manifolds = seen.iter().map(|classes| Manifold::of(classes, SIDE)).collect();
    let intensity = means.iter().map(|table| Variance::of(table, CROSSED)).collect();
    let feature = |at: usize| -> Vec<f64> {
        features.iter().skip(at).step_by(dim).copied().map(f64::from).collect()
    };
    let content = (0..dim).map(|at| Variance::of(&feature(at), CROSSED)).reduce(Variance::plus);
    Ok(Some(ControlReport { n: CROSSED, intensity, content, manifolds }))
}

/// Images of each of `n` starts with each of `n` latents, those of one start after the other; none
/// of a model without a latent, of rows that are no images, and for an `n` of 0.
///
/// # Errors
/// When the solver fails, and for more images than the memory holds.
pub fn crossed(
    recipe: &Recipe,
    model: &Model,
    n: usize,
    seed: u64,
) -> Result<Vec<f32>, JudgeError> {
    if model.shape().len() != 3 || model.latent() == 0 || n == 0 {
        return Ok(Vec::new());
    }
    check_scored("starts and latents", n.saturating_mul(n), model.shape())?;
    let latents = normal_rows(seed, Purpose::Control, 0..n, model.latent());
    let mut images = Vec::new();
    for start in starts(recipe, model, n, seed)? {
        images.extend(with_latents(recipe, model, &start, latents.clone(), seed)?);
    }
    Ok(images)
}

/// Samples from two starts over a square of latents, as [`latent_grid`] lays them out; none unless
/// the latent has two numbers.
///
/// # Errors
/// When the solver fails.
pub fn manifolds(recipe: &Recipe, model: &Model, seed: u64) -> Result<Vec<Vec<f32>>, JudgeError> {
    if model.shape().len() != 3 || model.latent() != 2 {
        return Ok(Vec::new());
    }
    let starts = starts(recipe, model, 2, seed)?;
    let over = |start: &Vec<f32>| with_latents(recipe, model, start, latent_grid(SIDE), seed);
    starts.iter().map(over).collect()
}

/// Draws of `x_0`, in all processes that share the samples of the model.
fn starts(
    recipe: &Recipe,
    model: &Model,
    n: usize,
    seed: u64,
) -> Result<Vec<Vec<f32>>, JudgeError> {
    let request = Request::new(recipe, &SampleChanges::default(), n, seed)?;
    let once = SamplePlan::Solver(Method::Euler, Stepping::Count(1));
    let samples = model.sample(&Request { way: once, ..request }.with_times(vec![0.0]))?;
    let size = model.signature().size();
    let states = told(&**model.group(), &samples.states[0])?;
    Ok(states.chunks(size).map(<[f32]>::to_vec).collect())
}

/// Samples from one start, one for each latent.
fn with_latents(
    recipe: &Recipe,
    model: &Model,
    start: &[f32],
    latents: Vec<f32>,
    seed: u64,
) -> Result<Vec<f32>, JudgeError> {
    let n = latents.len() / model.latent();
    let request = Request::new(recipe, &SampleChanges::default(), n, seed)?;
    let given = Given { starts: Some(start.repeat(n)), latents: Some(latents), ..Given::default() };
    let class = (0 < model.classes()).then_some(0);
    Ok(model.sample(&Request { class, ..request }.with_given(given))?.rows)
}

impl Variance {
    /// The variances of a table with a row for each start and a column for each latent.
    fn of(table: &[f64], columns: usize) -> Self {
        let rows = table.len() / columns;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let variance = |values: Vec<f64>| {
            let centre = mean(&values);
            let squares = values.iter().map(|value| (value - centre).powi(2)).sum::<f64>();
            squares / (values.len() - 1) as f64
        };
        let row = |i: usize| (0..columns).map(|j| table[i * columns + j]).collect();
        let column = |j: usize| (0..rows).map(|i| table[i * columns + j]).collect();
        // Each start with a latent of its own, in as many ways as there are latents.
        let diagonal =
            |j: usize| (0..rows).map(|i| table[i * columns + (i + j) % columns]).collect();
        let over_latents: Vec<f64> = (0..rows).map(row).map(variance).collect();
        let over_starts: Vec<f64> = (0..columns).map(column).map(variance).collect();
        let shuffled: Vec<f64> = (0..columns).map(diagonal).map(variance).collect();
        Self {
            over_latents: mean(&over_latents),
            over_starts: mean(&over_starts),
            shuffled: Some(mean(&shuffled)),
        }
    }

    /// The variances of two numbers together.
    fn plus(self, other: Self) -> Self {
        Self {
            over_latents: self.over_latents + other.over_latents,
            over_starts: self.over_starts + other.over_starts,
            shuffled: self.shuffled.zip(other.shuffled).map(|(a, b)| a + b),
        }
    }

    /// In words.
    fn text(&self) -> String {
        let Self { over_latents, over_starts, shuffled } = self;
        let mut text =
            format!("variance over latents {over_latents:.5}, over starts {over_starts:.5}");
        if let Some(shuffled) = shuffled {
            let _ = write!(text, ", over starts with shuffled latents {shuffled:.5}");
        }
        text
    }
}

impl Manifold {
    /// Counts the classes on a square grid, given row by row.
    fn of(classes: &[usize], side: usize) -> Self {
        let across = classes.chunks(side).flat_map(|row| row.windows(2).map(|w| w[0] == w[1]));
        let down = classes.iter().zip(&classes[side..]).map(|(a, b)| a == b);
        let pairs: Vec<bool> = across.chain(down).collect();
        let mut counts = BTreeMap::new();
        for class in classes {
            *counts.entry(class).or_insert(0_usize) += 1;
        }
        let share = |count: &usize| *count as f64 / classes.len() as f64;
        Self {
            classes: counts.len(),
            same: pairs.iter().filter(|same| **same).count() as f64 / pairs.len() as f64,
            by_chance: counts.values().map(|count| share(count).powi(2)).sum(),
        }
    }
}

impl ControlReport {
    /// The report as text for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!("mean intensity from {0} starts, each with {0} latents\n", self.n);
        for (i, variance) in self.intensity.iter().enumerate() {
            let _ = writeln!(text, "  channel {i}: {}", variance.text());
        }
        if let Some(content) = &self.content {
            let _ = writeln!(text, "  features of the classifier: {}", content.text());
        }
        for (i, Manifold { classes, same, by_chance }) in self.manifolds.iter().enumerate() {
            let _ = writeln!(
                text,
                "manifold {i}: {classes} classes on {SIDE} x {SIDE} latents, {same:.3} of \
                 neighbours are of one class ({by_chance:.3} of any two)"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_two_effects_comes_apart() {
        // Starts add 0, 3, 6 (variance 9) and latents 0, 1, 2 (variance 1).
        let table = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        let both = Variance { over_latents: 1.0, over_starts: 9.0, shuffled: Some(10.0) };
        assert_eq!(Variance::of(&table, 3), both);
        let twice = Variance { over_latents: 2.0, over_starts: 18.0, shuffled: Some(20.0) };
        assert_eq!(Variance::of(&table, 3).plus(both), twice);
        // Fewer latents than starts.
        let fewer = Variance::of(&[0.0, 1.0, 3.0, 4.0, 6.0, 7.0], 2);
        assert_eq!((fewer.over_latents, fewer.over_starts), (0.5, 9.0));
    }

    #[test]
    fn shuffled_latents_take_the_pattern_from_what_the_latent_decides() {
        // The latent decides alone: nothing varies over starts, unless the latents are shuffled.
        let latent = Variance::of(&[0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0, 1.0, 2.0], 3);
        assert_eq!((latent.over_starts, latent.shuffled), (0.0, Some(latent.over_latents)));
        // The start decides alone: shuffling changes nothing.
        let start = Variance::of(&[0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0], 3);
        assert_eq!((start.over_latents, start.shuffled), (0.0, Some(start.over_starts)));
    }

    #[test]
    fn neighbours_are_counted_across_and_down_but_not_around_the_edge() {
        // Across 2 of 6 pairs, down 3 of 6; classes 4, 3 and 2 of 9.
        let found = Manifold::of(&[1, 1, 0, 1, 1, 0, 2, 0, 2], 3);
        assert_eq!(found.classes, 3);
        assert!((found.same - 5.0 / 12.0).abs() < 1e-12, "{found:?}");
        assert!((found.by_chance - 29.0 / 81.0).abs() < 1e-12, "{found:?}");
    }
}
