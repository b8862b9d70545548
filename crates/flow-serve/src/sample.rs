//! `POST /v1/sample`.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flow_datasets::Table;
use flow_datasets::table::Role;
use flow_model::{SampleChanges, SamplePlan, SampleRequest, Samples};
use flow_sample::GridConfig;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::accept::Format;
use crate::answer;
use crate::app::App;
use crate::body;
use crate::label::{self, Label};
use crate::queue::{Draw, Job, Together};
use crate::records::{self, Record};
use crate::refusal::Refusal;
use crate::settings::{Limits, MOST_NUMBERS};
use crate::typed::typed;

/// Samples that are drawn unless another number is asked for.
const DEFAULT_N: usize = 16;
/// Times whose states are kept at most.
const MOST_TIMES: usize = 256;

/// What a client asks for, beside the settings of [`SampleChanges`].
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Ask {
    n: Option<usize>,
    seed: u64,
    /// Of all samples, by its number or its name.
    class: Option<Label>,
    /// Of each sample.
    classes: Option<Vec<Label>>,
    /// What a model of a table is told, taken in turn.
    given: Option<Given>,
    /// The same as numbers, for other models that read them.
    vectors: Option<Vec<Vec<f32>>>,
    contexts: Option<Vec<Vec<f32>>>,
    starts: Option<Vec<Vec<f32>>>,
    latents: Option<Vec<Vec<f32>>>,
    /// How many elements each sample has, of a model of sequences that may end early.
    lengths: Option<Vec<usize>>,
    /// Times, from 0 to 1, whose states are answered too.
    keep: Vec<f64>,
}

/// One row of conditions, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "`given` is an object of columns and values, or a list of them")]
enum Given {
    One(Record),
    Each(Vec<Record>),
}

impl Given {
    fn rows(&self) -> &[Record] {
        match self {
            Self::One(row) => std::slice::from_ref(row),
            Self::Each(rows) => rows,
        }
    }
}

/// A request that fits the model and the limits.
struct Asked {
    request: SampleRequest<'static>,
    plan: SamplePlan,
    together: Option<Together>,
    /// Rows of conditions, one for each sample.
    given: Option<Table>,
}

pub(crate) async fn run(
    app: &App,
    headers: &HeaderMap,
    object: Map<String, Value>,
) -> Result<Response, Refusal> {
    let format = Format::wanted(headers, &Format::ALL)?;
    let Asked { request, plan, together, given } = asked(app, object)?;
    if format != Format::Json && !request.keep.is_empty() {
        return Err(Refusal::bad("the states of `keep` are answered as JSON alone"));
    }
    if format == Format::Png
        && (app.table.is_some() || flow_plot::samples(&[], app.model.shape()).is_err())
    {
        let sentence = "samples of this model have no picture: take JSON, npy or csv";
        return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, sentence));
    }
    let (seed, times) = (request.seed, request.keep.clone());
    let samples = app
        .ask(|reply, waits| Job::Draw(Box::new(Draw { request, plan, together, reply, waits })))
        .await?;
    let table = app.table.as_ref().map(|table| table.encoder.decode(&samples.rows, given.as_ref()));
    let drawn = Drawn { samples, seed, times, table: table.transpose()? };
    drawn.answer(app.model.shape(), format)
}

/// Reads and checks what is asked for.
fn asked(app: &App, mut object: Map<String, Value>) -> Result<Asked, Refusal> {
    let (model, limits) = (&*app.model, &app.limits);
    let changes: SampleChanges = body::take(&mut object)?;
    let ask: Ask = body::fields(object)?;
    let given = ask.given.as_ref().map(Given::rows);
    if given.is_some_and(<[Record]>::is_empty) {
        return Err(Refusal::bad("`given` holds no row of conditions"));
    }
    let n = ask.n.unwrap_or(given.map_or(DEFAULT_N, <[Record]>::len));
    check_n(n, limits)?;
    check_times(&ask.keep)?;
    let size = model.signature().size();
    if MOST_NUMBERS / size.max(1) / (1 + ask.keep.len()) < n {
        return Err(Refusal::bad(format!(
            "{n} rows of {size} numbers at {} times are more than the {MOST_NUMBERS} numbers of \
             an answer: ask for fewer",
            1 + ask.keep.len()
        )));
    }
    let (mut request, plan, settings) = model.request_with(&changes, n, ask.seed)?;
    let steps = match &settings.grid {
        GridConfig::Given(given) => given.times.len(),
        _ => settings.steps,
    };
    check_steps(steps, limits)?;
    if changes.guidance.is_some() && settings.is_guided() && !app.is_told() {
        return Err(Refusal::bad(
            "`guidance` is given, but the model is told nothing: leave it out",
        ));
    }
    let classes = label::classes(model, ask.class.as_ref(), ask.classes.as_deref())?;
    request.classes = classes.unwrap_or_default();
    request.keep = ask.keep;
    let signature = model.signature();
    let numbers = |name, given: &Option<Vec<Vec<f32>>>, size: usize| {
        given.as_ref().map(|rows| body::rows(name, rows, size)).transpose()
    };
    request.contexts = numbers("contexts", &ask.contexts, app.context())?;
    request.starts = numbers("starts", &ask.starts, size)?;
    request.latents = numbers("latents", &ask.latents, signature.latent)?;
    request.vectors = numbers("vectors", &ask.vectors, model.vector())?;
    request.lengths = ask.lengths;
    let given = match (given, &app.table) {
        (None, _) => None,
        (Some(_), None) => {
            return Err(Refusal::bad("`given` is for models of tables: give `vectors` to others"));
        }
        (Some(rows), Some(table)) => {
            if table.vector() == 0 {
                return Err(Refusal::bad("`given` is given, but the model is told no column"));
            }
            let rows = records::table(rows, &table.encoder, &[Role::Given])?;
            let turns: Vec<usize> = (0..n).map(|i| i % rows.len()).collect();
            request.vectors = Some(table.conditions(&rows.select(&turns))?);
            Some(rows.select(&turns))
        }
    };
    // The network would be asked before it is found out.
    model.check(&request)?;
    model.classes_of(&request.classes, 0..n)?;
    let together = (!plan.adapts()).then(|| Together {
        settings,
        asked: changes.asked(),
        guided: request.guidance.is_some(),
        keep: request.keep.clone(),
    });
    Ok(Asked { request, plan, together, given })
}

/// Refuses numbers of rows that are none or too many.
pub(crate) fn check_n(n: usize, limits: &Limits) -> Result<(), Refusal> {
    match n {
        0 => Err(Refusal::bad("0 rows are asked for, ask for at least 1")),
        n if limits.n < n => {
            let most = limits.n;
            Err(Refusal::bad(format!("{n} rows are asked for, this server gives at most {most}")))
        }
        _ => Ok(()),
    }
}

/// Refuses more steps than the server takes.
pub(crate) fn check_steps(steps: usize, limits: &Limits) -> Result<(), Refusal> {
    let most = limits.steps;
    if most < steps {
        let sentence = format!("{steps} steps are asked for, this server takes at most {most}");
        return Err(Refusal::bad(sentence));
    }
    Ok(())
}

fn check_times(times: &[f64]) -> Result<(), Refusal> {
    if MOST_TIMES < times.len() {
        let n = times.len();
        return Err(Refusal::bad(format!("`keep` has {n} times, give at most {MOST_TIMES}")));
    }
    if let Some(t) = times.iter().find(|t| !(0.0..=1.0).contains(*t)) {
        return Err(Refusal::bad(format!("`keep` has the time {t}, it must lie from 0 to 1")));
    }
    match times.windows(2).find(|pair| pair[1] < pair[0]) {
        Some(pair) => {
            let [before, after] = [pair[0], pair[1]];
            Err(Refusal::bad(format!("`keep` has {after} behind {before}, give growing times")))
        }
        None => Ok(()),
    }
}

/// Samples that were drawn, with all that an answer says of them.
struct Drawn {
    samples: Samples,
    seed: u64,
    /// Times of the states that were kept.
    times: Vec<f64>,
    /// The same as rows of a table, for a model of one.
    table: Option<Table>,
}

/// An answer as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    seed: u64,
    /// Of all samples together.
    shape: &'a [usize],
    nfe: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<&'a [usize]>,
    /// Elements of each sample, behind which stand zeros.
    #[serde(skip_serializing_if = "Option::is_none")]
    lengths: Option<&'a [usize]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<&'a str>>,
    rows: Rows<'a>,
    #[serde(skip_serializing_if = "<[f64]>::is_empty")]
    times: &'a [f64],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    states: Vec<Vec<&'a [f32]>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Rows<'a> {
    Numbers(Vec<&'a [f32]>),
    Cells(Vec<Vec<Value>>),
}

impl Drawn {
    fn answer(&self, shape: &[usize], format: Format) -> Result<Response, Refusal> {
        let rows = &self.samples.rows;
        let size = shape.iter().product::<usize>().max(1);
        let full: Vec<usize> = [rows.len() / size].iter().chain(shape).copied().collect();
        match (format, &self.table) {
            (Format::Json, _) => self.json(&full, size),
            (Format::Png, _) => {
                let picture = flow_plot::samples(rows, shape);
                let picture = picture.map_err(|error| Refusal::bad(error.to_string()))?;
                Ok(typed(format.media(), picture.to_png()))
            }
            (format, Some(table)) => answer::table(format, table),
            (Format::Npy, None) => answer::npy(&full, rows),
            (Format::Csv, None) => Ok(typed(format.media(), self.csv(size).into_bytes())),
        }
    }

    fn json(&self, full: &[usize], size: usize) -> Result<Response, Refusal> {
        let Samples { rows, states, classes, lengths, nfe } = &self.samples;
        let (columns, rows) = match &self.table {
            Some(table) => {
                let (columns, cells) = records::json(table);
                (Some(columns), Rows::Cells(cells))
            }
            None => (None, Rows::Numbers(rows.chunks(size).collect())),
        };
        answer::json(&Answer {
            seed: self.seed,
            shape: full,
            nfe: *nfe,
            classes: classes.as_deref(),
            lengths: lengths.as_deref(),
            columns,
            rows,
            times: &self.times,
            states: states.iter().map(|state| state.chunks(size).collect()).collect(),
        })
    }

    /// A line of names, and a line for each sample, behind which stands its class.
    fn csv(&self, size: usize) -> String {
        let classes = self.samples.classes.as_deref();
        let mut names: Vec<String> = (0..size).map(|i| format!("x{i}")).collect();
        names.extend(classes.map(|_| "class".to_owned()));
        let mut text = names.join(",") + "\n";
        for (i, row) in self.samples.rows.chunks(size).enumerate() {
            let mut cells: Vec<String> = row.iter().map(ToString::to_string).collect();
            cells.extend(classes.map(|classes| classes[i].to_string()));
            text += &(cells.join(",") + "\n");
        }
        text
    }
}
