//! Networks that lose the data or the noise at an end of the path, on every schedule.
#![allow(clippy::float_cmp, reason = "what is passed without asking is exact by construction")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
mod oracles;

use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor};
use common::{dopri5, host, rk4, rows};
use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_path::{
    Cosine, ENDPOINT_MARGIN, Exact, Gaussian, Linear, Mixture, NicholDhariwal, Polynomial,
    Prediction, Schedule, Target, VarianceExploding, VariancePreserving, VeBoundary,
};
use flow_sample::{
    Ancestral, Churn, Ddim, Diffusion, DpmSolver, Edm, ExactTrace, Final, Grid, Guided, Interval,
    LastStep, Multistep, Ode, Predictor, Reparametrised, Retimed, Rule, Sampler, Sde, Seeded,
    Space, UniPc, UniPcOrder, Way, prior,
};
use oracles::generate;

const MEAN: f64 = 1.5;
const STD: f64 = 0.5;

fn data() -> Gaussian {
    Gaussian::new(vec![MEAN], STD)
}

/// The exact field of `N(1.5, 0.5^2)`, answered through a prediction with a wiggle of 1e-3 in it,
/// as a well trained network answers.
struct Through {
    schedule: Arc<dyn Schedule>,
    prediction: Prediction,
    span: (f64, f64),
}

impl Through {
    fn new(schedule: &Arc<dyn Schedule>, prediction: Prediction) -> Self {
        let span = prediction.span(&**schedule);
        Self { schedule: Arc::clone(schedule), prediction, span }
    }

    /// The same, asked up to 1e-5 before an end at which the prediction loses the pair.
    fn to_the_brink(schedule: &Arc<dyn Schedule>, prediction: Prediction) -> Self {
        let (start, end) = schedule.span();
        let cut = prediction.span(&**schedule);
        let span = (
            if cut.0 == start { start } else { start + ENDPOINT_MARGIN },
            if cut.1 == end { end } else { end - ENDPOINT_MARGIN },
        );
        Self { span, ..Self::new(schedule, prediction) }
    }
}

impl Predictor for Through {
    fn schedule(&self) -> &dyn Schedule {
        &*self.schedule
    }

    fn span(&self) -> (f64, f64) {
        self.span
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let (start, end) = self.span;
        assert!(start <= t && t <= end, "asked at {t}, which lies outside [{start}, {end}]");
        let exact = Exact::new(data(), &*self.schedule);
        let wiggle = (x.clone() * 5.0 + 3.0 * t).sin() * 1e-3;
        let answer = Predictor::predict(&exact, self.prediction, x, t) + wiggle;
        self.prediction.convert_tensor(what, answer, x.clone(), &self.schedule.at(t))
    }
}

fn schedules() -> Vec<Arc<dyn Schedule>> {
    vec![
        Arc::new(Linear::default()),
        Arc::new(Linear { sigma_min: 0.01 }),
        Arc::new(Cosine::default()),
        Arc::new(Cosine { margin: 0.1 }),
        Arc::new(VariancePreserving::default()),
        Arc::new(VarianceExploding::default()),
        Arc::new(VarianceExploding { boundary: VeBoundary::Zero, ..Default::default() }),
        Arc::new(NicholDhariwal::default()),
        Arc::new(Polynomial::default()),
        Arc::new(Polynomial { degree: 4.0 }),
    ]
}

const PREDICTIONS: [Prediction; 7] = [
    Prediction::Velocity,
    Prediction::Data,
    Prediction::Noise,
    Prediction::Score,
    Prediction::V,
    Prediction::Displacement,
    Prediction::Edm { sigma_data: 0.5 },
];

fn adaptive() -> Stepping {
    Adaptive::new(Tolerance { atol: 1e-5, rtol: 1e-5 }).into()
}

fn fixed(method: Method) -> Box<dyn Sampler> {
    Box::new(Ode::new(method, Stepping::Count(20)))
}

/// Twenty equal steps, which is also what [`fixed`] takes.
fn way() -> Way<'static> {
    Way::steps(20).with_noise(&Seeded { seed: 3, first: 0 })
}

fn samplers() -> Vec<(&'static str, Box<dyn Sampler>)> {
    let unipc = |order| UniPc { order, last: Final::FullOrder };
    let straight = |space| Reparametrised { space, rule: Rule::Midpoint };
    let sde = Sde { diffusion: Diffusion::Sigma, scale: 1.0, last: LastStep::Denoise };
    vec![
        ("euler", fixed(Method::Euler)),
        ("midpoint", fixed(Method::Midpoint)),
        ("rk4", fixed(Method::Rk4)),
        ("rk4 on a grid", Box::new(Ode::on_grid(Method::Rk4))),
        ("dopri5", Box::new(Ode::new(Method::Dopri5, adaptive()))),
        ("ddim", Box::new(Ddim::default())),
        ("ancestral", Box::new(Ancestral {})),
        ("churn", Box::new(Churn { fraction: 0.3 })),
        ("edm", Box::new(Edm {})),
        ("sde", Box::new(sde)),
        ("dpm++(2M)", Box::new(DpmSolver { multistep: Multistep::Second, eta: 0.0 })),
        ("unipc-2", Box::new(unipc(UniPcOrder::Second))),
        ("unipc-3", Box::new(unipc(UniPcOrder::Third))),
        ("data midpoint", Box::new(straight(Space::Data))),
        ("displacement midpoint", Box::new(straight(Space::Displacement))),
    ]
}

fn moments(x: Tensor<2>) -> (f64, f64) {
    let x = host(x);
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let square = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
    (mean, square.sqrt())
}

fn starts(n: usize, field: &dyn Predictor) -> Tensor<2> {
    prior(5, 0..n, 1, field, &Device::flex())
}

/// What a sampler makes of 500 starts on the exact field.
fn exact(sampler: &dyn Sampler, schedule: &Arc<dyn Schedule>) -> (f64, f64) {
    let exact = Exact::new(data(), Arc::clone(schedule));
    moments(generate(sampler, &exact, &starts(500, &exact), &way()).x)
}

/// How far mean and standard deviation lie from those that the same sampler makes of the exact
/// field.
fn gap(sampler: &dyn Sampler, field: &Through, want: (f64, f64)) -> f64 {
    let (mean, std) = moments(generate(sampler, field, &starts(500, field), &way()).x);
    let gap = (mean - want.0).abs().max((std - want.1).abs());
    if gap.is_finite() { gap } else { f64::INFINITY }
}

/// A wiggle of 1e-3 is amplified by at most 100 and lasts for a step of 1/20, and the start is off
/// by `alpha(t_0)` times the mean, 0.015, of which the flow leaves half: together below 0.02.
#[test]
fn every_prediction_samples_what_the_exact_velocity_does() {
    for schedule in schedules() {
        for (name, sampler) in samplers() {
            let want = exact(&*sampler, &schedule);
            for prediction in PREDICTIONS {
                let field = Through::new(&schedule, prediction);
                let gap = gap(&*sampler, &field, want);
                assert!(gap < 0.02, "{name}, {prediction:?} on {schedule:?}: off by {gap}");
            }
        }
    }
}

#[test]
fn solvers_of_higher_order_find_mean_and_standard_deviation() {
    for schedule in [schedules()[0].clone(), schedules()[2].clone(), schedules()[4].clone()] {
        for prediction in PREDICTIONS {
            let field = Through::new(&schedule, prediction);
            for sampler in [fixed(Method::Midpoint), fixed(Method::Rk4)] {
                let (mean, std) =
                    moments(generate(&*sampler, &field, &starts(2000, &field), &way()).x);
                // Four standard errors of 2,000 samples are 0.045 and 0.032; the start is off by
                // 0.0075.
                assert!((mean - MEAN).abs() < 0.05, "{prediction:?} on {schedule:?}: {mean}");
                assert!((std - STD).abs() < 0.035, "{prediction:?} on {schedule:?}: {std}");
            }
        }
    }
}

/// The control: asked up to the brink, an error of 1e-3 becomes garbage.
#[test]
fn predictions_asked_where_they_lose_the_pair_make_garbage() {
    let linear = &schedules()[0];
    let brink = |prediction| Through::to_the_brink(linear, prediction);
    for sampler in [fixed(Method::Euler), Box::new(Ddim::default())] {
        let want = exact(&*sampler, linear);
        assert!(gap(&*sampler, &brink(Prediction::Noise), want) > 0.5);
        assert!(gap(&*sampler, &brink(Prediction::Score), want) > 0.5);
    }
    let rk4 = fixed(Method::Rk4);
    assert!(gap(&*rk4, &brink(Prediction::Data), exact(&*rk4, linear)) > 0.1);
}

#[test]
fn adaptive_steps_cost_about_the_same_for_every_prediction() {
    let ode = Ode::new(Method::Dopri5, adaptive());
    let nfe = |prediction| {
        let field = Through::new(&schedules()[0], prediction);
        generate(&ode, &field, &starts(2000, &field), &way()).nfe
    };
    let velocity = nfe(Prediction::Velocity);
    for prediction in [Prediction::Data, Prediction::Noise, Prediction::Score] {
        let nfe = nfe(prediction);
        // A wiggle 100 times as strong near an end takes a few steps more; without a cut eight
        // times as many.
        assert!(2 * nfe <= 5 * velocity, "{prediction:?}: {nfe}, the velocity {velocity}");
    }
}

#[test]
fn the_end_costs_one_evaluation_and_asked_states_reach_both_ends() {
    let linear = &schedules()[0];
    let field = Through::new(linear, Prediction::Score);
    let x0 = starts(2000, &field);
    let ode = Ode::new(Method::Euler, Stepping::Count(5));
    let got = generate(&ode, &field, &x0, &way().keeping(&[0.0, 0.5, 0.999, 1.0]));
    assert_eq!(got.nfe, 5 + 1);
    assert_eq!(host(got.states[0].clone()), host(x0));
    assert_eq!(host(got.states[3].clone()), host(got.x));
    let (mean, _) = moments(got.states[2].clone());
    assert!((mean - 0.999 * MEAN).abs() < 0.1, "{mean}");
}

#[test]
fn a_grid_that_is_given_may_begin_and_end_beyond_the_span() {
    let field = Through::new(&schedules()[0], Prediction::Score);
    let x0 = starts(2000, &field);
    let given = |times: &[f64]| Grid::Given(times.to_vec());
    let whole = given(&[0.0, 0.25, 0.5, 0.75, 0.995, 1.0]);
    let times = whole.times(&field).unwrap();
    assert_eq!((times.len(), times[0], times[4], times[5]), (6, field.span.0, field.span.1, 1.0));
    for sampler in
        [Box::new(Ddim::default()) as Box<dyn Sampler>, Box::new(Ode::on_grid(Method::Midpoint))]
    {
        let way = Way::along(whole.clone());
        let (mean, std) = moments(generate(&*sampler, &field, &x0, &way).x);
        // Five steps leave an error of a few hundredths.
        assert!((mean - MEAN).abs() < 0.06 && (std - STD).abs() < 0.2, "{mean} {std}");
    }
    for times in [[0.995, 1.0], [0.0, 0.005]] {
        assert!(given(&times).times(&field).is_err(), "{times:?}");
    }
}

/// The log-density is that of data with noise of 0.01 in them, which moves it by `sigma^2 / std^2`
/// = 4e-4 times `1 + z^2`, and the start is off by `alpha(t_0)` times the mean: 0.015 `x_0`. The
/// wiggle's slope of 5e-3 is amplified along the way: its integral is 5e-3 ln(100) = 0.023 at
/// either end.
#[test]
fn log_densities_are_those_of_the_data_for_every_prediction() {
    let points = [0.3, 1.0, 1.6, 2.4];
    for schedule in [0, 2, 4, 7].map(|k| schedules()[k].clone()) {
        for prediction in PREDICTIONS {
            let field = Through::new(&schedule, prediction);
            for likelihood in [dopri5(1e-6), rk4(40)] {
                let trace = ExactTrace { chunk: 1 };
                let found = likelihood.log_prob(&field, rows(&points, 1), &trace).unwrap().nats;
                for (found, x) in found.iter().zip(points) {
                    let want = data().log_density(&[x]);
                    assert!(
                        (found - want).abs() < 0.1,
                        "{prediction:?} on {schedule:?} at {x}: {found} is not {want}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_density_of_a_path_that_is_cut_counts_its_scales() {
    // Without a wiggle all that is left is the noise of 0.0101 in the data and the mean at the
    // start.
    let field = Through::new(&schedules()[0], Prediction::Score);
    let (start, end) = (field.schedule.at(field.span.0), field.schedule.at(field.span.1));
    let exact = Cut(Exact::new(data(), Linear::default()), field.span);
    let trace = ExactTrace { chunk: 1 };
    let found = dopri5(1e-9).log_prob(&exact, rows(&[1.9], 1), &trace).unwrap();
    let x0 = host(found.x0)[0];
    // Back along the flow by hand, in closed form.
    let x_end = 1.9 * end.alpha;
    let x_start = data().transport(&[x_end], &end, &start)[0];
    assert!((x0 - x_start / start.sigma).abs() < 1e-7, "{x0}");
    let total = |c: &flow_path::Coefficients| c.sigma.hypot(c.alpha * STD);
    let stretch = (total(&start) / total(&end) * end.alpha / start.sigma).ln();
    let want = common::log_normal(&[x0], 1.0) + stretch;
    assert!((found.nats[0] - want).abs() < 1e-7, "{} is not {want}", found.nats[0]);
}

/// A predictor that answers within a span only.
struct Cut<P>(P, (f64, f64));

impl<P: Predictor> Predictor for Cut<P> {
    fn schedule(&self) -> &dyn Schedule {
        self.0.schedule()
    }

    fn span(&self) -> (f64, f64) {
        self.1
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        self.0.predict(what, x, t)
    }
}

#[test]
fn spans_reach_through_other_schedules_and_guidance() {
    let linear = &schedules()[0];
    let noise = Through::new(linear, Prediction::Noise);
    let clean = Through::new(linear, Prediction::Data);
    let along = Retimed { predictor: &noise, along: Cosine::default() };
    let (start, end) = Predictor::span(&along);
    let ratio = Cosine::default().at(start).log_snr() - linear.at(noise.span.0).log_snr();
    assert!(ratio.abs() < 1e-9 && end == 1.0, "{ratio}");
    // What answers on all of its own schedule answers on all of another.
    let whole = Through::new(linear, Prediction::V);
    let whole = Retimed { predictor: &whole, along: Cosine::default() };
    assert_eq!(Predictor::span(&whole), (0.0, 1.0));
    let interval = Interval::default();
    let guided = Guided { with: &noise, without: &clean, scale: 2.0, interval };
    assert_eq!(Predictor::span(&guided), (noise.span.0, clean.span.1));
    let (mean, std) =
        moments(generate(&*fixed(Method::Rk4), &along, &starts(2000, &along), &way()).x);
    assert!((mean - MEAN).abs() < 0.05 && (std - STD).abs() < 0.035, "{mean} {std}");
}

#[test]
fn single_and_double_precision_agree() {
    let field = Through::new(&schedules()[0], Prediction::Score);
    let x0 = starts(2000, &field);
    for (name, sampler) in samplers().into_iter().filter(|(name, _)| *name != "dopri5") {
        let narrow = host(generate(&*sampler, &field, &x0, &way()).x);
        let wide = host(generate(&*sampler, &field, &x0.clone().cast(DType::F64), &way()).x);
        for (narrow, wide) in narrow.into_iter().zip(wide) {
            // A rounding of 6e-8 is amplified by 100, in 20 steps.
            assert!((narrow - wide).abs() < 1e-4, "{name}: {narrow} and {wide}");
        }
    }
}

/// One mixture on the variance-preserving path, known by one prediction alone; `sign` turns it.
struct Head {
    schedule: VariancePreserving,
    prediction: Prediction,
    sign: f64,
}

impl Predictor for Head {
    fn schedule(&self) -> &dyn Schedule {
        &self.schedule
    }

    /// The same times for all, at which every prediction tells the pair.
    fn span(&self) -> (f64, f64) {
        (0.0, 0.98)
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let exact = Exact::new(Mixture::ring(3, 2.0, 0.3), self.schedule);
        let answer = Predictor::predict(&exact, self.prediction, x, t) * self.sign;
        self.prediction.convert_tensor(what, answer, x.clone(), &self.schedule.at(t))
    }
}

/// Whole paths, not ends alone: whatever a network is trained to predict, the same ODE is solved.
#[test]
fn every_prediction_walks_the_same_path() {
    let times: Vec<f64> = (1..=24).map(|k| 0.04 * f64::from(k)).collect();
    let tight = Adaptive::new(Tolerance { atol: 1e-9, rtol: 1e-9 });
    let walk = |prediction, sign| {
        let field = Head { schedule: VariancePreserving::default(), prediction, sign };
        let x0 = prior(2, 0..64, 2, &field, &Device::flex()).cast(DType::F64);
        let ode = Ode::new(Method::Dopri5, tight.clone().into());
        let out = ode.sample(&field, x0, &Way::steps(1).keeping(&times)).unwrap();
        out.states.into_iter().flat_map(host).collect::<Vec<f64>>()
    };
    let want = walk(Prediction::Velocity, 1.0);
    let gap = |got: Vec<f64>| got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    for prediction in PREDICTIONS {
        // The tolerance of the solver, which a path near the border between two modes stretches.
        let apart = gap(walk(prediction, 1.0));
        assert!(apart < 1e-7, "{prediction:?}: {apart:e}");
    }
    let turned = gap(walk(Prediction::Score, -1.0));
    assert!(0.5 < turned, "a score of the wrong sign walks elsewhere: {turned}");
}
