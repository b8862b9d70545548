//! `flow eval --questions`: methods that train nothing and a model that was trained for the
//! question, asked about the same held-out rows.

use std::path::Path;

use anyhow::Result;
use burn::tensor::Device;
use flow_judge::{
    AnswersReport, AnswersRow, ImageQuestions, JudgeError, QuestionOptions, RowQuestions,
    TrainedModel,
};
use flow_model::{AnswerMethod, AnswerPlan, Registry, SampleChanges};
use flow_report::operator;
use flow_run::files::write_text;
use flow_run::{Data, Model, Place, Request};

use crate::args::{EvalArgs, QuestionArgs};
use crate::exit::usage;
use crate::memory;
use crate::terminal::{Terminal, print};

/// Held-out rows that are asked about unless another number is asked for.
const DEFAULT_NUMBER: usize = 40;

pub(crate) fn run(args: &EvalArgs, asked: &str, registry: &Registry) -> Result<()> {
    let QuestionArgs { against, noise, draws, sampler, steps, .. } = &args.questions;
    let plans = plans(&args.questions)?;
    let (device, run, data) = args.run.open(registry)?;
    let model = Model::load(&run, &device)?;
    let trained =
        against.as_ref().map(|path| trained(path, args, registry, &device)).transpose()?;
    let trained = trained.as_ref().map(|(name, model, way)| TrainedModel { name, model, way });
    let options = QuestionOptions {
        noise: *noise,
        n: args.number.unwrap_or(DEFAULT_NUMBER),
        draws: *draws,
        seed: args.seed,
    };
    let (n, classifier_accuracy, rows) = if let Data::Table(table) = &data {
        let Some(known) = asked.strip_prefix("given:") else {
            return Err(usage!(
                "--questions {asked} is none about rows of a table: name the columns that are \
                 known by given:COLUMN,COLUMN"
            ));
        };
        let known: Vec<&str> = known.split(',').filter(|name| !name.is_empty()).collect();
        let questions = RowQuestions::new(table, options, &known, trained, &Terminal)?;
        let by = |method: &str, plan: &AnswerPlan| questions.answered(method, &model, plan);
        (questions.len(), None, rows(&plans, by, || questions.answered_by_trained())?)
    } else {
        let operator = operator(asked, &model, &device)?;
        let seen = (asked, &*operator);
        let questions =
            ImageQuestions::new(&run, &data, options, seen, trained, &device, &Terminal)?;
        let by = |method: &str, plan: &AnswerPlan| questions.answered(method, &model, plan);
        let accuracy = Some(questions.classifier_accuracy());
        (questions.len(), accuracy, rows(&plans, by, || questions.answered_by_trained())?)
    };
    let report = AnswersReport {
        schema: 1,
        recipe: run.recipe.name.clone(),
        step: run.step()?,
        question: asked.to_owned(),
        noise: *noise,
        n,
        draws: *draws,
        sampler: sampler.clone(),
        steps: *steps,
        seed: args.seed,
        classifier_accuracy,
        rows,
    };
    let json = serde_json::to_string_pretty(&report)?;
    run.keep()?;
    let file = run.folder.join(file_name(asked));
    write_text(&file, &json)?;
    if args.json {
        return print(&json);
    }
    print(&report.to_string())?;
    print(&format!("report:     {}", file.display()))
}

/// What each method and the trained model answer, with the memory that it took.
fn rows(
    plans: &[(String, AnswerPlan)],
    by: impl Fn(&str, &AnswerPlan) -> Result<AnswersRow, JudgeError>,
    by_trained: impl FnOnce() -> Result<Option<AnswersRow>, JudgeError>,
) -> Result<Vec<AnswersRow>> {
    let mut rows = Vec::new();
    for (method, plan) in plans {
        let (row, memory) = memory::grown(|| by(method, plan));
        rows.push(row?.with_memory(memory));
    }
    let (row, memory) = memory::grown(by_trained);
    rows.extend(row?.map(|row| row.with_memory(memory)));
    Ok(rows)
}

/// The model that was trained for the question: its name, and how it is sampled, which is as the
/// methods go.
fn trained(
    path: &Path,
    args: &EvalArgs,
    registry: &Registry,
    device: &Device,
) -> Result<(String, Model, Request)> {
    let QuestionArgs { draws, sampler, steps, .. } = &args.questions;
    let place = Place::open(registry, path, device)?;
    let (sampler, steps) = (Some(sampler.clone()), Some(*steps));
    let changes = SampleChanges { sampler, steps, ..SampleChanges::default() };
    let way = Request { batch: AnswerPlan::AT_ONCE, ..place.request(&changes, *draws, args.seed)? };
    Ok((path.display().to_string(), place.model(device)?, way))
}

/// Each method as it was typed, or each that there is.
fn plans(args: &QuestionArgs) -> Result<Vec<(String, AnswerPlan)>> {
    let all = || AnswerMethod::CHOICES.map(|(typed, _)| typed.to_owned()).to_vec();
    let methods = if args.method.is_empty() { all() } else { args.method.clone() };
    let plan = |method: String| {
        let plan = AnswerPlan::typed(&method, &args.sampler, args.steps)?;
        Ok((method, plan))
    };
    methods.into_iter().map(plan).collect()
}

/// `questions-upsample-4.json`: the question without what a name of a file may not hold.
fn file_name(asked: &str) -> String {
    let word = |c: char| if c.is_alphanumeric() || c == '.' { c } else { '-' };
    format!("questions-{}.json", asked.chars().map(word).collect::<String>())
}
