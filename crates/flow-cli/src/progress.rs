//! Progress on the terminal and in `metrics.jsonl`.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use flow_train::{Observer, StepRecord, Terms};
use serde::{Deserialize, Serialize};

use crate::bar::Bar;
use crate::files::{read_text, write_text};

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Line {
    /// Mean over the steps since the line before.
    Train {
        step: usize,
        images: usize,
        loss: f64,
        learning_rate: f64,
        images_per_second: f64,
        #[serde(default, skip_serializing_if = "Terms::is_empty")]
        terms: Terms,
    },
    /// Loss of the averaged weights on held-out batches.
    Validation { step: usize, images: usize, loss: f64 },
}

impl Line {
    fn step(&self) -> usize {
        match *self {
            Self::Train { step, .. } | Self::Validation { step, .. } => step,
        }
    }
}

/// The lines of a run so far.
pub(crate) fn read(folder: &Path) -> Result<Vec<Line>> {
    let path = file(folder);
    let lines = read_text(&path)?;
    // A killed process may leave half a line at the end.
    Ok(lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// Forgets what was logged after `step`.
pub(crate) fn rewind(folder: &Path, step: usize) -> Result<()> {
    let path = file(folder);
    if !path.exists() {
        return Ok(());
    }
    let mut text = String::new();
    for line in read(folder)?.iter().filter(|line| line.step() <= step) {
        text += &(serde_json::to_string(line).expect("numbers are valid JSON") + "\n");
    }
    write_text(&path, &text)
}

fn file(folder: &Path) -> PathBuf {
    folder.join("metrics.jsonl")
}

/// Shows progress and logs it.
pub(crate) struct Progress {
    bar: Bar,
    log: File,
    rows: usize,
    steps: usize,
    every: usize,
    losses: Vec<f64>,
    /// Sums over the steps of `losses`.
    terms: Terms,
    since: Instant,
}

impl Progress {
    /// Goes on from `start` steps of `steps`, with a line in the log every `every` steps.
    pub(crate) fn new(
        folder: &Path,
        start: usize,
        steps: usize,
        rows: usize,
        every: usize,
    ) -> Result<Self> {
        let path = file(folder);
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let bar = Bar::new(start, steps, "steps");
        let losses = Vec::with_capacity(every);
        let (terms, since) = (Terms::new(), Instant::now());
        Ok(Self { bar, log, rows, steps, every, losses, terms, since })
    }

    fn write(&mut self, line: &Line) {
        let text = serde_json::to_string(line).expect("numbers are valid JSON");
        // A full disk stops the run at its next checkpoint, with a message.
        let _ = writeln!(self.log, "{text}");
    }
}

impl Observer for Progress {
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
        self.write(&Line::Train {
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
        self.bar.at(record.step, &message);
    }

    fn validation(&mut self, step: usize, loss: f64) {
        self.write(&Line::Validation { step, images: step * self.rows, loss });
    }
}

/// Adds each value of `terms` to its sum.
fn add(sums: &mut Terms, terms: &Terms) {
    for (name, values) in terms {
        let sum = sums.entry(name.clone()).or_insert_with(|| vec![0.0; values.len()]);
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
}

/// Says something to who is watching, apart from the results on standard output.
pub(crate) fn say(text: &str) {
    // Who closed the pipe has read enough.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints a result.
///
/// # Errors
/// When it cannot be written, as on a full disk.
pub(crate) fn print(text: &str) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        // As above: `flow list | head -1` is no error.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("the result cannot be written to standard output"),
    }
}
