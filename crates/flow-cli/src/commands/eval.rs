//! `flow eval`: scores, each beside what real data get.

use anyhow::Result;
use flow_judge::{EvalOptions, evaluate};
use flow_model::Registry;

use crate::args::EvalArgs;
use crate::terminal::{Terminal, print};

pub(crate) fn run(args: &EvalArgs, registry: &Registry) -> Result<()> {
    let (device, run, data) = args.run.open(registry)?;
    let options = EvalOptions {
        number: args.number,
        seed: args.seed,
        metrics: args.metrics.clone(),
        inception: args.inception.clone(),
        reference: args.reference.clone(),
    };
    let report = evaluate(&run, &data, &device, &options, &Terminal)?;
    let page = flow_report::page(&run)?;
    if args.json {
        return print(&report.json());
    }
    print(&report.table())?;
    print(&format!("report:     {}", page.display()))
}
