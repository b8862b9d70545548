//! Each loss of a flow map teaches a network the map of Gaussian data, from noise to data in one
//! step.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
#[path = "common/gaussian.rs"]
mod gaussian;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::silu;
use burn::tensor::{Device, Tensor, TensorData};
use common::{Log, checkpoints, plan, session};
use flow_nn::{
    Condition, DynNetwork, Network, NetworkConfig, NetworkError, Signature, Time, init_seeded,
};
use flow_path::stream::Streams;
use flow_path::{Coupling, Independent, Paired};
use flow_train::{
    Batch, BatchSource, Consistency, Distillation, FlowMatching, Interrupter, Lagrangian, Loss,
    MapBatches, MatchingBatches, MeanFlow, Networks, Objective, Pairs, Plan, Regression, Rows,
    Shortcut, Splitting, Task, fit,
};
use gaussian::{Normal, STD, exact};

fn signature() -> Signature {
    Signature { two_times: true, ..Signature::of([1]) }
}

/// Two hidden layers over `x`, `t` and `s - t` as they are.
#[derive(Module, Debug)]
struct Plain {
    inner: Linear,
    middle: Linear,
    outer: Linear,
    #[module(skip)]
    signature: Signature,
}

impl Network for Plain {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn forward(&self, x: Tensor<2>, time: Time, _: &Condition) -> Tensor<2> {
        let Time { t, s } = time.expand(x.dims()[0]);
        let s = s.unwrap_or(t.clone()).unsqueeze_dim::<2>(1);
        let t = t.unsqueeze_dim::<2>(1);
        let h = Tensor::cat(vec![x, t.clone(), s - t], 1);
        let h = silu(self.middle.forward(silu(self.inner.forward(h))));
        self.outer.forward(h)
    }
}

fn plain(seed: u64) -> DynNetwork {
    let init = |device: &Device| {
        let layer = |from, to| LinearConfig::new(from, to).init(device);
        let (inner, middle, outer) = (layer(3, 64), layer(64, 64), layer(64, 1));
        Ok::<_, NetworkError>(Plain { inner, middle, outer, signature: signature() })
    };
    DynNetwork::new(init_seeded(seed, &Device::flex(), init).unwrap())
}

/// A linear network of features of which one is the map:
/// `u = x (w_0 u_0 + w_1 + w_2 t + w_3 s + w_4 t s)`.
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
        Ok::<_, NetworkError>(Features { weights, signature: signature() })
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
    let coupling: Arc<dyn Coupling> =
        if distils { Arc::new(Paired) } else { Arc::new(Independent) };
    let batches = MatchingBatches {
        matching: FlowMatching { coupling, ..FlowMatching::default() },
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
    (steps, rate): (usize, f64),
    seed: u64,
) -> DynNetwork {
    let folder = tempfile::tempdir().unwrap();
    let (folder, interrupter) = (checkpoints(folder.path()), Interrupter::new());
    let task = Task {
        model: network.into(),
        train: source(&*objective, seed),
        validation: source(&*objective, !seed),
        objective,
    };
    let mut plan = Plan { every: steps, validation_batches: 0, ..plan(steps) };
    plan.learning_rate.peak = rate;
    plan.ema.half_life = 2000.0;
    let outcome = fit(task, &plan, session(&folder, None, &Log::default(), &interrupter));
    outcome.unwrap().network.network
}

/// Root mean square distance of one step from noise to data to that of the flow, `S x`, over points
/// up to two standard deviations out and relative to it.
fn one_step_error(network: &dyn Network) -> f64 {
    let points: Vec<f32> = (0..41).map(|i| (i as f32 - 20.0) / 10.0).collect();
    let x = Tensor::<2>::from_data(TensorData::new(points, [41, 1]), &Device::flex());
    let time = |t: f32| Tensor::<1>::from_floats([t], &Device::flex());
    let u = network.forward(x.clone(), Time::from_to(time(0.0), time(1.0)), &Condition::none());
    let off = (x.clone() + u - x.clone() * STD).square().mean() / (x * STD).square().mean();
    off.sqrt().into_scalar::<f64>()
}

/// The error of two hidden layers after 600 steps of 256 rows. The one step of a velocity,
/// `x + v(x, 0)`, errs by 1: it sends every start to the mean.
fn learned(objective: impl Objective) -> f64 {
    one_step_error(&train(plain(1), Arc::new(objective), (600, 1e-2), 1))
}

#[track_caller]
fn assert_below(error: f64, bound: f64) {
    // About twice the largest error of three seeds.
    assert!(error < bound, "the error is {error}");
}

#[test]
fn a_shortcut_model_learns_the_map() {
    assert_below(learned(Shortcut::default()), 0.18);
}

#[test]
fn splitting_learns_the_map() {
    assert_below(learned(Splitting { share: 0.5 }), 0.1);
}

#[test]
fn mean_flow_learns_the_map() {
    assert_below(learned(MeanFlow { power: 0.0, ..MeanFlow::default() }), 0.3);
}

#[test]
fn lagrangian_self_distillation_learns_the_map() {
    assert_below(learned(Lagrangian::default()), 0.1);
}

#[test]
fn consistency_training_learns_the_map() {
    assert_below(learned(Consistency::default()), 0.05);
}

#[test]
fn distillation_learns_the_map() {
    assert_below(learned(Distillation {}), 0.01);
}

#[test]
fn a_linear_network_of_features_that_contains_the_map_finds_it() {
    for seed in [1, 2, 3] {
        let objective = Arc::new(MeanFlow { power: 0.0, ..MeanFlow::default() });
        let error = one_step_error(&train(features(seed), objective, (3000, 3e-2), seed));
        assert!(error < 0.015, "seed {seed}: the error is {error}");
    }
}

/// Two steps of Euler to the data, `x (1 - 1/2) (1 - 3/5)`, in place of `x / 2`.
#[test]
fn a_shortcut_of_two_steps_learns_two_steps_of_euler() {
    let error = learned(Shortcut { steps: 2, ..Shortcut::default() });
    assert!((error - 0.6).abs() < 0.15, "the error is {error}");
}

/// Shortcut models taught by minus their average.
#[derive(Debug)]
struct Flipped(Shortcut);

struct Minus<'a>(&'a dyn Network);

impl Network for Minus<'_> {
    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn forward(&self, x: Tensor<2>, time: Time, condition: &Condition) -> Tensor<2> {
        -self.0.forward(x, time, condition)
    }
}

impl Objective for Flipped {
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        let average = &Minus(networks.average);
        self.0.loss(Networks { average, ..networks }, batch)
    }

    fn pairs(&self) -> Option<Pairs> {
        self.0.pairs()
    }
}

#[test]
fn a_shortcut_taught_with_the_wrong_sign_learns_no_map() {
    let error = learned(Flipped(Shortcut::default()));
    assert!(error > 0.4, "the error is {error}");
}

#[test]
fn loss_network_and_batches_agree_on_their_times() {
    let objective = Arc::new(Shortcut::default());
    let refused = |network: DynNetwork, of: &dyn Objective| {
        let folder = tempfile::tempdir().unwrap();
        let (folder, interrupter) = (checkpoints(folder.path()), Interrupter::new());
        let (model, objective) = (network.into(), objective.clone());
        let [train, validation] = [1, 2].map(|seed| source(of, seed));
        let task = Task { model, objective, train, validation };
        let session = session(&folder, None, &Log::default(), &interrupter);
        fit(task, &plan(2), session).map(drop).unwrap_err().to_string()
    };
    let error = refused(plain(1), &Regression);
    assert!(error.contains("draw MapBatches with the pairs of the loss"), "{error}");
    let error = refused(plain(1), &Splitting::default());
    assert!(error.contains("draw MapBatches with the pairs of the loss"), "{error}");
    let one_time = common::small().init(&Signature::of([1]), &Device::flex()).unwrap();
    let error = refused(DynNetwork::new(one_time), &*objective);
    assert!(error.contains("`two_times`"), "{error}");
}
