//! `flow eval`: scores, each beside what real data get.

pub(crate) mod course;
mod examiner;
mod metric;
pub(crate) mod paths;
pub(crate) mod report;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;
use flow_model::Registry;

use crate::ambiguity;
use crate::args::EvalArgs;
use crate::commands::plot;
use crate::control;
use crate::data_files::data_files;
use crate::device;
use crate::exit::usage;
use crate::field;
use crate::inception::Extractor;
use crate::latent;
use crate::terminal::{Terminal, print, say};
use examiner::{Exam, Examiner};
use flow_run::Data;
use flow_run::Model;
use flow_run::Recipe;
use flow_run::Request;
use flow_run::Run;
use flow_run::SampleChanges;
use flow_run::check_scored;
use flow_run::files::write_text;
use metric::Metric;
pub(crate) use report::Report;
use report::{InceptionFile, Row};

/// Steps of the midpoint rule by which the solution that is taken for exact is checked: 1,000
/// evaluations, which is what the flow matching paper itself takes for exact.
const CHECKING_STEPS: usize = 500;

pub(crate) fn run(args: &EvalArgs, registry: &Registry) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    let device = device::parse(&args.compute.device)?;
    let run = Run::open(registry, &args.run)?;
    let data = run.data(&data_files(args.data.folder()), &Terminal)?;
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

/// What the options of `flow eval` change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) number: Option<usize>,
    pub(crate) seed: u64,
    /// Names of the metrics; those of the recipe if empty.
    pub(crate) metrics: Vec<String>,
    /// Weights of the network of FID, and the moments of its reference features.
    pub(crate) inception: Option<PathBuf>,
    pub(crate) reference: Option<PathBuf>,
}

/// Refuses metrics that do not exist or do not fit the data.
pub(crate) fn check(recipe: &Recipe, data: &Data) -> Result<()> {
    metric::chosen(&recipe.eval.metrics, data, false).map(drop)
}

/// Refuses numbers of samples that are too small to score, before the training starts.
pub(crate) fn check_numbers(recipe: &Recipe, data: &Data) -> Result<()> {
    let metrics = metric::chosen(&recipe.eval.metrics, data, false)?;
    enough(&metrics, recipe.eval.n, data)
}

/// Refuses fewer samples, or images to compare them with, than the metrics need.
fn enough(metrics: &[&Metric], n: usize, data: &Data) -> Result<()> {
    let Some(Metric { name, least, .. }) = metrics.iter().max_by_key(|metric| metric.least) else {
        return Ok(());
    };
    if n < *least {
        return Err(usage!(
            "{n} samples cannot be scored, `{name}` needs at least {least}: ask for more by eval.n \
             or -n, or choose other metrics"
        ));
    }
    let Data::Images { train, test } = data else { return Ok(()) };
    for (part, images) in [("train", train.len()), ("test", test.len())] {
        if images < *least {
            return Err(usage!(
                "images in the {part} part: {images}, but `{name}` compares with at least {least}: \
                 add some, choose other metrics by eval.metrics, or train with --no-eval"
            ));
        }
    }
    Ok(())
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
    let names = if options.metrics.is_empty() { &recipe.eval.metrics } else { &options.metrics };
    let metrics = metric::chosen(names, data, options.inception.is_some())?;
    enough(&metrics, n, data)?;
    check_scored(if options.number.is_some() { "-n" } else { "eval.n" }, n, &data.shape())?;
    let model = Model::load(run, device)?;
    let request = Request::new(recipe, &SampleChanges::default(), n, options.seed)?;
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
        n => paths::errors(&model, &requests, n, CHECKING_STEPS)?,
    };
    let course = if recipe.eval.every_checkpoint {
        course::course(run, data, device, &request, metrics)?
    } else {
        Vec::new()
    };
    let control = control::report(recipe, &model, examiner.judge(), options.seed)?;
    let inception = extractor.as_ref().map(|Extractor { file, sha256, .. }| InceptionFile {
        file: file.clone(),
        sha256: sha256.clone(),
        reference: examiner.reference_n(),
    });
    let report = Report {
        schema: 2,
        recipe: recipe.name.clone(),
        step: run.latest()?.step,
        seed: options.seed,
        n,
        classes: model.class_names().to_vec(),
        rows,
        paths: paths::paths(&model, &request)?,
        errors,
        course,
        classifier_accuracy: examiner.judge().map(|judge| judge.accuracy),
        inception,
        field: field::report(recipe, &model, options.seed),
        ambiguity: ambiguity::report(recipe, &model, options.seed),
        latent: latent::report(run, &model, data, options.seed)?,
        control,
        seconds: started.elapsed().as_secs_f64(),
    };
    write_text(&run.folder.join(file_name(&run.folder, &report)), &report.json())?;
    Ok(report)
}

/// Name of the file for the scores: `eval.json`, unless that holds scores of more samples of the
/// same weights, which a quick evaluation must not replace.
fn file_name(folder: &Path, report: &Report) -> String {
    let usual = "eval.json".to_owned();
    let Ok(Some(Report { step, n, .. })) = Report::read(folder) else { return usual };
    if step != report.step || n <= report.n {
        return usual;
    }
    let own = format!("eval-n{}.json", report.n);
    say(&format!("eval.json keeps the scores of {n} samples, those of {} are in {own}", report.n));
    own
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
