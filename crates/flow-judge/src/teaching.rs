//! The training of the classifier behind FD-clf.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use flow_datasets::Images;
use flow_nn::Classifier;
use flow_path::stream::Streams;
use flow_run::{Listener, drafts, image_rows, sentence};
use flow_train::{
    AdamW, Alone, CheckpointFolder, Decay, Ema, Interrupter, LabelledBatches, LearningRate,
    Observer, Parts, Plan, Session, StepRecord, TrainError, fit_classifier,
};

use crate::error::JudgeError;

/// Steps of training and rows in a step.
const STEPS: usize = 1000;
const ROWS: usize = 128;
/// Version of the kept classifier; to be raised whenever the network or its training changes.
pub(crate) const VERSION: &str = "classifier 2";

/// Trains the classifier and keeps it at `folder`; where that cannot be, it is used all the same.
pub(crate) fn teach(
    network: &Classifier,
    train: &Images,
    test: &Images,
    device: &Device,
    folder: &Path,
    told: &dyn Listener,
) -> Result<Classifier, JudgeError> {
    let cache = folder.parent().unwrap_or(folder);
    let taught = |parent: &Path| -> Result<_, JudgeError> {
        let unwritable = || JudgeError::io(format!("cannot write into {}", parent.display()));
        fs::create_dir_all(parent).map_err(unwritable())?;
        let draft = drafts::folder(parent).map_err(unwritable())?;
        Ok((fitted(network.clone(), train, test, device, draft.path())?, draft))
    };
    drafts::clear(cache);
    match taught(cache) {
        Ok((classifier, draft)) => {
            // A classifier that is there already is damaged or of another version, or else it would
            // have been used.
            let _ = fs::remove_dir_all(folder);
            if fs::rename(draft.path(), folder).is_ok() {
                // It has another name now and must not be removed. If the rename fails, another
                // process has put its classifier there first, which is the same one.
                let _ = draft.keep();
            }
            Ok(classifier)
        }
        Err(error) if cannot_be_written(&error) => {
            told.say(&format!(
                "the classifier of FD-clf cannot be kept, so each command will train it anew: name \
                 a folder that may be written and has room by XDG_CACHE_HOME ({})",
                sentence(&error)
            ));
            let temporary = std::env::temp_dir();
            let found = taught(&temporary);
            let (classifier, _) = found
                .map_err(|error| JudgeError::NoRoom { path: temporary, source: Box::new(error) })?;
            Ok(classifier)
        }
        Err(error) => Err(error),
    }
}

fn cannot_be_written(error: &JudgeError) -> bool {
    matches!(
        error,
        JudgeError::Io { .. } | JudgeError::Train(TrainError::Io { .. } | TrainError::Save { .. })
    )
}

fn fitted(
    network: Classifier,
    train: &Images,
    test: &Images,
    device: &Device,
    folder: &Path,
) -> Result<Classifier, JudgeError> {
    let batches = |images, seed| LabelledBatches {
        data: Arc::new(image_rows(images)),
        rows: ROWS,
        streams: Streams::new(seed),
    };
    let plan = Plan {
        steps: STEPS,
        every: STEPS,
        also: Vec::new(),
        learning_rate: LearningRate {
            peak: 3e-3,
            warmup: 50,
            steps: STEPS,
            decay: Decay::Cosine,
            floor: 0.0,
        },
        optimizer: AdamW::default(),
        ema: Ema { half_life: 5_000.0, ramp: 0.1 },
        max_gradient_norm: Some(1.0),
        validation_batches: 1,
        parts: Parts::default(),
    };
    let (train, validation) = (Arc::new(batches(train, 1)), Arc::new(batches(test, 2)));
    let session = Session {
        device,
        checkpoints: &CheckpointFolder::new(folder, VERSION),
        resume: None,
        observer: Box::new(Unwatched),
        interrupter: &Interrupter::new(),
        group: Arc::new(Alone),
    };
    let outcome = fit_classifier(network, train, validation, &plan, session)?;
    Ok(outcome.network)
}

struct Unwatched;

impl Observer for Unwatched {
    fn step(&mut self, _: &StepRecord) {}
    fn validation(&mut self, _: usize, _: f64) {}
}
