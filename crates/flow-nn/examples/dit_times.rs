//! How long a training step of a diffusion transformer takes: forward, and forward with backward.
//!
//! `cargo run --release --features flow-cli/flex --example dit_times` within the workspace.

#![allow(clippy::print_stdout, reason = "what the example is for")]

use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use flow_nn::{
    Condition, DitConfig, Network, NetworkConfig, NetworkError, Signature, init_seeded,
    parameter_count,
};

/// Times of which the smallest is told: the others were disturbed.
const REPEATS: usize = 5;

fn main() -> Result<(), NetworkError> {
    println!(
        "{:>24} {:>6} {:>6} {:>10} {:>10} {:>10}",
        "network", "tokens", "batch", "params", "forward", "step"
    );
    let small = DitConfig { depth: 4, heads: 4, hidden: 128, ..DitConfig::default() };
    for (name, config, side, channels, batch) in [
        ("default, 28x28", small.clone(), 28, 1, 32),
        ("default, 64x64", small, 64, 3, 4),
        ("S/4, 28x28", DitConfig::s(4), 28, 1, 8),
        ("S/2, 64x64", DitConfig::s(2), 64, 3, 1),
    ] {
        let signature = Signature::of([channels, side, side]);
        let host = Device::flex();
        let network = init_seeded(0, &host, |device| config.init(&signature, device))?;
        let parameters = parameter_count(&network);
        let normal = Distribution::Normal(0.0, 1.0);
        let x = Tensor::<2>::random([batch, signature.size()], normal, &host);
        let t = Tensor::<1>::random([batch], Distribution::Uniform(0.0, 1.0), &host);
        let forward = smallest(|| {
            let y = network.forward(x.clone(), t.clone().into(), &Condition::none());
            drop(y.into_data());
        });
        let ad = host.clone().autodiff();
        let trained = network.clone().train();
        let (x, t) = (x.clone().to_device(&ad), t.clone().to_device(&ad));
        let step = smallest(|| {
            let y = trained.forward(x.clone(), t.clone().into(), &Condition::none());
            let gradients = (y - x.clone()).square().mean().backward();
            drop(gradients);
        });
        let tokens = (side / config.patch) * (side / config.patch);
        println!(
            "{name:>24} {tokens:>6} {batch:>6} {parameters:>10} {:>7.1} ms {:>7.1} ms",
            1e3 * forward,
            1e3 * step
        );
    }
    Ok(())
}

/// Seconds of the quickest of a few calls after one to warm up.
fn smallest(mut f: impl FnMut()) -> f64 {
    f();
    let time = |_| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64()
    };
    (0..REPEATS).map(time).fold(f64::INFINITY, f64::min)
}
