//! Training one step at a time, for programs whose own loop it is.

use std::fmt;
use std::sync::Arc;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Device;

use crate::criterion::{Criterion, check_batches};
use crate::ensemble::Ensemble;
use crate::error::{Divergence, TrainError};
use crate::objective::{Batch, Objective};
use crate::plan::Plan;
use crate::rules::Rules;
use crate::source::BatchSource;

/// A training that its caller moves on step by step: a page that draws between two frames, a
/// notebook, a program that looks at every gradient.
///
/// The steps are those of [`fit`](crate::fit), bit for bit. Nothing is validated, written or
/// prefetched, and there is no thread besides those of the kernels.
pub struct Stepper {
    network: Ensemble,
    average: Ensemble,
    objective: Arc<dyn Objective>,
    batches: Arc<dyn BatchSource<Batch = Batch>>,
    optimizer: ModuleOptimizer,
    plan: Plan,
    rules: Rules,
    device: Device,
    steps: usize,
}

impl fmt::Debug for Stepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Burn's optimizer shows nothing of itself.
        f.debug_struct("Stepper").field("steps", &self.steps).finish_non_exhaustive()
    }
}

impl Stepper {
    /// A training at its first step, on `device`, which is given without autodiff.
    ///
    /// Of the plan it takes the learning rate, the optimizer, the average and the clipping.
    ///
    /// # Errors
    /// When the plan holds a number that is none, or batches, network and loss do not fit each
    /// other.
    pub fn new(
        model: impl Into<Ensemble>,
        objective: Arc<dyn Objective>,
        batches: Arc<dyn BatchSource<Batch = Batch>>,
        plan: Plan,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let network: Ensemble = model.into();
        plan.check()?;
        check_batches(&network, &objective, &*batches)?;
        objective.check_times(&network, batches.pairs())?;
        let device = device.clone().autodiff();
        let network = network.fork(&device.clone().inner()).train();
        let average = network.valid().no_grad();
        let optimizer = plan.optimizer.optimizer();
        let rules = Rules::of(&plan, batches.rows(), 0, &device);
        Ok(Self { network, average, objective, batches, optimizer, plan, rules, device, steps: 0 })
    }

    /// Steps done.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The averaged network as it is now, without a tape.
    #[must_use]
    pub fn average(&self) -> Ensemble {
        self.average.valid()
    }

    /// Takes a step, and gives the loss of its batch.
    ///
    /// The training is taken and given back: after an error there is none to go on with.
    ///
    /// # Errors
    /// When the batch cannot be made, or its loss is not finite.
    pub fn step(self) -> Result<(Self, f64), TrainError> {
        let Self { network, average, objective, batches, mut optimizer, mut rules, .. } = self;
        let (plan, device, step) = (self.plan, self.device, self.steps);
        let batch = batches.batch(step, &device)?;
        let rate = plan.learning_rate.at(step).into();
        let (network, average, loss) = rules.run(|rules| {
            let loss = objective.loss(&network, &average, batch).total;
            let value = loss.clone().into_scalar::<f32>();
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let (gradients, _) = rules.bounded(&network, gradients);
            let pair = (network, average);
            let (network, average) = rules.follow(pair, &mut optimizer, rate, gradients);
            (network, average, f64::from(value))
        });
        let steps = step + 1;
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step: steps, what: Divergence::Loss(loss) });
        }
        let next =
            Self { network, average, objective, batches, optimizer, plan, rules, device, steps };
        Ok((next, loss))
    }
}
