//! The methods by which an observation is brought into a sampler.

use flow_path::choices;
use flow_sample::{Conditioning, Dps, LinearOperator, Mmps, Observation, PiGdm, Replacement};

use crate::error::ModelError;

/// How an observation is brought into a sampler; see the table of [`flow_sample`]'s methods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnswerMethod {
    /// Known entries are put in: the cheap control.
    Replacement,
    /// Diffusion posterior sampling: the data that are expected are taken for known.
    Dps {
        /// Strength: 1 is Bayes' rule.
        scale: f64,
    },
    /// Data of one variance for all numbers.
    Pigdm {
        /// Standard deviation of the data.
        data_std: f64,
    },
    /// Data of the covariance that the network itself has.
    Mmps {
        /// Iterations of conjugate gradients, each an evaluation: from 1 to 1,000.
        iterations: usize,
    },
}

choices! {
    impl AnswerMethod {
        /// data of the covariance that the network itself has
        "mmps" => Mmps { iterations = 1 },
        /// data of one variance for all numbers
        "pigdm" => Pigdm { data_std = 1.0 },
        /// the data that are expected are taken for known: too narrow
        "dps" => Dps { scale = 1.0 },
        /// known entries are put in: the cheap control
        "replacement" => Replacement,
    }
}

/// Iterations by which a system of the operator alone is solved; a mask needs one.
const MOST_SOLVED: usize = 10;

/// Most evaluations for one prediction: as many as there are numbers seen solve the system, and a
/// handful does for pictures.
const MOST_ITERATIONS: usize = 1_000;

impl Default for AnswerMethod {
    fn default() -> Self {
        Self::Mmps { iterations: 1 }
    }
}

impl AnswerMethod {
    /// Refuses a strength or a size that is not positive, and iterations that nobody waits for.
    ///
    /// # Errors
    /// [`ModelError::Setting`] with the value.
    pub fn check(self) -> Result<(), ModelError> {
        let wrong = |key: &str, reason: String| {
            Err(ModelError::Setting { key: key.into(), reason: format!("is {reason}") })
        };
        match self {
            Self::Dps { scale: value } if !is_positive(value) => {
                wrong("scale", format!("{value}, it must be a positive number"))
            }
            Self::Pigdm { data_std: value } if !is_positive(value) => {
                wrong("data_std", format!("{value}, it must be a positive number"))
            }
            Self::Mmps { iterations } if !(1..=MOST_ITERATIONS).contains(&iterations) => {
                wrong("iterations", format!("{iterations}, it must lie in [1, {MOST_ITERATIONS}]"))
            }
            _ => Ok(()),
        }
    }

    /// Evaluations of the network for each prediction.
    #[must_use]
    pub fn evaluations(self) -> usize {
        match self {
            Self::Mmps { iterations } => iterations.max(1),
            _ => 1,
        }
    }

    /// The method with what was seen.
    pub(crate) fn over<'a>(
        self,
        observation: Observation<&'a dyn LinearOperator>,
    ) -> Box<dyn Conditioning + 'a> {
        match self {
            Self::Replacement => Box::new(Replacement { observation, iterations: MOST_SOLVED }),
            Self::Dps { scale } => Box::new(Dps { evidence: observation, scale }),
            Self::Pigdm { data_std } => {
                Box::new(PiGdm { observation, data_std, iterations: MOST_SOLVED })
            }
            Self::Mmps { iterations } => Box::new(Mmps { observation, iterations }),
        }
    }
}

fn is_positive(value: f64) -> bool {
    value.is_finite() && 0.0 < value
}
