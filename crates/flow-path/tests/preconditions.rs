//! What the public functions do with awkward numbers: a finite answer, a documented special value,
//! an error, or a documented panic that names the number.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use burn::prelude::*;
use burn::tensor::TensorData;
use common::{all_schedules, rng};
use flow_path::{
    Beta, Checkerboard, ClassAware, Coefficients, ConditionalOt, CosMap, Cosine, Coupling, Dual,
    EdmLogNormal, Entropic, Epsilon, Exact, ExactField, ExactOt, FiniteData, FromFunctions,
    Gaussian, Given, Independent, Linear, LogitNormal, LossWeight, Mixture, Mode, NicholDhariwal,
    Paired, Pairing, PartialOt, Polynomial, PowerLaw, Prediction, Rescheduled, Schedule,
    SchrodingerBridge, Shifted, Sinkhorn, Source, Stratified, Target, TimeSampler, TimeShift,
    Times, UShaped, Uniform, VarianceExploding, VariancePreserving, VeBoundary, Weighting, config,
    from_diffusion_time, from_diffusion_velocity, from_discrete_step, to_diffusion_time,
    to_discrete_step,
};
use flow_testing::awkward::{SCALARS, rows};
use flow_testing::public;

#[test]
fn every_public_function_with_numbers_has_a_row() {
    let rows = [
        "Beta::new",
        "Checkerboard::contains",
        "Checkerboard::new",
        "Coefficients::conditional_velocity",
        "Coefficients::velocity",
        "Cosine::with_log_snr_bound",
        "Dual::chain",
        "Dual::constant",
        "Dual::powf",
        "Dual::variable",
        "Exact::predict",
        "FiniteData::new",
        "FromFunctions::with_derivatives",
        "FromFunctions::with_prior_std",
        "FromFunctions::with_span",
        "Gaussian::new",
        "Gaussian::transport",
        "LossWeight::at",
        "LossWeight::implied_weighting",
        "Mixture::ring",
        "Mixture::weighted",
        "Pairing::gather",
        "Pairing::new",
        "Pairing::weighted",
        "PartialOt::new",
        "Prediction::convert_batch",
        "Prediction::convert_tensor",
        "Prediction::input",
        "Prediction::input_scale",
        "Prediction::target",
        "Rescheduled::input",
        "Rescheduled::output",
        "Rescheduled::reading",
        "Rescheduled::reading_within",
        "SchrodingerBridge::score_factor",
        "SchrodingerBridge::std",
        "Sinkhorn::schrodinger",
        "Source::sample",
        "TimeShift::apply",
        "TimeShift::for_dimensions",
        "TimeShift::new",
        "TimeShift::slope",
        "Times::column",
        "Times::constant",
        "Times::map",
        "Times::new",
        "Times::scaled_to",
        "VariancePreserving::beta",
        "VariancePreserving::integrated_beta",
        "Weighting::at",
        "finite",
        "from_diffusion_time",
        "from_diffusion_velocity",
        "from_discrete_step",
        "positive",
        "to_diffusion_time",
        "to_discrete_step",
        "within",
    ];
    let exempt = [("BetweenConfig::build", "its one number is the rank, known to the compiler")];
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &rows, &exempt);
}

/// The result, or the message of the panic, which must say what was expected.
fn quietly<T>(what: &str, run: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => Some(result),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default();
            let says = ["must lie in", "expected", "needs at least"];
            assert!(says.iter().any(|words| text.contains(words)), "{what}: {text}");
            None
        }
    }
}

fn finite(c: &Coefficients) -> bool {
    [c.alpha, c.sigma, c.d_alpha, c.d_sigma].iter().all(|x| x.is_finite())
}

fn tensor(values: &[f32], dim: usize) -> Tensor<2> {
    let shape = [values.len() / dim, dim];
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

fn values(x: Tensor<2>) -> Vec<f32> {
    x.into_data().convert::<f32>().try_into_vec().expect("converted to f32")
}

#[test]
fn schedules_are_finite_in_their_span_and_say_when_they_cannot_be() {
    for schedule in all_schedules() {
        let (start, end) = schedule.span();
        // Functions are taken as they are, and their span as it is told.
        let told = !format!("{schedule:?}").starts_with("FromFunctions");
        for (name, t) in SCALARS {
            let c = schedule.at(t);
            let inside = told && (start..=end).contains(&t);
            assert!(!inside || finite(&c), "{schedule:?} at {name}: {c:?}");
            assert!(!t.is_nan() || c.sigma.is_nan(), "{schedule:?} at {name}: {c:?}");
            let time = schedule.time_at_log_snr(t);
            assert!(time.is_nan() == t.is_nan(), "{schedule:?}: {time} for {name}");
            assert!(t.is_nan() || (start..=end).contains(&time), "{schedule:?}: {time} for {name}");
        }
    }
    for (name, x) in SCALARS {
        let schedules: [Box<dyn Schedule>; 9] = [
            Box::new(Linear { sigma_min: x }),
            Box::new(Cosine { margin: x }),
            Box::new(NicholDhariwal { offset: x }),
            Box::new(Polynomial { degree: x }),
            Box::new(VariancePreserving { beta_min: x, beta_max: 20.0 }),
            Box::new(VariancePreserving { beta_min: 0.1, beta_max: x }),
            Box::new(VarianceExploding { sigma_min: x, ..VarianceExploding::default() }),
            Box::new(VarianceExploding { sigma_max: x, ..VarianceExploding::default() }),
            Box::new(VarianceExploding {
                sigma_min: x,
                sigma_max: 2.0,
                boundary: VeBoundary::Zero,
            }),
        ];
        for schedule in schedules {
            let what = format!("{schedule:?}, {name}");
            if let Some(c) = quietly(&what, || schedule.at(0.3)) {
                assert!(finite(&c), "{what}: {c:?}");
            }
        }
        let curve = |t: f64| (t, 1.0);
        let made = || FromFunctions::with_derivatives(curve, |t| (1.0 - t, -1.0));
        if let Some(schedule) = quietly(name, || made().with_prior_std(x)) {
            assert!(schedule.prior_std().is_finite() && 0.0 < schedule.prior_std(), "{name}");
        }
        if let Some(schedule) = quietly(name, || made().with_span((x, 1.0))) {
            assert!(finite(&schedule.at(schedule.span().0)), "{name}");
        }
        if let Some(schedule) = quietly(name, || Cosine::with_log_snr_bound(x)) {
            quietly(name, || assert!(finite(&schedule.at(0.3)), "{name}: {schedule:?}"));
        }
        let vp = VariancePreserving::default();
        assert_eq!(vp.beta(x).is_nan(), x.is_nan(), "{name}");
        assert!(vp.integrated_beta(x).is_finite() || !x.is_finite(), "{name}");
    }
}

#[test]
fn a_check_takes_what_lies_in_the_domain_and_nothing_else() {
    for (name, x) in SCALARS {
        assert_eq!(config::finite("x", x).is_ok(), x.is_finite(), "{name}");
        assert_eq!(config::positive("x", x).is_ok(), x.is_finite() && 0.0 < x, "{name}");
        assert_eq!(config::within("x", x, x < 1.0, "(-inf, 1)").is_ok(), x < 1.0, "{name}");
    }
}

#[test]
fn laws_of_time_draw_within_the_interval_or_refuse_their_parameters() {
    for (name, x) in SCALARS.into_iter().chain([("800", 800.0), ("30", 30.0), ("0.01", 0.01)]) {
        let beta = |data, noise| {
            Beta::new(data, noise).ok().map(|law| Box::new(law) as Box<dyn TimeSampler>)
        };
        let shift = TimeShift::new(x).ok();
        let mut laws: Vec<Box<dyn TimeSampler>> = vec![
            Box::new(Uniform),
            Box::new(Stratified),
            Box::new(CosMap),
            Box::new(LogitNormal { mean: x, std: 1.0 }),
            Box::new(LogitNormal { mean: 0.0, std: x }),
            Box::new(UShaped { sharpness: x }),
            Box::new(PowerLaw { exponent: x }),
            Box::new(Mode { scale: x }),
            Box::new(EdmLogNormal { mean: x, std: 1.0, schedule: Linear::default() }),
            Box::new(EdmLogNormal { mean: 0.0, std: x, schedule: Cosine::default() }),
        ];
        laws.extend(beta(x, 1.0).into_iter().chain(beta(1.0, x)).chain(beta(x, x)));
        if let Some(shift) = shift {
            laws.push(Box::new(Shifted { law: Uniform, shift }));
            for (_, t) in SCALARS {
                let inside = (0.0..=1.0).contains(&t);
                assert!(!inside || (0.0..=1.0).contains(&shift.apply(t)), "{name}: {t}");
                assert!(!inside || shift.slope(t).is_finite(), "{name}: {t}");
            }
        }
        for law in laws {
            let what = format!("{law:?}, {name}");
            let Some(times) = quietly(&what, || law.sample(2000, &mut rng(1))) else { continue };
            let edm = what.contains("Edm");
            for t in times.iter() {
                assert!((0.0..=1.0).contains(&t) && (edm || (0.0 < t && t < 1.0)), "{what}: {t}");
            }
            for (t, inside) in [(0.0, false), (1e-38, false), (0.3, true), (1.0, false)] {
                let density = law.density(t);
                assert!(0.0 <= density, "{what}: density {density} at {t}");
                assert!(!inside || density.is_finite(), "{what}: density {density} at {t}");
            }
            assert!(law.sample(0, &mut rng(1)).is_empty(), "{what}");
        }
    }
    assert!(TimeShift::for_dimensions(1 << 40, 1).factor().is_finite());
    assert!(quietly("no dimensions", || TimeShift::for_dimensions(0, 1)).is_none());
}

#[test]
fn batches_are_paired_or_refused_by_row() {
    let soft = Entropic { relaxation: Some(1.0), ..Entropic::default() };
    let couplings: [Box<dyn Coupling>; 10] = [
        Box::new(Independent),
        Box::new(Paired),
        Box::new(ExactOt),
        Box::new(Sinkhorn::default()),
        Box::new(Sinkhorn::new(soft)),
        Box::new(Sinkhorn::schrodinger(0.1)),
        Box::new(PartialOt::new(0.5).expect("a fraction")),
        Box::new(ClassAware { within: ExactOt }),
        Box::new(ClassAware { within: Sinkhorn::default() }),
        Box::new(ConditionalOt::default()),
    ];
    for dim in [1, 2, 8] {
        for x0 in rows(6, dim) {
            for x1 in rows(6, dim) {
                let n = x1.rows.len() / dim;
                let labels: Vec<usize> = (0..n).map(|i| i % 2).collect();
                for coupling in &couplings {
                    let what = format!("{coupling:?}: {} and {}, dim {dim}", x0.name, x1.name);
                    let start = Instant::now();
                    // The noise as a condition, which is as awkward as it.
                    let given = Given { labels: Some(&labels), vectors: Some(&x0.rows) };
                    let pair = coupling.pair(&x0.rows, &x1.rows, given, dim, &mut rng(0));
                    assert!(start.elapsed() < Duration::from_secs(1), "{what}");
                    let Ok(pairing) = pair else { continue };
                    assert!(pairing.len() == n && x0.rows.len() == x1.rows.len(), "{what}");
                    assert!(pairing.noise_rows().iter().all(|&j| j < n), "{what}");
                    let weights = pairing.weights().unwrap_or_default();
                    assert!(weights.iter().all(|w| w.is_finite() && 0.0 <= *w), "{what}");
                    assert!(pairing.marginal_error() <= 0.1, "{what}");
                    assert_eq!(pairing.gather(&x0.rows, dim).len(), x0.rows.len(), "{what}");
                }
            }
        }
    }
    let x = [0.0f32, 1.0, 2.0];
    for (name, value) in SCALARS {
        assert_eq!(PartialOt::new(value).is_ok(), 0.0 < value && value <= 1.0, "{name}");
        if let Ok(pairing) =
            Sinkhorn::schrodinger(value).pair(&x, &x, Given::default(), 1, &mut rng(0))
        {
            assert!(pairing.marginal_error() <= 0.1, "{name}");
        }
        let problem = Entropic { epsilon: Epsilon::OfMeanCost(value), ..Entropic::default() };
        if let Ok(pairing) = Sinkhorn::new(problem).pair(&x, &x, Given::default(), 1, &mut rng(0)) {
            assert_eq!(pairing.len(), 3, "{name}");
        }
        let weighted = quietly(name, || Pairing::weighted(vec![0, 1], vec![1.0, value]));
        assert_eq!(weighted.is_some(), value.is_finite() && 0.0 <= value, "{name}");
    }
    assert!(Pairing::new(vec![]).is_empty());
}

/// Exact fields of every kind of data.
fn targets() -> Vec<Box<dyn Target>> {
    vec![
        Box::new(Gaussian::new(vec![1.5, -0.5], 0.5)),
        Box::new(Mixture::ring(8, 4.0, 0.2)),
        Box::new(FiniteData::new(vec![0.0, 1.0, 2.0, -1.0, 0.5, 0.5], 2)),
        Box::new(Checkerboard::default()),
    ]
}

fn marginal(target: &dyn Target, x: &[f64], t: f64) -> (bool, String) {
    let m = target.marginal(x, &Linear::default().at(t));
    let scalars = [m.log_density, m.divergence, m.velocity_variance];
    let vectors = [&m.data, &m.noise, &m.score, &m.velocity];
    let all = scalars.iter().chain(vectors.into_iter().flatten()).all(|x| x.is_finite());
    (all, format!("{target:?} at {x:?}, t = {t}: {m:?}"))
}

#[test]
fn exact_fields_are_finite_at_finite_points() {
    for target in targets() {
        for set in rows(6, 2) {
            for x in set.rows.chunks(2).map(|x| [f64::from(x[0]), f64::from(x[1])]) {
                for t in [0.0, 1e-9, 0.3, 0.999] {
                    let (all, what) = marginal(&*target, &x, t);
                    assert!(all || !x.iter().all(|x| x.is_finite()), "{what}");
                }
                assert!(!target.log_density(&x).is_nan() || !x.iter().all(|x| x.is_finite()));
            }
        }
        assert!(target.sample(0, &mut rng(0)).is_empty());
    }
}

#[test]
fn exact_predictions_keep_the_shape_of_every_batch() {
    fn check(target: impl Target + Clone) {
        let field = Exact::new(target, Linear::default());
        for set in rows(6, 2) {
            let n = set.rows.len() / 2;
            for t in [0.0, 0.3] {
                let at = Times::constant(t, n);
                let x = tensor(&set.rows, 2);
                let predicted = values(field.predict(Prediction::Velocity, x, &at));
                assert_eq!(predicted.len(), set.rows.len(), "{}", set.name);
                let ordinary = set.rows.iter().all(|x| x.abs() < 1e18);
                let all = predicted.iter().all(|v| v.is_finite());
                assert!(all || !ordinary, "{field:?}: {} at {t}: {predicted:?}", set.name);
            }
        }
        assert!(
            field.dim() == 2
                && quietly("a point of 3", || field.marginal(&[0.0; 3], 0.3)).is_none()
        );
    }
    check(Gaussian::new(vec![1.5, -0.5], 0.5));
    check(Mixture::ring(8, 4.0, 0.2));
    check(FiniteData::new(vec![0.0, 1.0, 2.0, -1.0, 0.5, 0.5], 2));
    check(Checkerboard::default());
}

#[test]
fn laws_of_data_refuse_numbers_that_are_none() {
    let from = Linear::default().at(0.2);
    for (name, x) in SCALARS {
        if let Some(gaussian) = quietly(name, || Gaussian::new(vec![x, 0.0], 1.0)) {
            assert!(gaussian.transport(&[x, 0.0], &from, &from).iter().all(|y| y.is_finite()));
        }
        if let Some(gaussian) = quietly(name, || Gaussian::new(vec![0.0, 0.0], x)) {
            assert!(!gaussian.log_density(&[0.0, 0.0]).is_nan(), "{name}");
            assert!(!gaussian.log_density(&[1.0, 0.0]).is_nan(), "{name}");
        }
        let pair = || vec![Gaussian::new(vec![0.0], 1.0), Gaussian::new(vec![1.0], 1.0)];
        if let Some(mixture) = quietly(name, || Mixture::weighted(pair(), &[1.0, x])) {
            assert!(mixture.log_density(&[0.5]).is_finite(), "{name}");
        }
        quietly(name, || assert!(Mixture::ring(3, x, 0.5).log_density(&[0.0, 0.0]) <= 0.0));
        quietly(name, || assert_eq!(FiniteData::new(vec![x], 1).len(), 1));
        if let Some(board) = quietly(name, || Checkerboard::new(2, x)) {
            assert!(
                !board.log_density(&[0.0, 0.0]).is_nan() && !board.contains(&[x.abs() * 2.0, 0.0])
            );
        }
    }
    assert!(quietly("no points", || FiniteData::new(vec![], 1)).is_none());
}

#[test]
fn predictions_convert_every_batch_and_weights_are_finite_within_the_span() {
    let schedule = Cosine::default();
    for set in rows(6, 2) {
        let n = set.rows.len() / 2;
        let (x, t) = (|| tensor(&set.rows, 2), Times::constant(0.4, n));
        let edm = Prediction::Edm { sigma_data: 0.5 };
        for from in [Prediction::Velocity, Prediction::Data, Prediction::Noise, Prediction::V, edm]
        {
            let batches = [
                from.input(x(), &schedule, &t),
                from.target(x(), x(), &schedule, &t),
                from.convert_tensor(Prediction::Score, x(), x(), &schedule.at(0.4)),
                from.convert_batch(Prediction::Velocity, x(), x(), &schedule, &t),
            ];
            for batch in batches {
                let got = values(batch);
                let all = got.iter().all(|x| x.is_finite());
                assert_eq!(got.len(), set.rows.len(), "{}", set.name);
                let ordinary = set.rows.iter().all(|x| x.abs() < 1e36);
                assert!(all || !ordinary, "{}: {got:?}", set.name);
            }
        }
        let other = Rescheduled { trained: Linear::default(), along: schedule };
        let (inner, times) = other.input(x(), &t);
        assert_eq!((values(inner).len(), times.len()), (set.rows.len(), n));
        let back = other.output(Prediction::Velocity, Prediction::Data, x(), x(), &t);
        assert_eq!(values(back).len(), set.rows.len());
        assert_eq!(t.column(&x(), |t| t).dims(), [n, 1]);
    }
    let lambda = Weighting::LogitNormal { mean: 0.0, std: 1.0 };
    for (name, t) in SCALARS {
        let reading = Rescheduled { trained: Linear::default(), along: schedule }.reading(t);
        assert!(reading.t.is_finite() || !(0.0..=1.0).contains(&t), "{name}: {reading:?}");
        let shown = Prediction::Noise.input_scale(&VarianceExploding::default(), t);
        assert!((0.0..=1.0).contains(&shown) || !(0.0..=1.0).contains(&t), "{name}: {shown}");
        let within = Rescheduled { trained: Linear::default(), along: schedule };
        let t_within = within.reading_within(t, (0.1, 0.9)).t;
        assert!(t_within.is_nan() == reading.t.is_nan(), "{name}: {t_within}");
        for weighting in [Weighting::FlowMatching, Weighting::Sigmoid { bias: 0.0 }, lambda] {
            assert!(weighting.at(t).is_nan() || 0.0 <= weighting.at(t), "{name}");
            let c = schedule.at(0.4);
            let weight = LossWeight::LogSnr(weighting);
            let factor = weight.at(Prediction::Velocity, &c, t);
            assert!(factor.is_finite() || !(1e-30..1e30).contains(&t), "{name}: {factor}");
            let implied = weight.implied_weighting(Prediction::Velocity, &c, t);
            assert!(implied.is_finite() || !(1e-30..1e30).contains(&t), "{name}: {implied}");
        }
    }
}

#[test]
fn scalar_formulas_pass_on_what_is_no_number() {
    let c = Linear::default().at(0.3);
    for (name, x) in SCALARS {
        let answers = [
            to_diffusion_time(x),
            from_diffusion_time(x),
            from_diffusion_velocity(x),
            c.velocity(x, 1.0),
            c.conditional_velocity(x, 1.0),
            Dual::constant(x).value,
            Dual::variable(x).value,
            Dual::variable(2.0).chain(x, 1.0).value,
            Dual::variable(2.0).powf(1.0).chain(1.0, x).derivative,
            Times::new(vec![x]).map(|t| 0.5 * t).as_slice()[0],
            Times::constant(x, 1).scaled_to((0.0, 0.5)).as_slice()[0],
        ];
        for answer in answers {
            assert_eq!(answer.is_finite(), x.is_finite(), "{name}: {answer}");
        }
        assert!(to_discrete_step(x, 10) < 10, "{name}");
        let bridge = SchrodingerBridge { sigma: 1.0 };
        assert!(bridge.std(x).is_finite() || !(0.0..=1.0).contains(&x), "{name}");
        assert!(bridge.score_factor(x).is_finite() || !(0.0..=1.0).contains(&x), "{name}");
    }
    assert!(quietly("no such step", || from_discrete_step(3, 3)).is_none());
    assert!(Source::Normal.sample(0, 2, &mut rng(0)).is_empty());
    assert_eq!(Source::Normal.sample(3, 2, &mut rng(0)).len(), 6);
}
