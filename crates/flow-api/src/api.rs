//! A model with what it may be asked.

use std::sync::Arc;

use flow_datasets::{TableError, TableRows};
use flow_model::Model;
use serde_json::{Map, Value};

use crate::card;
use crate::density::Scoring;
use crate::impute::Imputing;
use crate::refused::Refused;
use crate::reply::{Form, Reply};
use crate::sample::Sampling;

/// The most that a request may ask for; beyond it is refused in one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows.
    pub n: usize,
    /// Steps of a solver or a sampler.
    pub steps: usize,
    /// Numbers of all rows and states of an answer.
    pub numbers: usize,
}

impl Default for Limits {
    /// 10,000 rows, 1,000 steps and 16 MiB of numbers, which as JSON are up to five times as much.
    fn default() -> Self {
        Self { n: 10_000, steps: 1_000, numbers: 1 << 22 }
    }
}

impl Limits {
    pub(crate) fn check_n(&self, n: usize) -> Result<(), Refused> {
        match n {
            0 => Err(Refused::bad("0 rows are asked for, ask for at least 1")),
            n if self.n < n => {
                let most = self.n;
                Err(Refused::bad(format!("{n} rows are asked for, at most {most} are given")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn check_steps(&self, steps: usize) -> Result<(), Refused> {
        let most = self.steps;
        if most < steps {
            let sentence = format!("{steps} steps are asked for, at most {most} are taken");
            return Err(Refused::bad(sentence));
        }
        Ok(())
    }
}

/// A model that is asked in JSON.
#[derive(Clone, Debug)]
pub struct Api {
    pub(crate) model: Arc<Model>,
    pub(crate) table: Option<TableRows>,
    pub(crate) limits: Limits,
}

impl Api {
    /// A model to ask.
    ///
    /// # Errors
    /// When what the model has kept of its table is damaged.
    pub fn new(model: Model, limits: Limits) -> Result<Self, TableError> {
        let table = TableRows::of(&model.config().rows)?;
        Ok(Self { model: Arc::new(model), table, limits })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// What the model is, and what it can be asked.
    #[must_use]
    pub fn card(&self) -> Value {
        card::card(&self.model, self.table.as_ref(), &self.limits)
    }

    /// Samples, as they are asked for: all three steps of a [`Sampling`].
    ///
    /// # Errors
    /// When something in the request cannot be, or the answer does not exist in this form.
    pub fn sample(&self, request: Map<String, Value>, form: Form) -> Result<Reply, Refused> {
        let Sampling { request, plan, answer, .. } = Sampling::read(self, request, form)?;
        let samples = self.model.sample(&request, &*plan.sampler())?;
        answer.write(self, &samples)
    }

    /// Log-densities of rows, as they are asked for.
    ///
    /// # Errors
    /// As for [`sample`](Self::sample).
    pub fn log_prob(&self, request: Map<String, Value>, form: Form) -> Result<Reply, Refused> {
        let scoring = Scoring::read(self, request, form)?;
        scoring.write(&scoring.compute(&self.model, || true)?)
    }

    /// Rows of a table with their holes filled, as they are asked for.
    ///
    /// # Errors
    /// As for [`sample`](Self::sample).
    pub fn impute(&self, request: Map<String, Value>, form: Form) -> Result<Reply, Refused> {
        let imputing = Imputing::read(self, request, form)?;
        imputing.write(self, &imputing.compute(self)?)
    }

    /// Whether the model is told a class or numbers.
    pub(crate) fn is_told(&self) -> bool {
        let signature = self.model.signature();
        0 < signature.classes || 0 < signature.vector || !signature.context.is_empty()
    }

    /// Numbers in a conditioning row, 0 for none.
    pub(crate) fn context(&self) -> usize {
        let shape = &self.model.signature().context;
        if shape.is_empty() { 0 } else { shape.iter().product() }
    }

    /// Whether samples have a picture.
    pub(crate) fn has_pictures(&self) -> bool {
        self.table.is_none() && flow_plot::samples(&[], self.model.shape()).is_ok()
    }
}
