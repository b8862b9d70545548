//! One step of training: batch, forward, backward, AdamW, moving average.

use divan::{Bencher, counter::ItemsCount};
use flow_benches::{Work, network, train};

fn main() {
    divan::main();
}

/// The first step also allocates the optimizer's state.
fn steps(bencher: Bencher<'_, '_>, rows: usize, mut work: Work) {
    work.run();
    bencher.counter(ItemsCount::new(rows)).bench_local(|| work.run());
}

#[divan::bench(args = [256, 4096], max_time = 3)]
fn mlp(bencher: Bencher<'_, '_>, rows: usize) {
    steps(bencher, rows, train::mlp(rows));
}

#[divan::bench(args = [8, 28, 32], max_time = 15)]
fn unet(bencher: Bencher<'_, '_>, size: usize) {
    steps(bencher, network::IMAGES, train::unet(size));
}
