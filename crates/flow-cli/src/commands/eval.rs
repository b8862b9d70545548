//! `flow eval` and `flow plot`: scores, each beside what real data get, and pictures of a run.

use std::sync::Arc;

use anyhow::Result;
use flow_judge::{EvalOptions, Inquiry, QuestionOptions, evaluate_together};
use flow_model::Registry;
use flow_parallel::Group;
use flow_report::operator;
use flow_run::Model;

use crate::args::{EvalArgs, QuestionArgs, ScoredArgs};
use crate::exit::usage;
use crate::terminal::{Terminal, print};

pub(crate) fn run(args: &EvalArgs, registry: &Registry, group: &Arc<dyn Group>) -> Result<()> {
    if let Some(asked) = &args.questions.questions {
        if 1 < group.size() {
            return Err(usage!("--questions are put by one process: start one"));
        }
        return questions(args, asked, registry);
    }
    let (device, run, data) = args.run.open(registry)?;
    let options = EvalOptions {
        number: args.number,
        seed: args.seed,
        metrics: args.metrics.clone(),
        inception: args.inception.clone(),
        reference: args.reference.clone(),
    };
    let report = evaluate_together(&run, &data, &device, &options, group, &Terminal)?;
    // Of several processes the first one has the report.
    let Some(report) = report else { return Ok(()) };
    let page = flow_report::page(&run)?;
    if args.json {
        return print(&report.json());
    }
    print(&report.table())?;
    print(&format!("report:     {}", page.display()))
}

/// Asks methods that train nothing, and a model that was trained for the question, about the same
/// held-out rows.
fn questions(args: &EvalArgs, asked: &str, registry: &Registry) -> Result<()> {
    let &QuestionArgs { noise, draws, steps, ref sampler, ref method, .. } = &args.questions;
    let n = args.number.unwrap_or(Inquiry::ROWS);
    let options = QuestionOptions { noise, n, draws, seed: args.seed };
    let mut inquiry = Inquiry::new(asked, options, method, sampler, steps)?;
    let (device, run, data) = args.run.open(registry)?;
    if let Some(trained) = &args.questions.against {
        inquiry = inquiry.against(registry, trained, &device)?;
    }
    let seen = |model: &Model| operator(asked, model, &device);
    let report = inquiry.report(&run, &data, &device, seen, &Terminal)?;
    let file = report.save(&run)?;
    if args.json {
        return print(&report.json());
    }
    print(&report.to_string())?;
    print(&format!("report:     {}", file.display()))
}

/// Draws the pictures of a run.
pub(crate) fn plot(args: &ScoredArgs, registry: &Registry) -> Result<()> {
    let (device, run, data) = args.open(registry)?;
    let pictures = flow_report::draw(&run, &data, &device, &Terminal)?;
    pictures.iter().try_for_each(|picture| print(&picture.display().to_string()))?;
    print(&flow_report::page(&run)?.display().to_string())
}
