//! The training loop: burn-train's parts, by steps.
//!
//! burn-train's own loop writes checkpoints at the ends of epochs and forgets an interrupted one.
//! This one counts steps: it validates and saves every `every` steps and after those of `also`, and
//! saves before it obeys an interruption, which it hears between the batches of a validation too.

use burn::data::dataloader::Progress;
use burn::tensor::Device;
use burn::train::{
    EventProcessorTraining, InferenceStep, Learner, LearnerEvent, LearnerModel,
    SupervisedLearningStrategy, SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents,
    TrainingItem, ValidLoader,
};

use crate::error::{Divergence, TrainError};
use crate::failure::Failure;
use crate::parameters::first_not_finite;

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
    pub(crate) failure: Failure,
}

impl<M: LearnerModel> SupervisedLearningStrategy<M> for BySteps {
    fn fit(
        &self,
        components: TrainingComponents<M>,
        mut learner: Learner<M>,
        train: TrainLoader<M>,
        valid: ValidLoader<M>,
        starting_epoch: usize,
    ) -> (M, SupervisedTrainingEventProcessor<M>) {
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
        for step in starting_epoch..=last_step {
            let batch = match batches.next() {
                Some(Ok(batch)) => batch,
                Some(Err(error)) => {
                    interrupter.fail(error);
                    break;
                }
                None => break,
            };
            let output = learner.train_step(batch);
            learner.lr_step();
            learner.optimizer_step(output.grads);
            let progress = Progress::new(step * self.rows, total, Some("images".into()));
            let item =
                TrainingItem::new(output.item, progress, Some(step), Some(learner.lr_current()));
            interrupter.fail_on_error(processor.process_train(LearnerEvent::ProcessedItem(item)));

            let due =
                step.is_multiple_of(self.every) || self.also.contains(&step) || step == last_step;
            if due && !interrupter.should_stop() {
                validate(&learner, &valid, step, &mut processor, &interrupter);
            }
            let interrupted = interrupter.should_stop();
            if due || interrupted {
                // All losses so far have been looked at when this returns.
                interrupter.fail_on_error(processor.flush());
                if interrupter.error().is_none()
                    && let Some(parameter) = first_not_finite(&learner.model().valid())
                {
                    let what = Divergence::Weights(parameter);
                    self.failure.stop(TrainError::Diverged { step, what }, &interrupter);
                }
                if interrupter.error().is_some() {
                    break;
                }
                if let Some(checkpointer) = &mut checkpointer {
                    checkpointer.checkpoint(&learner, step, &event_store);
                }
            }
            if interrupted {
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
    interrupter: &burn::train::Interrupter,
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
