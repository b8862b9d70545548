//! Minibatch optimal transport, exactly.

use divan::{Bencher, counter::ItemsCount};
use flow_benches::couple;

fn main() {
    divan::main();
}

#[divan::bench(args = [64, 256, 1024], max_time = 2)]
fn exact_ot(bencher: Bencher<'_, '_>, n: usize) {
    let mut work = couple::exact(n);
    bencher.counter(ItemsCount::new(n)).bench_local(|| work.run());
}
