//! Observed orders of convergence, at the end of a solve and inside its steps.
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

mod common;

use common::{distance, named};
use flow_ode::{Method, Problem, Stepping, solve};

/// The answer at t = 1 of a field that turns with an uneven speed, r' = r (1 - r^2) and
/// angle' = 1 + cos t, in closed form.
fn exact(t: f64) -> Vec<f64> {
    let r = 1.0 / (1.0 + 3.0 * (-2.0 * t).exp()).sqrt();
    let angle = t + t.sin();
    vec![r * angle.cos(), r * angle.sin()]
}

fn error(method: Method, stepping: &Stepping) -> f64 {
    let problem = named("radial_nonautonomous");
    let end = solve(&problem, (0.0, 1.0), problem.y0.clone(), method, stepping).unwrap();
    distance(&end.y, &exact(1.0))
}

/// Slope of a line through the logarithms of the errors.
fn slope(steps: &[usize], error: impl Fn(usize) -> f64) -> f64 {
    let points: Vec<_> = steps.iter().map(|n| (-(*n as f64).ln(), error(*n).ln())).collect();
    let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / points.len() as f64;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let covariance: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    covariance / points.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

#[test]
fn error_at_the_end_falls_with_the_order_of_the_method() {
    use Method as M;
    let classical = [
        M::Euler,
        M::Midpoint,
        M::Heun2,
        M::Ralston2,
        M::Heun3,
        M::Ssprk3,
        M::Rk4,
        M::Rk4ThreeEighths,
    ];
    for method in classical {
        let observed = slope(&[16, 32, 64], |n| error(method, &Stepping::Count(n)));
        assert!((observed - f64::from(method.order())).abs() < 0.15, "{method}: {observed}");
    }
    for method in [M::Bosh3, M::Fehlberg45, M::CashKarp, M::Dopri5, M::Tsit5] {
        let observed = slope(&[64, 128, 256], |n| error(method, &Stepping::Count(n)));
        // Pairs of small principal error show a higher order first, never a lower one.
        assert!(observed > f64::from(method.order()) - 0.25, "{method}: {observed}");
        assert!(observed < f64::from(method.order()) + 0.8, "{method}: {observed}");
    }
    // The Jacobian by differences has half the digits, which shows at 1e-12.
    let observed = slope(&[16, 32, 64], |n| error(M::Rodas5p, &Stepping::Count(n)));
    assert!((4.75..6.0).contains(&observed), "rodas5p: {observed}");
    // Between steps too long for the leading term and rounding there is little room.
    let observed = slope(&[3, 4, 6, 8], |n| error(M::Dop853, &Stepping::Count(n)));
    assert!(observed > 7.5, "dop853: {observed}");
}

#[test]
fn error_of_multistep_methods_falls_with_their_order() {
    use Method as M;
    let methods =
        [M::Ab1, M::Ab2, M::Ab3, M::Ab4, M::Ab5, M::Abm1, M::Abm2, M::Abm3, M::Abm4, M::Abm5];
    for method in methods {
        let observed = slope(&[128, 256, 512], |n| error(method, &Stepping::Count(n)));
        assert!((observed - f64::from(method.order())).abs() < 0.25, "{method}: {observed}");
    }
}

#[test]
fn multistep_methods_keep_their_order_on_an_uneven_grid() {
    // Steps that vary smoothly by a factor of four; coefficients of a uniform grid would stay at
    // order 1 here.
    let uneven = |n: usize| {
        let time = |i: usize| {
            let s = i as f64 / n as f64;
            if i == n {
                1.0
            } else {
                s + 0.6 * (std::f64::consts::TAU * s).sin() / std::f64::consts::TAU
            }
        };
        Stepping::Grid((0..=n).map(time).collect())
    };
    for method in [Method::Ab3, Method::Ab5, Method::Abm4] {
        let observed = slope(&[128, 256, 512], |n| error(method, &uneven(n)));
        assert!((observed - f64::from(method.order())).abs() < 0.35, "{method}: {observed}");
    }
}

#[test]
fn evaluations_on_a_fixed_grid_are_stages_times_steps() {
    let field = |_: f64, y: &f64| -y;
    for method in Method::ALL.iter().filter(|method| method.tableau().is_some()) {
        let tableau = method.tableau().unwrap();
        let expected = 20 * tableau.evals_per_step() + usize::from(tableau.fsal);
        let end = solve(&field, (0.0, 1.0), 1.0, *method, &Stepping::Count(20)).unwrap();
        assert_eq!(end.stats.evals, expected, "{method}");
    }
    // Three steps of rk4 to start; the corrector evaluates its result once more, for the next step.
    let evals =
        |method| solve(&field, (0.0, 1.0), 1.0, method, &Stepping::Count(20)).unwrap().stats.evals;
    assert_eq!((evals(Method::Ab4), evals(Method::Abm4)), (3 * 4 + 17, 3 * 4 + 1 + 17 * 2));
}

#[test]
fn values_inside_steps_have_the_order_that_is_stated() {
    let problem = named("radial_nonautonomous");
    let times: Vec<f64> = (1..200).map(|i| f64::from(i) / 200.0).collect();
    for method in Method::ALL {
        let inside = |n: usize| {
            let solution = Problem::new(&problem, (0.0, 1.0), problem.y0.clone())
                .with_times(times.clone())
                .solve(*method, &Stepping::Count(n))
                .unwrap();
            let errors = solution.states.iter().zip(&times).map(|(y, t)| distance(y, &exact(*t)));
            errors.fold(0.0, f64::max)
        };
        let steps: &[usize] = if *method == Method::Dop853 { &[3, 5, 7] } else { &[32, 64, 128] };
        let observed = slope(steps, inside);
        assert!(observed > f64::from(method.dense_order()) - 0.3, "{method}: {observed}");
    }
}

#[test]
fn the_dense_solution_is_smooth_where_steps_meet() {
    let problem = named("lotka_volterra");
    for method in [Method::Bosh3, Method::Dopri5, Method::Tsit5, Method::Dop853, Method::CashKarp] {
        let solution = Problem::new(&problem, (0.0, 2.0), problem.y0.clone())
            .with_dense()
            .solve(method, &Stepping::Count(20))
            .unwrap();
        let dense = solution.dense.unwrap();
        let at = |t: f64| dense.at(t).unwrap()[0];
        for step in 1..20 {
            let (t, d) = (f64::from(step) / 10.0, 1e-6);
            let (left, right) = ((at(t) - at(t - d)) / d, (at(t + d) - at(t)) / d);
            // Difference quotients at d = 1e-6: curvature 10 d and rounding 1e-16 / d.
            assert!((left - right).abs() < 1e-4, "{method} at {t}: {left} and {right}");
        }
    }
}
