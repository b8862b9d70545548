//! What to score: the section `eval`.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::check::positive;
use crate::exit::usage;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Eval {
    pub(crate) n: usize,
    pub(crate) batch: usize,
    pub(crate) midpoint_steps: Vec<usize>,
}

impl Default for Eval {
    fn default() -> Self {
        Self { n: 10_000, batch: 2_000, midpoint_steps: vec![2, 5, 10] }
    }
}

impl Eval {
    /// Refuses values that cannot work.
    pub(super) fn check(&self) -> Result<()> {
        let fewest = self.midpoint_steps.iter().min().map_or(1.0, |&n| n as f64);
        positive(&[("eval.batch", self.batch as f64), ("eval.midpoint_steps", fewest)])?;
        if self.n < 2 {
            return Err(usage!("eval.n is {}, scores need at least 2 samples", self.n));
        }
        Ok(())
    }
}
