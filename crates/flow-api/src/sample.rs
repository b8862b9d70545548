//! Samples: what may be asked for, and the answer.

use flow_datasets::table::Role;
use flow_datasets::{Encoder, Table};
use flow_model::{Asked, SampleChanges, SampleConfig, SamplePlan, SampleRequest, Samples};
use flow_sample::GridConfig;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::Api;
use crate::fields;
use crate::label::{self, Label};
use crate::records::{self, Record};
use crate::refused::Refused;
use crate::reply::{Form, Reply};

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
    /// What a model of columns is told, taken in turn.
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

/// A request for samples that fits the model and its limits.
#[derive(Debug)]
pub struct Sampling {
    /// What to draw.
    pub request: SampleRequest<'static>,
    /// How.
    pub plan: SamplePlan,
    /// The settings that the plan comes from, and which of them were asked for: requests with equal
    /// ones, the same guidance and the same times to keep can be drawn together.
    pub settings: (SampleConfig, Asked),
    /// What to answer.
    pub answer: SampleAnswer,
}

impl Sampling {
    /// Reads and checks what is asked for.
    ///
    /// # Errors
    /// When something in it cannot be, or the answer does not exist in this form.
    pub fn read(api: &Api, object: Map<String, Value>, form: Form) -> Result<Self, Refused> {
        let (model, limits) = (&*api.model, &api.limits);
        let (changes, ask): (SampleChanges, Ask) = fields::both(object)?;
        check_form(api, form, &ask.keep)?;
        let given = ask.given.as_ref().map(Given::rows);
        if given.is_some_and(<[Record]>::is_empty) {
            return Err(Refused::bad("`given` holds no row of conditions"));
        }
        let n = ask.n.unwrap_or(given.map_or(DEFAULT_N, <[Record]>::len));
        limits.check_n(n)?;
        check_times(&ask.keep)?;
        let size = model.signature().size();
        if limits.numbers / size.max(1) / (1 + ask.keep.len()) < n {
            return Err(Refused::bad(format!(
                "{n} rows of {size} numbers at {} times are more than the {} numbers of an answer: \
                 ask for fewer",
                1 + ask.keep.len(),
                limits.numbers
            )));
        }
        let (mut request, plan, settings) = model.request_with(&changes, n, ask.seed)?;
        let steps = match &settings.grid {
            GridConfig::Given(given) => given.times.len(),
            _ => settings.steps,
        };
        limits.check_steps(steps)?;
        if changes.steps.is_some() {
            settings.check_jumps(model.config().learned_velocity)?;
        }
        let solver = settings.method()?;
        limits.check_evaluations(steps.saturating_mul(settings.sampler.evaluations(solver)))?;
        if changes.guidance.is_some() && settings.is_guided() && !api.is_told() {
            return Err(Refused::bad(
                "`guidance` is given, but the model is told nothing: leave it out",
            ));
        }
        let classes = label::classes(model, ask.class.as_ref(), ask.classes.as_deref())?;
        request.classes = classes.unwrap_or_default();
        request.keep = ask.keep;
        let signature = model.signature();
        let numbers = |name, given: &Option<Vec<Vec<f32>>>, size: usize| {
            given.as_ref().map(|rows| fields::rows(name, rows, size)).transpose()
        };
        request.contexts = numbers("contexts", &ask.contexts, api.context())?;
        request.starts = numbers("starts", &ask.starts, size)?;
        request.latents = numbers("latents", &ask.latents, signature.latent)?;
        request.vectors = numbers("vectors", &ask.vectors, model.vector())?;
        request.lengths = ask.lengths;
        let given = match (given, &api.given) {
            (None, _) => None,
            (Some(_), None) => {
                return Err(Refused::bad(
                    "`given` is for models that are told columns: give `vectors` to others",
                ));
            }
            (Some(rows), Some(table)) => {
                if table.vector() == 0 {
                    return Err(Refused::bad("`given` is given, but the model is told no column"));
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
        let answer = SampleAnswer { seed: ask.seed, times: request.keep.clone(), given, form };
        Ok(Self { request, plan, settings: (settings, changes.asked()), answer })
    }
}

/// Refuses forms that the answer does not have.
fn check_form(api: &Api, form: Form, keep: &[f64]) -> Result<(), Refused> {
    if form != Form::Json && !keep.is_empty() {
        return Err(Refused::bad("the states of `keep` are answered as JSON alone"));
    }
    if form == Form::Png && !api.has_pictures() {
        let sentence = "samples of this model have no picture: take JSON, npy or csv";
        return Err(Refused::Form(sentence.into()));
    }
    Ok(())
}

fn check_times(times: &[f64]) -> Result<(), Refused> {
    if MOST_TIMES < times.len() {
        let n = times.len();
        return Err(Refused::bad(format!("`keep` has {n} times, give at most {MOST_TIMES}")));
    }
    if let Some(t) = times.iter().find(|t| !(0.0..=1.0).contains(*t)) {
        return Err(Refused::bad(format!("`keep` has the time {t}, it must lie from 0 to 1")));
    }
    match times.windows(2).find(|pair| pair[1] < pair[0]) {
        Some(pair) => {
            let [before, after] = [pair[0], pair[1]];
            Err(Refused::bad(format!("`keep` has {after} behind {before}, give growing times")))
        }
        None => Ok(()),
    }
}

/// What is answered once samples are drawn.
#[derive(Debug)]
pub struct SampleAnswer {
    seed: u64,
    /// Times of the states that are kept.
    times: Vec<f64>,
    /// Rows of conditions, one for each sample.
    given: Option<Table>,
    form: Form,
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

impl SampleAnswer {
    /// The answer with the samples of its request.
    ///
    /// # Errors
    /// When the samples of a model of a table cannot be read as rows of it, or do not exist in the
    /// form that is asked for.
    pub fn write(&self, api: &Api, samples: &Samples) -> Result<Reply, Refused> {
        let (rows, shape) = (&samples.rows, api.model.shape());
        let encoder = api.table.as_ref().map(|table| &table.encoder);
        let table = encoder.map(|encoder| encoder.decode(rows, self.given.as_ref()));
        let size = shape.iter().product::<usize>().max(1);
        let full: Vec<usize> = [rows.len() / size].iter().chain(shape).copied().collect();
        match (self.form, table.transpose()?) {
            (Form::Json, table) => self.json(samples, table.as_ref().zip(encoder), &full, size),
            (Form::Png, _) => {
                let picture = flow_plot::samples(rows, shape);
                let picture = picture.map_err(|error| Refused::bad(error.to_string()))?;
                Ok(Reply { form: Form::Png, bytes: picture.to_png() })
            }
            (form, Some(table)) => Reply::table(form, &table),
            (Form::Npy, None) => Reply::npy(&full, rows),
            (Form::Csv, None) => Ok(Reply::csv(csv(samples, size))),
        }
    }

    fn json(
        &self,
        samples: &Samples,
        table: Option<(&Table, &Encoder)>,
        full: &[usize],
        size: usize,
    ) -> Result<Reply, Refused> {
        let Samples { rows, states, classes, lengths, nfe } = samples;
        let (columns, rows) = match table {
            Some((table, encoder)) => {
                let (columns, cells) = records::json(table, encoder);
                (Some(columns), Rows::Cells(cells))
            }
            None => (None, Rows::Numbers(rows.chunks(size).collect())),
        };
        Reply::json(&Answer {
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
}

/// A line of names, and a line for each sample, behind which stands its class.
fn csv(samples: &Samples, size: usize) -> String {
    let classes = samples.classes.as_deref();
    let mut names: Vec<String> = (0..size).map(|i| format!("x{i}")).collect();
    names.extend(classes.map(|_| "class".to_owned()));
    let mut text = names.join(",") + "\n";
    for (i, row) in samples.rows.chunks(size).enumerate() {
        let mut cells: Vec<String> = row.iter().map(ToString::to_string).collect();
        cells.extend(classes.map(|classes| classes[i].to_string()));
        text += &(cells.join(",") + "\n");
    }
    text
}
