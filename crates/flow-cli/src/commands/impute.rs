//! `flow impute`: a table without holes.

use std::time::Instant;

use anyhow::Result;
use flow_datasets::{Holes, Table};
use flow_model::{Answered, Question, Registry};
use flow_run::table::read_like;
use flow_sample::Mask;

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
    let table = read_like(&columns, &args.file)?;
    let holes = Holes::new(&columns, &table)?;
    let model = place.model(&asked.device)?;
    let started = Instant::now();
    let mut answered = Answered::default();
    if !holes.is_empty() {
        let (known, observed, vectors) = (holes.known(), holes.observed(), holes.vectors()?);
        let mask = Mask::new(&known, columns.encoder.width(), &asked.device);
        let question = Question {
            vectors: vectors.as_deref(),
            ..asked.question((&mask, &observed), args.noise, args.draws, &args.answer)
        };
        answered = model.answer(&question, &*asked.sampler)?;
    }
    holes.filled(&answered.rows, args.draws)?.write(&args.out)?;
    say(&format!("{} of {} rows had holes", holes.len(), table.len()));
    print(&format!(
        "{} draws, {} evaluations each, {:.1} s: {}",
        args.draws,
        answered.nfe,
        started.elapsed().as_secs_f64(),
        args.out.display()
    ))
}
