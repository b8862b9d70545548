//! `flow impute`: a table without holes.

use std::time::Instant;

use anyhow::Result;
use flow_datasets::Holes;
use flow_model::{Answered, Question, Registry};
use flow_run::Place;
use flow_run::files::check_table;
use flow_run::table::read_like;
use flow_sample::Mask;

use crate::args::ImputeArgs;
use crate::device;
use crate::exit::usage;
use crate::terminal::{print, say};

/// Fills the holes of a table.
pub(crate) fn run(args: &ImputeArgs, registry: &Registry) -> Result<()> {
    device::limit_threads(args.answer.compute.threads)?;
    if args.answer.steps == 0 || args.answer.at_once == 0 {
        return Err(usage!("--steps and --at-once must be at least 1"));
    }
    let plan = args.answer.plan()?;
    let device = device::parse(&args.answer.compute.device)?;
    if args.draws == 0 {
        return Err(usage!("--draws is 0, give at least 1"));
    }
    check_table(&args.out)?;
    let place = Place::open(registry, &args.run, &device)?;
    let Some(columns) = place.table()? else {
        return Err(usage!("{} is no model of a table", args.run.display()));
    };
    let table = read_like(&columns, &args.file)?;
    let holes = Holes::new(&columns, &table)?;
    let model = place.model(&device)?;
    let started = Instant::now();
    let mut answered = Answered::default();
    if !holes.is_empty() {
        let (known, observed, vectors) = (holes.known(), holes.observed(), holes.vectors()?);
        let mask = Mask::new(&known, columns.encoder.width(), &device);
        let question = Question {
            vectors: vectors.as_deref(),
            ..plan.question(&mask, &observed, args.noise, args.draws)
        };
        answered = model.answer(&question, &*plan.sampler)?;
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
