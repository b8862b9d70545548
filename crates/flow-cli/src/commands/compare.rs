//! `flow compare`: runs side by side.

use anyhow::Result;
use flow_model::Registry;
use flow_report::{CompareOptions, Comparison};
use flow_run::{Run, RunError};

use crate::args::CompareArgs;
use crate::terminal::print;

pub(crate) fn run(args: &CompareArgs, registry: &Registry) -> Result<()> {
    if let Some(out) = &args.out {
        Comparison::check_file(out)?;
    }
    let device = args.compute.open()?;
    let runs = args.runs.iter().map(|run| Run::open(registry, run));
    let runs = runs.collect::<Result<Vec<_>, RunError>>()?;
    let (pairs, _) = args.nfe_at_error.as_chunks::<2>();
    let options = CompareOptions {
        group: args.group,
        scores: args.score.clone(),
        rows: args.row.clone(),
        nfe_at_error: pairs.to_vec(),
    };
    let mut comparison = Comparison::of(&runs, &options)?;
    if args.strips {
        comparison = comparison.with_strips(&runs, &device)?;
    }
    if args.json {
        return print(&comparison.json());
    }
    let Some(out) = &args.out else { return print(comparison.markdown().trim_end()) };
    comparison.save(out)?;
    print(&out.display().to_string())
}
