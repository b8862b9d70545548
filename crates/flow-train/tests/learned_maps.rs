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
    AdamW, Batch, BatchSource, Consistency, Distillation, FlowMatching, Interrupter, Lagrangian,
    Loss, MapBatches, MatchingBatches, MeanFlow, Networks, Objective, Pairs, Plan, Regression,
    Rows, Shortcut, Splitting, Task, fit,
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

/// A linear network of features of which one is the map: `u = w_0 u_0 + x (w_1 + w_2 (s - t))`.
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
        let map = exact(x.clone(), t.clone(), s.clone());
        let features = vec![map, x.clone(), x * (s - t)];
        self.weights.forward(Tensor::cat(features, 1))
    }
}

fn features(seed: u64) -> DynNetwork {
    let init = |device: &Device| {
        let weights = LinearConfig::new(3, 1).with_bias(false).init(device);
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

fn source(
    objective: &dyn Objective,
    rows: usize,
    seed: u64,
) -> Arc<dyn BatchSource<Batch = Batch>> {
    let distils = objective.pairs() == Distillation {}.pairs();
    let coupling: Arc<dyn Coupling> =
        if distils { Arc::new(Paired) } else { Arc::new(Independent) };
    let batches = MatchingBatches {
        matching: FlowMatching { coupling, ..FlowMatching::default() },
        data: if distils { Arc::new(solved()) } else { Arc::new(Normal) },
        classes: 0,
        rows,
        noise: objective.noise(&signature()),
        streams: Streams::new(seed),
    };
    match objective.pairs() {
        Some(pairs) => Arc::new(MapBatches { batches, pairs }),
        None => Arc::new(batches),
    }
}

/// How long and how a network is trained.
struct Course {
    steps: usize,
    rows: usize,
    rate: f64,
    half_life: f64,
    optimizer: AdamW,
}

fn train(
    network: DynNetwork,
    objective: Arc<dyn Objective>,
    course: &Course,
    seed: u64,
) -> DynNetwork {
    let &Course { steps, rows, rate, half_life, optimizer } = course;
    let folder = tempfile::tempdir().unwrap();
    let (folder, interrupter) = (checkpoints(folder.path()), Interrupter::new());
    let task = Task {
        model: network.into(),
        train: source(&*objective, rows, seed),
        validation: source(&*objective, rows, !seed),
        objective,
    };
    let mut plan = Plan { every: steps, validation_batches: 0, optimizer, ..plan(steps) };
    plan.learning_rate.peak = rate;
    plan.ema.half_life = half_life;
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
    let optimizer = AdamW::default();
    let course = Course { steps: 600, rows: 256, rate: 1e-2, half_life: 2000.0, optimizer };
    one_step_error(&train(plain(1), Arc::new(objective), &course, 1))
}

/// The error of the linear network of features.
fn fitted(objective: Arc<dyn Objective>, steps: usize, seed: u64) -> f64 {
    // Weights are not pulled to zero, where the map is not.
    let optimizer = AdamW { weight_decay: 0.0, beta2: 0.99, ..AdamW::default() };
    let course = Course { steps, rows: 4096, rate: 3e-2, half_life: 2e5, optimizer };
    one_step_error(&train(features(seed), objective, &course, seed))
}

/// Every loss of a flow map, with half of its rows jumping where they need not all jump. The finest
/// steps and gaps leave errors of their own: they are halved or less.
fn every_objective() -> [Arc<dyn Objective>; 6] {
    [
        Arc::new(Shortcut { share: 0.5, steps: 256, ..Shortcut::default() }),
        Arc::new(Splitting { share: 0.5, ..Splitting::default() }),
        Arc::new(MeanFlow { share: 0.5, power: 0.0, ..MeanFlow::default() }),
        Arc::new(Lagrangian { share: 0.5, ..Lagrangian::default() }),
        Arc::new(Consistency { gap: 1.0 / 256.0, ..Consistency::default() }),
        Arc::new(Distillation {}),
    ]
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
    assert_below(learned(Splitting { share: 0.5, ..Splitting::default() }), 0.1);
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

/// An independent program has root mean squares of 0.2 to 0.3 % over thirty seeds, and four million
/// pairs for each: 1 % is beyond what they leave.
#[test]
fn a_linear_network_of_features_that_contains_the_map_finds_it_by_every_objective() {
    for objective in every_objective() {
        for seed in [1, 2, 3] {
            let error = fitted(objective.clone(), 1000, seed);
            assert!(error < 0.01, "{objective:?}, seed {seed}: the error is {error}");
        }
    }
}

/// Two steps of Euler to the data, `x (1 - 1/2) (1 - 3/5)`, in place of `x / 2`.
#[test]
fn a_shortcut_of_two_steps_learns_two_steps_of_euler() {
    let error = learned(Shortcut { steps: 2, ..Shortcut::default() });
    assert!((error - 0.6).abs() < 0.15, "the error is {error}");
}

/// A loss with the wrong sign: taught by minus the network, and by pairs with minus their ends.
#[derive(Debug)]
struct Flipped(Arc<dyn Objective>);

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
    fn loss(&self, networks: Networks<'_>, mut batch: Batch) -> Loss {
        let (frozen, average) = (&Minus(networks.frozen), &Minus(networks.average));
        batch.x1 = -batch.x1;
        self.0.loss(Networks { frozen, average, ..networks }, batch)
    }

    fn noise(&self, signature: &Signature) -> usize {
        self.0.noise(signature)
    }

    fn pairs(&self) -> Option<Pairs> {
        self.0.pairs()
    }
}

#[test]
fn the_wrong_sign_finds_no_map_by_any_objective() {
    for objective in every_objective() {
        let error = fitted(Arc::new(Flipped(objective.clone())), 300, 1);
        assert!(error > 0.4, "{objective:?}: the error is {error}");
    }
    let error = learned(Flipped(Arc::new(Shortcut::default())));
    assert!(error > 0.4, "the error is {error}");
}

#[test]
fn loss_network_and_batches_agree_on_their_times() {
    let objective = Arc::new(Shortcut::default());
    let refused = |network: DynNetwork, of: &dyn Objective| {
        let folder = tempfile::tempdir().unwrap();
        let (folder, interrupter) = (checkpoints(folder.path()), Interrupter::new());
        let (model, objective) = (network.into(), objective.clone());
        let [train, validation] = [1, 2].map(|seed| source(of, 256, seed));
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
