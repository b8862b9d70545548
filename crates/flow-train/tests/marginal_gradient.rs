//! Regression on single pairs and regression on the marginal field have one gradient: that of every
//! parameter of a network, summed over points and times.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use flow_nn::{Condition, Mlp, MlpConfig, Network, NetworkConfig, Signature, Time, init_seeded};
use flow_path::{Cosine, Exact, ExactField, FiniteData, Linear, Schedule, VariancePreserving};

/// Data on the line.
const DATA: [f64; 6] = [-1.9, -1.1, -0.2, 0.4, 1.3, 2.2];
const TIMES: usize = 32;
const POINTS: usize = 64;

/// Points of a grid over times and places, with a target and a weight each.
#[derive(Default)]
struct Grid {
    t: Vec<f32>,
    x: Vec<f32>,
    target: Vec<f32>,
    weight: Vec<f32>,
}

impl Grid {
    fn push(&mut self, t: f64, x: f64, target: f64, weight: f64) {
        self.t.push(t as f32);
        self.x.push(x as f32);
        self.target.push(target as f32);
        self.weight.push(weight as f32);
    }
}

/// Times up to 0.9, beyond which the density of a point is narrower than the grid.
fn places() -> impl Iterator<Item = (f64, f64)> {
    let grid = |i: usize, n: usize| (i as f64 + 0.5) / n as f64;
    (0..TIMES).flat_map(move |i| {
        (0..POINTS).map(move |j| (0.9 * grid(i, TIMES), -5.0 + 10.0 * grid(j, POINTS)))
    })
}

/// `p_t(x | x_1)` of a schedule.
fn density(schedule: &dyn Schedule, x: f64, x1: f64, t: f64) -> f64 {
    let c = schedule.at(t);
    let z = (x - c.alpha * x1) / c.sigma;
    (-0.5 * z * z).exp() / (c.sigma * std::f64::consts::TAU.sqrt())
}

/// The conditional objective: a row for each place and datum, weighted by `p_t(x | x_1) / n`.
fn conditional(schedule: &dyn Schedule, weight: impl Fn(f64, f64, f64) -> f64) -> Grid {
    let mut grid = Grid::default();
    for (t, x) in places() {
        for x1 in DATA {
            grid.push(t, x, schedule.at(t).conditional_velocity(x, x1), weight(x, x1, t));
        }
    }
    grid
}

/// The marginal objective: a row for each place, with the field that a sampler follows.
fn marginal(schedule: &dyn Schedule) -> Grid {
    let field = Exact::new(FiniteData::new(DATA.to_vec(), 1), schedule);
    let mut grid = Grid::default();
    for (t, x) in places() {
        grid.push(t, x, field.velocity(&[x], t)[0], field.log_density(&[x], t).exp());
    }
    grid
}

/// Every gradient, one after the other.
struct Flat<'a>(&'a Gradients, Vec<f64>);

impl ModuleVisitor for Flat<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = parameter.val().grad(self.0).expect("every parameter is used");
        self.1.extend(gradient.into_data().convert::<f64>().try_into_vec::<f64>().unwrap());
    }
}

/// The gradient of `sum_i w_i (v(x_i, t_i) - u_i)^2 / sum_i w_i`.
fn gradient(network: &Mlp, grid: &Grid, device: &Device) -> Vec<f64> {
    let n = grid.x.len();
    let column = |values: &[f32]| -> Tensor<2> {
        Tensor::from_data(TensorData::new(values.to_vec(), [n, 1]), device)
    };
    let time = Tensor::<1>::from_data(TensorData::new(grid.t.clone(), [n]), device);
    let v = network.forward(column(&grid.x), Time::at(time), &Condition::default());
    let loss = ((v - column(&grid.target)).square() * column(&grid.weight)).sum();
    let total: f32 = grid.weight.iter().sum();
    let gradients = (loss / total).backward();
    let mut flat = Flat(&gradients, Vec::new());
    network.visit(&mut flat);
    flat.1
}

fn relative(got: &[f64], want: &[f64]) -> f64 {
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut got.iter().zip(want).map(|(a, b)| a - b)) / norm(&mut want.iter().copied())
}

/// # Reference
/// Lipman et al. (2023), "Flow Matching for Generative Modeling", arXiv:2210.02747, theorem 2.
#[test]
fn every_parameter_of_a_network_has_the_gradient_of_the_marginal_objective() {
    let (host, device) = (Device::flex(), Device::flex().autodiff());
    let config = MlpConfig { hidden: 16, depth: 2, time_features: 8, ..MlpConfig::default() };
    let schedules: [&dyn Schedule; 3] =
        [&Linear { sigma_min: 0.0 }, &Cosine::default(), &VariancePreserving::default()];
    for seed in 0..3 {
        let init = |device: &Device| config.init(&Signature::of([1]), device);
        let network = init_seeded(seed, &host, init).unwrap().train();
        for schedule in schedules {
            let want = gradient(&network, &marginal(schedule), &device);
            let n = DATA.len() as f64;
            let by_pair = conditional(schedule, |x, x1, t| density(schedule, x, x1, t) / n);
            let apart = relative(&gradient(&network, &by_pair, &device), &want);
            // Sums of 12,288 rows in single precision.
            assert!(apart < 1e-5, "seed {seed}, {schedule:?}: {apart:e}");

            // The control: every datum is as likely at a place, whatever the path.
            let uniform = conditional(schedule, |x, _, t| {
                DATA.iter().map(|&x1| density(schedule, x, x1, t)).sum::<f64>() / (n * n)
            });
            let apart = relative(&gradient(&network, &uniform, &device), &want);
            assert!(1e-2 < apart, "seed {seed}, {schedule:?}: {apart:e}");
        }
    }
}
