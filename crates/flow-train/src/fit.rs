//! One call that trains: the parts of this crate and of burn-train put together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Device;
use burn::train::metric::{LearningRateMetric, LossMetric};
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingError, TrainingStrategy};

use crate::checkpoint::{Always, Checkpoint, CheckpointFolder};
use crate::ema::Ema;
use crate::error::TrainError;
use crate::loader::{BatchSource, Loader};
use crate::objective::Objective;
use crate::observer::{Observer, Renderer, StepRecord};
use crate::optimizer::AdamW;
use crate::schedule::{LearningRate, Stepped};
use crate::strategy::BySteps;
use crate::terms::TermsMetric;
use crate::trainee::{Rules, Trainee};

/// How long and how fast to train.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Steps of the run.
    pub steps: usize,
    /// Steps between validations and checkpoints.
    pub every: usize,
    /// Learning rate of each step.
    pub learning_rate: LearningRate,
    /// The optimizer.
    pub optimizer: AdamW,
    /// The average of the weights.
    pub ema: Ema,
    /// Largest norm of the gradient over all parameters.
    pub max_gradient_norm: Option<f64>,
    /// Batches of a validation.
    pub validation_batches: usize,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome<N> {
    /// The averaged network, without a tape.
    pub network: N,
    /// Steps done.
    pub step: usize,
    /// Whether the run was interrupted before its last step.
    pub interrupted: bool,
}

impl<N> Outcome<N> {
    /// The same outcome without its network.
    #[must_use]
    pub fn forget_network(self) -> Outcome<()> {
        Outcome { network: (), step: self.step, interrupted: self.interrupted }
    }
}

/// Trains `network` on `batches` and returns the average of its weights.
///
/// With `resume`, goes on from that checkpoint; the result is then bit for bit that of an
/// uninterrupted run on the CPU backends.
///
/// # Errors
/// When a batch cannot be made, a checkpoint cannot be read or written, or the loss stops being a
/// number. Checkpoints written before stay valid.
#[expect(clippy::too_many_arguments, reason = "each is a part that a caller may swap")]
pub fn fit<N, O, S>(
    network: N,
    objective: O,
    batches: S,
    validation: S,
    plan: &Plan,
    device: &Device,
    checkpoints: &CheckpointFolder,
    resume: Option<&Checkpoint>,
    observer: Box<dyn Observer>,
    interrupter: &Interrupter,
) -> Result<Outcome<N>, TrainError>
where
    N: Module + ModuleDisplay + 'static,
    O: Objective<N>,
    S: BatchSource<Batch = O::Batch>,
{
    let start = resume.map_or(0, |checkpoint| checkpoint.step);
    let device = device.clone().autodiff();
    let rows = batches.rows();
    let rules = Rules {
        device: Some(device.clone()),
        ema: plan.ema,
        max_gradient_norm: plan.max_gradient_norm,
        rows,
        step: start,
    };
    let mut trainee = Trainee::new(network.fork(&device.clone().inner()).train(), objective, rules);
    if start >= plan.steps
        && let Some(checkpoint) = resume
    {
        trainee = checkpoint.load(trainee)?;
        return Ok(Outcome { network: trainee.into_average(), step: start, interrupted: false });
    }
    let done = Arc::new(AtomicUsize::new(start));
    let guard = Guard {
        observer,
        done: Arc::clone(&done),
        diverged: Arc::default(),
        interrupter: interrupter.clone(),
    };
    let diverged = Arc::clone(&guard.diverged);
    let loader = |source, steps| Arc::new(Loader::new(source, steps, device.clone()));
    checkpoints.discard_unfinished();
    let [model_saver, optimizer_saver, schedule_saver] = checkpoints.savers();
    let mut training = SupervisedTraining::new(
        std::env::temp_dir(),
        loader(Arc::new(batches), start..plan.steps),
        loader(Arc::new(validation), 0..plan.validation_batches),
    )
    .metric_train_numeric(LossMetric::new())
    .metric_train_numeric(LearningRateMetric::new())
    .metric_train(TermsMetric)
    .metric_valid_numeric(LossMetric::new())
    .with_metric_logger(burn::train::logger::InMemoryMetricLogger::default())
    .with_application_logger(None)
    .with_checkpointing_strategy(Always)
    .renderer(Box::new(Renderer::new(Box::new(guard), start)))
    .num_epochs(plan.steps)
    .with_interrupter(interrupter.clone())
    .with_training_strategy(TrainingStrategy::Custom(Arc::new(BySteps {
        device: device.clone(),
        every: plan.every,
        rows,
    })));
    training = training.with_custom_checkpointers(model_saver, optimizer_saver, schedule_saver);
    if let Some(checkpoint) = resume {
        training = training.checkpoint(checkpoint.step);
    }
    let result = training.launch(Learner::new(
        trainee,
        plan.optimizer.optimizer(),
        Stepped::new(plan.learning_rate),
    ));
    if let Some(&(step, loss)) = diverged.get() {
        return Err(TrainError::Diverged { step, loss });
    }
    if let Some(error) = result.error {
        checkpoints.discard_unfinished();
        return Err(match &*error {
            TrainingError::Checkpoint(error) => checkpoints.cannot_save(error),
            other => TrainError::Burn { reason: other.to_string() },
        });
    }
    Ok(Outcome {
        network: result.model.into_average(),
        step: done.load(Ordering::Relaxed),
        interrupted: result.interrupted.is_some(),
    })
}

/// Reads the averaged network of a checkpoint.
///
/// `network` gives the architecture; its weights are replaced.
///
/// # Errors
/// When the file cannot be read or its weights do not fit.
pub fn load_average<N: Module + ModuleDisplay>(
    network: N,
    checkpoint: &Checkpoint,
) -> Result<N, TrainError> {
    // It takes no step, so these rules rule nothing.
    let device = None;
    let rules = Rules { device, ema: Ema::default(), max_gradient_norm: None, rows: 0, step: 0 };
    Ok(checkpoint.load(Trainee::new(network, (), rules))?.into_average())
}

/// Stops a run whose loss is no longer a number, before that reaches a checkpoint.
struct Guard {
    observer: Box<dyn Observer>,
    done: Arc<AtomicUsize>,
    diverged: Arc<std::sync::OnceLock<(usize, f64)>>,
    interrupter: Interrupter,
}

impl Observer for Guard {
    fn step(&mut self, record: &StepRecord) {
        self.done.store(record.step, Ordering::Relaxed);
        if !record.loss.is_finite() && self.diverged.set((record.step, record.loss)).is_ok() {
            self.interrupter.fail(burn::train::checkpoint::CheckpointerError::Unknown(
                "the loss is not finite".into(),
            ));
        }
        self.observer.step(record);
    }

    fn validation(&mut self, step: usize, loss: f64) {
        self.observer.validation(step, loss);
    }
}
