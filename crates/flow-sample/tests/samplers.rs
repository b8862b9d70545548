//! What holds of every sampler: its cost, its end on a single point, its independence of batch and
//! precision, and the grids that it can be walked along.
#![allow(clippy::float_cmp, reason = "ends of grids and seeded noise are exact by construction")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
mod oracles;

use std::cell::Cell;
use std::ops::Range;

use burn::tensor::{DType, Device, Tensor, TensorData};
use common::{host, rows};
use flow_path::{
    Cosine, Exact, Gaussian, Linear, Mixture, Schedule, TimeShift, VariancePreserving,
};
use flow_sample::{
    Ancestral, Churn, Ddim, Diffusion, DpmSolver, Edm, Final, Grid, KarrasChurn, LastStep,
    Multistep, Noise, Reparametrised, Rule, SampleError, Sampler, Sde, Seeded, Space, UniPc,
    UniPcOrder, Way, prior,
};
use oracles::{Arbitrary, Counted, along, difference, generate, run};

/// Every sampler, with its cost in evaluations for `n` steps from pure noise to data.
fn all_samplers(n: usize) -> Vec<(&'static str, Box<dyn Sampler>, usize)> {
    let space = |space, rule| Box::new(Reparametrised { space, rule }) as Box<dyn Sampler>;
    let karras =
        KarrasChurn { amount: 0.2 * n as f64, min: 0.0, max: f64::INFINITY, noise_std: 1.0 };
    let sde = |diffusion| {
        Box::new(Sde { diffusion, scale: 1.0, last: LastStep::Denoise }) as Box<dyn Sampler>
    };
    let solver = |multistep, eta| Box::new(DpmSolver { multistep, eta }) as Box<dyn Sampler>;
    let unipc = |order, last| Box::new(UniPc { order, last }) as Box<dyn Sampler>;
    vec![
        ("ddim", Box::new(Ddim { eta: 0.0 }), n),
        ("ddim, eta 0.7", Box::new(Ddim { eta: 0.7 }), n),
        ("ancestral", Box::new(Ancestral {}), n),
        ("churn", Box::new(Churn { fraction: 0.3 }), n),
        ("edm", Box::new(Edm {}), 2 * n - 2),
        ("karras-churn", Box::new(karras), 2 * n - 2),
        ("sde, sigma", sde(Diffusion::Sigma), n),
        ("sde, linear", sde(Diffusion::Linear), n),
        ("dpm++(1)", solver(Multistep::First, 0.0), n),
        ("dpm++(2M)", solver(Multistep::Second, 0.0), n),
        ("sde-dpm++(2M)", solver(Multistep::Second, 1.0), n),
        ("unipc-2", unipc(UniPcOrder::Second, Final::FullOrder), n),
        ("unipc-3", unipc(UniPcOrder::Third, Final::FullOrder), n),
        ("unipc-3, low end", unipc(UniPcOrder::Third, Final::LowerOrder), n),
        ("data euler", space(Space::Data, Rule::Euler), n),
        ("data midpoint", space(Space::Data, Rule::Midpoint), 2 * n - 1),
        ("displacement midpoint", space(Space::Displacement, Rule::Midpoint), 2 * n),
    ]
}

#[test]
fn reported_evaluations_are_those_made() {
    let (n, x0) = (7, rows(&[0.3, -0.7, 1.2, 0.4], 2));
    for (name, sampler, cost) in all_samplers(n) {
        let field = Counted(Arbitrary(Linear::default()), Cell::new(0));
        let nfe = generate(&*sampler, &field, &x0, &Way::steps(n)).nfe;
        assert_eq!(nfe, field.1.get(), "{name}");
        assert_eq!(nfe, cost, "{name}");
    }
    // With some data at the start of the grid every step but the last is corrected.
    let field = Counted(Arbitrary(VariancePreserving::default()), Cell::new(0));
    let way = Way::along(Grid::Given(vec![0.0, 0.2, 0.5, 0.8, 1.0]));
    assert_eq!(generate(&Edm {}, &field, &x0, &way).nfe, 2 * 4 - 1);
    assert_eq!(field.1.get(), 7);
}

#[test]
fn every_sampler_finds_the_only_data_point() {
    // A network that always answers the same point leaves no room for errors of a method, if pure
    // noise and pure data are met without logarithms.
    let point = Exact::new(Gaussian::new(vec![1.5, -0.5], 0.0), Linear::default());
    let x0 = rows(&[0.3, -0.7, 1.2, 0.4], 2);
    let want = rows(&[1.5, -0.5, 1.5, -0.5], 2);
    let grids = [
        Grid::Uniform { steps: 5 },
        Grid::Uniform { steps: 1 },
        Grid::LogSnr { steps: 5, min: -8.0, max: 8.0 },
        Grid::Karras { steps: 5, rho: 7.0, min: 0.002, max: 80.0 },
        Grid::Uniform { steps: 5 }.shifted(TimeShift::new(3.0).unwrap()),
    ];
    for grid in grids {
        let way = along(grid);
        for (name, sampler, _) in all_samplers(5) {
            let gap = difference(&run(&*sampler, &point, &x0, &way), &want);
            assert!(gap < 1e-12, "{name} on {:?}: {gap:e}", way.grid);
        }
    }
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let field = Exact::new(Gaussian::new(vec![1.5, -0.5], 0.5), Linear::default());
    for (name, sampler, _) in all_samplers(6) {
        let samples = |range: Range<usize>| {
            let noise = Seeded::new(3).starting_at(range.start);
            let x0 = prior(9, range, 2, &field, &Device::flex());
            host(run(&*sampler, &field, &x0, &Way::steps(6).with_noise(&noise)))
        };
        assert_eq!(samples(0..10)[8..14], samples(4..7), "{name}");
    }
}

#[test]
fn seeded_noise_differs_by_seed_sample_and_step() {
    let like = rows(&[0.0; 8], 4);
    let draw = |seed, step| Seeded::new(seed).draw(step, &like);
    let z = host(draw(5, 0));
    assert_eq!(z, host(draw(5, 0)));
    assert_ne!(z[..4], z[4..]);
    for other in [draw(5, 1), draw(6, 0)] {
        assert_ne!(z, host(other));
    }
    assert_eq!(draw(5, 0).dtype(), DType::F64);
}

#[test]
fn single_precision_follows_double_precision() {
    let mode = |mean: f64| Gaussian::new(vec![mean], 0.3);
    let data = Mixture::weighted(vec![mode(-1.0), mode(1.2)], &[0.4, 0.6]);
    let field = Exact::new(data, Cosine::default());
    let x0 = rows(&[0.3, -0.7, 1.2, 0.4], 1);
    let narrow = Tensor::<2>::from_data(
        TensorData::new(host(x0.clone()), [4, 1]),
        (&x0.device(), DType::F32),
    );
    let way = along(Grid::Uniform { steps: 10 });
    for (name, sampler, _) in all_samplers(10) {
        let ends = |x0: &Tensor<2>| host(run(&*sampler, &field, x0, &way));
        let (wide, narrow) = (ends(&x0), ends(&narrow));
        for (wide, narrow) in wide.iter().zip(narrow) {
            // 20 evaluations, each 6e-8 off, between modes that part neighbours 10 times as far.
            assert!((wide - narrow).abs() < 2e-5, "{name}: {wide} and {narrow}");
        }
    }
}

#[test]
fn grids_have_their_formulas_inside_and_the_span_at_their_ends() {
    let field = Arbitrary(VariancePreserving::default());
    let end = 1.0 - 1e-5;
    let level = |t: f64| field.0.at(t).sigma / field.0.at(t).alpha;
    let times = |grid: Grid| grid.times(&field).unwrap();
    let karras = times(Grid::Karras { steps: 4, rho: 7.0, min: 0.01, max: 80.0 });
    assert_eq!((karras.len(), karras[0], karras[4]), (5, 0.0, end));
    let root = |s: f64| s.powf(1.0 / 7.0);
    for (k, t) in (1..).zip(&karras[1..4]) {
        let want = (root(80.0) + f64::from(k) / 3.0 * (root(0.01) - root(80.0))).powi(7);
        // Times resolve the noise level to d ln(sigma) / dt times e.
        assert!((level(*t) / want - 1.0).abs() < 1e-10, "{k}");
    }
    let even = times(Grid::LogSnr { steps: 4, min: -8.0, max: 8.0 });
    for (k, want) in [(1, -4.0), (2, 0.0), (3, 4.0)] {
        assert!((field.0.at(even[k]).log_snr() - want).abs() < 1e-10);
    }
    let shift = TimeShift::new(2.0).unwrap();
    let uniform = Grid::Uniform { steps: 4 };
    let shifted = times(uniform.clone().shifted(shift));
    assert_eq!((shifted[0], shifted[2], shifted[4]), (0.0, shift.apply(times(uniform)[2]), end));
}

#[test]
fn grids_that_cannot_be_walked_are_errors() {
    let field = Arbitrary(Linear::default());
    let error = |times: &[f64]| Grid::Given(times.to_vec()).times(&field).unwrap_err();
    assert_eq!(error(&[0.5]), SampleError::ShortGrid { times: 1 });
    assert_eq!(error(&[0.1, 0.5, 0.5]), SampleError::GridOrder { index: 2, t: 0.5, before: 0.5 });
    assert_eq!(error(&[-0.1, 0.5]), SampleError::OutsideSpan { t: -0.1, start: 0.0, end: 1.0 });
    assert_eq!(error(&[0.1, 1.5]), SampleError::OutsideSpan { t: 1.5, start: 0.0, end: 1.0 });
    assert!(matches!(error(&[0.1, f64::NAN]), SampleError::GridOrder { index: 1, .. }));
}

#[test]
fn settings_and_states_out_of_range_are_errors() {
    let field = Arbitrary(Linear::default());
    let x0 = rows(&[0.3, -0.7, f64::NAN, 0.4], 2);
    let error =
        |sampler: &dyn Sampler| sampler.sample(&field, x0.clone(), &Way::steps(3)).unwrap_err();
    let ddim = error(&Ddim { eta: 1.5 });
    assert_eq!(ddim.to_string(), "eta is 1.5: it must lie in [0, 1]");
    let noise = error(&Reparametrised { space: Space::Noise, rule: Rule::Euler });
    assert_eq!(noise, SampleError::PureNoise { t: 0.0 });
    assert_eq!(error(&Ddim::default()), SampleError::NotFinite { row: 1, t: 1.0 });
}
