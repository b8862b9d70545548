//! Requests to a model, from the JSON object to the answer.

use serde_json::{Map, Value};

use crate::api::Api;
use crate::card;
use crate::density::Scoring;
use crate::impute::Imputing;
use crate::refused::Refused;
use crate::reply::{Form, Reply};
use crate::sample::Sampling;

impl Api {
    /// What the model is, and what it can be asked.
    #[must_use]
    pub fn card(&self) -> Value {
        card::card(self)
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
        scoring.write(&scoring.compute(&self.model, &|| true)?)
    }

    /// Rows of a table with their holes filled, as they are asked for.
    ///
    /// # Errors
    /// As for [`sample`](Self::sample).
    pub fn impute(&self, request: Map<String, Value>, form: Form) -> Result<Reply, Refused> {
        let imputing = Imputing::read(self, request, form)?;
        imputing.write(self, &imputing.compute(self, &|| true)?)
    }
}
