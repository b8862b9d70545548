//! One step of training: batch, forward, backward, AdamW, moving average.

use std::sync::Arc;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use flow_nn::{DynNetwork, Network, Precision, Signature, Strengths, parameter_count};
use flow_path::stream::Streams;
use flow_train::{
    AdamW, BakedGuidance, Batch, BatchSource, Consistency, ConsistencyFlow, Distillation, Ema,
    FlowMatching, Lagrangian, MapBatches, MatchingBatches, MeanFlow, Networks, Objective,
    Regression, Rows, Shortcut, Splitting,
};

use crate::network::Counted;
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

/// A step of the transformer S on images of `size` pixels in patches of `patch`.
#[must_use]
pub fn dit(size: usize, patch: usize) -> Work {
    work(network::dit(size, patch), network::images_of(size, patch))
}

/// A step with products of operands rounded to bfloat16.
///
/// # Panics
/// On a CPU that has none, where it would be a plain step.
#[must_use]
pub fn rounded(Counted { mut network, .. }: Counted, rows: usize) -> Work {
    assert!(
        Precision::Bf16.is_native_to(&device()) && network.multiply_in(Precision::Bf16),
        "this CPU has no products of bfloat16"
    );
    of_objective(network, rows, Arc::new(Regression))
}

/// A plain step. Backward, each product of the forward pass has two of its size, one for the
/// gradient of each operand.
fn work(Counted { network, products }: Counted, rows: usize) -> Work {
    let step = of_objective(network, rows, Arc::new(Regression));
    step.with_products(3.0 * products * rows as f64)
}

fn of_objective(network: DynNetwork, rows: usize, objective: Arc<dyn Objective>) -> Work {
    let parameters = parameter_count(&network);
    let mut training = Some(Training::new(network, rows, objective));
    Work::new(move || training = training.take().map(Training::step)).with_parameters(parameters)
}

/// Losses by name, with what each asks for beside a plain step; those of flow maps jump with a
/// quarter of their rows, or with all.
#[must_use]
pub fn objectives() -> Vec<(&'static str, Arc<dyn Objective>)> {
    let baked = |least, most| BakedGuidance {
        objective: Arc::new(Regression),
        strengths: Strengths { least, most },
    };
    vec![
        ("regression", Arc::new(Regression)),
        ("shortcut", Arc::new(Shortcut::default())),
        ("splitting", Arc::new(Splitting::default())),
        ("meanflow", Arc::new(MeanFlow::default())),
        ("lsd", Arc::new(Lagrangian::default())),
        ("consistency", Arc::new(Consistency::default())),
        ("distillation", Arc::new(Distillation {})),
        ("consistency-fm", Arc::new(ConsistencyFlow::default())),
        ("regression, one strength of guidance baked in", Arc::new(baked(2.0, 2.0))),
        ("regression, a range of guidance baked in", Arc::new(baked(1.0, 4.0))),
    ]
}

/// A step of a loss, by the U-Net of the recipe `digits` with its ten classes and batches of 128.
#[must_use]
pub fn digits(objective: Arc<dyn Objective>) -> Work {
    let (vector, two_times) = (objective.told(), objective.pairs().is_some());
    let Counted { network, .. } = network::digits(vector, two_times);
    of_objective(network, 2 * network::IMAGES, objective)
}

/// A network in training, as `flow_train::fit` trains it, one step at a time and in one thread.
struct Training {
    network: DynNetwork,
    average: DynNetwork,
    objective: Arc<dyn Objective>,
    optimizer: ModuleOptimizer,
    batches: Arc<dyn BatchSource<Batch = Batch>>,
    device: Device,
    done: usize,
}

impl Training {
    fn new(network: DynNetwork, rows: usize, objective: Arc<dyn Objective>) -> Self {
        let network = network.train();
        let Signature { shape, classes, .. } = network.signature().clone();
        let numbers = noise::numbers(BATCHES * rows * network.signature().size(), 1);
        let labels = (0 < classes).then(|| (0..BATCHES * rows).map(|i| i % classes).collect());
        let label_drop = if classes == 0 { 0.0 } else { 0.1 };
        let batches = MatchingBatches {
            matching: FlowMatching { label_drop, ..FlowMatching::default() },
            data: Arc::new(Rows::new(shape, numbers, labels)),
            classes,
            rows,
            noise: objective.noise(network.signature()),
            streams: Streams::new(2),
        };
        Self {
            average: network.valid().no_grad(),
            network,
            batches: match objective.pairs() {
                Some(pairs) => Arc::new(MapBatches { batches, pairs }),
                None => Arc::new(batches),
            },
            objective,
            optimizer: AdamW::default().optimizer(),
            device: device().autodiff(),
            done: 0,
        }
    }

    fn step(mut self) -> Self {
        let batch = self
            .batches
            .batch(self.done, &self.device)
            .expect("independent pairs of finite rows can always be made");
        let frozen = self.objective.teaches_itself().then(|| self.network.valid());
        let networks = Networks {
            frozen: frozen.as_ref().unwrap_or(&self.network),
            average: &self.average,
            ..Networks::of(&self.network)
        };
        let loss = self.objective.loss(networks, batch).total;
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        self.network = self.optimizer.step(LEARNING_RATE, self.network, gradients);
        self.done += 1;
        let rows = self.batches.rows() as f64;
        let images = self.done as f64 * rows;
        self.average = Ema::default().follow(self.average, &self.network, images, rows);
        self
    }
}
