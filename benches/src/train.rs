//! One step of training: batch, forward, backward, AdamW, moving average.

use std::sync::Arc;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use flow_nn::{DynNetwork, Network, parameter_count};
use flow_path::stream::Streams;
use flow_train::{
    AdamW, BatchSource, Ema, FlowMatching, MatchingBatches, Networks, Objective, Regression, Rows,
};

use crate::{Work, device, network, noise};

const LEARNING_RATE: f64 = 1e-3;
/// The data set holds this many batches.
const BATCHES: usize = 4;

/// A step of the MLP on `rows` points of `dim` numbers.
#[must_use]
pub fn mlp(rows: usize, dim: usize) -> Work {
    work(network::mlp(dim), rows)
}

/// A step of the U-Net of so many channels on a batch of images of `size` pixels.
#[must_use]
pub fn unet(size: usize, channels: usize) -> Work {
    work(network::unet(size, channels), network::IMAGES)
}

fn work(network: DynNetwork, rows: usize) -> Work {
    let parameters = parameter_count(&network);
    let mut training = Some(Training::new(network, rows));
    Work::new(move || training = training.take().map(Training::step)).with_parameters(parameters)
}

/// A network in training, as `flow_train::fit` trains it, one step at a time and in one thread.
struct Training {
    network: DynNetwork,
    average: DynNetwork,
    optimizer: ModuleOptimizer,
    batches: MatchingBatches,
    device: Device,
    done: usize,
}

impl Training {
    fn new(network: DynNetwork, rows: usize) -> Self {
        let network = network.train();
        let (shape, size) = (network.signature().shape.clone(), network.signature().size());
        let data = Rows::new(shape, noise::numbers(BATCHES * rows * size, 1), None);
        let matching = FlowMatching::default();
        Self {
            average: network.valid().no_grad(),
            network,
            optimizer: AdamW::default().optimizer(),
            batches: MatchingBatches {
                matching,
                data: Arc::new(data),
                classes: 0,
                rows,
                noise: 0,
                streams: Streams::new(2),
            },
            device: device().autodiff(),
            done: 0,
        }
    }

    fn step(mut self) -> Self {
        let batch = self
            .batches
            .batch(self.done, &self.device)
            .expect("independent pairs of finite rows can always be made");
        let loss = Regression.loss(Networks::of(&self.network), batch).total;
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        self.network = self.optimizer.step(LEARNING_RATE, self.network, gradients);
        self.done += 1;
        let rows = self.batches.rows as f64;
        let images = self.done as f64 * rows;
        self.average = Ema::default().follow(self.average, &self.network, images, rows);
        self
    }
}
