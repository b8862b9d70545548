//! Minibatch optimal transport, exactly; throughput is in pairs.

use flow_benches::{couple, harness};

fn main() {
    harness::run(|criterion| {
        for n in [64, 256, 1024] {
            harness::time(criterion, "exact_ot", n, n, 2, couple::exact(n));
        }
    });
}
