//! `flow eval`: scores, each beside what real data get.

use std::sync::Arc;

use anyhow::Result;
use flow_judge::{EvalOptions, evaluate_together};
use flow_model::Registry;
use flow_parallel::Group;
use flow_run::Run;

use crate::args::EvalArgs;
use crate::data_files::data_files;
use crate::device;
use crate::listener::Terminal;
use crate::terminal::print;

pub(crate) fn run(args: &EvalArgs, registry: &Registry, group: &Arc<dyn Group>) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    let device = device::parse(&args.compute.device)?;
    let run = Run::open(registry, &args.run)?;
    let data = run.data(&data_files(args.data.folder()), &Terminal)?;
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
