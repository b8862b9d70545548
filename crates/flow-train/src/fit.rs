//! One call that trains: the parts of this crate and of burn-train put together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Device;
use burn::train::metric::{LearningRateMetric, LossMetric};
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingError, TrainingStrategy};

use crate::checkpoint::{Checkpoint, CheckpointFolder};
use crate::ema::Ema;
use crate::error::{Divergence, TrainError};
use crate::failure::Failure;
use crate::loader::{BatchSource, Loader};
use crate::objective::Objective;
use crate::observer::{NoLog, Observer, Renderer, StepRecord};
use crate::parameters::identified;
use crate::plan::Plan;
use crate::saver::{Always, savers};
use crate::schedule::Stepped;
use crate::strategy::BySteps;
use crate::terms::TermsMetric;
use crate::trainee::{Rules, Trainee};

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
/// An interruption, also one during a validation, ends the run with a checkpoint of the step that
/// it came in; that validation is not made up for later.
///
/// # Errors
/// When the plan holds a number that is none, batches and network have other classes, a batch
/// cannot be made (whatever its source panicked with), a checkpoint cannot be read or written or
/// does not fit the network, or when a loss, a weight or a number of the optimizer stops being
/// finite. Nothing of such a step is committed, and checkpoints written before stay valid.
///
/// # Panics
/// When a batch has another shape than the network takes.
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
    let rows = batches.rows();
    plan.check()?;
    check_batches(&network, &objective, &batches)?;
    let device = device.clone().autodiff();
    let rules = Rules {
        device: Some(device.clone()),
        ema: plan.ema,
        max_gradient_norm: plan.max_gradient_norm,
        rows,
        step: start,
    };
    let network = network.fork(&device.clone().inner()).train();
    let network = identified(network, &checkpoints.fingerprint());
    let trainee = Trainee::new(network, objective, rules);
    if let Some(checkpoint) = resume {
        if plan.steps <= start {
            let network = checkpoint.load(trainee)?.into_average();
            return Ok(Outcome { network, step: start, interrupted: false });
        }
        checkpoint.check(&trainee)?;
    }
    let (done, failure) = (Arc::new(AtomicUsize::new(start)), Failure::default());
    let guard = Guard {
        observer,
        done: Arc::clone(&done),
        failure: failure.clone(),
        interrupter: interrupter.clone(),
    };
    let renderer = Renderer::new(Box::new(guard), start, plan.validation_batches);
    let loader =
        |source, steps| Arc::new(Loader::new(source, steps, device.clone(), failure.clone()));
    checkpoints.discard_unfinished();
    let [model_saver, optimizer_saver, schedule_saver] = savers(checkpoints, &failure);
    let mut training = SupervisedTraining::new(
        std::env::temp_dir(),
        loader(Arc::new(batches), start..plan.steps),
        loader(Arc::new(validation), 0..plan.validation_batches),
    )
    .metric_train_numeric(LossMetric::new())
    .metric_train_numeric(LearningRateMetric::new())
    .metric_train(TermsMetric)
    .metric_valid_numeric(LossMetric::new())
    .with_metric_logger(NoLog)
    .with_application_logger(None)
    .with_checkpointing_strategy(Always)
    .renderer(Box::new(renderer))
    .num_epochs(plan.steps)
    .with_interrupter(interrupter.clone())
    .with_training_strategy(TrainingStrategy::Custom(Arc::new(BySteps {
        device: device.clone(),
        every: plan.every,
        also: plan.also.clone(),
        rows,
        failure: failure.clone(),
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
    if let Some(error) = result.error {
        checkpoints.discard_unfinished();
        return Err(failure.take().unwrap_or_else(|| match &*error {
            TrainingError::Checkpoint(error) => checkpoints.cannot_save(error),
            other => TrainError::Burn { reason: other.to_string() },
        }));
    }
    Ok(Outcome {
        network: result.model.into_average(),
        step: done.load(Ordering::Relaxed),
        interrupted: result.interrupted.is_some(),
    })
}

/// Refuses batches without rows, and classes that the network numbers differently.
fn check_batches<N, O: Objective<N>, S: BatchSource>(
    network: &N,
    objective: &O,
    batches: &S,
) -> Result<(), TrainError> {
    if batches.rows() == 0 {
        return Err(TrainError::Plan { field: "rows of a batch", value: 0.0, need: "positive" });
    }
    match (batches.classes(), objective.classes(network)) {
        (batches, Some(network)) if 0 < batches && batches != network => {
            Err(TrainError::Classes { batches, network })
        }
        _ => Ok(()),
    }
}

/// Reads the averaged network of a checkpoint.
///
/// `network` gives the architecture; its weights are replaced.
///
/// # Errors
/// When the file cannot be read, its weights do not fit, or one of them is not finite.
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
    failure: Failure,
    interrupter: Interrupter,
}

impl Guard {
    fn look(&self, step: usize, loss: f64, what: fn(f64) -> Divergence) {
        if !loss.is_finite() {
            self.failure.stop(TrainError::Diverged { step, what: what(loss) }, &self.interrupter);
        }
    }
}

impl Observer for Guard {
    fn step(&mut self, record: &StepRecord) {
        self.done.store(record.step, Ordering::Relaxed);
        self.look(record.step, record.loss, Divergence::Loss);
        self.observer.step(record);
    }

    fn validation(&mut self, step: usize, loss: f64) {
        self.look(step, loss, Divergence::Validation);
        self.observer.validation(step, loss);
    }
}
