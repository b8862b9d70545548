//! Samples by ten steps of Euler's method, and one call of U-Nets and of transformers; throughput
//! is in samples.

use flow_benches::{harness, network, sample};

fn main() {
    harness::run(|criterion| {
        const POINTS: usize = 10_000;
        let points = sample::points(POINTS);
        harness::time(criterion, "mlp_10_euler_steps", POINTS, POINTS, 8, points);
        for size in [8, 28, 32] {
            let forward = sample::unet_forward(size);
            harness::time(criterion, "unet_forward", size, network::IMAGES, 8, forward);
        }
        for (size, patch) in [(28, 4), (64, 2)] {
            let (images, forward) =
                (network::images_of(size, patch), sample::dit_forward(size, patch));
            harness::time(criterion, "transformer_forward", size, images, 8, forward);
        }
    });
}
