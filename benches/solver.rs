//! What a step of dopri5 costs besides its field; throughput is in steps.

use flow_benches::{harness, solve};

fn main() {
    harness::run(|criterion| {
        for (name, seconds, work) in [
            ("tensor 64x2", 2, solve::tensors([64, 2])),
            ("tensor 64x3x32x32", 5, solve::tensors([64, 3, 32, 32])),
            ("numbers 128", 2, solve::numbers(64 * 2)),
            ("numbers 196608", 5, solve::numbers(64 * 3 * 32 * 32)),
        ] {
            harness::time(criterion, "dopri5", name, work.steps, seconds, work);
        }
    });
}
