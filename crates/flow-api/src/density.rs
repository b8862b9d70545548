//! Log-densities of rows.

use std::ops::Range;

use flow_datasets::table::Role;
use flow_datasets::{TableRows, counted};
use flow_model::{Classes, Densities, DensityRequest, Model, Rows, Trace};
use flow_ode::{Adaptive, Method, Tolerance};
use flow_sample::{Likelihood, Probe};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::Api;
use crate::fields;
use crate::label::{self, Label};
use crate::records::{self, Record};
use crate::refused::Refused;
use crate::reply::{Form, Reply};

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

/// A request for log-densities that fits the model and its limits.
#[derive(Debug)]
pub struct Scoring {
    request: DensityRequest,
    rows: Rows,
    n: usize,
    /// What is added to the density of each row.
    slopes: Vec<f64>,
    form: Form,
}

#[derive(Serialize)]
struct Answer {
    /// Natural logarithms of the densities of the rows, of a table in units of its columns.
    log_prob: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    std_error: Vec<f64>,
    nfe: f64,
}

impl Scoring {
    /// Reads and checks what is asked for.
    ///
    /// # Errors
    /// When something in it cannot be.
    pub fn read(api: &Api, object: Map<String, Value>, form: Form) -> Result<Self, Refused> {
        let ask: Ask = fields::fields(object)?;
        let request = request(&ask)?;
        let (rows, slopes) = asked(api, &ask)?;
        Ok(Self { request, rows, n: slopes.len(), slopes, form })
    }

    /// Asks the network for as long as `go_on` returns true.
    ///
    /// # Errors
    /// When it was given up, or a density cannot be computed.
    pub fn compute(
        &self,
        model: &Model,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Densities, Refused> {
        let part = |range: Range<usize>| some(&self.rows, model, range);
        Ok(model.log_prob_while(self.n, part, &self.request, go_on)?)
    }

    /// The answer with the densities of its request.
    ///
    /// # Errors
    /// When the answer does not exist in the form that is asked for.
    pub fn write(&self, found: &Densities) -> Result<Reply, Refused> {
        let log_prob: Vec<f64> =
            found.nats.iter().zip(&self.slopes).map(|(nats, slope)| nats + slope).collect();
        match self.form {
            Form::Npy => Reply::npy(&[self.n], &log_prob),
            Form::Csv => {
                let lines = log_prob.iter().map(|nats| format!("{nats}\n"));
                Ok(Reply::csv(["log_prob\n".to_owned()].into_iter().chain(lines).collect()))
            }
            _ => Reply::json(&Answer {
                log_prob,
                std_error: found.probe_error.clone(),
                nfe: found.nfe,
            }),
        }
    }
}

fn request(ask: &Ask) -> Result<DensityRequest, Refused> {
    let &Ask { rtol, atol, probes, seed, .. } = ask;
    for (name, value) in [("rtol", rtol), ("atol", atol)] {
        if !(1e-12..=1.0).contains(&value) {
            return Err(Refused::bad(format!("`{name}` is {value}, it must lie in [1e-12, 1]")));
        }
    }
    if let Some(probes) = probes.filter(|probes| !(1..=MOST_PROBES).contains(probes)) {
        let sentence = format!("`probes` is {probes}, it must lie in [1, {MOST_PROBES}]");
        return Err(Refused::bad(sentence));
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

/// The rows that are asked for, and what is added to the density of each.
fn asked(api: &Api, ask: &Ask) -> Result<(Rows, Vec<f64>), Refused> {
    let (model, signature) = (&*api.model, api.model.signature());
    let (values, vectors, slopes) = match (&ask.rows, &api.table) {
        (Ones::Records(rows), Some(table)) => {
            api.limits.check_n(rows.len())?;
            of_table(table, rows)?
        }
        (Ones::Records(_), None) => {
            return Err(Refused::bad("the model is of no table: give `rows` as lists of numbers"));
        }
        (Ones::Numbers(rows), _) => {
            api.limits.check_n(rows.len())?;
            let values = fields::rows("rows", rows, signature.size())?;
            let vectors = numbers("vectors", ask.vectors.as_ref(), rows.len(), model.vector())?;
            (values, vectors, vec![0.0; rows.len()])
        }
    };
    let n = slopes.len();
    let contexts = numbers("contexts", ask.contexts.as_ref(), n, api.context())?;
    let classes = match label::classes(model, ask.class.as_ref(), ask.classes.as_deref())? {
        None if signature.classes == 0 => None,
        None => {
            return Err(Refused::bad("the model knows classes: say of which `class` the rows are"));
        }
        Some(Classes::Each(each)) if each.len() != n => {
            let got = each.len();
            return Err(Refused::bad(format!(
                "{} need {n} `classes`, got {got}",
                counted(n, "row")
            )));
        }
        Some(classes) => model.classes_of(&classes, 0..n)?,
    };
    Ok((Rows { values, classes, vectors, contexts }, slopes))
}

type Encoded = (Vec<f32>, Option<Vec<f32>>, Vec<f64>);

/// Rows of the model's table as its numbers, their condition vectors and `ln |dz/dx|`.
fn of_table(table: &TableRows, rows: &[Record]) -> Result<Encoded, Refused> {
    let rows = records::table(rows, &table.encoder, &[Role::Target, Role::Given, Role::Constant])?;
    let encoded = table.encoder.encode(&rows)?;
    if let Some(at) = encoded.mask.iter().position(|known| *known == 0.0) {
        let row = at / encoded.width.max(1);
        return Err(Refused::bad(format!(
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
) -> Result<Option<Vec<f32>>, Refused> {
    match rows {
        None if size == 0 => Ok(None),
        None => Err(Refused::bad(format!(
            "the model reads {} for each row: `{name}`",
            counted(size, "number")
        ))),
        Some(_) if size == 0 => Err(Refused::bad(format!("the model reads no `{name}`"))),
        Some(rows) if rows.len() != n => {
            let got = rows.len();
            Err(Refused::bad(format!("{0} need {0} of `{name}`, got {got}", counted(n, "row"))))
        }
        Some(rows) => Ok(Some(fields::rows(name, rows, size)?)),
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
