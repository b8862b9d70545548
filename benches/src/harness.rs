//! Pieces of work as benches of criterion.

use std::fmt::Display;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};

use crate::Work;

/// Samples of each piece of work.
const SAMPLES: usize = 20;

/// Reads the command line, runs the benches that `define` names, and sums up.
pub fn run(define: impl FnOnce(&mut Criterion)) {
    let mut criterion = Criterion::default().sample_size(SAMPLES).configure_from_args();
    define(&mut criterion);
    criterion.final_summary();
}

/// Measures a piece of work for about `seconds`; each repetition handles so many `elements`.
pub fn time(
    criterion: &mut Criterion,
    name: &str,
    parameter: impl Display,
    elements: usize,
    seconds: u64,
    mut work: Work,
) {
    let mut group = criterion.benchmark_group(name);
    group
        .measurement_time(Duration::from_secs(seconds))
        .warm_up_time(Duration::from_millis(500))
        .throughput(Throughput::Elements(elements as u64))
        .bench_function(BenchmarkId::from_parameter(parameter), |bencher| {
            bencher.iter(|| work.run());
        });
    group.finish();
}
