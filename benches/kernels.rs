//! The fused operations on burn-flex, alone and with their gradients; throughput is in results.

use flow_benches::Work;
use flow_benches::harness;
use flow_benches::kernel::{self, Pass};

/// Name, numbers in the result, the work.
const OPERATIONS: [(&str, usize, fn(Pass) -> Work); 5] = [
    ("conv2d", 64 * 64 * 32 * 32, kernel::conv),
    ("group_norm_act", 64 * 64 * 32 * 32, kernel::norm),
    ("linear_act", 4096 * 256, kernel::linear),
    ("attention", 64 * 4 * 64 * 16, kernel::attend),
    ("upsample_nearest", 64 * 64 * 32 * 32, kernel::upsample),
];

fn main() {
    harness::run(|criterion| {
        for (name, results, work) in OPERATIONS {
            for (pass, label) in [(Pass::Forward, "forward"), (Pass::WithBackward, "with backward")]
            {
                harness::time(criterion, name, label, results, 3, work(pass));
            }
        }
    });
}
