//! Pairs that the flow of an earlier run makes, to be joined by straight lines anew.
//!
//! `x_1 = phi_1(x_0)` is where the flow takes the noise `x_0`, along the latent drawn for it if
//! there is one. The pairs are made before training starts, so that training itself solves nothing.
//!
//! # Reference
//! Liu, Gong & Liu (2023), "Flow Straight and Fast: Learning to Generate and Transfer Data with
//! Rectified Flow", arXiv:2209.03003, section 2.2.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use flow_model::SampleChanges;
use flow_path::Source;
use flow_path::stream::{Purpose, Streams};
use flow_sample::normal_rows;
use flow_train::{Checkpoint, DataSource, Identity, Rows};

use crate::beginning::sha256;
use crate::data::Data;
use crate::error::{RunError, usage};
use crate::given::Given;
use crate::model::Model;
use crate::recipe::{Recipe, Reflow};
use crate::request::Request;
use crate::run::Run;

/// The earlier run or model whose flow makes the pairs, as it is now.
#[derive(Debug)]
pub struct Teacher {
    run: Run,
    /// Its newest checkpoint; nothing for a model of its own.
    checkpoint: Option<Checkpoint>,
    /// By which a later start sees whether it is still the same.
    pub identity: Identity,
}

impl Teacher {
    /// That of a recipe, if it has one.
    ///
    /// # Errors
    /// When the run is none, or one of other data.
    pub fn open(recipe: &Recipe, data: &Data) -> Result<Option<Self>, RunError> {
        let Some(reflow) = &recipe.reflow else { return Ok(None) };
        let run = Run::open(recipe.network.registry(), Path::new(&reflow.run))?;
        let other = &run.recipe;
        if (&other.data.set, other.data.conditional) != (&recipe.data.set, recipe.data.conditional)
            || other.path.source != recipe.path.source
        {
            return Err(usage!(
                "reflow.run {} was trained on other data or from another source, use those of its \
                 recipe (of a model, `flow card MODEL --toml` prints it)",
                reflow.run
            ));
        }
        run.check_rows(data)?;
        run.check_fit(data)?;
        let (checkpoint, weights) = if let Some(file) = &run.file {
            (None, file.sha256.clone())
        } else {
            let checkpoint = run.checkpoint()?;
            let weights = sha256(&checkpoint)?;
            (Some(checkpoint), weights)
        };
        let step = checkpoint.as_ref().map_or_else(|| run.step(), |newest| Ok(newest.step))?;
        let identity = run.recipe.teacher(step, weights);
        Ok(Some(Self { run, checkpoint, identity }))
    }

    /// Rows to train with and rows to validate with.
    ///
    /// # Errors
    /// When the model cannot be read or solved.
    pub fn sources(
        &self,
        recipe: &Recipe,
        reflow: &Reflow,
        device: &Device,
    ) -> Result<[Arc<dyn DataSource>; 2], RunError> {
        let model = match &self.checkpoint {
            Some(checkpoint) => Model::of(&self.run, checkpoint, device)?,
            None => Model::load(&self.run, device)?,
        };
        let pairs = |n: usize, seed: u64| -> Result<Arc<dyn DataSource>, RunError> {
            let method = reflow.solver.parse().map_err(|error| usage!("reflow.solver: {error}"))?;
            let request = Request::new(&self.run.recipe, &SampleChanges::default(), n, seed)?
                .fixed(method, reflow.steps);
            let starts = starts(model.source(), seed, n, model.signature().size());
            let latents = match model.latent() {
                0 => None,
                size => Some(normal_rows(seed, Purpose::ReflowLatent, 0..n, size)),
            };
            // A path starts at `prior_std x_0` of the schedule that is sampled along, and the
            // schedule of this run scales `x_0` by its own.
            let along = request.schedule.map(|schedule| schedule.build());
            let scale = along.as_ref().unwrap_or(model.schedule()).prior_std() as f32;
            let scaled = starts.iter().map(|start| start * scale).collect();
            let given = Given { starts: Some(scaled), latents, ..Given::default() };
            let samples = model.sample(&request.with_given(given))?;
            let mut rows = Rows::new(model.shape().to_vec(), samples.rows, samples.classes);
            if let Some(lengths) = samples.lengths {
                rows = rows.with_lengths(lengths);
            }
            Ok(Arc::new(rows.with_starts(starts)))
        };
        Ok([pairs(reflow.pairs, recipe.seed)?, pairs(reflow.pairs.div_ceil(10), !recipe.seed)?])
    }
}

/// Rows of `x_0` for a purpose of their own: no seed of a later sample or score meets them again,
/// which would be to score a student on what it was trained on.
fn starts(source: &Source, seed: u64, n: usize, size: usize) -> Vec<f32> {
    let streams = Streams::new(seed);
    (0..n as u64)
        .flat_map(|i| source.sample(1, size, &mut streams.rng(i, Purpose::Reflow)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_start_from_no_row_that_a_sample_or_a_batch_starts_from() {
        for seed in [0, 7, u64::MAX] {
            let own = starts(&Source::Normal, seed, 50, 2);
            for purpose in [Purpose::Start, Purpose::Noise] {
                for other in [seed, !seed] {
                    let rows = normal_rows(other, purpose, 0..50, 2);
                    let met = own.chunks(2).any(|a| rows.chunks(2).any(|b| a == b));
                    assert!(!met, "seed {seed}, {purpose:?} of {other}");
                }
            }
        }
    }
}
