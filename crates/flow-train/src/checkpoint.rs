//! Checkpoints that exist whole or not at all.
//!
//! A checkpoint is a folder `step-000012000` with the weights and their average, the optimizer's
//! state, the learning rate's state, and `state.json` with a checksum of each and the [`Identity`]
//! that made it. It is written under another name and renamed when all of it is on the disk, so a
//! process may be killed at any moment; the checkpoint before it is removed only then. Only one
//! process may write to a folder of checkpoints at a time: callers see to that.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::train::checkpoint::{
    Checkpoint as Record, Checkpointer, CheckpointerError, CheckpointingAction,
    CheckpointingStrategy,
};
use burn::train::metric::store::EventStoreClient;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::TrainError;
use crate::identity::Identity;

/// The parts of a checkpoint.
const PARTS: [&str; 3] = [MODEL, "optimizer.bpk", "schedule.bpk"];
const MODEL: &str = "model.bpk";
const STATE: &str = "state.json";
/// Name of a checkpoint in the making, before its step.
const UNFINISHED: &str = ".unfinished-";
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
    crc32: BTreeMap<String, u32>,
}

impl CheckpointFolder {
    /// The checkpoints in `path` that `identity` made.
    pub fn new(path: impl Into<PathBuf>, identity: impl Into<Identity>) -> Self {
        Self { path: path.into(), identity: identity.into(), kept: KEPT }
    }

    /// The same folder, from which no checkpoint is removed.
    #[must_use]
    pub fn keep_all(self) -> Self {
        Self { kept: usize::MAX, ..self }
    }

    /// The newest checkpoint, to be read: one of flow 0.1 is taken as it is, whatever made it.
    ///
    /// # Errors
    /// When there is none, when a file is missing or damaged, or when it belongs to another recipe.
    pub fn latest(&self) -> Result<Checkpoint, TrainError> {
        let Some((step, path)) = self.named()?.pop() else {
            return Err(TrainError::NoCheckpoint { path: self.path.clone() });
        };
        self.checked(step, path)
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
        let damaged = |path: &Path, reason| TrainError::Damaged { path: path.into(), reason };
        if !file.exists() {
            return Err(damaged(&file, "it is not there"));
        }
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
            if !file.exists() {
                return Err(damaged(&file, "it is not there"));
            }
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
                Some((step, path))
            })
            .collect();
        all.sort();
        Ok(all)
    }

    fn unfinished(&self, step: usize) -> PathBuf {
        self.path.join(format!("{UNFINISHED}{step}"))
    }

    fn finished(&self, step: usize) -> PathBuf {
        self.path.join(format!("step-{step:09}"))
    }

    /// Gives a complete set of parts its name and removes what is too old.
    fn commit(&self, step: usize) -> Result<(), TrainError> {
        let folder = self.unfinished(step);
        let mut crc32 = BTreeMap::new();
        for part in PARTS {
            let file = folder.join(part);
            crc32.insert(part.to_string(), crc32fast::hash(&read(&file)?));
            sync(&file)?;
        }
        let identity = Some(self.identity.values().clone());
        let state = State { schema: Some(SCHEMA), step, identity, crc32 };
        let file = folder.join(STATE);
        let json = serde_json::to_vec_pretty(&state).expect("numbers and text are valid JSON");
        fs::write(&file, json).map_err(io("write", &file))?;
        sync(&file)?;
        let named = self.finished(step);
        if named.exists() {
            fs::remove_dir_all(&named).map_err(io("replace", &named))?;
        }
        fs::rename(&folder, &named).map_err(io("write", &named))?;
        sync(&self.path)?;
        let mut all = self.named()?;
        all.truncate(all.len().saturating_sub(self.kept));
        for (_, old) in all {
            fs::remove_dir_all(&old).map_err(io("remove", &old))?;
        }
        Ok(())
    }

    /// Removes what a killed or failed process left half-written.
    pub(crate) fn discard_unfinished(&self) {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        for entry in entries {
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                // Remains are never read, so they may stay.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
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

    /// One saver per part, for burn-train; the last of the three to finish commits.
    pub(crate) fn savers(&self) -> [Saver; 3] {
        let written = Arc::new(Mutex::new(BTreeMap::new()));
        PARTS.map(|part| Saver { folder: self.clone(), part, written: Arc::clone(&written) })
    }
}

impl Checkpoint {
    /// Puts the saved weights into `module`.
    ///
    /// # Errors
    /// When the file cannot be read or its weights do not fit.
    pub fn load<M: Module>(&self, module: M) -> Result<M, TrainError> {
        let path = self.path.join(MODEL);
        ModuleRecord::load(&path)
            .and_then(|record| module.try_load_record(record))
            .map_err(|source| TrainError::Weights { path, source })
    }
}

/// Saves one part of a checkpoint.
pub(crate) struct Saver {
    folder: CheckpointFolder,
    part: &'static str,
    written: Arc<Mutex<BTreeMap<usize, usize>>>,
}

impl<R: Record> Checkpointer<R> for Saver {
    fn save(&self, step: usize, record: R) -> Result<(), CheckpointerError> {
        let unfinished = self.folder.unfinished(step);
        fs::create_dir_all(&unfinished).map_err(CheckpointerError::IOError)?;
        record.save(unfinished.join(self.part))?;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = written.entry(step).or_insert(0);
        *parts += 1;
        if *parts == PARTS.len() {
            written.remove(&step);
            self.folder
                .commit(step)
                .map_err(|error| CheckpointerError::Unknown(error.to_string()))?;
        }
        Ok(())
    }

    fn delete(&self, _: usize) -> Result<(), CheckpointerError> {
        Ok(())
    }

    fn restore(&self, step: usize) -> Result<R, CheckpointerError> {
        R::load(self.folder.finished(step).join(self.part))
    }
}

/// Saves whenever it is asked; [`CheckpointFolder`] removes the old ones.
pub(crate) struct Always;

impl CheckpointingStrategy for Always {
    fn checkpointing(&mut self, _: usize, _: &EventStoreClient) -> Vec<CheckpointingAction> {
        vec![CheckpointingAction::Save]
    }
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> TrainError + use<> {
    let path = path.to_path_buf();
    move |source| TrainError::Io { action, path, source }
}

fn read(path: &Path) -> Result<Vec<u8>, TrainError> {
    fs::read(path).map_err(io("read", path))
}

fn sync(path: &Path) -> Result<(), TrainError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(io("write", path))
}
