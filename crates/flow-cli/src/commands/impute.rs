//! `flow impute`: a table without holes.

use std::time::Instant;

use anyhow::Result;
use flow_datasets::{Holes, counted};
use flow_model::Registry;
use flow_run::files::{check_apart, check_folder, check_table};
use flow_run::table::read_like;

use crate::args::ImputeArgs;
use crate::terminal::{print, say};

/// Fills the holes of a table.
pub(crate) fn run(args: &ImputeArgs, registry: &Registry) -> Result<()> {
    let plan = args.answer.plan()?;
    check_table(&args.out)?;
    check_folder(&args.out)?;
    check_apart(&args.file, &args.out)?;
    let (device, place) = args.answer.model.open(registry)?;
    let columns = place.columns(&args.answer.model.run)?;
    let table = read_like(&columns, &args.file)?;
    let holes = Holes::new(&columns, &table)?;
    let model = place.model(&device)?;
    let started = Instant::now();
    let (filled, nfe) = flow_run::impute(&model, &columns, &holes, &plan, args.noise, args.draws)?;
    filled.write(&args.out)?;
    say(&format!("{} of {} had holes", holes.len(), counted(table.len(), "row")));
    for (column, rows) in holes.unknown_conditions() {
        say(&format!("warning: `{column}` is given, not learned: it stays empty in {rows}"));
    }
    print(&format!(
        "{}, {} each, {:.1} s: {}",
        counted(args.draws, "draw"),
        counted(nfe, "evaluation"),
        started.elapsed().as_secs_f64(),
        args.out.display()
    ))
}
