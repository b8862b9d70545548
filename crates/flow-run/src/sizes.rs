//! The memory that a recipe needs, counted before anything is allocated.
//!
//! The counts are the least that is held at once, so that nothing which would work is refused; what
//! lies within a small factor of the machine's memory may still fail.

use std::fmt::Write;
use std::path::Path;

use flow_path::{CostMatrix, CouplingConfig};
use flow_train::DrawBy;

use crate::error::{RunError, usage};
use crate::memory::{self, row_size};
use crate::model::Model;
use crate::network::{footprints, largest, signature};
use crate::recipe::Recipe;
use crate::request::Request;

/// Bytes of a number in single and in double precision.
const SINGLE: f64 = 4.0;
const DOUBLE: f64 = 8.0;

/// Copies of the parameters while they are trained: themselves, their average, their gradient, two
/// moments.
const TRAINED: f64 = 5.0;

/// Further copies of the gradient where a batch is cut into parts: their sum, and the next one.
const SUMMED: f64 = 2.0;

/// Copies of the rows of a batch: noise, data, the point between, its target, the prediction, its
/// gradient.
const OF_A_BATCH: f64 = 6.0;

/// Sets that are scored: the samples, and as many of the data twice.
const SCORED: f64 = 3.0;

/// Something large, and the key that makes it so.
#[derive(Debug)]
struct Size {
    key: String,
    what: String,
    bytes: f64,
}

/// Everything large of a recipe.
#[derive(Debug)]
pub struct Sizes(Vec<Size>);

impl Sizes {
    /// Counts, for data of this shape and number of classes.
    ///
    /// # Errors
    /// When the network of the recipe is for rows of another kind.
    pub fn of(
        recipe: &Recipe,
        shape: &[usize],
        classes: usize,
        vector: usize,
    ) -> Result<Self, RunError> {
        let [velocity, posterior] =
            footprints(recipe, &signature(recipe, shape, classes, vector)?)?;
        let [of_network, of_posterior] = largest(recipe);
        let row = row_size(shape);
        let (batch, parts) = (recipe.train.batch as f64, recipe.train.parts as f64);
        let copies = if recipe.train.parts == 1 { TRAINED } else { TRAINED + SUMMED };
        let drawn = match recipe.train.draw {
            DrawBy::Batch => batch,
            DrawBy::Part => batch / parts,
        };
        let scored = recipe.eval.n as f64;
        let size =
            |key: &str, what: &str, bytes: f64| Size { key: key.into(), what: what.into(), bytes };
        let mut all =
            vec![size(&of_network, "to train the network", SINGLE * copies * velocity.parameters)];
        if recipe.latent.is_some() {
            let bytes = SINGLE * copies * posterior.parameters;
            all.push(size(&of_posterior, "to train the posterior", bytes));
        }
        // Of blocks that are computed again one is held at a time, and so its widest layer.
        let again = recipe.train.recompute;
        let kept = if again { velocity.widest } else { velocity.activations };
        let layers = kept + posterior.activations;
        let bytes = SINGLE * (drawn * OF_A_BATCH * row + batch / parts * layers);
        all.push(size("train.batch", "a step", bytes));
        let together = if recipe.path.within_classes { classes.max(1) as f64 } else { 1.0 };
        let pairs = (drawn / together).powi(2);
        if let Some((name, tables)) = tables(recipe.path.coupling) {
            let what = format!("the coupling {name} of a batch");
            let most = CostMatrix::LARGEST_BYTES as f64;
            if most < DOUBLE * pairs {
                return Err(usage!(
                    "train.batch: {what} compares all noise with all data in {}, and {} are the \
                     most: lower it",
                    memory::shown(DOUBLE * pairs),
                    memory::shown(most)
                ));
            }
            all.push(size("train.batch", &what, DOUBLE * tables * pairs));
        }
        if let Some(reflow) = &recipe.reflow {
            let latent = recipe.latent.as_ref().map_or(0.0, |latent| latent.dim as f64);
            let bytes = SINGLE * reflow.pairs as f64 * (2.0 * row + latent);
            all.push(size("reflow.pairs", "the pairs", bytes));
        }
        all.push(size("eval.n", "to score", SINGLE * SCORED * scored * row));
        let together = scored.min(recipe.eval.batch as f64);
        let bytes = SINGLE * together * (row + velocity.widest);
        all.push(size("eval.batch", "to sample a batch", bytes));
        let solved = recipe.eval.error_n as f64;
        all.push(size(
            "eval.error_n",
            "to measure the solver's error",
            SINGLE * 3.0 * solved * row,
        ));
        Ok(Self(all))
    }

    /// Refuses what the machine cannot hold.
    ///
    /// # Errors
    /// With the key to lower.
    pub fn check(&self) -> Result<(), RunError> {
        self.0.iter().try_for_each(|Size { key, what, bytes }| memory::check(key, what, *bytes))
    }

    /// A line for each, as comments of TOML.
    #[must_use]
    pub fn comments(&self) -> String {
        let mut text = format!("# memory, at least, of {} here:\n", memory::shown(memory::limit()));
        for Size { key, what, bytes } in self.0.iter().filter(|size| 0.0 < size.bytes) {
            let _ = writeln!(text, "#   {:>9}  {what} ({key})", memory::shown(*bytes));
        }
        text
    }
}

/// Refuses to score more samples than the machine can hold with the data that they are compared
/// with.
///
/// # Errors
/// With `named`, the key or the option to lower.
pub fn check_scored(named: &str, n: usize, shape: &[usize]) -> Result<(), RunError> {
    let bytes = SINGLE * SCORED * n as f64 * row_size(shape);
    memory::check(named, "to hold the samples and the data", bytes)
}

/// Noise has a stream for each sample and step, with 32 bits for the sample.
const MOST_SAMPLES: usize = u32::MAX as usize;

/// Refuses samples that neither the memory nor the disk of `folder` can hold. Those of a picture
/// are held at once, others a batch at a time.
///
/// # Errors
/// With the option to lower.
pub fn check_samples(
    model: &Model,
    request: &Request,
    is_picture: bool,
    folder: &Path,
) -> Result<(), RunError> {
    let (n, row) = (request.n as f64, row_size(model.shape()));
    let together = request.batch.min(request.n) as f64;
    memory::check("--batch", "a batch", SINGLE * together * (row + model.footprint.widest))?;
    if is_picture {
        // The samples, and three bytes for each of their pixels.
        return memory::check("--number", "the picture", n * row * (SINGLE + 3.0));
    }
    let label = if model.classes() == 0 { 0.0 } else { 8.0 };
    memory::check_disk("--number", folder, n * (SINGLE * row + label))?;
    if MOST_SAMPLES < request.n {
        return Err(usage!("--number is {}, a seed has {MOST_SAMPLES} samples", request.n));
    }
    Ok(())
}

/// The coupling's name and how many tables of all noise and data rows it holds, if any.
fn tables(coupling: CouplingConfig) -> Option<(&'static str, f64)> {
    let tables = match coupling {
        CouplingConfig::Independent(_) | CouplingConfig::Paired(_) => return None,
        CouplingConfig::Ot(_) => 1.0,
        // Of data, of conditions, and what separates the pairs.
        CouplingConfig::Conditional(_) => 3.0,
        // Rows that are left out are twice as many.
        CouplingConfig::Partial(_) => 4.0,
        CouplingConfig::Sinkhorn(_)
        | CouplingConfig::Unbalanced(_)
        | CouplingConfig::Schrodinger(_) => 2.0,
    };
    Some((coupling.name(), tables))
}
