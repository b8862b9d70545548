//! The classifier behind FD-clf: trained once for each data set, then kept.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use flow_datasets::Images;
use flow_nn::{Classifier, ClassifierConfig, init_seeded};
use flow_path::stream::Streams;
use flow_run::{Listener, drafts, image_rows, labels, pixels, sentence};
use flow_train::{
    AdamW, Alone, CheckpointFolder, Decay, Ema, Interrupter, LabelledBatches, LearningRate,
    Observer, Parts, Plan, Session, StepRecord, TrainError, fit_classifier,
};
use sha2::{Digest, Sha256};

use crate::error::JudgeError;

/// Steps of training and rows in a step.
const STEPS: usize = 1000;
const ROWS: usize = 128;
/// Images classified together.
const BATCH: usize = 250;
/// Version of the kept classifier; to be raised whenever the network or its training changes.
const VERSION: &str = "classifier 2";

/// A trained classifier and how often it is right on real test images.
#[derive(Debug)]
pub struct Judge {
    classifier: Classifier,
    device: Device,
    /// Channels, height and width of an image.
    pub shape: [usize; 3],
    /// Fraction of test images that it classifies rightly.
    pub accuracy: f64,
}

/// Features `[n, f]` and most probable classes of images.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Features of each image.
    pub features: Vec<f32>,
    /// Numbers in the features of an image.
    pub dim: usize,
    /// The most probable class of each image.
    pub classes: Vec<usize>,
    /// Of each class, `[n, classes]`.
    pub probabilities: Vec<f32>,
}

impl Verdict {
    /// Number of classes.
    #[must_use]
    pub fn class_count(&self) -> usize {
        self.probabilities.len() / self.classes.len()
    }
}

impl Judge {
    /// The classifier of a data set: from the cache, or trained now.
    ///
    /// # Errors
    /// When it cannot be trained.
    pub fn new(
        set: &str,
        train: &Images,
        test: &Images,
        device: &Device,
        told: &dyn Listener,
    ) -> Result<Self, JudgeError> {
        let config = ClassifierConfig {
            image_channels: train.channels,
            channels: 16,
            classes: train.classes(),
        };
        let folder = flow_datasets::default_cache_dir().join("classifiers").join(name(set, train));
        let fresh = init_seeded(1, device, |device| config.init(device))?;
        let kept = CheckpointFolder::new(&folder, VERSION);
        let classifier = if let Ok(Some(checkpoint)) = kept.to_resume() {
            checkpoint.average(fresh)?
        } else {
            told.say(&format!("training the classifier of FD-clf on {set}, once"));
            teach(&fresh, train, test, device, &folder, told)?
        };
        let shape = [train.channels, train.height, train.width];
        let mut judge = Self { classifier, device: device.clone(), shape, accuracy: 0.0 };
        let (verdict, labels) = (judge.judge(&pixels(test), told)?, labels(test));
        if labels.is_empty() || verdict.classes.len() != labels.len() {
            return Err(JudgeError::Images(format!(
                "the classifier looks at {} images of shape {shape:?}, but there are {} labels",
                verdict.classes.len(),
                labels.len()
            )));
        }
        let right = verdict.classes.iter().zip(&labels).filter(|(a, b)| a == b).count();
        judge.accuracy = right as f64 / labels.len() as f64;
        Ok(judge)
    }

    /// Features and classes of images `[n, c, h, w]` in [-1, 1].
    ///
    /// # Errors
    /// If the rows are no whole number of such images.
    pub fn judge(&self, rows: &[f32], told: &dyn Listener) -> Result<Verdict, JudgeError> {
        let [c, h, w] = self.shape;
        if !rows.len().is_multiple_of(c * h * w) {
            let (pixels, shape) = (rows.len(), self.shape);
            let text = format!("{pixels} pixels are no images of shape {shape:?}");
            return Err(JudgeError::Images(text));
        }
        let mut verdict = Verdict::default();
        let mut meter = told.meter(0, rows.len() / (c * h * w), "images");
        for batch in rows.chunks(BATCH * c * h * w) {
            let n = batch.len() / (c * h * w);
            let x =
                Tensor::<4>::from_data(TensorData::new(batch.to_vec(), [n, c, h, w]), &self.device);
            let features = self.classifier.features(x);
            verdict.dim = features.dims()[1];
            let logits = self.classifier.logits(features.clone());
            let class = logits.clone().argmax(1);
            let host = |x: Tensor<2>| x.into_data().convert::<f32>().try_into_vec::<f32>();
            verdict.features.extend(host(features)?);
            verdict.probabilities.extend(host(softmax(logits, 1))?);
            let class = class.into_data().convert::<i64>().try_into_vec::<i64>()?;
            verdict.classes.extend(class.iter().map(|&class| class as usize));
            meter.at(verdict.classes.len(), "classified");
        }
        Ok(verdict)
    }
}

/// The name of a set; pictures of a user's own are told apart by what they are.
pub(crate) fn name(set: &str, train: &Images) -> String {
    if set != "folder" {
        return set.to_owned();
    }
    let sizes = format!("{} {} {}", train.channels, train.height, train.width);
    let digest = Sha256::new().chain_update(sizes).chain_update(&train.pixels);
    let digest = digest.chain_update(&train.labels).finalize();
    format!("{set}-{:016x}", u64::from_be_bytes(*digest.first_chunk().expect("32 bytes")))
}

/// Trains the classifier and keeps it at `folder`; where that cannot be, it is used all the same.
fn teach(
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
