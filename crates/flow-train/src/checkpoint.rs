//! Checkpoints that exist whole or not at all.
//!
//! A checkpoint is a folder `step-000012000` with the weights and their average, the optimizer's
//! state, the learning rate's state, and `state.json` with a checksum of each and the [`Identity`]
//! that made it. It is written under another name and renamed when all of it is on the disk, so a
//! process may be killed at any moment; the checkpoint before it is removed only then. Only one
//! process may write to a folder of checkpoints at a time: callers see to that.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use burn::train::checkpoint::CheckpointerError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::draft::Draft;
use crate::error::TrainError;
use crate::identity::Identity;
use crate::keep::Keep;
use crate::record;
use crate::stepped::NEXT;

/// The parts of a checkpoint.
pub(crate) const PARTS: [&str; 3] = [MODEL, OPTIMIZER, SCHEDULE];
const MODEL: &str = "model.bpk";
pub(crate) const OPTIMIZER: &str = "optimizer.bpk";
const SCHEDULE: &str = "schedule.bpk";
const STATE: &str = "state.json";
/// Checkpoints kept unless all are, the newest included.
const KEPT: usize = 2;
/// Of `state.json`; the first had no number and no identity that can be compared.
const SCHEMA: u32 = 2;

/// The folder of a run's checkpoints.
#[derive(Clone, Debug)]
pub struct CheckpointFolder {
    path: PathBuf,
    identity: Identity,
    kept: usize,
    keep: Keep,
    /// Losses of the average weights by steps, of validations whose checkpoint is not written yet:
    /// a training may be further than the thread that writes.
    validated: Arc<Mutex<BTreeMap<usize, f64>>>,
}

/// One checkpoint, checked to be whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its folder.
    pub path: PathBuf,
    /// Steps done.
    pub step: usize,
    /// What made it; nothing for those of flow 0.1, which cannot be compared.
    pub identity: Option<BTreeMap<String, Value>>,
}

#[derive(Serialize, Deserialize)]
struct State {
    schema: Option<u32>,
    step: usize,
    identity: Option<BTreeMap<String, Value>>,
    /// The loss of the average weights on the validation batches, where the best are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validation: Option<f64>,
    crc32: BTreeMap<String, u32>,
}

impl CheckpointFolder {
    /// The checkpoints in `path` that `identity` made.
    pub fn new(path: impl Into<PathBuf>, identity: impl Into<Identity>) -> Self {
        Self {
            path: path.into(),
            identity: identity.into(),
            kept: KEPT,
            keep: Keep::Last,
            validated: Arc::default(),
        }
    }

    /// The same folder, from which no checkpoint is removed.
    #[must_use]
    pub fn keep_all(self) -> Self {
        Self { kept: usize::MAX, ..self }
    }

    /// The same folder, from which the checkpoint is not removed that is the model by `keep`.
    #[must_use]
    pub fn keep(self, keep: Keep) -> Self {
        Self { keep, ..self }
    }

    /// The checkpoint that is the model: the newest, or the best of those that are there.
    ///
    /// # Errors
    /// As for [`latest`](Self::latest).
    pub fn chosen(&self) -> Result<Checkpoint, TrainError> {
        loop {
            let Some((step, path)) = self.best()? else { return self.latest() };
            match self.checked(step, path.clone()) {
                // A training that goes on removed it meanwhile, and there is a better one.
                Err(_) if !path.exists() => {}
                checked => return checked,
            }
        }
    }

    /// Steps and folder of the checkpoint whose validation had the least loss, if the best is kept
    /// and one was validated.
    fn best(&self) -> Result<Option<(usize, PathBuf)>, TrainError> {
        if self.keep == Keep::Last {
            return Ok(None);
        }
        let validated = self.named()?.into_iter().filter_map(|(step, path)| {
            let state: State = serde_json::from_slice(&fs::read(path.join(STATE)).ok()?).ok()?;
            Some((state.validation?, step, path))
        });
        let least = validated.min_by(|(a, ..), (b, ..)| a.total_cmp(b));
        Ok(least.map(|(_, step, path)| (step, path)))
    }

    /// Takes note of the loss of a validation after `step` steps, for the checkpoint of that step.
    pub(crate) fn validated(&self, step: usize, loss: f64) {
        self.validated.lock().unwrap_or_else(PoisonError::into_inner).insert(step, loss);
    }

    /// The newest checkpoint, to be read: one of flow 0.1 is taken as it is, whatever made it.
    ///
    /// # Errors
    /// When there is none, when a file is missing or damaged, or when it belongs to another recipe.
    pub fn latest(&self) -> Result<Checkpoint, TrainError> {
        loop {
            let Some((step, path)) = self.named()?.pop() else {
                return Err(TrainError::NoCheckpoint { path: self.path.clone() });
            };
            match self.checked(step, path.clone()) {
                // A training that goes on removed it meanwhile, and there is a newer one.
                Err(_) if !path.exists() => {}
                checked => return checked,
            }
        }
    }

    /// The newest checkpoint, to go on from; none if there is none.
    ///
    /// # Errors
    /// As for [`latest`](Self::latest), and when the checkpoint does not say what made it.
    pub fn to_resume(&self) -> Result<Option<Checkpoint>, TrainError> {
        match self.latest() {
            Err(TrainError::NoCheckpoint { .. }) => Ok(None),
            Ok(Checkpoint { path, identity: None, .. }) => Err(TrainError::Unidentified { path }),
            other => other.map(Some),
        }
    }

    /// Every checkpoint that is there, by step.
    ///
    /// # Errors
    /// When a file is missing or damaged, or when one belongs to another recipe.
    pub fn all(&self) -> Result<Vec<Checkpoint>, TrainError> {
        self.named()?.into_iter().map(|(step, path)| self.checked(step, path)).collect()
    }

    fn checked(&self, step: usize, path: PathBuf) -> Result<Checkpoint, TrainError> {
        let file = path.join(STATE);
        let damaged = |path: &Path, reason: &str| TrainError::Damaged {
            path: path.into(),
            reason: reason.into(),
        };
        let read = |file: &Path| {
            fs::read(file).map_err(|error| match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => damaged(file, "it is missing"),
                _ => io("read", file)(error),
            })
        };
        let state: State =
            serde_json::from_slice(&read(&file)?).map_err(|_| damaged(&file, "no valid JSON"))?;
        match (state.schema, &state.identity) {
            (None, None) => {}
            (Some(SCHEMA), Some(stored)) => {
                if let Some(difference) = self.identity.difference(stored) {
                    return Err(TrainError::OtherRecipe { path, difference });
                }
            }
            (Some(schema), _) if SCHEMA < schema => return Err(TrainError::Newer { path, schema }),
            _ => return Err(damaged(&file, "it does not say what made it")),
        }
        if state.step != step {
            return Err(damaged(&file, "another step than the folder's name"));
        }
        for part in PARTS {
            let file = path.join(part);
            if state.crc32.get(part) != Some(&crc32fast::hash(&read(&file)?)) {
                return Err(damaged(&file, "its checksum differs"));
            }
        }
        Ok(Checkpoint { path, step, identity: state.identity })
    }

    /// Folders with the name of a whole checkpoint, by step.
    fn named(&self) -> Result<Vec<(usize, PathBuf)>, TrainError> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(io("read", &self.path)(e)),
        };
        let mut all: Vec<(usize, PathBuf)> = entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let step = path.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok()?;
                (path == self.finished(step)).then_some((step, path))
            })
            .collect();
        all.sort();
        Ok(all)
    }

    pub(crate) fn finished(&self, step: usize) -> PathBuf {
        self.path.join(format!("step-{step:09}"))
    }

    /// Gives a complete set of parts its name and removes what is too old.
    pub(crate) fn commit(&self, step: usize, draft: Draft) -> Result<(), TrainError> {
        let mut crc32 = BTreeMap::new();
        for part in PARTS {
            let file = draft.path().join(part);
            let bytes = fs::read(&file).map_err(io("read", &file))?;
            crc32.insert(part.to_string(), crc32fast::hash(&bytes));
            sync(&file)?;
        }
        let identity = Some(self.identity.values().clone());
        let loss = self.validated.lock().unwrap_or_else(PoisonError::into_inner).remove(&step);
        let validation = loss.filter(|_| self.keep == Keep::Best);
        let state = State { schema: Some(SCHEMA), step, identity, validation, crc32 };
        let file = draft.path().join(STATE);
        let json = serde_json::to_vec_pretty(&state).expect("numbers and text are valid JSON");
        fs::write(&file, json).map_err(io("write", &file))?;
        sync(&file)?;
        let named = self.finished(step);
        if named.exists() {
            fs::remove_dir_all(&named).map_err(io("replace", &named))?;
        }
        draft.rename(&named).map_err(io("write", &named))?;
        sync_folder(&self.path)?;
        let mut all = self.named()?;
        all.truncate(all.len().saturating_sub(self.kept));
        let best = self.best()?.map(|(_, path)| path);
        let old = all.into_iter().map(|(_, path)| path).filter(|path| Some(path) != best.as_ref());
        for old in old {
            fs::remove_dir_all(&old).map_err(io("remove", &old))?;
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Tells this run from others: the parameters of its checkpoints are named by it.
    pub(crate) fn fingerprint(&self) -> String {
        self.identity.fingerprint()
    }

    /// Removes what a killed or failed process left half-written.
    pub(crate) fn discard_unfinished(&self) {
        Draft::discard_abandoned(&self.path);
    }

    /// burn-train's error of a saver, in our words.
    pub(crate) fn cannot_save(&self, error: &CheckpointerError) -> TrainError {
        let reason = match error {
            CheckpointerError::IOError(error) => error.to_string(),
            CheckpointerError::Record(error) => error.to_string(),
            CheckpointerError::Unknown(reason) => reason.clone(),
        };
        TrainError::Save { path: self.path.clone(), reason }
    }
}

impl Checkpoint {
    /// Puts the saved weights into `module`.
    ///
    /// # Errors
    /// When the file cannot be read, its weights do not fit, or one of them is not finite.
    pub fn load<M: Module>(&self, module: M) -> Result<M, TrainError> {
        let path = self.path.join(MODEL);
        // Into memory at once: a record that is read when it is needed looks for a file that a
        // training which goes on may have removed.
        let bytes = whole(&path)?;
        record::check_weights(&module, &path, bytes.clone())?;
        ModuleRecord::from_bytes(bytes)
            .and_then(|record| module.try_load_record(record))
            .map_err(|error| TrainError::Weights { path, reason: error.to_string() })
    }

    /// Puts the averaged weights into `network`, whose own weights need not have been drawn.
    ///
    /// # Errors
    /// When the file cannot be read, its weights do not fit, or one of them is not finite.
    pub fn average<M: Module>(&self, network: M) -> Result<M, TrainError> {
        let path = self.path.join(MODEL);
        let bytes = record::average(&path, whole(&path)?)?;
        record::check_weights(&network, &path, bytes.clone())?;
        ModuleRecord::from_bytes(bytes)
            .and_then(|record| network.try_load_record(record))
            .map_err(|error| TrainError::Weights { path, reason: error.to_string() })
    }

    /// Whether a run can go on from here with `module`.
    ///
    /// # Errors
    /// When weights or optimizer state do not fit it, or not each other.
    pub(crate) fn check<M: Module>(&self, module: &M) -> Result<(), TrainError> {
        let model = self.path.join(MODEL);
        let shapes = record::check_weights(module, &model, whole(&model)?)?;
        record::check_optimizer(&self.path.join(OPTIMIZER), &shapes, self.step)?;
        record::check_step(&self.path.join(SCHEDULE), NEXT, self.step).map(drop)
    }
}

/// All bytes of a file.
fn whole(path: &Path) -> Result<Bytes, TrainError> {
    fs::read(path).map(Bytes::from_bytes_vec).map_err(io("read", path))
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> TrainError + use<> {
    let path = path.to_path_buf();
    move |source| TrainError::Io { action, path, source }
}

/// Waits until a file is on the disk. Windows wants a handle that may write.
fn sync(file: &Path) -> Result<(), TrainError> {
    OpenOptions::new()
        .write(true)
        .open(file)
        .and_then(|file| file.sync_all())
        .map_err(io("write", file))
}

/// Waits until the names in a folder are on the disk, where folders can be opened for that.
fn sync_folder(folder: &Path) -> Result<(), TrainError> {
    if cfg!(unix) {
        return fs::File::open(folder).and_then(|it| it.sync_all()).map_err(io("write", folder));
    }
    Ok(())
}
