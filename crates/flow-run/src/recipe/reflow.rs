//! Pairs from the flow of an earlier run in place of noise and data: the section `reflow`.

use flow_path::CouplingConfig;
use serde::{Deserialize, Serialize};

use flow_model::{check_solver, check_steps};

use super::Recipe;
use crate::error::{RunError, usage};

/// The run whose flow makes the pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reflow {
    /// Folder of the run.
    pub run: String,
    /// Pairs to train on; a tenth as many validate.
    pub pairs: usize,
    /// Method by which they are solved.
    #[serde(default = "solver")]
    pub solver: String,
    /// Its equal steps.
    #[serde(default = "steps")]
    pub steps: usize,
}

fn solver() -> String {
    "rk4".into()
}

fn steps() -> usize {
    20
}

impl Reflow {
    /// Refuses values that cannot work.
    pub(crate) fn check(&self, recipe: &Recipe) -> Result<(), RunError> {
        check_solver("reflow.solver", &self.solver).map_err(|error| usage!("{error}"))?;
        check_steps("reflow.steps", self.steps).map_err(|error| usage!("{error}"))?;
        if self.pairs < 10 {
            return Err(usage!("reflow.pairs is {}, it must be at least 10", self.pairs));
        }
        if !matches!(recipe.path.coupling, CouplingConfig::Paired(_)) {
            return Err(usage!(
                "reflow trains on pairs that belong together, set path.coupling=paired"
            ));
        }
        Ok(())
    }
}
