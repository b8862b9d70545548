//! Settings of inverse problems, apart from the observation.

use flow_ode::Method;
use flow_sample::{Grid, LinearOperator, ObservationNoise, Sampler, SamplerConfig};

use crate::changes::typed;
use crate::error::ModelError;
use crate::method::AnswerMethod;
use crate::question::Question;
use crate::settings::check_steps;

/// How questions are answered: everything of a [`Question`] but what was seen, and the sampler.
#[derive(Debug)]
pub struct AnswerPlan {
    /// How the observation is brought in.
    pub method: AnswerMethod,
    /// The way from noise to data.
    pub sampler: Box<dyn Sampler>,
    /// Times of its steps.
    pub grid: Grid,
    /// Draws that are computed together at most, which bounds the memory.
    pub at_once: usize,
    /// Seed of the noise.
    pub seed: u64,
}

impl AnswerPlan {
    /// The method, as it is typed, unless another one is asked for.
    pub const METHOD: &'static str = "mmps";
    /// The sampler, as it is typed, unless another one is asked for.
    pub const SAMPLER: &'static str = "langevin";
    /// The method by which the sampler `ode` steps.
    pub const SOLVER: Method = Method::Midpoint;
    /// The number of steps unless another one is asked for.
    pub const STEPS: usize = 32;
    /// Draws that are computed together unless another number is asked for.
    pub const AT_ONCE: usize = 16;

    /// Equal steps of a sampler; the sampler `ode` steps by [`SOLVER`](Self::SOLVER). A model that
    /// is asked refuses no steps.
    #[must_use]
    pub fn new(method: AnswerMethod, sampler: &SamplerConfig, steps: usize) -> Self {
        Self {
            method,
            sampler: sampler.build(Self::SOLVER),
            grid: Grid::Uniform { steps },
            at_once: Self::AT_ONCE,
            seed: 0,
        }
    }

    /// Equal steps of a sampler, which is typed like the method.
    ///
    /// # Errors
    /// [`ModelError::Setting`](crate::ModelError::Setting) with the option that is no choice, and
    /// for a number of steps that cannot be made.
    pub fn typed(method: &str, sampler: &str, steps: usize) -> Result<Self, ModelError> {
        check_steps("number of steps", steps)?;
        let sampler: SamplerConfig = typed("--sampler", sampler)?;
        let method: AnswerMethod = typed("--method", method)?;
        method.check()?;
        Ok(Self::new(method, &sampler, steps))
    }

    /// A question about what was seen through an operator with this noise, without classes and
    /// conditions. What of its numbers cannot be is refused by the model that is asked.
    #[must_use]
    pub fn question<'a>(
        &'a self,
        operator: &'a dyn LinearOperator,
        observed: &'a [f32],
        noise: ObservationNoise,
        draws: usize,
    ) -> Question<'a> {
        Question {
            operator,
            observed,
            noise,
            method: self.method,
            grid: &self.grid,
            draws,
            at_once: self.at_once,
            seed: self.seed,
            classes: None,
            vectors: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_by_default_is_known() {
        let plan = AnswerPlan::typed(AnswerPlan::METHOD, AnswerPlan::SAMPLER, AnswerPlan::STEPS);
        let plan = plan.unwrap();
        assert_eq!(plan.method, AnswerMethod::default());
        assert_eq!((plan.at_once, plan.seed), (16, 0));
        for (method, sampler, option) in
            [("guess", "langevin", "--method"), ("mmps", "guess", "--sampler")]
        {
            let error = AnswerPlan::typed(method, sampler, 1).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{option}: ")), "{error}");
        }
    }
}
