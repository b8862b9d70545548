//! `flow impute`: a table without holes.

use std::time::Instant;

use anyhow::Result;
use flow_datasets::{ReadOptions, Table};
use flow_model::Registry;
use flow_table::Imputation;

use super::solve::Asked;
use crate::args::ImputeArgs;
use crate::exit::usage;
use crate::place::Place;
use crate::terminal::{print, say};

/// Fills the holes of a table.
pub(crate) fn run(args: &ImputeArgs, registry: &Registry) -> Result<()> {
    let asked = Asked::new(&args.answer)?;
    if args.draws == 0 {
        return Err(usage!("--draws is 0, give at least 1"));
    }
    if !Table::is_named(&args.out) {
        let known = flow_datasets::table::ENDINGS;
        return Err(usage!("{} ends in none of {known}", args.out.display()));
    }
    let place = Place::open(registry, &args.run, &asked.device)?;
    let Some(columns) = place.table()? else {
        return Err(usage!("{} is no model of a table", args.run.display()));
    };
    let table = Table::read(&args.file, &ReadOptions::default())?;
    let model = place.model(&asked.device)?;
    let started = Instant::now();
    let imputation = Imputation {
        noise: args.noise,
        method: asked.method,
        sampler: &*asked.sampler,
        grid: &asked.grid,
        draws: args.draws,
        at_once: args.answer.at_once,
        seed: args.answer.seed,
    };
    let filled = columns.impute(&model, &table, &imputation)?;
    filled.table.write(&args.out)?;
    say(&format!("{} of {} rows had holes", filled.holes, table.len()));
    print(&format!(
        "{} draws, {} evaluations each, {:.1} s: {}",
        args.draws,
        filled.nfe,
        started.elapsed().as_secs_f64(),
        args.out.display()
    ))
}
