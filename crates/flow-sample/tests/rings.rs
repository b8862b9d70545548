//! What rectified flow can do between two rings, without a network: the field that it learns has a
//! closed form, since both of its ends are mixtures of Gaussians.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::f64::consts::TAU;
use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor};
use common::{host, rows};
use flow_ode::{Method, Stepping};
use flow_path::{Gaussian, Linear, Mixture, Prediction, Schedule, Source, Target};
use flow_sample::{Ode, Predictor, Sampler, Way, starts};

const STD: f64 = 0.1;
const SAMPLES: usize = 4000;

/// The mean log-density of the data under themselves, and how much longer than their chords the
/// paths of the flow are: derived as [`REFERENCE`].
const LEVEL: f64 = -0.0245;
const TURNS: f64 = 1.182;

/// Euler steps; the mean log-density under the data of samples of the exact field; the same with a
/// latent that names both modes. Derived apart from this code, by quadrature over the starts in
/// double precision.
const REFERENCE: [(usize, f64, f64); 9] = [
    (1, -47.2327, 0.9755),
    (2, -2.1160, 0.7255),
    (4, -0.1525, 0.4571),
    (5, -0.2438, 0.3819),
    (8, -0.5188, 0.2516),
    (10, -0.4934, 0.2029),
    (16, -0.2218, 0.1242),
    (20, -0.1630, 0.0963),
    (100, -0.0398, 0.0009),
];

/// Centres at equal angles on a circle.
fn ring(radius: f64) -> Vec<[f64; 2]> {
    let angles = (0..6).map(|k| TAU * f64::from(k) / 6.0);
    angles.map(|angle| [radius * angle.cos(), radius * angle.sin()]).collect()
}

fn mixture(radius: f64) -> Mixture {
    Mixture::uniform(ring(radius).iter().map(|mean| Gaussian::new(mean.to_vec(), STD)).collect())
}

/// A mode of the inner ring, and the one of the outer ring on the other side.
const ACROSS: ([f64; 2], [f64; 2]) = ([1.0 / 3.0, 0.0], [-1.0, 0.0]);

fn mode(mean: [f64; 2]) -> Mixture {
    Mixture::uniform(vec![Gaussian::new(mean.to_vec(), STD)])
}

/// The field of straight lines between modes of one deviation `s`, each pair of them `(a, b)` as
/// often as any other.
///
/// `u = sum_ab r_ab (b - a + (2 t - 1) / v (x - m_ab))` with `m_ab = (1 - t) a + t b`,
/// `v = (1 - t)^2 + t^2` and `r_ab` in proportion to `N(x; m_ab, s^2 v)`.
struct Between(Vec<([f64; 2], [f64; 2])>);

impl Between {
    fn rings() -> Self {
        let (inner, outer) = (ring(1.0 / 3.0), ring(1.0));
        Self(inner.iter().flat_map(|a| outer.iter().map(|b| (*a, *b))).collect())
    }

    fn velocity(&self, x: [f64; 2], t: f64) -> [f64; 2] {
        let spread = (1.0 - t).powi(2) + t * t;
        let parts: Vec<(f64, [f64; 2])> = self
            .0
            .iter()
            .map(|(a, b)| {
                let off = [0, 1].map(|i| x[i] - (1.0 - t) * a[i] - t * b[i]);
                let log = -(off[0] * off[0] + off[1] * off[1]) / (2.0 * STD * STD * spread);
                (log, [0, 1].map(|i| b[i] - a[i] + (2.0 * t - 1.0) / spread * off[i]))
            })
            .collect();
        let most = parts.iter().fold(f64::NEG_INFINITY, |most, (log, _)| most.max(*log));
        let total: f64 = parts.iter().map(|(log, _)| (log - most).exp()).sum();
        [0, 1].map(|i| parts.iter().map(|(log, u)| (log - most).exp() / total * u[i]).sum())
    }
}

impl Predictor for Between {
    fn schedule(&self) -> &dyn Schedule {
        &Linear { sigma_min: 0.0 }
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        assert_eq!(what, Prediction::Velocity);
        let points = host(x.clone());
        let velocities: Vec<f64> =
            points.chunks(2).flat_map(|p| self.velocity([p[0], p[1]], t)).collect();
        rows(&velocities, 2)
    }
}

/// States at `times`, from starts of a law.
fn flowed(
    field: &Between,
    source: Mixture,
    (method, steps): (Method, usize),
    times: &[f64],
) -> Vec<Vec<f64>> {
    let source = Source::Known(Arc::new(source));
    let x0 = starts(1, 0..SAMPLES, 2, &source, field, &Device::flex()).cast(DType::F64);
    let ode = Ode::new(method, Stepping::Count(steps));
    let found = ode.sample(field, x0, &Way::steps(steps).keeping(times)).unwrap();
    found.states.into_iter().map(host).collect()
}

/// Samples of so many Euler steps.
fn ends(field: &Between, source: Mixture, steps: usize) -> Vec<f64> {
    flowed(field, source, (Method::Euler, steps), &[1.0]).remove(0)
}

/// Mean log-density under the outer ring, and its standard error.
fn score(samples: &[f64]) -> (f64, f64) {
    let data = mixture(1.0);
    let logs: Vec<f64> = samples.chunks(2).map(|x| data.log_density(x)).collect();
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let variance = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// How much longer paths are than their chords, means over all of them.
fn turns(states: &[Vec<f64>]) -> f64 {
    let distance = |a: &[f64], b: &[f64]| -> f64 {
        a.chunks(2).zip(b.chunks(2)).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).sum()
    };
    let length: f64 = states.windows(2).map(|pair| distance(&pair[0], &pair[1])).sum();
    length / distance(&states[0], &states[states.len() - 1])
}

/// The flow itself ends in the outer ring: at the level of its data, in each mode as often. Paths
/// that cannot cross turn back; those of a latent that names their ends are nearly straight.
#[test]
fn the_exact_field_carries_one_ring_to_the_other_by_paths_that_turn_back() {
    let times: Vec<f64> = (0..=20).map(|i| f64::from(i) / 20.0).collect();
    let solver = (Method::Rk4, 100);
    let states = flowed(&Between::rings(), mixture(1.0 / 3.0), solver, &times);
    let (mean, error) = score(&states[20]);
    assert!((mean - LEVEL).abs() < 4.0 * error, "{mean}, not {LEVEL}");
    let mut counts = [0.0_f64; 6];
    for x in states[20].chunks(2) {
        let angle = x[1].atan2(x[0]).rem_euclid(TAU);
        counts[(angle / TAU * 6.0).round() as usize % 6] += 1.0;
    }
    // Binomial with a sixth: a deviation of 23.6.
    let even = SAMPLES as f64 / 6.0;
    assert!(counts.iter().all(|count| (count - even).abs() < 100.0), "{counts:?}");
    assert!((turns(&states) - TURNS).abs() < 0.02, "{}", turns(&states));

    let states = flowed(&Between(vec![ACROSS]), mode(ACROSS.0), solver, &times);
    assert!((turns(&states) - 1.001).abs() < 0.001, "{}", turns(&states));
}

/// # Reference
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, section 4.2, with
/// modes of standard deviation 0.1. A score above that of the data is of samples that are too
/// narrow, and no better.
#[test]
fn the_exact_field_has_its_log_density_at_every_number_of_steps() {
    for (steps, want, _) in REFERENCE {
        let (mean, error) = score(&ends(&Between::rings(), mixture(1.0 / 3.0), steps));
        assert!((mean - want).abs() < 4.0 * error + 1e-3, "{steps} steps: {mean}, not {want}");
    }
}

/// With a latent that names both ends of a path every step is of the field between two modes.
#[test]
fn a_latent_that_names_both_modes_needs_one_step() {
    for (steps, without, want) in REFERENCE {
        let (mean, error) = score(&ends(&Between(vec![ACROSS]), mode(ACROSS.0), steps));
        assert!((mean - want).abs() < 4.0 * error + 1e-3, "{steps} steps: {mean}, not {want}");
        // The control: without the latent few steps are far off.
        assert!(steps > 4 || without + 0.5 < mean, "{steps} steps: {mean} and {without}");
    }
}
