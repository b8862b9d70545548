//! `flow eval`: scores, each beside what real data get.

mod course;
mod examiner;
mod metric;
mod paths;
mod report;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;

use crate::ambiguity;
use crate::args::{EvalArgs, SolverArgs};
use crate::commands::plot;
use crate::commands::train::source;
use crate::control;
use crate::device;
use crate::exit::usage;
use crate::field;
use crate::files::write_text;
use crate::inception::Extractor;
use crate::latent;
use crate::model::Model;
use crate::progress::{print, say};
use crate::recipe::{FEWEST_SAMPLES, Recipe};
use crate::registry::Data;
use crate::request::Request;
use crate::run::Run;
use crate::sizes::check_scored;
use examiner::{Exam, Examiner};
pub(crate) use report::Report;
use report::{InceptionFile, Row};

/// Steps of rk4 that are taken for exact.
const REFERENCE_STEPS: usize = 100;

pub(crate) fn run(args: &EvalArgs) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    let device = device::parse(&args.compute.device)?;
    let run = Run::open(&args.run)?;
    let data = Data::open(&run.recipe, &source(args.data.folder()))?;
    let options = Options {
        number: args.number,
        seed: args.seed,
        metrics: args.metrics.clone(),
        inception: args.inception.clone(),
        reference: args.reference.clone(),
    };
    let report = evaluate(&run, &data, &device, &options)?;
    let page = plot::page(&run)?;
    if args.json {
        return print(&report.json());
    }
    print(&report.table())?;
    print(&format!("report:     {}", page.display()))
}

/// What the command line changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) number: Option<usize>,
    pub(crate) seed: u64,
    /// Those of the recipe, if empty.
    pub(crate) metrics: Vec<String>,
    /// Weights of the network of FID, and the moments of its reference features.
    pub(crate) inception: Option<PathBuf>,
    pub(crate) reference: Option<PathBuf>,
}

/// Refuses metrics that do not exist or do not fit the data.
pub(crate) fn check(recipe: &Recipe, data: &Data) -> Result<()> {
    metric::chosen(&recipe.eval.metrics, data, false).map(drop)
}

/// Scores a run and writes `eval.json`.
pub(crate) fn evaluate(
    run: &Run,
    data: &Data,
    device: &Device,
    options: &Options,
) -> Result<Report> {
    let started = Instant::now();
    let recipe = &run.recipe;
    let n = options.number.unwrap_or(recipe.eval.n);
    if n < FEWEST_SAMPLES {
        return Err(usage!("{n} samples cannot be scored, ask for at least {FEWEST_SAMPLES}"));
    }
    let names = if options.metrics.is_empty() { &recipe.eval.metrics } else { &options.metrics };
    let metrics = metric::chosen(names, data, options.inception.is_some())?;
    check_scored(if options.number.is_some() { "-n" } else { "eval.n" }, n, &data.shape())?;
    let model = Model::load(run, device)?;
    let request = Request::new(recipe, &SolverArgs::default(), n, options.seed)?;
    let extractor = match &options.inception {
        Some(file) => Some(Extractor::open(file, device)?),
        None => None,
    };
    let exam = Exam {
        metrics: metrics.clone(),
        n,
        seed: options.seed,
        extractor: extractor.as_ref(),
        reference: options.reference.as_deref(),
    };
    let examiner = Examiner::new(recipe, data, exam, device)?;
    let requests = requests(recipe, &request)?;

    let mut rows = Vec::new();
    for (solver, request) in &requests {
        say(&format!("scoring {n} samples by {solver}"));
        let samples = model.sample(request)?;
        let scores = examiner.scores(&samples)?;
        rows.push(Row { solver: solver.clone(), nfe: samples.nfe, scores });
    }
    let errors = match recipe.eval.error_n {
        0 => None,
        n => Some(paths::errors(&model, &requests, n, REFERENCE_STEPS)?),
    };
    let course = if recipe.eval.every_checkpoint {
        course::course(run, data, device, &request, metrics)?
    } else {
        Vec::new()
    };
    let control = control::report(recipe, &model, examiner.judge(), options.seed)?;
    let report = Report {
        schema: 2,
        recipe: recipe.name.clone(),
        step: run.latest()?.step,
        seed: options.seed,
        rows,
        paths: paths::paths(&model, &request)?,
        errors,
        course,
        classifier_accuracy: examiner.judge().map(|judge| judge.accuracy),
        inception: extractor.map(|Extractor { file, sha256, .. }| InceptionFile { file, sha256 }),
        field: field::report(recipe, &model, options.seed),
        ambiguity: ambiguity::report(recipe, &model, options.seed),
        latent: latent::report(recipe, &model, data, options.seed)?,
        control,
        seconds: started.elapsed().as_secs_f64(),
    };
    write_text(&run.folder.join("eval.json"), &report.json())?;
    Ok(report)
}

/// The recipe's solver, then each fixed number of steps, by name.
fn requests(recipe: &Recipe, request: &Request) -> Result<Vec<(String, Request)>> {
    let mut requests = vec![(request.label(), request.clone())];
    for (method, steps) in recipe.eval.fixed()? {
        let fixed = request.clone().fixed(method, steps);
        requests.push((format!("{method} x {steps}"), fixed));
    }
    Ok(requests)
}
