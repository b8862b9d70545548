//! Rows of a table with their holes filled.

use flow_datasets::table::Role;
use flow_datasets::{Holes, Table};
use flow_model::{AnswerMethod, AnswerPlan, Answered, Question};
use flow_path::config::Check;
use flow_sample::{Mask, ObservationNoise, SamplerConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::Api;
use crate::fields;
use crate::records::{self, Record};
use crate::refused::Refused;
use crate::reply::{Form, Reply};

/// Rows with holes; the rest are the options of `flow impute`, with its defaults.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    rows: Vec<Record>,
    #[serde(default = "one")]
    draws: usize,
    #[serde(default)]
    seed: u64,
    #[serde(default = "noise")]
    noise: f64,
    #[serde(default = "method")]
    method: String,
    #[serde(default = "sampler")]
    sampler: String,
    #[serde(default = "steps")]
    steps: usize,
}

fn one() -> usize {
    1
}

fn noise() -> f64 {
    0.02
}

fn method() -> String {
    AnswerPlan::METHOD.into()
}

fn sampler() -> String {
    AnswerPlan::SAMPLER.into()
}

fn steps() -> usize {
    AnswerPlan::STEPS
}

#[derive(Serialize)]
struct Answer<'a> {
    seed: u64,
    draws: usize,
    /// Rows that lacked a value.
    holes: usize,
    nfe: usize,
    columns: Vec<&'a str>,
    /// All rows, once for each draw, whose number stands in a first column `draw` of several.
    rows: Vec<Vec<Value>>,
}

/// A request to fill holes that fits the model and its limits.
#[derive(Debug)]
pub struct Imputing {
    ask: Ask,
    method: AnswerMethod,
    sampler: SamplerConfig,
    table: Table,
    form: Form,
}

impl Imputing {
    /// Reads and checks what is asked for.
    ///
    /// # Errors
    /// When something in it cannot be, or the model is of no table.
    pub fn read(api: &Api, object: Map<String, Value>, form: Form) -> Result<Self, Refused> {
        let Some(columns) = &api.table else { return Err(no_table()) };
        let ask: Ask = fields::fields(object)?;
        api.limits.check_n(ask.rows.len())?;
        api.limits.check_n(ask.rows.len().saturating_mul(ask.draws))?;
        api.limits.check_steps(ask.steps)?;
        if ask.steps == 0 {
            return Err(Refused::bad("`steps` is 0, give at least 1"));
        }
        if !ask.noise.is_finite() || ask.noise <= 0.0 {
            return Err(Refused::bad(format!("`noise` is {}, give a positive number", ask.noise)));
        }
        let bad =
            |name: &'static str| move |error: String| Refused::bad(format!("`{name}`: {error}"));
        let method = ask.method.parse::<AnswerMethod>();
        let method = method.map_err(|error| error.to_string()).map_err(bad("method"))?;
        method.check().map_err(|error| error.to_string()).map_err(bad("method"))?;
        let sampler = ask.sampler.parse::<SamplerConfig>();
        let sampler = sampler.map_err(|error| error.to_string()).map_err(bad("sampler"))?;
        sampler.check().map_err(|error| error.to_string()).map_err(bad("sampler"))?;
        let each = method.evaluations().saturating_mul(sampler.evaluations(AnswerPlan::SOLVER));
        api.limits.check_evaluations(ask.steps.saturating_mul(each))?;
        let roles = [Role::Target, Role::Given, Role::Constant];
        let table = records::table(&ask.rows, &columns.encoder, &roles)?;
        Holes::new(columns, &table)?;
        Ok(Self { ask, method, sampler, table, form })
    }

    /// Asks the network for what the holes may hold, if there are any, as long as `go_on` says so.
    ///
    /// # Errors
    /// When it was given up, or cannot be computed.
    pub fn compute(
        &self,
        api: &Api,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Answered, Refused> {
        let Some(columns) = &api.table else { return Ok(Answered::default()) };
        let holes = Holes::new(columns, &self.table)?;
        if holes.is_empty() {
            return Ok(Answered::default());
        }
        let &Ask { draws, seed, noise, steps, .. } = &self.ask;
        let (known, observed, vectors) = (holes.known(), holes.observed(), holes.vectors()?);
        let mask = Mask::new(&known, columns.encoder.width(), api.model.device());
        let plan = AnswerPlan { seed, ..AnswerPlan::new(self.method, &self.sampler, steps) };
        let noise = ObservationNoise::Gaussian { std: noise };
        let question = plan.question(&mask, &observed, noise, draws);
        let question = Question { vectors: vectors.as_deref(), ..question };
        Ok(api.model.answer_while(&question, &*plan.sampler, go_on)?)
    }

    /// The answer with what was computed for its holes.
    ///
    /// # Errors
    /// When the answer does not exist in the form that is asked for.
    pub fn write(&self, api: &Api, answered: &Answered) -> Result<Reply, Refused> {
        let Some(columns) = &api.table else { return Err(no_table()) };
        let holes = Holes::new(columns, &self.table)?;
        let &Ask { draws, seed, .. } = &self.ask;
        let filled = holes.filled(&answered.rows, draws)?;
        if self.form != Form::Json {
            return Reply::table(self.form, &filled);
        }
        let ((columns, rows), nfe) = (records::json(&filled, &columns.encoder), answered.nfe);
        Reply::json(&Answer { seed, draws, holes: holes.len(), nfe, columns, rows })
    }
}

fn no_table() -> Refused {
    Refused::bad("the model is of no table, and holes are those of tables")
}
