//! One call that trains: the parts of this crate and of burn-train put together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Device;
use burn::train::metric::{LearningRateMetric, LossMetric};
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingError, TrainingStrategy};

use flow_nn::Classifier;
use flow_parallel::Group;

use crate::checkpoint::{Checkpoint, CheckpointFolder};
use crate::classification::{Classification, LabelledBatches};
use crate::criterion::{Criterion, check_batches};
use crate::ensemble::Ensemble;
use crate::error::{Divergence, TrainError};
use crate::failure::Failure;
use crate::loader::{Cut, Loader};
use crate::objective::{Batch, Objective};
use crate::observer::{NoLog, Observer, Renderer, StepRecord};
use crate::parameters::identified;
use crate::parts::Share;
use crate::plan::Plan;
use crate::rules::Rules;
use crate::saver::{Always, savers};
use crate::source::BatchSource;
use crate::stepped::Stepped;
use crate::strategy::BySteps;
use crate::terms::TermsMetric;
use crate::trainee::Trainee;

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

/// What is trained, on what.
#[derive(Clone, Debug)]
pub struct Task {
    /// The network and, for a latent, its posterior.
    pub model: Ensemble,
    /// The loss.
    pub objective: Arc<dyn Objective>,
    /// Batches that are trained on.
    pub train: Arc<dyn BatchSource<Batch = Batch>>,
    /// Held-out batches, on which the average is validated.
    pub validation: Arc<dyn BatchSource<Batch = Batch>>,
}

/// What surrounds a training: where it runs, what it writes, who watches and who may stop it.
pub struct Session<'a> {
    /// The device, without autodiff.
    pub device: &'a Device,
    /// Where checkpoints are written.
    pub checkpoints: &'a CheckpointFolder,
    /// Where to go on from.
    pub resume: Option<&'a Checkpoint>,
    /// Is told of every step and validation.
    pub observer: Box<dyn Observer>,
    /// Stops the run at its next step.
    pub interrupter: &'a Interrupter,
    /// The processes that share each batch; [`Alone`](flow_parallel::Alone) for one.
    pub group: Arc<dyn Group>,
}

/// Trains a flow and returns the average of its weights.
///
/// With [`Session::resume`], goes on from that checkpoint; the result is then bit for bit that of
/// an uninterrupted run on the CPU backends.
///
/// An interruption, also one during a validation, ends the run with a checkpoint of the step that
/// it came in; that validation is not made up for later. One that comes while a batch is still
/// being made keeps the step before, if there was one, and does not wait for the batch, unless
/// processes share it.
///
/// With [`Session::group`], all its processes make this call with the same task and plan, each
/// computes its share of the parts of each batch, and the first of them validates and writes
/// checkpoints, from which any number of processes goes on. An interruption of one ends all of them
/// after the same step.
///
/// # Errors
/// When the plan holds a number that is none, batches and network have other classes or
/// conditions, or one of them knows no second time where the loss asks for it, a batch
/// cannot be made (whatever its source panicked with), a checkpoint cannot be read or written or
/// does not fit the network, or when a loss, a weight or a number of the optimizer stops being
/// finite; when a batch cannot be cut into the parts of the plan, or another process has ended.
/// Nothing of such a step is committed, and checkpoints written before stay valid.
///
/// # Panics
/// When a batch has another shape than the network takes.
pub fn fit(task: Task, plan: &Plan, session: Session<'_>) -> Result<Outcome<Ensemble>, TrainError> {
    let Task { model, objective, train, validation } = task;
    run(model, objective, train, validation, plan, session)
}

/// Trains the classifier whose features measure generated images, as [`fit`] trains a flow.
///
/// # Errors
/// As for [`fit`].
pub fn fit_classifier(
    classifier: Classifier,
    train: Arc<LabelledBatches>,
    validation: Arc<LabelledBatches>,
    plan: &Plan,
    session: Session<'_>,
) -> Result<Outcome<Classifier>, TrainError> {
    run(classifier, Classification, train, validation, plan, session)
}

fn run<N, O>(
    network: N,
    objective: O,
    batches: Arc<dyn BatchSource<Batch = O::Batch>>,
    validation: Arc<dyn BatchSource<Batch = O::Batch>>,
    plan: &Plan,
    session: Session<'_>,
) -> Result<Outcome<N>, TrainError>
where
    N: Module + ModuleDisplay + 'static,
    O: Criterion<N>,
{
    let Session { device, checkpoints, resume, observer, interrupter, group } = session;
    let start = resume.map_or(0, |checkpoint| checkpoint.step);
    let rows = batches.rows();
    plan.check()?;
    plan.parts.check(rows, &*group)?;
    let share = Share { parts: plan.parts, group };
    check_batches(&network, &objective, &*batches)?;
    for source in [&batches, &validation] {
        objective.check_times(&network, source.pairs())?;
    }
    let device = device.clone().autodiff();
    let rules = Rules::of(plan, rows, start, &device);
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
        checkpoints: checkpoints.clone(),
        done: Arc::clone(&done),
        failure: failure.clone(),
        interrupter: interrupter.clone(),
    };
    let parts = plan.parts;
    let validated = plan.validation_batches.saturating_mul(parts.count);
    let renderer = Renderer::new(Box::new(guard), start, validated);
    let loader = |source, steps, own, stop| {
        let cut = Cut { parts, own };
        Arc::new(Loader::new(source, steps, cut, device.clone(), failure.clone(), stop))
    };
    // Processes that share a step end it together.
    let alone = (!share.is_shared()).then(|| interrupter.clone());
    if share.group.is_first() {
        checkpoints.discard_unfinished();
    }
    let [model_saver, optimizer_saver, schedule_saver] = savers(checkpoints, &failure);
    let mut training = SupervisedTraining::new(
        std::env::temp_dir(),
        loader(batches, start..plan.steps, share.own(), alone),
        // The first process validates alone.
        loader(validation, 0..plan.validation_batches, 0..parts.count, Some(interrupter.clone())),
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
        share: share.clone(),
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
        if share.group.is_first() {
            checkpoints.discard_unfinished();
        }
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

/// Stops a run whose loss is no longer a number, before that reaches a checkpoint.
struct Guard {
    observer: Box<dyn Observer>,
    checkpoints: CheckpointFolder,
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
        self.checkpoints.validated(step, loss);
        self.observer.validation(step, loss);
    }
}
