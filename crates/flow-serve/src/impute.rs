//! `POST /v1/impute`.

use axum::http::HeaderMap;
use axum::response::Response;
use flow_datasets::Holes;
use flow_datasets::table::Role;
use flow_model::{AnswerMethod, Answered, Question};
use flow_ode::Method;
use flow_sample::{Grid, Mask, ObservationNoise, SamplerConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::accept::Format;
use crate::answer;
use crate::app::App;
use crate::body;
use crate::queue::{Call, Job};
use crate::records::{self, Record};
use crate::refusal::Refusal;
use crate::sample::{check_n, check_steps};
use crate::worker::caught;

/// Draws that are computed together.
const AT_ONCE: usize = 16;

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
    "mmps".into()
}

fn sampler() -> String {
    "langevin".into()
}

fn steps() -> usize {
    32
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

pub(crate) async fn run(
    app: &App,
    headers: &HeaderMap,
    object: Map<String, Value>,
) -> Result<Response, Refusal> {
    let Some(columns) = &app.table else {
        return Err(Refusal::bad("the model is of no table, and holes are those of tables"));
    };
    let format = Format::wanted(headers, &[Format::Json, Format::Npy, Format::Csv])?;
    let ask: Ask = body::fields(object)?;
    check_n(ask.rows.len(), &app.limits)?;
    check_n(ask.rows.len().saturating_mul(ask.draws), &app.limits)?;
    check_steps(ask.steps, &app.limits)?;
    if ask.steps == 0 {
        return Err(Refusal::bad("`steps` is 0, give at least 1"));
    }
    if !ask.noise.is_finite() || ask.noise <= 0.0 {
        return Err(Refusal::bad(format!("`noise` is {}, give a positive number", ask.noise)));
    }
    let bad = |name: &'static str| move |error: String| Refusal::bad(format!("`{name}`: {error}"));
    let method: AnswerMethod = ask.method.parse().map_err(bad("method"))?;
    let sampler = ask.sampler.parse::<SamplerConfig>();
    let sampler = sampler.map_err(|error| error.to_string()).map_err(bad("sampler"))?;
    let roles = [Role::Target, Role::Given, Role::Constant];
    let table = records::table(&ask.rows, &columns.encoder, &roles)?;
    let holes = Holes::new(columns, &table)?;
    let mut answered = Answered::default();
    if !holes.is_empty() {
        let (known, observed, vectors) = (holes.known(), holes.observed(), holes.vectors()?);
        let (model, width) = (app.model.clone(), columns.encoder.width());
        let Ask { draws, seed, noise, steps, .. } = ask;
        answered = app
            .ask(|reply, waits| {
                let work = move |_: &crate::queue::Waits| {
                    let question = Question {
                        operator: &Mask::new(&known, width, model.device()),
                        observed: &observed,
                        noise: ObservationNoise::Gaussian { std: noise },
                        method,
                        grid: &Grid::Uniform { steps },
                        draws,
                        at_once: AT_ONCE,
                        seed,
                        classes: None,
                        vectors: vectors.as_deref(),
                    };
                    let sampler = sampler.build(Method::Midpoint);
                    let found = caught(|| model.answer(&question, &*sampler));
                    // Whoever has left gets nothing.
                    let _ = reply.send(found.and_then(|found| Ok(found?)));
                };
                Job::Call(Call { work: Box::new(work), waits })
            })
            .await?;
    }
    let filled = holes.filled(&answered.rows, ask.draws)?;
    if format != Format::Json {
        return answer::table(format, &filled);
    }
    let (columns, rows) = records::json(&filled);
    let Ask { seed, draws, .. } = ask;
    answer::json(&Answer { seed, draws, holes: holes.len(), nfe: answered.nfe, columns, rows })
}
