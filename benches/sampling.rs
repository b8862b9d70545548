//! Samples by ten steps of Euler's method, and one call of the U-Net; throughput is in samples.

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
    });
}
