//! Guidance baked in at training, against guided fields that are known.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use common::{Log, checkpoints, plan, session};
use flow_nn::{
    Condition, DynNetwork, Network, NetworkError, Signature, Strengths, Time, init_seeded,
};
use flow_path::stream::{Purpose, Streams};
use flow_path::{Exact, Gaussian, Linear as Straight, Mixture, Prediction, Times};
use flow_train::{
    BakedGuidance, Batch, BatchSource, DataSource, Draw, FlowMatching, Interrupter, Lagrangian,
    MatchingBatches, MeanFlow, Networks, Objective, Plan, Regression, Shortcut, Splitting, Task,
    TrainError, fit,
};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

/// Where the two classes lie, and how wide they are.
const MEANS: [f64; 2] = [-1.0, 1.0];
const STD: f64 = 0.5;

fn signature() -> Signature {
    Signature { classes: 2, vector: 1, ..Signature::of([1]) }
}

fn class(k: usize) -> Exact<Gaussian, Straight> {
    Exact::new(Gaussian::new(vec![MEANS[k]], STD), Straight { sigma_min: 0.0 })
}

fn all() -> Exact<Mixture, Straight> {
    let classes = MEANS.map(|mean| Gaussian::new(vec![mean], STD));
    Exact::new(Mixture::uniform(classes.to_vec()), Straight { sigma_min: 0.0 })
}

fn host(x: Tensor<1>) -> Vec<f64> {
    x.into_data().iter::<f64>().collect()
}

/// The velocities `v_c` of each row's class, which of the null class is `v_0`, and `v_0` of all
/// data.
fn velocities(x: &Tensor<2>, t: &Tensor<1>, condition: &Condition) -> [Tensor<2>; 2] {
    let rows = x.dims()[0];
    let t = Times::new(host(t.clone()).into_iter().cycle().take(rows).collect());
    let all = all().predict(Prediction::Velocity, x.clone(), &t);
    let class_of: Tensor<1, Int> = condition.class.clone().unwrap();
    let own = [0, 1].into_iter().fold(all.clone(), |own, k| {
        let is = class_of.clone().equal_elem(k as i64).unsqueeze_dim::<2>(1);
        own.mask_where(is, class(k).predict(Prediction::Velocity, x.clone(), &t))
    });
    [own, all]
}

/// How a field reads the strength that it is told.
#[derive(Clone, Copy, Debug)]
enum Read {
    /// `v_c + (w - 1)(v_c - v_0)`
    Rightly,
    /// As if no strength were told.
    Never,
    /// With the weight `w` of Ho and Salimans, which is one less.
    Plus,
}

/// The guided field in closed form.
#[derive(Debug)]
struct Field(Read, Signature);

impl Network for Field {
    fn signature(&self) -> &Signature {
        &self.1
    }

    fn forward(&self, x: Tensor<2>, time: Time, condition: &Condition) -> Tensor<2> {
        let [own, all] = velocities(&x, &time.t, condition);
        let strength = condition.vector.clone().unwrap().narrow(1, 0, 1).exp();
        let more = match self.0 {
            Read::Rightly => strength - 1.0,
            Read::Never => strength * 0.0,
            Read::Plus => strength,
        };
        own.clone() + more * (own - all)
    }
}

/// A batch of classes 0, 1 and none whose targets are the velocities that pairs have in the mean.
fn batch(noise: usize) -> Batch {
    let device = Device::flex();
    let n = 300;
    let part = |k: usize, a: f64| (k as f64 * a).fract();
    let column = |of: &dyn Fn(usize) -> f64| -> Tensor<1> {
        let values: Vec<f32> = (0..n).map(|k| of(k) as f32).collect();
        Tensor::from_data(TensorData::new(values, [n]), &device)
    };
    let x: Tensor<2> = column(&|k| 4.0 * part(k, 0.618) - 2.0).unsqueeze_dim(1);
    let t = column(&|k| 0.05 + 0.9 * part(k, 0.414));
    let classes: Vec<usize> = (0..n).map(|k| k % 3).collect();
    let condition = Condition::classes(&classes, &device);
    let [own, _] = velocities(&x, &t, &condition);
    let z: Vec<f32> = (0..n * noise).map(|k| 3.0 * part(k, 0.732) as f32 - 1.5).collect();
    Batch {
        x0: x.clone(),
        x1: x.clone(),
        x_t: x,
        time: Time::at(t),
        jumps: 0,
        target: own,
        weight: None,
        known: None,
        condition,
        noise: (0 < noise).then(|| Tensor::from_data(TensorData::new(z, [n, noise]), &device)),
    }
}

fn baked(objective: impl Objective, least: f64, most: f64) -> BakedGuidance {
    BakedGuidance { objective: Arc::new(objective), strengths: Strengths { least, most } }
}

fn error(objective: &dyn Objective, network: &dyn Network) -> f64 {
    let noise = objective.noise(network.signature());
    objective.loss(Networks::of(network), batch(noise)).total.into_scalar::<f64>().sqrt()
}

#[test]
fn the_guided_field_answers_itself_and_no_other_does() {
    let objective = baked(Regression, 1.0, 4.0);
    let of = |read| error(&objective, &Field(read, signature()));
    // Single precision, velocities up to 20 and strengths up to 4.
    assert!(of(Read::Rightly) < 1e-5, "{}", of(Read::Rightly));
    assert!(of(Read::Never) > 0.1, "{}", of(Read::Never));
    assert!(of(Read::Plus) > 0.1, "{}", of(Read::Plus));
}

/// A field of one strength, which is told none.
#[derive(Debug)]
struct Fixed(f64, Signature);

impl Network for Fixed {
    fn signature(&self) -> &Signature {
        &self.1
    }

    fn forward(&self, x: Tensor<2>, time: Time, condition: &Condition) -> Tensor<2> {
        assert!(condition.vector.is_none(), "one strength alone is not told");
        let [own, all] = velocities(&x, &time.t, condition);
        own.clone() + (own - all) * (self.0 - 1.0)
    }
}

#[test]
fn a_field_of_one_strength_is_told_none_and_answers_that_alone() {
    let signature = || Signature { vector: 0, ..signature() };
    let objective = baked(Regression, 3.0, 3.0);
    assert_eq!((objective.noise(&signature()), objective.told()), (0, 0));
    let of = |strength| error(&objective, &Fixed(strength, signature()));
    assert!(of(3.0) < 1e-5, "{}", of(3.0));
    for other in [1.0, 2.0, 4.0] {
        assert!(of(other) > 0.1, "{other}: {}", of(other));
    }
}

/// Points of both classes, new ones in every batch.
#[derive(Debug)]
struct TwoClasses;

impl DataSource for TwoClasses {
    fn shape(&self) -> &[usize] {
        &[1]
    }

    fn draw(&self, range: std::ops::Range<u64>, streams: &Streams) -> Draw {
        let mut rng = streams.rng(range.start, Purpose::Data);
        let n = (range.end - range.start) as usize;
        let labels: Vec<usize> = (0..n).map(|_| rng.random_range(0..2)).collect();
        let of = |&label: &usize| {
            let z: f64 = StandardNormal.sample(&mut rng);
            (MEANS[label] + STD * z) as f32
        };
        let rows = labels.iter().map(of).collect();
        Draw { rows, labels: Some(labels), ..Draw::default() }
    }
}

/// Linear in `v_c`, `w v_c`, `v_0` and `w v_0`: guided fields are among them.
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

    fn forward(&self, x: Tensor<2>, time: Time, condition: &Condition) -> Tensor<2> {
        let [own, all] = velocities(&x, &time.t, condition);
        let strength = condition.vector.clone().unwrap().exp();
        let features = vec![own.clone(), own * strength.clone(), all.clone(), all * strength];
        self.weights.forward(Tensor::cat(features, 1))
    }
}

fn features(seed: u64) -> DynNetwork {
    let init = |device: &Device| {
        let weights = LinearConfig::new(4, 1).with_bias(false).init(device);
        Ok::<_, NetworkError>(Features { weights, signature: signature() })
    };
    DynNetwork::new(init_seeded(seed, &Device::flex(), init).unwrap())
}

fn source(noise: usize, seed: u64) -> Arc<dyn BatchSource<Batch = Batch>> {
    Arc::new(MatchingBatches {
        matching: FlowMatching { label_drop: 0.2, ..FlowMatching::default() },
        data: Arc::new(TwoClasses),
        classes: 2,
        rows: 1024,
        noise,
        streams: Streams::new(seed),
    })
}

fn train(objective: Arc<dyn Objective>, seed: u64) -> Result<DynNetwork, TrainError> {
    let folder = tempfile::tempdir().unwrap();
    let (folder, interrupter) = (checkpoints(folder.path()), Interrupter::new());
    let noise = objective.noise(&signature());
    let [train, validation] = [source(noise, seed), source(noise, !seed)];
    let task = Task { model: features(seed).into(), objective, train, validation };
    let mut plan = Plan { every: 3000, validation_batches: 0, ..plan(3000) };
    plan.learning_rate.peak = 3e-2;
    plan.ema.half_life = 200_000.0;
    fit(task, &plan, session(&folder, None, &Log::default(), &interrupter))
        .map(|outcome| outcome.network.network)
}

/// Root mean square distance from the guided field, relative to it, where data are likely.
fn distance(network: &dyn Network, strength: f64) -> f64 {
    let Batch { x_t, time, condition, .. } = batch(0);
    let [rows, _] = x_t.dims();
    let logarithm = Tensor::full([rows], strength.ln(), &x_t.device());
    let condition = condition.with_number(logarithm);
    let exact = Field(Read::Rightly, signature()).forward(x_t.clone(), time.clone(), &condition);
    let off = network.forward(x_t, time, &condition) - exact.clone();
    (off.square().mean() / exact.square().mean()).sqrt().into_scalar::<f64>()
}

#[test]
fn a_linear_network_that_contains_the_guided_field_finds_it() {
    for seed in [1, 2, 3] {
        let network = train(Arc::new(baked(Regression, 1.0, 3.0)), seed).unwrap();
        for strength in [1.0, 2.0, 3.0] {
            let off = distance(&network, strength);
            assert!(off < 0.01, "seed {seed}, strength {strength}: {off}");
        }
    }
}

/// A loss that adds a number to the conditions and teaches no guidance with it.
#[derive(Clone, Debug)]
struct Untaught(BakedGuidance);

impl Objective for Untaught {
    fn loss(&self, networks: Networks<'_>, mut batch: Batch) -> flow_train::Loss {
        let z = batch.noise.take().unwrap().squeeze_dim::<1>(1);
        batch.condition = batch.condition.with_number((z * 0.3).abs());
        Regression.loss(networks, batch)
    }

    fn noise(&self, signature: &Signature) -> usize {
        self.0.noise(signature)
    }

    fn told(&self) -> usize {
        self.0.told()
    }
}

#[test]
fn without_the_pull_away_from_no_class_nothing_guided_is_learned() {
    let network = train(Arc::new(Untaught(baked(Regression, 1.0, 3.0))), 1).unwrap();
    assert!(distance(&network, 1.0) < 0.05, "{}", distance(&network, 1.0));
    assert!(distance(&network, 3.0) > 0.3, "{}", distance(&network, 3.0));
}

#[test]
fn batches_and_network_agree_on_the_number_of_the_strength() {
    let error = train(Arc::new(Regression), 1).map(drop).unwrap_err().to_string();
    assert!(error.contains("condition vector"), "{error}");
}

/// Correlation of data and condition in the Gaussian pair below.
const CORRELATION: f64 = 0.8;

/// The guided flow map of `(x, c)` jointly normal: `x | c ~ N(rho c, 1 - rho^2)` and `x ~ N(0, 1)`,
/// so that the guided velocity is linear in `x` and `c`. Its solution by 400 steps of RK4.
#[derive(Debug)]
struct Joint(Signature);

impl Joint {
    fn new() -> Self {
        Self(Signature { vector: 2, two_times: true, ..Signature::of([1]) })
    }

    /// Velocities of `N(mean, std^2)` along the straight path.
    fn velocity(x: &Tensor<2>, t: &Tensor<2>, mean: Tensor<2>, std: f64) -> Tensor<2> {
        let rest = t.clone().neg() + 1.0;
        let variance = t.clone().square() * (std * std) + rest.clone().square();
        let slope = (t.clone() * (std * std) - rest) / variance;
        mean.clone() + (x.clone() - t.clone() * mean) * slope
    }

    fn guided(x: &Tensor<2>, t: &Tensor<2>, condition: &Condition) -> Tensor<2> {
        let vector = condition.vector.clone().unwrap();
        let (c, strength) = (vector.clone().narrow(1, 0, 1), vector.narrow(1, 1, 1).exp());
        let without = Self::velocity(x, t, c.zeros_like(), 1.0);
        let std = (1.0 - CORRELATION * CORRELATION).sqrt();
        let with = Self::velocity(x, t, c * CORRELATION, std);
        let hidden = condition.hidden.clone().unwrap().unsqueeze_dim::<2>(1);
        (without.clone() + strength * (with - without.clone())).mask_where(hidden, without)
    }
}

impl Network for Joint {
    fn signature(&self) -> &Signature {
        &self.0
    }

    fn forward(&self, x: Tensor<2>, time: Time, condition: &Condition) -> Tensor<2> {
        let t = time.t.clone().unsqueeze_dim::<2>(1);
        let Some(s) = time.s else { return Self::guided(&x, &t, condition) };
        let steps = 400;
        let h = (s.unsqueeze_dim::<2>(1) - t.clone()) / f64::from(steps);
        let mean = (0..steps).fold(x.zeros_like(), |mean, step| {
            let at = |part: f64| t.clone() + h.clone() * (f64::from(step) + part);
            let y = x.clone() + mean.clone() * h.clone();
            let k1 = Self::guided(&y, &at(0.0), condition);
            let k2 = Self::guided(&(y.clone() + k1.clone() * h.clone() * 0.5), &at(0.5), condition);
            let k3 = Self::guided(&(y.clone() + k2.clone() * h.clone() * 0.5), &at(0.5), condition);
            let k4 = Self::guided(&(y + k3.clone() * h.clone()), &at(1.0), condition);
            mean + (k1 + (k2 + k3) * 2.0 + k4) / 6.0
        });
        mean / f64::from(steps)
    }
}

/// Rows of which the first half stays and the second jumps, in double precision; some are hidden.
fn joint_batch(noise: usize) -> Batch {
    let options = (&Device::flex(), DType::F64);
    let n = 24;
    let part = |k: usize, a: f64| (k as f64 * a).fract();
    let column = |of: &dyn Fn(usize) -> f64| -> Tensor<1> {
        let values: Vec<f64> = (0..n).map(of).collect();
        Tensor::from_data(TensorData::new(values, [n]), options)
    };
    let x = column(&|k| 3.0 * part(k, 0.618) - 1.5).unsqueeze_dim::<2>(1);
    let c = column(&|k| 3.0 * part(k, 0.732) - 1.5).unsqueeze_dim::<2>(1);
    // Jumps of shortcut models have lengths of powers of two.
    let start = |k: usize| [0.0, 0.25, 0.5, 0.125][k % 4];
    let length = |k: usize| if k < n / 2 { 0.0 } else { [0.5, 0.25, 0.5, 0.125][k % 4] };
    let (t, s) = (column(&|k| start(k)), column(&|k| start(k) + length(k)));
    let hidden: Vec<bool> = (0..n).map(|k| k % 5 == 0).collect();
    let hidden = Tensor::from_data(TensorData::new(hidden, [n]), &Device::flex());
    let condition = Condition::none().with_vector(c.clone()).with_hidden(hidden);
    let plain = condition.clone().with_number(column(&|_| 0.0));
    let z: Vec<f64> = (0..n * noise).map(|k| 3.0 * part(k, 0.414) - 1.5).collect();
    Batch {
        x0: x.clone(),
        x1: x.clone(),
        target: Joint::guided(&x, &t.clone().unsqueeze_dim(1), &plain),
        x_t: x,
        time: Time::from_to(t, s),
        jumps: n / 2,
        weight: None,
        known: None,
        condition,
        noise: Some(Tensor::from_data(TensorData::new(z, [n, noise]), options)),
    }
}

#[test]
fn the_guided_map_solves_every_loss_of_flow_maps() {
    let network = Joint::new();
    let mean_flow = MeanFlow { power: 0.0, width: 1e-4, ..MeanFlow::default() };
    let lagrangian = Lagrangian { width: 1e-4, ..Lagrangian::default() };
    // RK4 leaves 1e-11, rounding less; differences as in tests/flow_maps.rs, one-sided at the
    // start.
    let objectives: [(Arc<dyn Objective>, f64); 4] = [
        (Arc::new(Shortcut::default()), 1e-9),
        (Arc::new(Splitting::default()), 1e-9),
        (Arc::new(mean_flow), 1e-3),
        (Arc::new(lagrangian), 1e-3),
    ];
    for (objective, bound) in objectives {
        let strengths = Strengths { least: 1.5, most: 3.0 };
        let guided = BakedGuidance { objective: objective.clone(), strengths };
        let batch = || joint_batch(guided.noise(&network.0));
        let error = |objective: &dyn Objective, batch: Batch| {
            objective.loss(Networks::of(&network), batch).total.into_scalar::<f64>().sqrt()
        };
        let own = error(&guided, batch());
        assert!(own < bound, "{objective:?}: {own}");
        // The control: the same map, told a strength of 2, and not taught by the guided velocity.
        let mut untaught = batch();
        let logarithm = Tensor::full([24], 2.0_f64.ln(), (&Device::flex(), DType::F64));
        untaught.condition = untaught.condition.with_number(logarithm);
        let other = error(&*objective, untaught);
        assert!(other > 0.1, "{objective:?} takes guidance without its pull: {other}");
    }
}
