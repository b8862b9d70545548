//! Points on an affine path and their velocities, from noise and data in tensors.

use divan::{Bencher, black_box, counter::ItemsCount};
use flow_benches::noise;
use flow_path::{AffinePath, Linear, ProbabilityPath, Times};

fn main() {
    divan::main();
}

#[divan::bench(args = [[256, 2], [64, 784]], max_time = 1)]
fn affine(bencher: Bencher<'_, '_>, dims: [usize; 2]) {
    let path = AffinePath::new(Linear { sigma_min: 0.0 });
    let (x0, x1) = (noise::tensor(dims, 1), noise::tensor(dims, 2));
    let rows = dims[0];
    let t = Times::new((0..rows).map(|i| i as f64 / rows as f64).collect());
    bencher
        .counter(ItemsCount::new(rows))
        .bench_local(|| black_box(path.sample(x0.clone(), x1.clone(), &t)));
}
