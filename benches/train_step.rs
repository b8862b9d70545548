//! One step of training: batch, forward, backward, AdamW, moving average; throughput is in rows.

use flow_benches::{Work, harness, network, train};

/// After the first step, which also allocates the optimizer's state.
fn begun(mut work: Work) -> Work {
    work.run();
    work
}

fn main() {
    harness::run(|criterion| {
        for rows in [256, 4096] {
            harness::time(criterion, "train_mlp", rows, rows, 3, begun(train::mlp(rows, 2)));
        }
        for size in [8, 28, 32] {
            let step = begun(train::unet(size, network::CHANNELS));
            harness::time(criterion, "train_unet", size, network::IMAGES, 15, step);
        }
        for (size, patch) in [(28, 4), (64, 2)] {
            let (images, step) = (network::images_of(size, patch), train::dit(size, patch));
            harness::time(criterion, "train_transformer", size, images, 20, begun(step));
        }
    });
}
