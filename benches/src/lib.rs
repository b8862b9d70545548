//! The pieces of work that are timed, by `cargo bench` alone and by `flow-bench-work` beside
//! PyTorch.
//!
//! Each is a [`Work`]: everything that is prepared once, and a closure that does it once more.
//! [`WORKS`] names those that `peers/work.py` does too, in the same shapes.

pub mod couple;
#[cfg(feature = "criterion")]
pub mod harness;
pub mod kernel;
pub mod network;
pub mod noise;
pub mod sample;
pub mod solve;
pub mod train;

use std::fmt;

use burn::tensor::Device;
use flow_kernels::on_pool;

use network::CHANNELS;

/// Something that can be done again and again.
pub struct Work {
    /// Trainable numbers of its network; 0 if it has none.
    pub parameters: usize,
    /// Steps of its solver; 1 if it solves nothing.
    pub steps: usize,
    /// Products, each added to a sum, of its matrices and convolutions; 0 if that says nothing.
    pub products: f64,
    run: Box<dyn FnMut() + Send>,
}

impl Work {
    /// Work without a network or a solver.
    pub fn new(run: impl FnMut() + Send + 'static) -> Self {
        Self { parameters: 0, steps: 1, products: 0.0, run: Box::new(run) }
    }

    /// The same work, of a network with this many trainable numbers.
    #[must_use]
    pub fn with_parameters(self, parameters: usize) -> Self {
        Self { parameters, ..self }
    }

    /// The same work, which takes this many products.
    #[must_use]
    pub fn with_products(self, products: f64) -> Self {
        Self { products, ..self }
    }

    /// The same work, in this many steps of a solver.
    #[must_use]
    pub fn with_steps(self, steps: usize) -> Self {
        Self { steps, ..self }
    }

    /// Does it once, where training and sampling of `flow` are done.
    pub fn run(&mut self) {
        on_pool(&device(), || (self.run)());
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { parameters, steps, products, .. } = self;
        f.debug_struct("Work")
            .field("parameters", parameters)
            .field("steps", steps)
            .field("products", products)
            .finish_non_exhaustive()
    }
}

/// Prepares a piece of work.
pub type Prepare = fn() -> Work;

/// The work that both sides do, by name.
pub const WORKS: &[(&str, Prepare)] = &[
    ("mlp-train-64", || train::mlp(64, 2)),
    ("mlp-train-256", || train::mlp(256, 2)),
    ("mlp-train-1024", || train::mlp(1024, 2)),
    ("mlp-train-4096", || train::mlp(4096, 2)),
    ("mlp-train-256-dim-64", || train::mlp(256, 64)),
    ("mlp-train-256-dim-784", || train::mlp(256, 784)),
    ("unet-train-8", || train::unet(8, CHANNELS)),
    ("unet-train-28", || train::unet(28, CHANNELS)),
    ("unet-train-32", || train::unet(32, CHANNELS)),
    ("unet-train-8-channels-16", || train::unet(8, 16)),
    ("unet-train-8-channels-64", || train::unet(8, 64)),
    ("dit-train-28-4", || train::dit(28, 4)),
    ("dit-train-32-4", || train::dit(32, 4)),
    ("dit-train-32-2", || train::dit(32, 2)),
    ("dit-train-64-2", || train::dit(64, 2)),
    ("mlp-train-4096-bf16", || train::rounded(network::mlp(2), 4096)),
    ("unet-train-28-bf16", || train::rounded(network::unet(28, CHANNELS), network::IMAGES)),
    ("dit-train-28-4-bf16", || train::rounded(network::dit(28, 4), network::images_of(28, 4))),
    ("dit-forward-28-4", || sample::dit_forward(28, 4)),
    ("dit-forward-32-4", || sample::dit_forward(32, 4)),
    ("dit-forward-32-2", || sample::dit_forward(32, 2)),
    ("dit-forward-64-2", || sample::dit_forward(64, 2)),
    ("unet-forward-8", || sample::unet_forward(8)),
    ("unet-forward-28", || sample::unet_forward(28)),
    ("unet-forward-32", || sample::unet_forward(32)),
    ("mlp-sample-10000", || sample::points(10_000)),
    ("mlp-sample-1000", || sample::points(1000)),
    ("mlp-sample-1", || sample::points(1)),
    ("unet-sample-1000", || sample::digits(1000)),
    ("unet-sample-1", || sample::digits(1)),
    ("product-2048", kernel::product),
    ("conv-3x3", kernel::conv_3x3),
    ("norm-silu", kernel::norm_silu),
    ("solve-64x2", || solve::tensors([64, 2])),
    ("solve-64x3x32x32", || solve::tensors([64, 3, 32, 32])),
    ("coupling-64", || couple::exact(64)),
    ("coupling-256", || couple::exact(256)),
    ("coupling-1024", || couple::exact(1024)),
];

/// Where all of it runs: burn-flex with the project's kernels.
#[must_use]
pub fn device() -> Device {
    Device::flex()
}
