//! `flow eval` and `flow plot`: scores, each beside what real data get, and pictures of a run.

use std::sync::Arc;

use anyhow::Result;
use flow_judge::{EvalOptions, evaluate_together};
use flow_model::Registry;
use flow_parallel::Group;

use super::questions;
use crate::args::{EvalArgs, ScoredArgs};
use crate::exit::usage;
use crate::terminal::{Terminal, print};

pub(crate) fn run(args: &EvalArgs, registry: &Registry, group: &Arc<dyn Group>) -> Result<()> {
    if let Some(asked) = &args.questions.questions {
        if 1 < group.size() {
            return Err(usage!("--questions are put by one process: start one"));
        }
        return questions::run(args, asked, registry);
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

/// Draws the pictures of a run.
pub(crate) fn plot(args: &ScoredArgs, registry: &Registry) -> Result<()> {
    let (device, run, data) = args.open(registry)?;
    for picture in flow_report::draw(&run, &data, &device, &Terminal)? {
        print(&picture.display().to_string())?;
    }
    print(&flow_report::page(&run)?.display().to_string())
}
