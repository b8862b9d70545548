//! Repeats one piece of work as often as it is told, and prints how long each repetition took.
//!
//! Each line of standard input is a number of repetitions; each line of standard output is a JSON
//! object. The first says what the work is, every other answers one line of input. Another program
//! can therefore do the same work in turns with this one: `peers/run.py` does, and
//! `echo 20 | flow-bench-work mlp-train-256` serves by hand.

use std::error::Error;
use std::io::{self, Write as _};
use std::time::Instant;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use cpu_time::ProcessTime;
use flow_benches::WORKS;
use serde_json::{Value, json};

#[derive(Parser)]
#[command(about = "Repeat a piece of work as often as each line of input says; time it as JSON")]
struct Args {
    /// What to do.
    #[arg(value_parser = PossibleValuesParser::new(WORKS.iter().map(|(name, _)| *name)))]
    work: String,
    /// Threads that share it; all cores if left out.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    if let Some(threads) = args.threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    let (name, prepare) =
        WORKS.iter().find(|(name, _)| *name == args.work).expect("clap takes no other name");
    let mut work = prepare();
    say(&json!({
        "work": name,
        "parameters": work.parameters,
        "steps": work.steps,
        "products": work.products,
        "threads": rayon::current_num_threads(),
    }))?;
    for line in io::stdin().lines() {
        let times: u32 = line?.trim().parse()?;
        let (clock, cpu) = (Instant::now(), ProcessTime::now());
        for _ in 0..times {
            work.run();
        }
        let each = |seconds: f64| seconds / f64::from(times.max(1));
        say(&json!({
            "times": times,
            "seconds": each(clock.elapsed().as_secs_f64()),
            "cpu_seconds": each(cpu.elapsed().as_secs_f64()),
        }))?;
    }
    Ok(())
}

/// Prints a line at once: the reader waits for it.
fn say(line: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
