//! The plan of a training: its length, learning rate and averages.

use crate::ema::Ema;
use crate::error::TrainError;
use crate::optimizer::AdamW;
use crate::parts::Parts;
use crate::schedule::LearningRate;

/// How long and how fast to train.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Steps of the run.
    pub steps: usize,
    /// Steps between validations and checkpoints.
    pub every: usize,
    /// Further steps that end with a validation and a checkpoint, in any order.
    pub also: Vec<usize>,
    /// Learning rate of each step.
    pub learning_rate: LearningRate,
    /// The optimizer.
    pub optimizer: AdamW,
    /// The average of the weights.
    pub ema: Ema,
    /// Largest norm of the gradient over all parameters.
    pub max_gradient_norm: Option<f64>,
    /// Batches of a validation; 0 for none.
    pub validation_batches: usize,
    /// The parts that a batch is cut into, of training and of validation.
    pub parts: Parts,
}

impl Plan {
    /// Whether training can follow from the numbers.
    ///
    /// # Errors
    /// [`TrainError::Plan`] with the first field that is no number, or outside of its range.
    pub fn check(&self) -> Result<(), TrainError> {
        let Self { learning_rate, optimizer, ema, .. } = self;
        let finite = |x: f64| (0.0..f64::INFINITY).contains(&x);
        let positive = |x: f64| 0.0 < x;
        let fraction = |x: f64| (0.0..1.0).contains(&x);
        let (finite_need, positive_need) = ("finite and not negative", "positive");
        let fraction_need = "at least 0 and below 1";
        let norm = self.max_gradient_norm.unwrap_or(1.0);
        let every = self.every as f64;
        for (field, value, fits, need) in [
            ("every", every, positive as fn(f64) -> bool, positive_need),
            ("learning_rate.peak", learning_rate.peak, finite, finite_need),
            ("learning_rate.floor", learning_rate.floor, finite, finite_need),
            ("optimizer.beta1", optimizer.beta1.into(), fraction, fraction_need),
            ("optimizer.beta2", optimizer.beta2.into(), fraction, fraction_need),
            ("optimizer.epsilon", optimizer.epsilon.into(), finite, finite_need),
            ("optimizer.weight_decay", optimizer.weight_decay.into(), finite, finite_need),
            ("ema.half_life", ema.half_life, |x| 0.0 <= x, "0 or more"),
            ("ema.ramp", ema.ramp, |x| 0.0 <= x, "0 or more"),
            ("max_gradient_norm", norm, positive, positive_need),
        ] {
            if !fits(value) {
                return Err(TrainError::Plan { field, value, need });
            }
        }
        Ok(())
    }
}
