//! Numbers that are not finite, grids at their defaults and rows that are none.
#![allow(clippy::float_cmp, reason = "infinities and counts are exact")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
mod oracles;

use std::sync::Arc;

use burn::tensor::Tensor;
use common::{host, rk4, rows};
use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_path::{
    Checkerboard, Cosine, Exact, Gaussian, Linear, NicholDhariwal, Polynomial, Prediction,
    Schedule, Source, VarianceExploding, VariancePreserving, VeBoundary,
};
use flow_sample::{
    Ddim, Diffusion, DpmSolver, Edm, ExactTrace, Final, Grid, LastStep, Multistep, Ode, Predictor,
    SampleError, Sampler, Sde, Seeded, UniPc, UniPcOrder, Way, prior,
};
use oracles::{Arbitrary, generate};

const PLANE: ExactTrace = ExactTrace { chunk: 2 };

fn solvers() -> Vec<Box<dyn Sampler>> {
    let counted = |method| Box::new(Ode::new(method, Stepping::Count(4))) as Box<dyn Sampler>;
    let tolerance = Tolerance { atol: 1e-5, rtol: 1e-5 };
    vec![
        counted(Method::Euler),
        counted(Method::Rk4),
        counted(Method::Ab2),
        counted(Method::Dopri5),
        Box::new(Ode::on_grid(Method::Rk4)),
        Box::new(Ode::new(Method::Dopri5, Adaptive::new(tolerance).into())),
        Box::new(Ddim::default()),
    ]
}

/// A field that is finite at both ends.
fn plane() -> Exact<Gaussian, Linear> {
    Exact::new(Gaussian::new(vec![1.5, 0.2], 0.5), Linear::default())
}

#[test]
fn a_start_that_is_not_a_number_is_named_by_its_row() {
    let field = plane();
    for bad in [f64::NAN, f64::INFINITY] {
        let x0 = rows(&[0.3, -0.7, 0.1, bad, 0.2, 0.4], 2);
        for sampler in solvers() {
            let error = sampler.sample(&field, x0.clone(), &Way::steps(4)).unwrap_err();
            assert!(matches!(error, SampleError::NotFinite { row: 1, .. }), "{bad}: {error}");
        }
    }
}

/// A network that fails for one row from the middle on.
struct Failing;

impl Predictor for Failing {
    fn schedule(&self) -> &dyn Schedule {
        &Linear { sigma_min: 0.0 }
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let value = Predictor::predict(&plane(), what, x, t);
        let bad = if 0.4 < t { f64::NAN } else { 0.0 };
        value + rows(&[0.0, 0.0, 0.0, 0.0, bad, 0.0], 2)
    }
}

#[test]
fn a_network_that_answers_nan_is_an_error_on_fixed_steps_too() {
    let x0 = rows(&[0.3, -0.7, 0.1, 0.2, 0.2, 0.4], 2);
    for sampler in solvers() {
        match sampler.sample(&Failing, x0.clone(), &Way::steps(4)).unwrap_err() {
            SampleError::NotFinite { row, .. } => assert_eq!(row, 2),
            // Adaptive steps stop where the field fails.
            SampleError::Solver { reason } => assert!(reason.contains("not finite"), "{reason}"),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn minus_infinity_is_the_density_where_the_source_has_no_mass() {
    let field = Exact::new(Gaussian::new(vec![0.0, 0.0], 1.0), Linear::default());
    let likelihood = rk4(40).with_source(Source::Known(Arc::new(Checkerboard::default())));
    let one = |x: [f64; 2]| likelihood.log_prob(&field, rows(&x, 2), &PLANE).unwrap().nats[0];
    let both = likelihood.log_prob(&field, rows(&[0.5, 0.5, 0.5, -0.5], 2), &PLANE).unwrap().nats;
    // The flow of a normal law to itself ends where it begins.
    assert_eq!(both, [one([0.5, 0.5]), one([0.5, -0.5])]);
    assert!(both.iter().any(|nats| nats.is_finite()), "{both:?}");
    assert!(both.contains(&f64::NEG_INFINITY), "{both:?}");
}

fn schedules() -> Vec<Box<dyn Schedule>> {
    vec![
        Box::new(Linear::default()),
        Box::new(Linear { sigma_min: 0.01 }),
        Box::new(Cosine::default()),
        Box::new(Cosine { margin: 0.1 }),
        Box::new(VariancePreserving::default()),
        Box::new(VarianceExploding::default()),
        Box::new(VarianceExploding { boundary: VeBoundary::Zero, ..Default::default() }),
        Box::new(NicholDhariwal::default()),
        Box::new(Polynomial::default()),
    ]
}

#[test]
fn grids_at_their_defaults_fit_every_schedule() {
    let steps = 20;
    let karras = Grid::Karras { steps, rho: 7.0, min: 0.002, max: 80.0 };
    let even = Grid::LogSnr { steps, min: -10.0, max: 10.0 };
    for schedule in schedules() {
        let field = Arbitrary(schedule);
        for grid in [&karras, &even] {
            let times = grid.times(&field).unwrap();
            assert_eq!(times.len(), 21, "{grid:?} on {:?}", field.0);
            let least = times.windows(2).map(|t| t[1] - t[0]).fold(1.0, f64::min);
            assert!(1e-6 < least, "{grid:?} on {:?}: a step of {least}", field.0);
            let way = Way::along(grid.clone());
            let nfe = generate(&Edm {}, &field, &rows(&[0.1], 1), &way).nfe;
            // The last step has no correction, nor has one from pure noise.
            let pure = field.0.at(0.0).alpha == 0.0;
            assert_eq!(nfe, 39 - usize::from(pure), "{grid:?} on {:?}", field.0);
        }
    }
    // A level that is not a number is an error, not the schedule's own.
    let field = Arbitrary(VarianceExploding::default());
    assert!(Grid::Karras { steps, rho: 7.0, min: f64::NAN, max: 80.0 }.times(&field).is_err());
    assert!(Grid::LogSnr { steps, min: f64::NAN, max: 10.0 }.times(&field).is_err());
}

/// A path that stands still at its start gives no velocity there, but data.
#[test]
fn the_sde_starts_where_the_path_stands_still() {
    let field = Exact::new(Gaussian::new(vec![1.5], 0.5), Polynomial::default());
    let way = Way::steps(100).with_noise(&Seeded { seed: 1, first: 0 });
    let sde = |diffusion| Sde { diffusion, scale: 1.0, last: LastStep::Denoise };
    let x0 = prior(2, 0..4000, 1, &field, &burn::tensor::Device::flex());
    let x = host(generate(&sde(Diffusion::Sigma), &field, &x0, &way).x);
    let mean = x.iter().sum::<f64>() / 4000.0;
    let std = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 4000.0).sqrt();
    // Four standard errors are 0.032 and 0.022, and 100 steps err by about 0.02.
    assert!((mean - 1.5).abs() < 0.05 && (std - 0.5).abs() < 0.045, "{mean} {std}");
    let error = sde(Diffusion::Ddpm).sample(&field, x0, &way).unwrap_err();
    assert_eq!(error, SampleError::PureNoise { t: 0.0 });
}

/// On these schedules the last of equal steps is many times as long as the one before it in `h`.
#[test]
fn multistep_solvers_do_not_extrapolate_over_a_long_last_step() {
    let solvers: [&dyn Sampler; 3] = [
        &DpmSolver { multistep: Multistep::Second, eta: 0.0 },
        &UniPc { order: UniPcOrder::Second, last: Final::FullOrder },
        &UniPc { order: UniPcOrder::Third, last: Final::FullOrder },
    ];
    for schedule in schedules() {
        let field = Exact::new(Gaussian::new(vec![1.5], 0.5), schedule);
        let (start, end) = field.schedule.span();
        let (from, to) = (field.schedule.at(start), field.schedule.at(end));
        let x0 = [0.0, field.schedule.prior_std()];
        for solver in solvers {
            let x = host(generate(solver, &field, &rows(&x0, 1), &Way::steps(20)).x);
            for (x, x0) in x.iter().zip(x0) {
                let want = field.target.transport(&[x0], &from, &to)[0];
                // DDIM is off by up to 0.07 here, extrapolation over the last step by 0.23.
                let gap = (x - want).abs();
                assert!(gap < 0.04, "{solver:?} on {:?}: {x}, not {want}", field.schedule);
            }
        }
    }
}

#[test]
fn no_rows_are_no_samples() {
    let field = plane();
    let none = rows(&[], 2);
    for sampler in solvers() {
        let got = sampler.sample(&field, none.clone(), &Way::steps(4)).unwrap();
        assert_eq!((got.x.dims(), got.nfe), ([0, 2], 0));
    }
    let density = rk4(4).log_prob(&field, none.clone(), &PLANE).unwrap();
    assert!(density.nats.is_empty());
    let (v, trace) = flow_sample::Divergence::evaluate(&PLANE, &field, &none, 0.5);
    assert_eq!((v.dims(), trace.dims()), ([0, 2], [0, 1]));
}
