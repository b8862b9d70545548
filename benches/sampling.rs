//! Samples by ten steps of Euler's method, and one call of the U-Net; throughput is in samples.

use divan::{Bencher, counter::ItemsCount};
use flow_benches::{Work, network, sample};

fn main() {
    divan::main();
}

fn samples(bencher: Bencher<'_, '_>, count: usize, mut work: Work) {
    bencher.counter(ItemsCount::new(count)).bench_local(|| work.run());
}

#[divan::bench(max_time = 8)]
fn mlp_10_euler_steps(bencher: Bencher<'_, '_>) {
    samples(bencher, 10_000, sample::points(10_000));
}

#[divan::bench(args = [8, 28, 32], max_time = 8)]
fn unet_forward(bencher: Bencher<'_, '_>, size: usize) {
    samples(bencher, network::IMAGES, sample::unet_forward(size));
}
