//! A latent is drawn once for each sample and held along its path, and paths may start from any
//! law.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "equal to the bit is what is tested")]

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use flow_nn::{Condition, Network, NetworkConfig, Signature, SplitMlpConfig, Time, init_seeded};
use flow_ode::{Method, Stepping};
use flow_path::stream::{Purpose, Streams};
use flow_path::{Exact, Gaussian, Linear, Mixture, Prediction, Source, Target, VarianceExploding};
use flow_sample::{
    ExactTrace, Likelihood, Ode, Predictor, Sampler, Trained, Way, latents, latents_of,
    normal_rows, prior, starts, starts_of,
};

const LINEAR: Linear = Linear { sigma_min: 0.0 };

fn host(x: Tensor<2>) -> Vec<f32> {
    x.into_data().try_into_vec().unwrap()
}

/// `v(x, t, z) = z`: paths are straight lines along their latent.
struct Along {
    signature: Signature,
}

impl Along {
    fn new(size: usize) -> Self {
        Self { signature: Signature { latent: size, ..Signature::of([size]) } }
    }
}

impl Network for Along {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn forward(&self, x: Tensor<2>, _: Time, condition: &Condition) -> Tensor<2> {
        // The divergence is asked of a function of x.
        x * 0.0 + condition.latent.clone().unwrap()
    }
}

fn trained(network: &dyn Network, z: Tensor<2>) -> Trained<'_> {
    Trained {
        network,
        condition: Condition::none().with_latent(z),
        schedule: Arc::new(LINEAR),
        prediction: Prediction::Velocity,
    }
}

fn euler(predictor: &dyn Predictor, x0: Tensor<2>, steps: usize) -> Vec<f32> {
    let euler = Ode::new(Method::Euler, Stepping::Count(steps));
    host(euler.sample(predictor, x0, &Way::steps(steps)).unwrap().x)
}

#[test]
fn a_latent_is_held_along_the_whole_path_of_its_sample() {
    let device = Device::flex();
    let z = latents(3, 0..50, 2, &device);
    let network = Along::new(2);
    let predictor = trained(&network, z.clone());
    let x0 = prior(3, 0..50, 2, &predictor, &device);
    // With another latent in each of the 64 steps the end would be the start and a mean of latents.
    let end = euler(&predictor, x0.clone(), 64);
    for ((end, x0), z) in end.iter().zip(host(x0)).zip(host(z)) {
        // 64 additions of numbers of size 3 round by 64 * 2e-7.
        assert!((end - (x0 + z)).abs() < 2e-5, "{end} is not {x0} + {z}");
    }
}

#[test]
fn latents_depend_on_seed_and_row_alone_and_not_on_the_noise() {
    let device = Device::flex();
    let rows = |seed, range| host(latents(seed, range, 3, &device));
    assert_eq!(rows(5, 4..7), rows(5, 0..10)[12..21]);
    assert_ne!(rows(5, 0..10), rows(6, 0..10));
    assert_ne!(rows(5, 0..10), normal_rows(5, Purpose::Start, 0..10, 3));
}

/// The first row of the noise that a step of training draws is that of its stream, as a sample's
/// start would be if both had one purpose.
#[test]
fn no_sample_begins_where_training_or_reflow_did() {
    let device = Device::flex();
    let field = Exact::new(Gaussian::new(vec![0.0; 4], 1.0), LINEAR);
    for seed in [0, 7] {
        let starts = host(starts(seed, 0..500, 4, &Source::Normal, &field, &device));
        for purpose in [Purpose::Noise, Purpose::Reflow] {
            let trained = normal_rows(seed, purpose, 0..500, 4);
            let met = |start: &[f32]| trained.chunks(4).any(|row| row == start);
            assert!(!starts.chunks(4).any(met), "seed {seed}, {purpose:?}");
        }
        // The control: by the purpose of training they would be the same rows.
        let of = |purpose| starts_of(purpose, seed, 0..500, 4, &Source::Normal, &field, &device);
        assert_eq!(host(of(Purpose::Noise)), normal_rows(seed, Purpose::Noise, 0..500, 4));
        assert_eq!(host(of(Purpose::Start)), starts);
        let z = host(latents_of(Purpose::ReflowLatent, seed, 0..500, 4, &device));
        assert_ne!(z, host(latents(seed, 0..500, 4, &device)));
    }
}

#[test]
fn the_streams_of_all_purposes_are_uncorrelated() {
    let purposes = [
        Purpose::Data,
        Purpose::Noise,
        Purpose::Time,
        Purpose::Coupling,
        Purpose::LabelDrop,
        Purpose::Latent,
        Purpose::Sampler,
        Purpose::Probe,
        Purpose::Dequantise,
        Purpose::Evaluation,
        Purpose::Augment,
        Purpose::Blur,
        Purpose::Start,
        Purpose::SampleLatent,
        Purpose::Reflow,
        Purpose::ReflowLatent,
        Purpose::Subset,
        Purpose::LikelihoodPoints,
        Purpose::FieldError,
        Purpose::Prior,
        Purpose::Control,
        Purpose::Ambiguity,
        Purpose::ConditionDrop,
    ];
    let n = 4000;
    let rows = purposes.map(|purpose| normal_rows(5, purpose, 0..n, 1));
    for (k, a) in rows.iter().enumerate() {
        for (b, other) in rows[..k].iter().zip(purposes) {
            let r = a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>() / n as f64;
            // Products of independent normal numbers have a standard deviation of one.
            assert!(r.abs() < 4.0 / (n as f64).sqrt(), "{:?} and {other:?}: {r}", purposes[k]);
        }
    }
}

#[test]
fn a_sample_of_a_network_with_a_latent_does_not_depend_on_its_batch_and_comes_out_again() {
    let device = Device::flex();
    let signature = Signature { latent: 3, ..Signature::of([2]) };
    let init = |device: &Device| SplitMlpConfig::default().init(&signature, device);
    let network = init_seeded(1, &device, init).unwrap();
    let sample = |range: std::ops::Range<usize>, z: Option<Tensor<2>>| {
        let z = z.unwrap_or_else(|| latents(9, range.clone(), 3, &device));
        let predictor = trained(&network, z);
        let x0 = prior(9, range, 2, &predictor, &device);
        euler(&predictor, x0, 8)
    };
    let whole = sample(0..10, None);
    let part = sample(4..7, None);
    for (a, b) in part.iter().zip(&whole[8..14]) {
        // Sums of a matrix product may be ordered by its size: roundings of numbers of size 3.
        assert!((a - b).abs() < 1e-5, "{a} and {b}");
    }
    assert_eq!(sample(0..10, None), whole, "the same latents and noise must give the same samples");
    assert_ne!(sample(0..10, Some(Tensor::zeros([10, 3], &device))), whole);
}

const STD: f64 = 0.25;

fn modes() -> [Gaussian; 2] {
    [-1.0, 1.0].map(|mean| Gaussian::new(vec![mean], STD))
}

/// For each of the two modes its own exact field; a row follows the one that its label names.
fn by_mode(x0: &Tensor<2>, labels: &[usize]) -> Vec<f64> {
    let ends = modes().map(|mode| {
        let field = Exact::new(mode, LINEAR);
        let sampler = Ode::new(Method::Rk4, Stepping::Count(32));
        host(sampler.sample(&field, x0.clone(), &Way::steps(32)).unwrap().x)
    });
    labels.iter().enumerate().map(|(row, &label)| f64::from(ends[label][row])).collect()
}

/// The Wasserstein distance of order 1, which in one dimension pairs the points in their order.
fn distance_to_the_mixture(ends: &[f64]) -> f64 {
    let mut rng = Streams::new(77).rng(0, Purpose::Evaluation);
    let data = Mixture::uniform(modes().to_vec()).sample(ends.len(), &mut rng);
    let sorted = |rows: &[f64]| {
        let mut rows = rows.to_vec();
        rows.sort_by(f64::total_cmp);
        rows
    };
    let pairs = sorted(ends).into_iter().zip(sorted(&data));
    pairs.map(|(a, b)| (a - b).abs()).sum::<f64>() / ends.len() as f64
}

/// With `z` the label of the mode, drawn apart from `x_0`, the velocity `E[x_1 - x_0 | x_t, z]` is
/// the exact field of that mode. Each field carries the noise to its mode, so the ends are the
/// mixture: a latent that is independent of `x_0` and of the law that the posterior has on the
/// whole keeps the marginals exactly.
#[test]
fn a_latent_that_names_the_mode_ends_in_the_mixture() {
    let device = Device::flex();
    let n = 4000;
    let field = Exact::new(modes()[0].clone(), LINEAR);
    let x0 = prior(2, 0..n, 1, &field, &device);
    let noise = host(x0.clone());
    let latent = |row: usize| normal_rows(2, Purpose::SampleLatent, row..row + 1, 1)[0];
    let label = |row: usize| usize::from(0.0 < latent(row));
    let labels: Vec<usize> = (0..n).map(label).collect();
    let ends = by_mode(&x0, &labels);
    for ((end, &x0), &label) in ends.iter().zip(&noise).zip(&labels) {
        let exact = modes()[label].mean()[0] + STD * f64::from(x0);
        assert!((end - exact).abs() < 1e-4, "{end} is not {exact}");
    }
    // Two samples of 4,000 of a law of size 1 are about 1 / sqrt(4000) = 0.016 apart; which mode a
    // row is in alone moves the mean by up to 2 / sqrt(4000) = 0.03 on one standard deviation.
    let found = distance_to_the_mixture(&ends);
    assert!(found < 0.08, "distance {found}");

    // The control: a label that depends on x_0 breaks the independence. Each mode then gets half of
    // the noise, its outer half: the ends are m + 0.25 |x_0| away from the middle, and too far out
    // by 0.25 * 0.8 = 0.2.
    let dependent: Vec<usize> = noise.iter().map(|&x| usize::from(0.0 < x)).collect();
    let found = distance_to_the_mixture(&by_mode(&x0, &dependent));
    assert!(found > 0.12, "distance {found} of a latent that knows x_0");
}

fn ring() -> Mixture {
    Mixture::ring(6, 1.0 / 3.0, 0.1)
}

#[test]
fn starts_follow_their_source_and_do_not_depend_on_their_batch() {
    let device = Device::flex();
    let source = Source::Known(Arc::new(ring()));
    let field = Exact::new(ring(), LINEAR);
    let rows = |range| host(starts(4, range, 2, &source, &field, &device));
    let whole = rows(0..20_000);
    assert_eq!(rows(5..9), whole[10..18]);
    // E |x|^2 = 1/9 + 2 * 0.01 = 0.1311, with a standard deviation of about 0.07.
    let second = whole.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / 20_000.0;
    assert!((second - 0.1311).abs() < 0.0025, "second moment {second}");
}

/// A flow that only shifts by `z` has the density of its source, shifted.
#[test]
fn a_density_counts_from_its_source() {
    let device = Device::flex();
    let z = Tensor::<2>::from_floats([[0.4, -0.7], [0.4, -0.7]], &device);
    let network = Along::new(2);
    let predictor = trained(&network, z);
    let x1 = [[0.75_f32, -0.72], [0.1, 0.2]];
    let likelihood = Likelihood::new(Method::Euler, Stepping::Count(4));
    let log_prob = |likelihood: Likelihood| {
        let x1 = Tensor::<2>::from_floats(x1, &device);
        likelihood.log_prob(&predictor, x1, &ExactTrace { chunk: 2 }).unwrap().nats
    };
    let found = log_prob(likelihood.clone().with_source(Source::Known(Arc::new(ring()))));
    for (found, x) in found.iter().zip(x1) {
        let x0 = [f64::from(x[0]) - 0.4, f64::from(x[1]) + 0.7];
        let exact = ring().log_density(&x0);
        // f32 states of size 1, and a log-density that changes by up to 60 per unit.
        assert!((found - exact).abs() < 1e-4, "{found} is not {exact}");
    }
    assert!((log_prob(likelihood)[0] - found[0]).abs() > 0.1, "normal noise has another density");
}

/// The path of a variance-exploding schedule starts at 50 times its source, and its density there
/// is that of the source at a fiftieth.
#[test]
fn a_source_is_scaled_as_the_prior_of_its_schedule_is() {
    let device = Device::flex();
    let schedule = VarianceExploding { sigma_max: 50.0, ..VarianceExploding::default() };
    let z = Tensor::<2>::from_floats([[20.0, -35.0]], &device);
    let network = Along::new(2);
    let predictor = Trained { schedule: Arc::new(schedule), ..trained(&network, z) };
    let source = Source::Known(Arc::new(ring()));
    let unit = Exact::new(ring(), LINEAR);
    let scaled = host(starts(4, 0..100, 2, &source, &predictor, &device));
    for (far, near) in scaled.iter().zip(host(starts(4, 0..100, 2, &source, &unit, &device))) {
        assert!((far - 50.0 * near).abs() < 1e-4, "{far} is not 50 times {near}");
    }
    let likelihood = Likelihood::new(Method::Euler, Stepping::Count(4)).with_source(source);
    let x1 = Tensor::<2>::from_floats([[37.5, -36.0]], &device);
    let found = likelihood.log_prob(&predictor, x1, &ExactTrace { chunk: 1 }).unwrap().nats[0];
    let exact = ring().log_density(&[17.5 / 50.0, -1.0 / 50.0]) - 2.0 * 50_f64.ln();
    // f32 states of size 40 round by 4e-6, which is 1e-7 of the source's unit.
    assert!((found - exact).abs() < 1e-4, "{found} is not {exact}");
}
