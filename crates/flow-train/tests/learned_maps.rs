//! Each loss of a flow map teaches a network the map of Gaussian data, from noise to data in one step.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
#[path = "common/gaussian.rs"]
mod gaussian;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use common::{Log, checkpoints, plan, session};
use flow_nn::{
    Condition, DynNetwork, MlpConfig, Network, NetworkConfig, Signature, Time, init_seeded,
};
use flow_path::stream::Streams;
use flow_train::{
    Batch, BatchSource, Consistency, Distillation, FlowMatching, Interrupter, Lagrangian, Loss,
    MapBatches, MatchingBatches, MeanFlow, Networks, Objective, Pairs, Plan, Regression, Rows,
    Shortcut, Splitting, Task, TrainError, fit,
};
use gaussian::{Normal, STD, exact};

fn signature() -> Signature {
    Signature { two_times: true, ..Signature::of([1]) }
}

fn mlp(seed: u64) -> DynNetwork {
    let config = MlpConfig { hidden: 64, depth: 2, time_features: 16, ..MlpConfig::default() };
    let init = |device: &Device| config.init(&signature(), device);
    DynNetwork::new(init_seeded(seed, &Device::flex(), init).unwrap())
}

/// A linear network of features of which one is the map: `u = x (w_0 u_0 + w_1 + w_2 t + w_3 s + w_4 t s)`.
#[derive(Module, Debug)]
struct Features {
    weights: Linear,
    #[module(skip)]
    signature: Signature,
}

impl Network for Features {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn forward(&self, x: Tensor<2>, time: Time, _: &Condition) -> Tensor<2> {
        let Time { t, s } = time;
        let s = s.unwrap_or(t.clone()).unsqueeze_dim::<2>(1);
        let t = t.unsqueeze_dim::<2>(1);
        let one = |column: Tensor<2>| x.clone() * column;
        let map = exact(x.clone(), t.clone(), s.clone());
        let features = vec![map, x.clone(), one(t.clone()), one(s.clone()), one(t * s)];
        self.weights.forward(Tensor::cat(features, 1))
    }
}

fn features(seed: u64) -> DynNetwork {
    let init = |device: &Device| {
        let weights = LinearConfig::new(5, 1).with_bias(false).init(device);
        Ok::<_, flow_nn::NetworkError>(Features { weights, signature: signature() })
    };
    DynNetwork::new(init_seeded(seed, &Device::flex(), init).unwrap())
}

/// Pairs of which the ends are where the flow takes the starts: what a perfect teacher makes.
fn solved() -> Rows {
    let starts: Vec<f32> = (0..1000).map(|i| (i as f32 - 499.5) / 200.0).collect();
    let ends = starts.iter().map(|x| STD as f32 * x).collect();
    Rows::new(vec![1], ends, None).with_starts(starts)
}

fn source(objective: &dyn Objective, seed: u64) -> Arc<dyn BatchSource<Batch = Batch>> {
    let distils = objective.pairs() == Distillation {}.pairs();
    let batches = MatchingBatches {
        matching: FlowMatching::default(),
        data: if distils { Arc::new(solved()) } else { Arc::new(Normal) },
        classes: 0,
        rows: 256,
        noise: objective.noise(&signature()),
        streams: Streams::new(seed),
    };
    match objective.pairs() {
        Some(pairs) => Arc::new(MapBatches { batches, pairs }),
        None => Arc::new(batches),
    }
}

fn train(
    network: DynNetwork,
    objective: Arc<dyn Objective>,
    steps: usize,
    seed: u64,
) -> Result<DynNetwork, TrainError> {
    let folder = tempfile::tempdir().unwrap();
    let (folder, interrupter) = (checkpoints(folder.path()), Interrupter::new());
    let task = Task {
        model: network.into(),
        train: source(&*objective, seed),
        validation: source(&*objective, !seed),
        objective,
    };
    let mut plan = Plan { every: steps, validation_batches: 0, ..plan(steps) };
    plan.learning_rate.peak = 5e-3;
    plan.ema.half_life = 2000.0;
    fit(task, &plan, session(&folder, None, &Log::default(), &interrupter))
        .map(|outcome| outcome.network.network)
}

/// Root mean square distance of one step from noise to data to that of the flow, `S x`, over points up to
/// two standard deviations out and relative to it.
fn one_step_error(network: &dyn Network) -> f64 {
    let points: Vec<f32> = (0..41).map(|i| (i as f32 - 20.0) / 10.0).collect();
    let x = Tensor::<2>::from_data(TensorData::new(points, [41, 1]), &Device::flex());
    let time = |t: f32| Tensor::<1>::from_floats([t], &Device::flex());
    let u = network.forward(x.clone(), Time::from_to(time(0.0), time(1.0)), &Condition::none());
    let off = (x.clone() + u - x.clone() * STD).square().mean() / (x * STD).square().mean();
    off.sqrt().into_scalar::<f64>()
}

fn all() -> [Arc<dyn Objective>; 6] {
    [
        Arc::new(Shortcut::default()),
        Arc::new(Splitting::default()),
        Arc::new(MeanFlow { power: 0.0, ..MeanFlow::default() }),
        Arc::new(Lagrangian::default()),
        Arc::new(Consistency::default()),
        Arc::new(Distillation {}),
    ]
}

#[test]
fn explore() {
    for objective in all() {
        for seed in [1, 2, 3] {
            for steps in [300, 1000] {
                let start = std::time::Instant::now();
                let a =
                    one_step_error(&train(features(seed), objective.clone(), steps, seed).unwrap());
                let ta = start.elapsed().as_secs_f64();
                let b = one_step_error(&train(mlp(seed), objective.clone(), steps, seed).unwrap());
                println!(
                    "{objective:?} seed {seed} steps {steps}: features {a:.4} ({ta:.2} s) mlp {b:.4} ({:.2} s)",
                    start.elapsed().as_secs_f64() - ta
                );
            }
        }
    }
}
