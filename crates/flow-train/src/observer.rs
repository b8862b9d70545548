//! Observers of a training run.

use burn::train::LearnerSummary;
use burn::train::logger::{EvaluationProgressLogger, MetricLogger, TrainingProgressLogger};
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricDefinition, MetricEntry, MetricId, NumericEntry};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};

use crate::terms::{self, TERMS, Terms};

/// What a step has to say.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRecord {
    /// Steps done, this one included.
    pub step: usize,
    /// Loss of this step's batch.
    pub loss: f64,
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Terms of the loss by name, and the norm of the gradient before it is bounded.
    pub terms: Terms,
}

/// Follows a run: a progress bar, a log file.
///
/// It is called from a thread of its own, in the order of the steps.
pub trait Observer: Send + Sync {
    /// A step of training is done.
    fn step(&mut self, record: &StepRecord);

    /// The average weights were validated after `step` steps: the mean loss of all batches asked
    /// for. A validation that was interrupted is left out.
    fn validation(&mut self, step: usize, loss: f64);
}

/// Turns burn-train's metric updates into calls of an [`Observer`].
pub(crate) struct Renderer {
    observer: Box<dyn Observer>,
    step: usize,
    names: Vec<(MetricId, String)>,
    loss: f64,
    learning_rate: f64,
    terms: Terms,
    validation: Vec<f64>,
    /// Batches of a whole validation, and those of the present one so far.
    batches: usize,
    seen: usize,
    validating: bool,
}

impl Renderer {
    /// `start` steps are done already; a validation has so many `batches`.
    pub(crate) fn new(observer: Box<dyn Observer>, start: usize, batches: usize) -> Self {
        Self {
            observer,
            step: start,
            names: Vec::new(),
            loss: f64::NAN,
            learning_rate: f64::NAN,
            terms: Terms::new(),
            validation: Vec::new(),
            batches,
            seen: 0,
            validating: false,
        }
    }

    fn name(&self, entry: &MetricEntry) -> Option<&str> {
        let (_, name) = self.names.iter().find(|(id, _)| *id == entry.metric_id)?;
        Some(name)
    }

    /// Name and current value of a numeric metric.
    fn value(&self, state: &MetricState) -> Option<(&str, f64)> {
        let MetricState::Numeric(entry, Some(value)) = state else { return None };
        Some((self.name(entry)?, value.current()))
    }
}

impl MetricsRendererTraining for Renderer {
    fn update_train(&mut self, state: MetricState) {
        if let MetricState::Generic(entry) = &state
            && self.name(entry) == Some(TERMS)
        {
            self.terms = terms::parse(&entry.serialized_entry);
        }
        match self.value(&state) {
            Some(("Loss", value)) => self.loss = value,
            Some(("Learning Rate", value)) => self.learning_rate = value,
            _ => {}
        }
    }

    fn update_valid(&mut self, state: MetricState) {
        if self.validating
            && let Some(("Loss", value)) = self.value(&state)
        {
            self.validation.push(value);
        }
    }

    fn on_train_end(
        &mut self,
        _summary: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn core::error::Error>> {
        Ok(())
    }
}

impl TrainingProgressLogger for Renderer {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {}

    fn update_epoch(&mut self, _: usize) {}

    fn start_split(&mut self, split: &str, _: usize) {
        self.validating = split != "train";
        self.validation.clear();
        self.seen = 0;
    }

    fn update_split(&mut self, _: usize) {
        if self.validating {
            self.seen += 1;
        } else {
            self.step += 1;
            let terms = std::mem::take(&mut self.terms);
            let Self { step, loss, learning_rate, .. } = *self;
            self.observer.step(&StepRecord { step, loss, learning_rate, terms });
        }
    }

    fn end_split(&mut self) {
        let whole = 0 < self.seen && self.seen == self.batches;
        if self.validating && whole {
            // burn-train adds the mean of all batches to their losses, which leaves the mean as it
            // is.
            let mean = self.validation.iter().sum::<f64>() / self.validation.len() as f64;
            self.observer.validation(self.step, mean);
        }
        self.validating = false;
    }

    fn end(&mut self) {}

    fn log_event_training(&mut self, _: String) {}
}

impl MetricsRenderer for Renderer {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.names.push((definition.metric_id, definition.name.to_string()));
    }
}

impl MetricsRendererEvaluation for Renderer {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl EvaluationProgressLogger for Renderer {
    fn start_global_progress(&mut self, _: usize) {}
    fn start_test(&mut self, _: &str, _: usize) {}
    fn update_test_progress(&mut self, _: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _: String) {}
}

/// Keeps nothing: the observer is told each number once, and nothing reads them again.
pub(crate) struct NoLog;

impl MetricLogger for NoLog {
    fn log(&mut self, _: MetricsUpdate, _: usize, _: &Split) {}

    fn read_numeric(&mut self, _: &str, _: usize, _: &Split) -> Result<Vec<NumericEntry>, String> {
        Ok(Vec::new())
    }

    fn log_metric_definition(&mut self, _: MetricDefinition) {}

    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}
