//! The fused operations on burn-flex, alone and with their gradients.

use divan::Bencher;
use flow_benches::Work;
use flow_benches::kernel::{self, Pass};

const PASSES: [Pass; 2] = [Pass::Forward, Pass::WithBackward];

fn main() {
    divan::main();
}

fn repeat(bencher: Bencher<'_, '_>, mut work: Work) {
    bencher.bench_local(|| work.run());
}

#[divan::bench(args = PASSES, max_time = 3)]
fn conv2d(bencher: Bencher<'_, '_>, pass: Pass) {
    repeat(bencher, kernel::conv(pass));
}

#[divan::bench(args = PASSES, max_time = 2)]
fn group_norm_act(bencher: Bencher<'_, '_>, pass: Pass) {
    repeat(bencher, kernel::norm(pass));
}

#[divan::bench(args = PASSES, max_time = 2)]
fn linear_act(bencher: Bencher<'_, '_>, pass: Pass) {
    repeat(bencher, kernel::linear(pass));
}

#[divan::bench(args = PASSES, max_time = 2)]
fn attention(bencher: Bencher<'_, '_>, pass: Pass) {
    repeat(bencher, kernel::attend(pass));
}

#[divan::bench(args = PASSES, max_time = 2)]
fn upsample_nearest(bencher: Bencher<'_, '_>, pass: Pass) {
    repeat(bencher, kernel::upsample(pass));
}
