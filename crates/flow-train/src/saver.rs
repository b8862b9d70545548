//! What burn-train calls to save and restore the parts of a checkpoint.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::train::checkpoint::{
    Checkpoint as Record, Checkpointer, CheckpointerError, CheckpointingAction,
    CheckpointingStrategy,
};
use burn::train::metric::store::EventStoreClient;

use crate::checkpoint::{CheckpointFolder, OPTIMIZER, PARTS};
use crate::draft::Draft;
use crate::error::{Divergence, TrainError};
use crate::failure::Failure;
use crate::record;

/// One saver per part, for burn-train; the last of the three to finish commits.
pub(crate) fn savers(folder: &CheckpointFolder, failure: &Failure) -> [Saver; 3] {
    let drafts = Arc::new(Mutex::new(BTreeMap::new()));
    PARTS.map(|part| Saver {
        folder: folder.clone(),
        part,
        drafts: Arc::clone(&drafts),
        failure: failure.clone(),
    })
}

/// Saves one part of a checkpoint.
pub(crate) struct Saver {
    folder: CheckpointFolder,
    part: &'static str,
    /// Checkpoints in the making, by step.
    drafts: Arc<Mutex<BTreeMap<usize, Draft>>>,
    failure: Failure,
}

impl Saver {
    fn drafts(&self) -> MutexGuard<'_, BTreeMap<usize, Draft>> {
        self.drafts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder of the unfinished checkpoint of `step`.
    fn draft(&self, step: usize) -> io::Result<PathBuf> {
        let mut drafts = self.drafts();
        let draft = match drafts.entry(step) {
            Entry::Occupied(draft) => draft.into_mut(),
            Entry::Vacant(place) => place.insert(Draft::new(self.folder.path(), step)?),
        };
        Ok(draft.path().to_path_buf())
    }

    /// Counts a part; the last one gives the draft back.
    fn count(&self, step: usize) -> Option<Draft> {
        let mut drafts = self.drafts();
        let draft = drafts.get_mut(&step)?;
        draft.written += 1;
        if draft.written == PARTS.len() { drafts.remove(&step) } else { None }
    }

    fn write<R: Record>(&self, step: usize, record: R, to: &Path) -> Result<(), CheckpointerError> {
        if self.part != OPTIMIZER {
            return record.save(to.into());
        }
        let bytes = record.checkpoint_into_bytes().map_err(CheckpointerError::Record)?;
        record::save_sorted(bytes, to).map_err(CheckpointerError::Record)?.map_err(|parameter| {
            let error = TrainError::Diverged { step, what: Divergence::Optimizer(parameter) };
            let text = error.to_string();
            self.failure.keep(error);
            CheckpointerError::Unknown(text)
        })
    }
}

impl<R: Record> Checkpointer<R> for Saver {
    fn save(&self, step: usize, record: R) -> Result<(), CheckpointerError> {
        let draft = self.draft(step).map_err(CheckpointerError::IOError)?;
        self.write(step, record, &draft.join(self.part))?;
        match self.count(step) {
            Some(draft) => self
                .folder
                .commit(step, draft)
                .map_err(|error| CheckpointerError::Unknown(error.to_string())),
            None => Ok(()),
        }
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
