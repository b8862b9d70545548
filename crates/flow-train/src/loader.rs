//! Batches by the number of their step, prepared in a worker while the step before runs.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;

use crate::error::TrainError;

/// Batches in flight between the worker and the training step.
const PREFETCH: usize = 2;

/// A batch for every step; the answer depends on the step alone.
pub trait BatchSource: Send + Sync + 'static {
    /// What a step consumes.
    type Batch: Send + 'static;

    /// The batch of `step` on `device`.
    ///
    /// # Errors
    /// When the batch cannot be made, for example because noise and data cannot be paired.
    fn batch(&self, step: usize, device: &Device) -> Result<Self::Batch, TrainError>;

    /// Rows in each batch.
    fn rows(&self) -> usize;
}

/// A data loader of burn-train over a range of steps.
pub(crate) struct Loader<S> {
    source: Arc<S>,
    steps: Range<usize>,
    device: Device,
}

impl<S: BatchSource> Loader<S> {
    pub(crate) fn new(source: Arc<S>, steps: Range<usize>, device: Device) -> Self {
        Self { source, steps, device }
    }
}

impl<S: BatchSource> DataLoader<S::Batch> for Loader<S> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<S::Batch> + 'a> {
        let (sender, receiver) = sync_channel(PREFETCH);
        let (source, steps, device) =
            (Arc::clone(&self.source), self.steps.clone(), self.device.clone());
        std::thread::spawn(move || {
            for step in steps {
                let batch = source.batch(step, &device);
                let last = batch.is_err();
                // The receiver is gone when training ends early.
                if sender.send(batch).is_err() || last {
                    return;
                }
            }
        });
        Box::new(Prefetched {
            receiver,
            progress: Progress::new(0, self.num_items(), Some("images".into())),
            rows: self.source.rows(),
        })
    }

    fn num_items(&self) -> usize {
        self.steps.len() * self.source.rows()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<S::Batch>> {
        Arc::new(Self::new(Arc::clone(&self.source), self.steps.clone(), device.clone()))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<S::Batch>> {
        let rows = self.source.rows();
        let steps = self.steps.start + start / rows..self.steps.start + end / rows;
        Arc::new(Self::new(Arc::clone(&self.source), steps, self.device.clone()))
    }
}

struct Prefetched<B> {
    receiver: Receiver<Result<B, TrainError>>,
    progress: Progress,
    rows: usize,
}

impl<B> Iterator for Prefetched<B> {
    type Item = Result<B, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.receiver.recv().ok()?;
        self.progress.items_processed += self.rows;
        Some(batch.map_err(DatasetError::new))
    }
}

impl<B> DataLoaderIterator<B> for Prefetched<B> {
    fn progress(&self) -> Progress {
        self.progress.clone()
    }
}
