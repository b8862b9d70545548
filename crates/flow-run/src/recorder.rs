//! Records a training: lines of the log, and progress for a listener.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::train::checkpoint::CheckpointerError;
use flow_train::{Interrupter, Observer, StepRecord, Terms};

use crate::error::RunError;
use crate::listener::{Listener, Meter};
use crate::metrics::{Line, Log};

/// Logs what is trained, and tells how far it is.
pub(crate) struct Recorder {
    meter: Box<dyn Meter>,
    log: Log,
    interrupter: Interrupter,
    rows: usize,
    steps: usize,
    every: usize,
    losses: Vec<f64>,
    /// Sums over the steps of `losses`.
    terms: Terms,
    since: Instant,
}

impl Recorder {
    /// Goes on from `start` steps of `steps`, with a line in the log every `every` steps.
    pub(crate) fn new(
        folder: &Path,
        start: usize,
        steps: usize,
        rows: usize,
        every: usize,
        interrupter: &Interrupter,
        told: &Arc<dyn Listener>,
    ) -> Result<Self, RunError> {
        let (log, meter) =
            (Log::open(folder, Arc::clone(told))?, told.meter(start, steps, "steps"));
        let interrupter = interrupter.clone();
        let losses = Vec::with_capacity(every);
        let (terms, since) = (Terms::new(), Instant::now());
        Ok(Self { meter, log, interrupter, rows, steps, every, losses, terms, since })
    }
}

impl Observer for Recorder {
    fn step(&mut self, record: &StepRecord) {
        self.losses.push(record.loss);
        add(&mut self.terms, &record.terms);
        if self.losses.len() < self.every && record.step < self.steps {
            return;
        }
        let seconds = self.since.elapsed().as_secs_f64();
        let scale = 1.0 / self.losses.len() as f64;
        let loss = self.losses.iter().sum::<f64>() * scale;
        let mut terms = std::mem::take(&mut self.terms);
        terms.values_mut().flatten().for_each(|value| *value *= scale);
        let images_per_second = (self.losses.len() * self.rows) as f64 / seconds;
        self.log.add(&Line::Train {
            step: record.step,
            images: record.step * self.rows,
            loss,
            learning_rate: record.learning_rate,
            images_per_second,
            terms,
        });
        self.losses.clear();
        self.since = Instant::now();
        let message = format!("loss {loss:.4}  {images_per_second:.0} images/s");
        self.meter.at(record.step, &message);
    }

    fn validation(&mut self, step: usize, loss: f64) {
        self.log.add(&Line::Validation { step, images: step * self.rows, loss });
        // A checkpoint is written next. Its lines must be on the disk before it, or else the log of
        // a run that goes on from it has a gap.
        if let Err(error) = self.log.flush() {
            self.interrupter.fail(CheckpointerError::IOError(error));
        }
    }
}

/// Adds each value of `terms` to its sum.
fn add(sums: &mut Terms, terms: &Terms) {
    for (name, values) in terms {
        let sum = sums.entry(name.clone()).or_insert_with(|| vec![0.0; values.len()]);
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
}
