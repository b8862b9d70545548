//! Parts that no library knows, through the public traits alone: data that are drawn when they are
//! needed, and a loss. Each is one type of this file.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use flow_matching::nn::{
    Condition, DynNetwork, MlpConfig, Network, NetworkConfig, Signature, Time, init_seeded,
};
use flow_matching::path::stream::{Purpose, Streams};
use flow_matching::train::{
    AdamW, Batch, DataSource, Decay, Draw, Ema, FlowMatching, LearningRate, Loss, MatchingBatches,
    Networks, Objective, Parts, Plan, Regression, Stepper,
};
use rand::RngExt;

/// Two thirds of the numbers are 0, and the others are 6.
#[derive(Debug)]
struct TwoValues;

impl DataSource for TwoValues {
    fn shape(&self) -> &[usize] {
        &[1]
    }

    fn draw(&self, range: Range<u64>, streams: &Streams) -> Draw {
        let number = |k| {
            let is_six = streams.rng(k, Purpose::Data).random_bool(1.0 / 3.0);
            if is_six { 6.0 } else { 0.0 }
        };
        Draw { rows: range.map(number).collect(), ..Draw::default() }
    }
}

/// The absolute error, `1/(B d) sum |f(x_t, t) - target|`, which is least at a median.
#[derive(Debug)]
struct Absolute;

impl Objective for Absolute {
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        let output = networks.network.forward(batch.x_t, batch.time, &batch.condition);
        Loss { total: (output - batch.target).abs().mean(), terms: Vec::new() }
    }
}

/// What a loss teaches of the velocity at `x = 0` and `t = 0`, from these numbers.
fn velocity_at_the_start(objective: Arc<dyn Objective>) -> f32 {
    let (device, steps) = (Device::flex(), 600);
    let config = MlpConfig { hidden: 64, depth: 2, time_scale: 20, ..MlpConfig::default() };
    let init = |device: &Device| config.init(&Signature::of([1]), device);
    let network = DynNetwork::new(init_seeded(1, &device, init).unwrap());
    let batches = MatchingBatches {
        matching: FlowMatching::default(),
        data: Arc::new(TwoValues),
        classes: 0,
        rows: 256,
        noise: 0,
        streams: Streams::new(1),
    };
    let plan = Plan {
        steps,
        every: steps,
        also: Vec::new(),
        learning_rate: LearningRate {
            peak: 3e-3,
            warmup: 50,
            steps,
            decay: Decay::Cosine,
            floor: 0.0,
        },
        optimizer: AdamW { weight_decay: 0.0, ..AdamW::default() },
        ema: Ema { half_life: 5_000.0, ramp: 0.05 },
        max_gradient_norm: Some(1.0),
        validation_batches: 0,
        parts: Parts::default(),
    };
    let mut training = Stepper::new(network, objective, Arc::new(batches), plan, &device).unwrap();
    for _ in 0..steps {
        (training, _) = training.step().unwrap();
    }
    let (x, t) = (Tensor::<2>::zeros([1, 1], &device), Tensor::<1>::zeros([1], &device));
    let velocity = training.average().network.forward(x, Time::at(t), &Condition::none());
    velocity.into_data().try_into_vec::<f32>().unwrap()[0]
}

/// Where paths start, `x_t` is the noise and says nothing about the data, so that a loss finds one
/// number of the law of `x_1 - x_0`. At `x = 0` that is the median of the data, 0, for the absolute
/// error, and their mean, 2, for the squared one, which is the control.
#[test]
fn a_loss_and_data_from_outside_train_to_their_closed_form() {
    // What 600 steps leave to be learned: the mean falls within a fifth of the time, which a small
    // network smooths to about 1.7.
    let median = velocity_at_the_start(Arc::new(Absolute));
    assert!(median.abs() < 0.7, "the median is {median}");
    let mean = velocity_at_the_start(Arc::new(Regression));
    assert!((mean - 2.0).abs() < 0.9, "the mean is {mean}");
}
