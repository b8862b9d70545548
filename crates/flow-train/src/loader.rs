//! Batches by the number of their step, prepared in a worker while the step before runs.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use burn::train::Interrupter;

use crate::error::TrainError;
use crate::failure::Failure;
use crate::parts::Parts;
use crate::source::BatchSource;

/// Batches in flight between the worker and the training step.
const PREFETCH: usize = 2;

/// Time between two looks for an interruption while a batch is awaited: transport between the rows
/// of a large batch, or a simulator, may take minutes.
const LOOK: Duration = Duration::from_millis(50);

/// Which parts of each batch are loaded, one after another.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    pub(crate) parts: Parts,
    pub(crate) own: Range<usize>,
}

impl Cut {
    /// Rows of all loaded parts of a batch of `rows`.
    fn rows(&self, rows: usize) -> usize {
        rows / self.parts.count * self.own.len()
    }
}

/// A data loader of burn-train over the parts of a range of steps.
pub(crate) struct Loader<B> {
    source: Arc<dyn BatchSource<Batch = B>>,
    steps: Range<usize>,
    cut: Cut,
    device: Device,
    /// Where an error goes, for burn-train passes on its text alone.
    failure: Failure,
    /// What ends the wait for a batch; nothing where another process waits for this one's share.
    interrupter: Option<Interrupter>,
}

impl<B: Send + 'static> Loader<B> {
    pub(crate) fn new(
        source: Arc<dyn BatchSource<Batch = B>>,
        steps: Range<usize>,
        cut: Cut,
        device: Device,
        failure: Failure,
        interrupter: Option<Interrupter>,
    ) -> Self {
        Self { source, steps, cut, device, failure, interrupter }
    }

    /// The same batches of other steps on another device.
    fn over(&self, steps: Range<usize>, device: &Device) -> Arc<dyn DataLoader<B>> {
        let (source, failure) = (Arc::clone(&self.source), self.failure.clone());
        let (cut, interrupter) = (self.cut.clone(), self.interrupter.clone());
        Arc::new(Self::new(source, steps, cut, device.clone(), failure, interrupter))
    }
}

impl<B: Send + 'static> DataLoader<B> for Loader<B> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<B> + 'a> {
        let (sender, receiver) = sync_channel(PREFETCH);
        let (source, steps, cut, device) =
            (Arc::clone(&self.source), self.steps.clone(), self.cut.clone(), self.device.clone());
        std::thread::spawn(move || {
            for step in steps {
                let parts = || source.parts(step, cut.parts, cut.own.clone(), &device);
                // Without this a source that panics would look like one that has come to its end.
                let parts = catch_unwind(AssertUnwindSafe(parts)).unwrap_or_else(|panic| {
                    Err(TrainError::Batch { step, reason: text_of(&*panic) })
                });
                let parts = match parts {
                    Ok(parts) => parts,
                    Err(error) => return drop(sender.send(Err(error))),
                };
                // The receiver is gone when training ends early.
                if parts.into_iter().any(|part| sender.send(Ok(part)).is_err()) {
                    return;
                }
            }
        });
        Box::new(Prefetched {
            receiver,
            progress: Progress::new(0, self.num_items(), Some("images".into())),
            rows: self.source.rows() / self.cut.parts.count,
            failure: self.failure.clone(),
            interrupter: self.interrupter.clone(),
        })
    }

    fn num_items(&self) -> usize {
        self.steps.len().saturating_mul(self.cut.rows(self.source.rows()))
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<B>> {
        self.over(self.steps.clone(), device)
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B>> {
        let rows = self.cut.rows(self.source.rows());
        self.over(self.steps.start + start / rows..self.steps.start + end / rows, &self.device)
    }
}

/// What a panic says.
fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a text".into())
}

struct Prefetched<B> {
    receiver: Receiver<Result<B, TrainError>>,
    progress: Progress,
    rows: usize,
    failure: Failure,
    interrupter: Option<Interrupter>,
}

impl<B> Prefetched<B> {
    /// The next batch once it is there; nothing after the last one, or when the run is asked to
    /// stop before. The worker is then left to end by itself, since nobody takes what it makes.
    fn wait(&self) -> Option<Result<B, TrainError>> {
        loop {
            match self.receiver.recv_timeout(LOOK) {
                Ok(batch) => return Some(batch),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    if self.interrupter.as_ref().is_some_and(Interrupter::should_stop) {
                        return None;
                    }
                }
            }
        }
    }
}

impl<B> Iterator for Prefetched<B> {
    type Item = Result<B, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.wait()?;
        self.progress.items_processed += self.rows;
        Some(batch.map_err(|error| {
            let text = std::io::Error::other(error.to_string());
            self.failure.keep(error);
            DatasetError::new(text)
        }))
    }
}

impl<B> DataLoaderIterator<B> for Prefetched<B> {
    fn progress(&self) -> Progress {
        self.progress.clone()
    }
}
