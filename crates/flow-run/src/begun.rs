//! A training under way: what it does, and what it leaves in its run.

use std::sync::Arc;

use burn::tensor::Device;
use flow_nn::Network;
use flow_train::{
    BakedGuidance, Batch, BatchSource, Checkpoint, Ensemble, Group, Interrupter, Keep,
    LearningRate, MapBatches, Objective, Observer, Parts, Plan, Session, StepRecord, Task,
    Variational, fit,
};

use crate::batches::{Sources, batches};
use crate::data::Data;
use crate::error::RunError;
use crate::listener::Listener;
use crate::lock::Lock;
use crate::model::{Model, save_model};
use crate::recipe::Recipe;
use crate::recorder::Recorder;
use crate::run::Run;

/// A training that has its folder, and no other process trains there.
#[derive(Debug)]
pub struct Begun {
    /// The run.
    pub run: Run,
    /// What it learns from.
    pub data: Data,
    pub(crate) sources: Sources,
    /// The checkpoint to go on from.
    pub(crate) from: Option<Checkpoint>,
    /// The processes that share it.
    pub(crate) group: Arc<dyn Group>,
    /// The right to train the run, as long as this lives.
    pub(crate) _lock: Option<Lock>,
}

impl Begun {
    /// What to say of the processes that share it, each of so many threads; nothing of one alone.
    #[must_use]
    pub fn shared(&self, threads: usize) -> Option<String> {
        let (size, parts) = (self.group.size(), self.run.recipe.train.parts);
        (1 < size).then(|| {
            format!(
                "{size} processes share the {parts} parts of each batch, --threads {threads} in \
                 each"
            )
        })
    }

    /// Steps that were done before.
    #[must_use]
    pub fn done(&self) -> usize {
        self.from.as_ref().map_or(0, |from| from.step)
    }

    /// Trains, leaves checkpoints and the log in the folder of the run and the averaged model in
    /// `model` within it, and returns the steps done: fewer than the recipe's if it was stopped,
    /// and none, with neither checkpoint nor model, if that was before the first. Where processes
    /// share the training, the first of them leaves all of that.
    ///
    /// # Errors
    /// When the loss is a number no longer, or the folder cannot be written.
    pub fn train(
        &self,
        model: Ensemble,
        device: &Device,
        told: &Arc<dyn Listener>,
        interrupter: &Interrupter,
    ) -> Result<usize, RunError> {
        let Run { folder, recipe, .. } = &self.run;
        let objective: Arc<dyn Objective> = match &recipe.latent {
            Some(latent) => Arc::new(Variational { kl_weight: latent.kl_weight }),
            None => recipe.train.loss(),
        };
        let objective: Arc<dyn Objective> = match recipe.train.guidance {
            Some(strengths) => Arc::new(BakedGuidance { objective, strengths }),
            None => objective,
        };
        let noise = objective.noise(model.network.signature());
        let [train, validation] = batches(recipe, &self.data, self.sources.clone(), noise)?;
        let paired = |batches| -> Arc<dyn BatchSource<Batch = Batch>> {
            match objective.pairs() {
                Some(pairs) => Arc::new(MapBatches { batches, pairs }),
                None => Arc::new(batches),
            }
        };
        let (train, validation) = (paired(train), paired(validation));
        let task = Task { model, objective, train, validation };
        let (start, steps) = (self.done(), recipe.steps());
        let every = (steps / 500).clamp(1, 50);
        let rows = recipe.train.batch;
        let observer: Box<dyn Observer> = if self.group.is_first() {
            Box::new(Recorder::new(folder, start, steps, rows, every, interrupter, told)?)
        } else {
            Box::new(Unwatched)
        };
        let session = Session {
            device,
            checkpoints: &self.run.checkpoints(),
            resume: self.from.as_ref(),
            observer,
            interrupter,
            group: Arc::clone(&self.group),
        };
        let outcome = fit(task, &plan(recipe), session)?;
        if self.group.is_first() && 0 < outcome.step {
            if recipe.train.keep == Keep::Best {
                told.say(&format!(
                    "the model is that of step {}, whose loss on the held-out rows is least \
                     (train.keep)",
                    self.run.checkpoint()?.step
                ));
            }
            // What any program opens, beside what only a training can go on from.
            let model = Model::load(&self.run, device)?;
            save_model(&model, &folder.join("model"))?;
        }
        Ok(outcome.step)
    }
}

/// How a recipe trains.
pub(crate) fn plan(recipe: &Recipe) -> Plan {
    let train = &recipe.train;
    let steps = recipe.steps();
    Plan {
        steps,
        every: recipe.checkpoint_steps(),
        also: recipe.moments(),
        learning_rate: LearningRate {
            peak: train.learning_rate,
            warmup: (train.warmup_images / train.batch as f64).ceil() as usize,
            steps,
            decay: train.decay,
            floor: train.floor,
        },
        optimizer: recipe.optimizer,
        ema: recipe.ema,
        max_gradient_norm: train.clip,
        validation_batches: train.validation_batches,
        parts: Parts { count: train.parts, draw: train.draw },
    }
}

/// Watches the training of a process that is not the first, which reports for all.
struct Unwatched;

impl Observer for Unwatched {
    fn step(&mut self, _: &StepRecord) {}

    fn validation(&mut self, _: usize, _: f64) {}
}
