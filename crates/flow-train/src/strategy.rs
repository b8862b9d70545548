//! The training loop: burn-train's parts, by steps.
//!
//! burn-train's own loop writes checkpoints at the ends of epochs and does not save an interrupted
//! one. This one counts steps: it validates and saves every `every` steps and after those of
//! `also`, and saves before it obeys an interruption, which it checks between the batches of a
//! validation and while it waits for a batch too.

use burn::data::dataloader::{DataLoaderIterator, Progress};
use burn::module::{Module, ModuleDisplay};
use burn::optim::GradientsParams;
use burn::tensor::Device;
use burn::train::{
    EventProcessorTraining, InferenceStep, Interrupter, Learner, LearnerEvent, LearnerModel,
    SupervisedLearningStrategy, SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents,
    TrainingItem, ValidLoader,
};

use crate::criterion::Criterion;
use crate::error::{Divergence, TrainError};
use crate::failure::Failure;
use crate::parameters::first_not_finite;
use crate::parts::Share;
use crate::shared::{Sum, Summed, check_alike};
use crate::trainee::{StepLoss, Trainee};

/// What burn-train tells of a training.
type Processor<N, O> = SupervisedTrainingEventProcessor<Trainee<N, O>>;

/// Trains from the step of the checkpoint to the last, one batch a step.
///
/// burn-train's epoch numbers are steps here.
pub(crate) struct BySteps {
    pub(crate) device: Device,
    /// Steps between validations and checkpoints.
    pub(crate) every: usize,
    /// Steps after which it validates and saves besides.
    pub(crate) also: Vec<usize>,
    /// Rows in a batch.
    pub(crate) rows: usize,
    /// The parts of each batch that this process computes.
    pub(crate) share: Share,
    pub(crate) failure: Failure,
}

/// What a step leaves for the optimizer and the log.
struct Step {
    gradients: GradientsParams,
    loss: StepLoss,
    /// Whether a process has asked all to stop after this step.
    stop: bool,
}

impl BySteps {
    /// The gradients and the loss of the next batch; nothing when there is none, or its error is
    /// known to the interrupter.
    fn step<N, O>(
        &self,
        learner: &Learner<Trainee<N, O>>,
        batches: &mut dyn DataLoaderIterator<O::Batch>,
        step: usize,
        interrupter: &Interrupter,
    ) -> Option<Step>
    where
        N: Module + ModuleDisplay + 'static,
        O: Criterion<N>,
    {
        let mut next = || match batches.next()? {
            Ok(batch) => Some(learner.train_step(batch)),
            Err(error) => {
                interrupter.fail(error);
                None
            }
        };
        if self.share.is_whole() {
            let output = next()?;
            return Some(Step { gradients: output.grads, loss: output.item, stop: false });
        }
        let mut sum = Sum::default();
        for part in self.share.own() {
            let output = next()?;
            sum.add(learner, part, output, interrupter.should_stop());
        }
        match sum.finish(learner, &self.share) {
            // All processes see it in the same step, and none waits for another.
            Ok(Summed { mean, .. }) if !mean.is_finite() => {
                let what = Divergence::Loss(mean);
                self.failure.stop(TrainError::Diverged { step, what }, interrupter);
                None
            }
            Ok(Summed { gradients, loss, stop, .. }) => Some(Step { gradients, loss, stop }),
            Err(source) => {
                self.failure.stop(TrainError::Group { step, source }, interrupter);
                None
            }
        }
    }

    /// Whether all processes end after this step, which one of them has asked for: they must agree,
    /// for the others would wait for one that has ended.
    fn is_stopped(&self, asked: bool, interrupter: &Interrupter) -> bool {
        if !self.share.is_shared() {
            return interrupter.should_stop();
        }
        if asked && !interrupter.should_stop() {
            interrupter.stop(Some("another process"));
        }
        asked || interrupter.error().is_some()
    }

    /// Refuses weights that are no numbers, or not those of the other processes.
    fn check<M: Module>(&self, step: usize, model: &M) -> Result<(), TrainError> {
        if let Some(parameter) = first_not_finite(model) {
            return Err(TrainError::Diverged { step, what: Divergence::Weights(parameter) });
        }
        if self.share.is_shared() {
            check_alike(&*self.share.group, step, model)?;
        }
        Ok(())
    }
}

impl<N, O> SupervisedLearningStrategy<Trainee<N, O>> for BySteps
where
    N: Module + ModuleDisplay + 'static,
    O: Criterion<N>,
{
    fn fit(
        &self,
        components: TrainingComponents<Trainee<N, O>>,
        mut learner: Learner<Trainee<N, O>>,
        train: TrainLoader<Trainee<N, O>>,
        valid: ValidLoader<Trainee<N, O>>,
        starting_epoch: usize,
    ) -> (Trainee<N, O>, Processor<N, O>) {
        let TrainingComponents {
            mut checkpointer,
            event_processor: mut processor,
            event_store,
            interrupter,
            num_epochs: last_step,
            ..
        } = components;
        learner.fork(&self.device);
        let train = train.to_device(&self.device);
        let valid = valid.to_device(&self.device.clone().inner());
        let total = last_step.saturating_mul(self.rows);

        let mut batches = train.iter();
        interrupter.fail_on_error(processor.process_train(LearnerEvent::StartSplit {
            epoch_number: starting_epoch,
            total_items: total,
        }));
        // Saves what `step` left, unless it is no use.
        let mut keep = |learner: &Learner<Trainee<N, O>>, step, processor: &mut Processor<N, O>| {
            // All losses so far have been looked at when this returns.
            interrupter.fail_on_error(processor.flush());
            if interrupter.error().is_none()
                && let Err(error) = self.check(step, &learner.model().valid())
            {
                self.failure.stop(error, &interrupter);
            }
            let first = self.share.group.is_first();
            if interrupter.error().is_none()
                && let Some(checkpointer) = checkpointer.as_mut().filter(|_| first)
            {
                checkpointer.checkpoint(learner, step, &event_store);
            }
        };
        let mut kept = starting_epoch - 1;
        for step in starting_epoch..=last_step {
            let Some(Step { gradients, mut loss, stop }) =
                self.step(&learner, &mut *batches, step, &interrupter)
            else {
                if kept < step - 1 && interrupter.interruption().is_some() {
                    keep(&learner, step - 1, &mut processor);
                }
                break;
            };
            let (gradients, norm) = learner.model().bounded(gradients);
            loss.add("gradient_norm", norm);
            learner.lr_step();
            learner.optimizer_step(gradients);
            let progress = Progress::new(step * self.rows, total, Some("images".into()));
            let item = TrainingItem::new(loss, progress, Some(step), Some(learner.lr_current()));
            interrupter.fail_on_error(processor.process_train(LearnerEvent::ProcessedItem(item)));

            let due =
                step.is_multiple_of(self.every) || self.also.contains(&step) || step == last_step;
            let first = self.share.group.is_first();
            if due && first && !interrupter.should_stop() {
                validate(&learner, &valid, step, &mut processor, &interrupter);
            }
            let interrupted = self.is_stopped(stop, &interrupter);
            if due || interrupted {
                keep(&learner, step, &mut processor);
                kept = step;
            }
            if interrupted || interrupter.error().is_some() {
                break;
            }
        }
        (learner.model(), processor)
    }
}

/// Sends the losses of the averaged network on the validation batches, until an interruption.
fn validate<M: LearnerModel>(
    learner: &Learner<M>,
    valid: &ValidLoader<M>,
    step: usize,
    processor: &mut SupervisedTrainingEventProcessor<M>,
    interrupter: &Interrupter,
) {
    let model = learner.model().valid();
    let total_items = valid.num_items();
    interrupter.fail_on_error(
        processor.process_valid(LearnerEvent::StartSplit { epoch_number: step, total_items }),
    );
    let mut batches = valid.iter();
    while !interrupter.should_stop()
        && let Some(batch) = batches.next()
    {
        match batch {
            Ok(batch) => {
                let output = InferenceStep::step(&model, batch);
                let item = TrainingItem::new(output, batches.progress(), None, None);
                interrupter
                    .fail_on_error(processor.process_valid(LearnerEvent::ProcessedItem(item)));
            }
            Err(error) => interrupter.fail(error),
        }
    }
    interrupter.fail_on_error(processor.process_valid(LearnerEvent::EndSplit(step)));
}
