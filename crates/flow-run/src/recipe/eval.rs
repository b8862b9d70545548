//! The scores of a run: the section `eval`.

use std::collections::BTreeMap;

use flow_model::{check_solver, check_steps};
use flow_ode::Method;
use serde::{Deserialize, Serialize};

use super::check::positive;
use crate::error::{RunError, usage};

/// Fewer have no energy distance with an error.
pub const FEWEST_SAMPLES: usize = 3;

/// What to score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Eval {
    /// Samples to score.
    pub n: usize,
    /// Samples computed together.
    pub batch: usize,
    /// Names of the scores; the usual ones of the data, if there are none.
    pub metrics: Vec<String>,
    /// Of the kernels of Parzen windows; chosen from the data, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<f64>,
    /// Samples whose error of few steps is measured; 0 for none.
    pub error_n: usize,
    /// Whether every checkpoint is kept and scored.
    pub every_checkpoint: bool,
    /// By method, numbers of equal steps.
    pub steps: BTreeMap<String, Vec<usize>>,
    /// Of a flow map, numbers of equal jumps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jumps: Vec<usize>,
}

impl Default for Eval {
    fn default() -> Self {
        Self {
            n: 10_000,
            batch: 2_000,
            metrics: Vec::new(),
            bandwidth: None,
            error_n: 0,
            every_checkpoint: false,
            steps: BTreeMap::from([("midpoint".into(), vec![2, 5, 10])]),
            jumps: Vec::new(),
        }
    }
}

impl Eval {
    /// Each method with each of its numbers of steps.
    ///
    /// # Errors
    /// For a name that is no method's.
    pub fn fixed(&self) -> Result<Vec<(Method, usize)>, RunError> {
        let mut fixed = Vec::new();
        for (name, counts) in &self.steps {
            let method = check_solver("eval.steps", name).map_err(|error| usage!("{error}"))?;
            fixed.extend(counts.iter().map(|&steps| (method, steps)));
        }
        Ok(fixed)
    }

    /// Refuses values that cannot work.
    pub(crate) fn check(&self) -> Result<(), RunError> {
        positive(&[
            ("eval.batch", self.batch as f64),
            ("eval.bandwidth", self.bandwidth.unwrap_or(1.0)),
        ])?;
        for (method, steps) in self.fixed()? {
            check_steps(&format!("eval.steps.{method}"), steps)
                .map_err(|error| usage!("{error}"))?;
        }
        for &jumps in &self.jumps {
            check_steps("eval.jumps", jumps).map_err(|error| usage!("{error}"))?;
        }
        for (key, n) in [("eval.n", self.n), ("eval.error_n", self.error_n)] {
            if n < FEWEST_SAMPLES && (n, key) != (0, "eval.error_n") {
                return Err(usage!("{key} is {n}, scores need at least {FEWEST_SAMPLES} samples"));
            }
        }
        Ok(())
    }
}
