//! What a step of each loss costs, in units of a plain step of flow matching.
//!
//! All losses take turns, so that a busy machine disturbs all alike; a ratio is the median over the
//! rounds of a loss's CPU time by that of the plain step of the same round. One thread.

#![allow(clippy::print_stdout, reason = "a table is what it is for")]

use std::error::Error;

use clap::Parser;
use cpu_time::ProcessTime;
use flow_benches::{Work, train};

#[derive(Parser)]
#[command(about = "Time a step of each loss beside a plain step; print a table")]
struct Args {
    /// Rounds, in each of which every loss takes a step.
    #[arg(long, default_value_t = 40)]
    rounds: usize,
}

/// CPU seconds of a step.
fn step(work: &mut Work) -> f64 {
    let clock = ProcessTime::now();
    work.run();
    clock.elapsed().as_secs_f64()
}

/// The middle one of some numbers, and those at a tenth and nine tenths.
fn quantiles(mut numbers: Vec<f64>) -> [f64; 3] {
    numbers.sort_by(f64::total_cmp);
    let last = (numbers.len() - 1) as f64;
    [0.5, 0.1, 0.9].map(|part| numbers[(part * last).round() as usize])
}

fn main() -> Result<(), Box<dyn Error>> {
    let Args { rounds } = Args::parse();
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    let (names, mut works): (Vec<&str>, Vec<Work>) = train::objectives()
        .into_iter()
        .map(|(name, objective)| (name, train::digits(objective)))
        .unzip();
    // The first steps fill caches and the state of the optimizer.
    for work in &mut works {
        step(work);
        step(work);
    }
    let mut times = vec![Vec::with_capacity(rounds); works.len()];
    for _ in 0..rounds.max(1) {
        for (work, times) in works.iter_mut().zip(&mut times) {
            times.push(step(work));
        }
    }
    println!("| loss | CPU ms a step | in plain steps | tenth to nine tenths of the rounds |");
    println!("|---|---|---|---|");
    for (name, own) in names.iter().zip(&times) {
        let ratios = own.iter().zip(&times[0]).map(|(own, plain)| own / plain).collect();
        let [middle, low, high] = quantiles(ratios);
        let [seconds, ..] = quantiles(own.clone());
        println!("| {name} | {:.0} | {middle:.2} | {low:.2} to {high:.2} |", 1e3 * seconds);
    }
    Ok(())
}
