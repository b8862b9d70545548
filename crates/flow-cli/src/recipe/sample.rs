//! How to draw samples: the section `sample`.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::check::{not_negative, positive};
use crate::exit::usage;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sample {
    pub(crate) solver: String,
    pub(crate) steps: usize,
    pub(crate) rtol: f64,
    pub(crate) atol: f64,
    pub(crate) guidance: f64,
}

impl Default for Sample {
    fn default() -> Self {
        Self { solver: "dopri5".into(), steps: 20, rtol: 1e-5, atol: 1e-5, guidance: 1.0 }
    }
}

impl Sample {
    /// Refuses values that cannot work.
    pub(super) fn check(&self) -> Result<()> {
        positive(&[
            ("sample.steps", self.steps as f64),
            ("sample.rtol", self.rtol),
            ("sample.atol", self.atol),
        ])?;
        not_negative(&[("sample.guidance", self.guidance)])?;
        match self.solver.parse::<flow_ode::Method>() {
            Ok(_) => Ok(()),
            Err(error) => Err(usage!("sample.solver: {error}")),
        }
    }
}
