//! Scores a run: each score beside its floor, the score of other real data.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use flow_datasets::counted;
use flow_run::files::write_text;
use flow_run::together::check_alike;
use flow_run::{Data, Listener, Model, Recipe, Request, Run, SampleChanges, Shape, check_scored};
use flow_train::{Alone, Group};

use crate::error::{JudgeError, usage};
use crate::examiner::{Exam, Examiner};
use crate::inception::Extractor;
use crate::metric::{self, Metric};
use crate::report::{InceptionFile, Report, Row};
use crate::{ambiguity, control, course, field, latent, paths};

/// Steps of the midpoint rule by which the solution that is taken for exact is checked: 1,000
/// evaluations, which is what the flow matching paper itself takes for exact.
const CHECKING_STEPS: usize = 500;

/// What to score in another way than the recipe says; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct EvalOptions {
    /// Number of samples.
    pub number: Option<usize>,
    /// Seed of the noise and the reference.
    pub seed: u64,
    /// Names of the metrics; those of the recipe if empty.
    pub metrics: Vec<String>,
    /// Weights of the network of FID.
    pub inception: Option<PathBuf>,
    /// Moments of its reference features.
    pub reference: Option<PathBuf>,
}

/// Refuses metrics that do not exist or do not fit the data.
///
/// # Errors
/// With those that do.
pub fn check_metrics(recipe: &Recipe, data: &Data) -> Result<(), JudgeError> {
    metric::chosen(&recipe.eval.metrics, data, false).map(drop)
}

/// Refuses numbers of samples that are too small to score, before the training starts.
///
/// # Errors
/// With the smallest number.
pub fn check_numbers(recipe: &Recipe, data: &Data) -> Result<(), JudgeError> {
    let metrics = metric::chosen(&recipe.eval.metrics, data, false)?;
    enough(&metrics, recipe.eval.n, data)
}

/// Refuses fewer samples, or images to compare them with, than the metrics need.
fn enough(metrics: &[&Metric], n: usize, data: &Data) -> Result<(), JudgeError> {
    let Some(Metric { name, least, .. }) = metrics.iter().max_by_key(|metric| metric.least) else {
        return Ok(());
    };
    if n < *least {
        return Err(usage!(
            "{} cannot be scored, `{name}` needs at least {least}: ask for more by eval.n or -n, \
             or choose other metrics",
            counted(n, "sample")
        ));
    }
    let (what, parts) = match data {
        Data::Toy(_) => return Ok(()),
        Data::Table(table) => ("rows", [table.train.n, table.held.n]),
        Data::Array(array) => ("rows", [array.train.n, array.held.n]),
        Data::Images { train, test } => ("images", [train.len(), test.len()]),
    };
    for (part, rows) in ["train", "test"].into_iter().zip(parts) {
        if rows < *least {
            return Err(usage!(
                "{what} in the {part} part: {rows}, but `{name}` compares with at least {least}: \
                 add some, choose other metrics by eval.metrics, or train with --no-eval"
            ));
        }
    }
    Ok(())
}

/// Scores a run and writes `eval.json`; `told` gets messages about what is scored and left out.
///
/// # Errors
/// For options that cannot be met, and when the model cannot be sampled or a file not written.
///
/// # Panics
/// Never: one process is the first.
pub fn evaluate(
    run: &Run,
    data: &Data,
    device: &Device,
    options: &EvalOptions,
    told: &dyn Listener,
) -> Result<Report, JudgeError> {
    let group: Arc<dyn Group> = Arc::new(Alone);
    let report = evaluate_together(run, data, device, options, &group, told)?;
    Ok(report.expect("one process is the first"))
}

/// The same by all processes of a group, each of which has opened the same run and data.
///
/// They share the samples and what looks at images. The first one scores what all have found and
/// writes `eval.json`, with the numbers of one process to the last bit but for the seconds; the
/// others get no report.
///
/// # Errors
/// As for [`evaluate`], in every process; when a process has ended, or has another run or data.
pub fn evaluate_together(
    run: &Run,
    data: &Data,
    device: &Device,
    options: &EvalOptions,
    group: &Arc<dyn Group>,
    told: &dyn Listener,
) -> Result<Option<Report>, JudgeError> {
    let started = Instant::now();
    let recipe = &run.recipe;
    let n = options.number.unwrap_or(recipe.eval.n);
    // Of a table as many rows as it was trained on, which is what published scores take.
    let n = data.most_scored().map_or(n, |most| n.min(most));
    let names = if options.metrics.is_empty() { &recipe.eval.metrics } else { &options.metrics };
    let metrics = metric::chosen(names, data, options.inception.is_some())?;
    enough(&metrics, n, data)?;
    check_scored(if options.number.is_some() { "-n" } else { "eval.n" }, n, &data.shape())?;
    let model = Model::load(run, device)?.shared_by(Arc::clone(group));
    let request =
        Request::new(recipe, &SampleChanges::default(), n, options.seed)?.told_as(recipe, data)?;
    let extractor = match &options.inception {
        Some(file) => Some(Extractor::open(file, device)?),
        None => None,
    };
    let opened = [
        ("program", env!("CARGO_PKG_VERSION").to_owned()),
        ("recipe", recipe.resolved()),
        ("data", format!("{:?}", Shape::of(data))),
        ("checkpoint", format!("{:?}", model.config().made)),
        ("command", format!("{options:?}")),
        ("network of FID", extractor.as_ref().map_or_else(String::new, |e| e.sha256.clone())),
    ];
    check_alike(&**group, &opened)?;
    let exam = Exam {
        metrics: metrics.clone(),
        n,
        seed: options.seed,
        extractor: extractor.as_ref(),
        reference: options.reference.as_deref(),
        group: &**group,
    };
    let examiner = Examiner::new(recipe, data, exam, device, told)?;
    let requests = requests(recipe, &model, &request)?;

    // Up to where the first process is left alone, all of them make the same calls.
    let mut rows = Vec::new();
    for (solver, request) in &requests {
        told.say(&format!("scoring {} by {solver}", counted(n, "sample")));
        let samples = model.sample(request)?;
        let scores = examiner.scores(&samples)?;
        rows.push(Row { solver: solver.clone(), nfe: samples.nfe, scores });
    }
    let errors = match recipe.eval.error_n {
        0 => None,
        n => paths::errors(&model, &requests, n, CHECKING_STEPS, told)?,
    };
    let course = if recipe.eval.every_checkpoint {
        course::course(run, data, device, &request, metrics, group, told)?
    } else {
        Vec::new()
    };
    let control = control::report(recipe, &model, examiner.judge(), options.seed, told)?;
    let paths = paths::paths(&model, &request, told)?;
    if !group.is_first() {
        return Ok(None);
    }
    let inception = extractor.as_ref().map(|Extractor { file, sha256, .. }| InceptionFile {
        file: file.clone(),
        sha256: sha256.clone(),
        reference: examiner.reference_n(),
    });
    let report = Report {
        schema: 2,
        recipe: recipe.name.clone(),
        step: run.step()?,
        seed: options.seed,
        n,
        classes: model.class_names().to_vec(),
        rows,
        paths,
        errors,
        course,
        classifier_accuracy: examiner.judge().map(|judge| judge.accuracy),
        inception,
        field: field::report(recipe, &model, options.seed),
        ambiguity: ambiguity::report(recipe, &model, options.seed)?,
        latent: latent::report(run, &model, data, options.seed)?,
        control,
        seconds: started.elapsed().as_secs_f64(),
    };
    run.keep()?;
    let name = file_name(&run.folder, &report, &options.metrics.join("-"), told);
    write_text(&run.folder.join(name), &report.json())?;
    Ok(Some(report))
}

/// Name of the file for the scores: `eval.json`, unless that holds scores of more samples of the
/// same weights, or others than those that are named, which a quick evaluation must not replace.
fn file_name(folder: &Path, report: &Report, named: &str, told: &dyn Listener) -> String {
    let usual = "eval.json".to_owned();
    let Ok(Some(Report { step, n, rows, .. })) = Report::read(folder) else { return usual };
    if step != report.step {
        return usual;
    }
    let names = |rows: &[Row]| -> BTreeSet<String> {
        rows.iter().flat_map(|row| &row.scores).map(|score| score.name.clone()).collect()
    };
    if !named.is_empty() && !names(&rows).is_subset(&names(&report.rows)) {
        let own = format!("eval-{named}.json");
        told.say(&format!("eval.json keeps its scores, those that are named are in {own}"));
        return own;
    }
    if n <= report.n {
        return usual;
    }
    let own = format!("eval-n{}.json", report.n);
    let less = report.n;
    told.say(&format!("eval.json keeps the scores of {n} samples, those of {less} are in {own}"));
    own
}

/// The recipe's sampler, then each fixed number of steps of a solver, unless the model has learned
/// no velocity, and of jumps, by name.
fn requests(
    recipe: &Recipe,
    model: &Model,
    request: &Request,
) -> Result<Vec<(String, Request)>, JudgeError> {
    let mut requests = vec![(request.label(), request.clone())];
    let solvers = if model.config().learned_velocity { recipe.eval.fixed()? } else { Vec::new() };
    for (method, steps) in solvers {
        let fixed = request.clone().fixed(method, steps);
        requests.push((format!("{method} x {steps}"), fixed));
    }
    for &jumps in &recipe.eval.jumps {
        requests.push((format!("flow-map x {jumps}"), request.clone().jumping(jumps)?));
    }
    Ok(requests)
}
