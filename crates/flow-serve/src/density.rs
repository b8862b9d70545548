//! `POST /v1/log_prob`.

use std::ops::Range;

use axum::http::HeaderMap;
use axum::response::Response;
use flow_datasets::TableRows;
use flow_datasets::table::Role;
use flow_model::{Classes, Densities, DensityRequest, Model, Rows, Trace};
use flow_ode::{Adaptive, Method, Tolerance};
use flow_sample::{Likelihood, Probe};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::accept::Format;
use crate::answer;
use crate::app::App;
use crate::body;
use crate::label::{self, Label};
use crate::queue::{Call, Job};
use crate::records::{self, Record};
use crate::refusal::Refusal;
use crate::sample::check_n;
use crate::typed::typed;
use crate::worker::caught;

/// Rows whose density is solved for together, with the tolerance below: as in C and Python.
const BATCH: usize = 256;
/// Relative and absolute tolerance of the solver.
const TOLERANCE: f64 = 1e-5;
/// Draws of the latent of a model with one.
const LATENTS: usize = 100;
/// Most probes of a row.
const MOST_PROBES: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    rows: Ones,
    /// The class of all rows.
    #[serde(default)]
    class: Option<Label>,
    /// The class of each row.
    #[serde(default)]
    classes: Option<Vec<Label>>,
    #[serde(default)]
    vectors: Option<Vec<Vec<f32>>>,
    #[serde(default)]
    contexts: Option<Vec<Vec<f32>>>,
    #[serde(default = "tolerance")]
    rtol: f64,
    #[serde(default = "tolerance")]
    atol: f64,
    /// Random probes in place of the exact divergence.
    #[serde(default)]
    probes: Option<usize>,
    /// Seed of the probes and of the latents.
    #[serde(default)]
    seed: u64,
}

fn tolerance() -> f64 {
    TOLERANCE
}

/// Rows of a model: of numbers, or of the table that it was trained on.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "`rows` is a list of rows: lists of numbers, or for a model of a table objects of \
                 columns and values"
)]
enum Ones {
    Numbers(Vec<Vec<f32>>),
    Records(Vec<Record>),
}

/// Rows that fit the model, and what is added to the density of each.
struct Asked {
    rows: Rows,
    n: usize,
    slopes: Vec<f64>,
}

#[derive(Serialize)]
struct Answer {
    /// Natural logarithms of the densities of the rows, of a table in units of its columns.
    log_prob: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    std_error: Vec<f64>,
    nfe: f64,
}

pub(crate) async fn run(
    app: &App,
    headers: &HeaderMap,
    object: Map<String, Value>,
) -> Result<Response, Refusal> {
    let format = Format::wanted(headers, &[Format::Json, Format::Npy, Format::Csv])?;
    let ask: Ask = body::fields(object)?;
    let request = request(&ask)?;
    let Asked { rows, n, slopes } = asked(app, &ask)?;
    let model = app.model.clone();
    let found: Densities = app
        .ask(|reply, waits| {
            let work = move |waits: &crate::queue::Waits| {
                let part = |range: Range<usize>| some(&rows, &model, range);
                let found = caught(|| model.log_prob_while(n, part, &request, || waits.still()));
                // Whoever has left gets nothing.
                let _ = reply.send(found.and_then(|found| Ok(found?)));
            };
            Job::Call(Call { work: Box::new(work), waits })
        })
        .await?;
    let log_prob: Vec<f64> =
        found.nats.iter().zip(slopes).map(|(nats, slope)| nats + slope).collect();
    match format {
        Format::Npy => answer::npy(&[n], &log_prob),
        Format::Csv => {
            let lines = log_prob.iter().map(|nats| format!("{nats}\n"));
            let text: String = ["log_prob\n".to_owned()].into_iter().chain(lines).collect();
            Ok(typed(format.media(), text.into_bytes()))
        }
        _ => answer::json(&Answer { log_prob, std_error: found.probe_error, nfe: found.nfe }),
    }
}

fn request(ask: &Ask) -> Result<DensityRequest, Refusal> {
    let &Ask { rtol, atol, probes, seed, .. } = ask;
    for (name, value) in [("rtol", rtol), ("atol", atol)] {
        if !(1e-12..=1.0).contains(&value) {
            return Err(Refusal::bad(format!("`{name}` is {value}, it must lie in [1e-12, 1]")));
        }
    }
    if let Some(probes) = probes.filter(|probes| !(1..=MOST_PROBES).contains(probes)) {
        let sentence = format!("`probes` is {probes}, it must lie in [1, {MOST_PROBES}]");
        return Err(Refusal::bad(sentence));
    }
    Ok(DensityRequest {
        likelihood: Likelihood::new(Method::Dopri5, Adaptive::new(Tolerance { atol, rtol }).into()),
        trace: probes.map_or(Trace::Exact, Trace::Probes),
        probe: Probe::default(),
        seed,
        batch: BATCH,
        latents: LATENTS,
    })
}

/// Reads and checks what is asked for.
fn asked(app: &App, ask: &Ask) -> Result<Asked, Refusal> {
    let (model, signature) = (&*app.model, app.model.signature());
    let (values, vectors, slopes) = match (&ask.rows, &app.table) {
        (Ones::Records(rows), Some(table)) => {
            check_n(rows.len(), &app.limits)?;
            of_table(table, rows)?
        }
        (Ones::Records(_), None) => {
            return Err(Refusal::bad("the model is of no table: give `rows` as lists of numbers"));
        }
        (Ones::Numbers(rows), _) => {
            check_n(rows.len(), &app.limits)?;
            let values = body::rows("rows", rows, signature.size())?;
            let vectors = numbers("vectors", ask.vectors.as_ref(), rows.len(), model.vector())?;
            (values, vectors, vec![0.0; rows.len()])
        }
    };
    let n = slopes.len();
    let contexts = numbers("contexts", ask.contexts.as_ref(), n, app.context())?;
    let classes = match label::classes(model, ask.class.as_ref(), ask.classes.as_deref())? {
        None if signature.classes == 0 => None,
        None => {
            return Err(Refusal::bad("the model knows classes: say of which `class` the rows are"));
        }
        Some(Classes::Each(each)) if each.len() != n => {
            let got = each.len();
            return Err(Refusal::bad(format!("{n} rows need {n} `classes`, got {got}")));
        }
        Some(classes) => model.classes_of(&classes, 0..n)?,
    };
    Ok(Asked { rows: Rows { values, classes, vectors, contexts }, n, slopes })
}

type Encoded = (Vec<f32>, Option<Vec<f32>>, Vec<f64>);

/// Rows of the model's table as its numbers, their condition vectors and `ln |dz/dx|`.
fn of_table(table: &TableRows, rows: &[Record]) -> Result<Encoded, Refusal> {
    let rows = records::table(rows, &table.encoder, &[Role::Target, Role::Given, Role::Constant])?;
    let encoded = table.encoder.encode(&rows)?;
    if let Some(at) = encoded.mask.iter().position(|known| *known == 0.0) {
        let row = at / encoded.width.max(1);
        return Err(Refusal::bad(format!(
            "row {row} lacks a value, so that it has no density: `/v1/impute` fills it"
        )));
    }
    let vectors = table.told(&rows)?;
    let slopes = table.encoder.log_jacobian(&encoded.rows, None);
    Ok((encoded.rows, vectors, slopes))
}

/// One row for each of `n` where the model reads some, and none where it does not.
fn numbers(
    name: &str,
    rows: Option<&Vec<Vec<f32>>>,
    n: usize,
    size: usize,
) -> Result<Option<Vec<f32>>, Refusal> {
    match rows {
        None if size == 0 => Ok(None),
        None => Err(Refusal::bad(format!("the model reads {size} numbers for each row: `{name}`"))),
        Some(_) if size == 0 => Err(Refusal::bad(format!("the model reads no `{name}`"))),
        Some(rows) if rows.len() != n => {
            let got = rows.len();
            Err(Refusal::bad(format!("{n} rows need {n} rows of `{name}`, got {got}")))
        }
        Some(rows) => Ok(Some(body::rows(name, rows, size)?)),
    }
}

/// Some of the rows, with what is known of them.
fn some(rows: &Rows, model: &Model, range: Range<usize>) -> Rows {
    let n = rows.values.len() / model.signature().size().max(1);
    let part = |all: &[f32]| {
        let size = all.len() / n.max(1);
        all[range.start * size..range.end * size].to_vec()
    };
    Rows {
        values: part(&rows.values),
        classes: rows.classes.as_ref().map(|classes| classes[range.clone()].to_vec()),
        vectors: rows.vectors.as_deref().map(part),
        contexts: rows.contexts.as_deref().map(part),
    }
}
