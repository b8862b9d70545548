//! Entropic plans: closed forms, references, and what weak entropy and odd costs do.

mod common;

use std::cell::Cell;
use std::time::{Duration, Instant};

use common::{assert_close, matrix, numbers, points, square};
use flow_transport::{
    CostMatrix, Entropic, Epsilon, Stop, TransportError, assign, squared_distances,
};

fn absolute(epsilon: f64) -> Entropic {
    Entropic { epsilon: Epsilon::Absolute(epsilon), ..Entropic::default() }
}

/// The points of a minibatch: a cloud around the origin, and one around eight centres on a circle
/// of radius 4.
fn clouds(n: usize, dim: usize, seed: u64) -> CostMatrix {
    let centred = |seed| points(n, dim, seed).into_iter().map(|x| 4.0 * (x - 0.5));
    let a: Vec<f32> = centred(seed).collect();
    let on_circle = |k: usize| {
        let angle = (k / dim * 5 % 8) as f32 * std::f32::consts::FRAC_PI_4;
        [angle.cos(), angle.sin()].get(k % dim).map_or(0.0, |x| 4.0 * x)
    };
    let b: Vec<f32> = centred(seed + 1).enumerate().map(|(k, x)| 0.2 * x + on_circle(k)).collect();
    squared_distances(&b, &a, dim).expect("few finite points")
}

/// The largest relative error of a marginal, from the masses themselves.
fn missed(plan: &flow_transport::Plan<'_>) -> f64 {
    let error = |masses: Vec<f64>| {
        let n = masses.len() as f64;
        masses.iter().map(|mass| (mass * n - 1.0).abs()).fold(0.0, |a, b| if a < b { b } else { a })
    };
    let (rows, columns) = (plan.row_masses(), plan.column_masses());
    assert!(rows.iter().chain(&columns).all(|mass| mass.is_finite()));
    error(rows).max(error(columns))
}

#[test]
fn two_points_have_a_closed_form() {
    // Costs 0 and 1: off the diagonal the share is 1 / (1 + e^{1/epsilon}).
    let cost = square(2, |i, j| f64::from(u8::from(i != j)));
    let plan = absolute(0.4).plan(&cost).unwrap();
    assert_close(2.0 * plan.mass(0, 1), 1.0 / (1.0 + f64::exp(2.5)), 1e-9);
}

#[test]
fn the_plan_is_that_of_pot() {
    let cost = matrix(5, 7, 5);
    let sharp = Entropic { tolerance: 1e-13, ..absolute(0.05) };
    let plan = sharp.plan(&cost).unwrap();
    for (k, mass) in numbers("entropic_5_7").into_iter().enumerate() {
        assert_close(plan.mass(k / 7, k % 7), mass, 1e-12);
    }
}

#[test]
fn the_relaxed_plan_minimises_its_objective() {
    let cost = matrix(4, 6, 6);
    let relaxed = Entropic { relaxation: Some(0.3), tolerance: 1e-13, ..absolute(0.1) };
    let plan = relaxed.plan(&cost).unwrap();
    // The minimiser of scipy stops where slopes are below 1e-8 or so.
    for (k, mass) in numbers("unbalanced_4_6").into_iter().enumerate() {
        assert_close(plan.mass(k / 6, k % 6), mass, 1e-7);
    }
    // The control: with exact marginals another plan.
    let exact = absolute(0.1).plan(&cost).unwrap();
    assert!((exact.mass(0, 0) - plan.mass(0, 0)).abs() > 1e-4);
}

#[test]
fn marginals_are_met_for_strong_and_weak_entropy() {
    let wide = matrix(30, 50, 2);
    for cost in [clouds(64, 4, 3), wide] {
        for fraction in [1.0, 0.1, 0.02] {
            let epsilon = Epsilon::OfMeanCost(fraction);
            let plan = Entropic { epsilon, ..Entropic::default() }.plan(&cost).unwrap();
            let missed = missed(&plan);
            assert!(missed < 1.1e-6, "at {fraction}: {missed:e}");
            assert_eq!(plan.stop(), Stop::Converged);
            assert_close(plan.marginal_error(), missed, 1e-9);
        }
    }
}

#[test]
fn a_plan_says_its_error_or_is_refused_however_weak_the_entropy() {
    let cost = square(3, |i, j| ((7 * i + 3 * j + i * j) % 11) as f64 + 0.1);
    for exponent in [-6, -8, -9, -10, -11, -12, -15, -16, -18, -20, -100, -300] {
        let problem = absolute(10f64.powi(exponent));
        if let Ok(plan) = problem.plan(&cost) {
            assert!(missed(&plan) <= 1.0e-6, "at 1e{exponent}: {:e}", missed(&plan));
        }
        if let Ok(plan) = problem.solve(&cost, &|| false) {
            let (said, missed) = (plan.marginal_error(), missed(&plan));
            assert!((said - missed).abs() < 1e-9, "at 1e{exponent}: {said:e}, not {missed:e}");
        }
    }
    let message = absolute(1e-20).plan(&cost).unwrap_err().to_string();
    assert!(message.contains("raise epsilon") && message.contains("sigma"), "{message}");
}

#[test]
fn the_plan_tends_to_the_exact_one_and_to_independence() {
    let cost = clouds(32, 2, 3);
    let plan = |fraction| {
        let epsilon = Epsilon::OfMeanCost(fraction);
        Entropic { epsilon, ..Entropic::default() }.plan(&cost).unwrap().cost()
    };
    let exact = assign(&cost).unwrap().cost() / 32.0;
    // The entropic plan costs at most epsilon ln(n) more than the exact one.
    let mean = cost.as_slice().iter().sum::<f64>() / 1024.0;
    for fraction in [0.02, 0.002] {
        let sharp = plan(fraction);
        let most = exact + fraction * mean * f64::ln(32.0);
        // Marginals are met to 1e-6, and so is the cost.
        assert!(exact - 1e-5 <= sharp && sharp <= most, "{exact} {sharp} {most}");
    }
    assert_close(plan(1000.0), mean, 1e-3);
}

#[test]
fn weak_entropy_is_solved_in_few_steps() {
    // Plain sweeps need 10,000 and more of these, a dozen seconds of 256 points. Steps are counted,
    // as a clock would measure how busy the machine is: 500 sweeps and 100 steps of Newton's method
    // take less than a second.
    for (n, dim, epsilon) in [(64, 1, 0.02), (256, 2, 0.02), (256, 8, 0.02), (256, 2, 0.2)] {
        let cost = clouds(n, dim, 7);
        let plan = absolute(epsilon).solve(&cost, &|| false).unwrap();
        let (error, steps) = (plan.marginal_error(), plan.iterations());
        let what = format!("{n} points in {dim} dimensions, {steps} steps, {:?}", plan.stop());
        assert!(error < 1e-3 && steps <= 600, "{what}: {error:e}");
    }
}

#[test]
fn small_batches_of_weak_entropy_are_solved() {
    for dim in [1, 2, 8] {
        for seed in 0..20 {
            for fraction in [0.05, 0.01, 0.003] {
                let epsilon = Epsilon::OfMeanCost(fraction);
                let cost = clouds(16, dim, 100 + seed);
                let problem = Entropic { epsilon, ..Entropic::default() };
                let plan = problem.solve(&cost, &|| false).unwrap();
                let error = plan.marginal_error();
                assert!(error < 1e-3, "dim {dim}, seed {seed}, {fraction}: {error:e}");
            }
        }
    }
}

#[test]
fn the_sweeps_end_when_the_caller_says_so() {
    let cost = clouds(64, 2, 3);
    let asked = Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() > 40
    };
    let endless = Entropic { tolerance: 0.0, ..absolute(0.02) };
    let plan = endless.solve(&cost, &stop).unwrap();
    assert_eq!(plan.stop(), Stop::Interrupted);
    assert!(plan.iterations() <= 40 && plan.marginal_error().is_finite());
    let iterations = plan.iterations();
    assert_eq!(plan.within(1.0).unwrap_err(), TransportError::Interrupted { iterations });
}

#[test]
fn a_plan_that_does_not_converge_says_so() {
    let cost = clouds(32, 2, 3);
    let short = Entropic { max_iterations: 1, ..Entropic::default() };
    let error = short.plan(&cost).unwrap_err();
    let TransportError::NotConverged { iterations: 1, stop: Stop::Iterations, .. } = error else {
        panic!("{error:?}")
    };
    for tolerance in [0.0, -1.0, f64::NAN] {
        let endless = Entropic { tolerance, ..Entropic::default() };
        let error = endless.plan(&cost).unwrap_err();
        assert!(matches!(error, TransportError::NotConverged { .. }), "{tolerance}: {error:?}");
    }
}

#[test]
fn parameters_outside_their_domain_are_named() {
    let cost = matrix(4, 4, 1);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        for epsilon in [Epsilon::Absolute(bad), Epsilon::OfMeanCost(bad)] {
            let found = Entropic { epsilon, ..Entropic::default() }.plan(&cost).unwrap_err();
            assert!(matches!(found, TransportError::Parameter { name: "epsilon", .. }), "{bad}");
        }
        let relaxed = Entropic { relaxation: Some(bad), ..Entropic::default() };
        let found = relaxed.plan(&cost);
        if bad == f64::INFINITY {
            assert_eq!(found, Entropic::default().plan(&cost));
        } else {
            let name = "relaxation";
            assert!(matches!(found, Err(TransportError::Parameter { name: n, .. }) if n == name));
        }
    }
}

#[test]
fn a_firm_relaxation_gives_exact_marginals_and_a_soft_one_none() {
    let cost = clouds(24, 2, 5);
    let relaxed = |rho| Entropic { relaxation: Some(rho), ..Entropic::default() };
    let firm = relaxed(1e9).plan(&cost).unwrap();
    assert!(missed(&firm) < 1e-5, "{:e}", missed(&firm));
    let soft = relaxed(1e-3).plan(&cost).unwrap();
    assert!(soft.row_masses().iter().sum::<f64>() < 0.01);
}

#[test]
fn forbidden_pairs_get_no_mass() {
    let cost = square(3, |i, j| if i == 0 && j == 1 { f64::INFINITY } else { (i + j) as f64 });
    for problem in [absolute(0.5), Entropic { relaxation: Some(1.0), ..absolute(0.5) }] {
        let plan = problem.plan(&cost).unwrap();
        assert_close(plan.mass(0, 1), 0.0, 0.0);
        assert!(plan.cost().is_finite());
    }
    assert!(missed(&absolute(0.5).plan(&cost).unwrap()) < 1e-6);
    let stuck = square(3, |i, j| if i == 1 { f64::INFINITY } else { (i + j) as f64 });
    let error = TransportError::Infeasible { side: "row", index: 1 };
    assert_eq!(absolute(0.5).plan(&stuck).unwrap_err(), error);
    // Two rows that may only meet one column: no plan has these marginals.
    let narrow = square(3, |i, j| if i < 2 && j != 0 { f64::INFINITY } else { 1.0 });
    let start = Instant::now();
    assert!(matches!(absolute(0.5).plan(&narrow), Err(TransportError::NotConverged { .. })));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn plans_do_not_depend_on_the_unit_of_the_costs() {
    let ordinary = matrix(8, 8, 2);
    let expected = Entropic::default().plan(&ordinary).unwrap();
    for exponent in [-1000, -200, 200, 1000] {
        let scale = 2f64.powi(exponent);
        let scaled = square(8, |i, j| ordinary.row(i)[j] * scale);
        let plan = Entropic::default().plan(&scaled).unwrap();
        assert_close(plan.mass(3, 4), expected.mass(3, 4), 1e-12);
        assert_close(plan.cost() / scale, expected.cost(), 1e-9);
    }
}

#[test]
fn equal_points_get_the_uniform_plan() {
    let plan_of = |n: usize| {
        let cost = square(n, |_, _| 0.0);
        let plan = Entropic::default().plan(&cost).unwrap();
        (plan.mass(0, 0), plan.mass(n - 1, 0))
    };
    for n in [1, 5] {
        let uniform = 1.0 / (n * n) as f64;
        assert_close(plan_of(n).0, uniform, 1e-15);
        assert_close(plan_of(n).1, uniform, 1e-15);
    }
    let nothing = CostMatrix::from_vec(0, 0, vec![]).unwrap();
    let empty = TransportError::Empty { rows: 0, columns: 0 };
    assert_eq!(Entropic::default().plan(&nothing).unwrap_err(), empty);
}
