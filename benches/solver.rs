//! What a step of dopri5 costs besides its field; throughput is in steps.

use divan::{Bencher, counter::ItemsCount};
use flow_benches::{Work, solve};

fn main() {
    divan::main();
}

fn steps(bencher: Bencher<'_, '_>, mut work: Work) {
    bencher.counter(ItemsCount::new(work.steps)).bench_local(|| work.run());
}

#[divan::bench(max_time = 2)]
fn tensor_64x2(bencher: Bencher<'_, '_>) {
    steps(bencher, solve::tensors([64, 2]));
}

#[divan::bench(max_time = 5)]
fn tensor_64x3x32x32(bencher: Bencher<'_, '_>) {
    steps(bencher, solve::tensors([64, 3, 32, 32]));
}

#[divan::bench(args = [64 * 2, 64 * 3 * 32 * 32], max_time = 3)]
fn numbers(bencher: Bencher<'_, '_>, n: usize) {
    steps(bencher, solve::numbers(n));
}
