//! The central properties again on tensors in `f32`.
#![cfg(feature = "burn")]
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

mod common;

use std::cell::{Cell, RefCell};

use burn::tensor::{Device, Tensor, TensorData};
use common::{Reference, all, distance, named, within};
use flow_ode::{
    Adaptive, AutodiffField, Method, Norm, Norms, OdeError, Problem, State, Stepping, Tolerance,
    VectorField, adjoint, solve, solve_rows,
};

fn device() -> Device {
    Device::flex()
}

fn vector(values: &[f64]) -> Tensor<1> {
    let values: Vec<f32> = values.iter().map(|x| *x as f32).collect();
    Tensor::from_data(TensorData::from(values.as_slice()), &device())
}

fn numbers<const D: usize>(x: &Tensor<D>) -> Vec<f64> {
    x.to_data().iter::<f64>().collect()
}

/// The reference problem, evaluated in `f64` and rounded: the solver's own arithmetic is in `f32`.
fn field(problem: &Reference) -> impl Fn(f64, &Tensor<1>) -> Tensor<1> {
    move |t, y| vector(&problem.eval(t, &numbers(y)))
}

fn matrix(rows: &[[f32; 2]]) -> Tensor<2> {
    let flat: Vec<f32> = rows.iter().flatten().copied().collect();
    Tensor::from_data(TensorData::new(flat, [rows.len(), 2]), &device())
}

#[test]
fn adaptive_solves_in_f32_cost_what_they_cost_in_f64() {
    for problem in all() {
        let single = solve(
            &field(&problem),
            problem.span(),
            vector(&problem.y0),
            Method::Dopri5,
            &within(1e-5).into(),
        );
        let single = single.unwrap();
        let y0 = problem.y0.clone();
        let double = solve(&problem, problem.span(), y0, Method::Dopri5, &within(1e-5).into());
        let (single_evals, double_evals) = (single.stats.evals, double.unwrap().stats.evals);
        // Ten per cent, or one step where that is more.
        let slack = (double_evals / 10).max(6);
        let name = &problem.name;
        assert!(
            single_evals.abs_diff(double_evals) <= slack,
            "{name}: {single_evals} {double_evals}"
        );
        let error = distance(&numbers(&single.y), &problem.answer);
        let bound = 3.0 * problem.torchdiffeq["1e-05"].error + 1e-5;
        assert!(error < bound, "{name}: {error:e}");
    }
}

#[test]
fn steps_in_f32_do_not_collapse_below_its_rounding() {
    // Time, step and weights are f64, so a tolerance that f32 cannot meet costs what it costs in
    // f64, and the end error stays at the rounding.
    for name in ["gmm_ot", "oscillator", "A1"] {
        let problem = named(name);
        for tol in [1e-3, 1e-6, 1e-7, 1e-8] {
            let adaptive = within(tol).into();
            let y0 = vector(&problem.y0);
            let single = solve(&field(&problem), problem.span(), y0, Method::Dopri5, &adaptive);
            let y0 = problem.y0.clone();
            let double = solve(&problem, problem.span(), y0, Method::Dopri5, &adaptive).unwrap();
            let single = single.unwrap();
            let (ours, theirs) = (single.stats.evals, double.stats.evals);
            assert!(ours.abs_diff(theirs) <= theirs / 10, "{name} at {tol}: {ours} and {theirs}");
            let error = distance(&numbers(&single.y), &double.y);
            assert!(error < 1e-4, "{name} at {tol}: {error:e}");
        }
    }
}

#[test]
fn order_of_rk4_is_four_in_f32() {
    let problem = named("radial_nonautonomous");
    let error = |steps| {
        let y0 = vector(&problem.y0);
        let end = solve(&field(&problem), problem.span(), y0, Method::Rk4, &Stepping::Count(steps));
        distance(&numbers(&end.unwrap().y), &problem.answer)
    };
    // Steps long enough that the error stays above the rounding of f32.
    let observed = (error(16) / error(32)).log2();
    assert!((observed - 4.0).abs() < 0.4, "{observed}");
}

/// A tensor that counts how often a norm of it is asked for, hence read.
#[derive(Clone, Debug)]
struct Watched(Tensor<1>);

thread_local! {
    static READS: Cell<usize> = const { Cell::new(0) };
}

impl State for Watched {
    const ON_HOST: bool = <Tensor<1> as State>::ON_HOST;

    fn combine(&self, terms: &[(f64, &Self)]) -> Self {
        let terms: Vec<_> = terms.iter().map(|(c, x)| (*c, &x.0)).collect();
        Self(self.0.combine(&terms))
    }

    fn error_norm(&self, y0: &Self, y1: &Self, tol: &Tolerance) -> f64 {
        READS.set(READS.get() + 1);
        self.0.error_norm(&y0.0, &y1.0, tol)
    }
}

#[test]
fn one_number_is_read_in_an_attempted_step_and_one_at_the_end_of_a_grid() {
    let turn = |_: f64, y: &Watched| {
        let [x, v] = [0, 1].map(|i| y.0.clone().slice(i..i + 1));
        Watched(Tensor::cat(vec![v, x * -9.0], 0))
    };
    let run = |stepping: Stepping| {
        READS.set(0);
        let y0 = Watched(vector(&[1.0, 0.0]));
        let stats = solve(&turn, (0.0, 2.0), y0, Method::Dopri5, &stepping).unwrap().stats;
        (READS.get(), stats.accepted + stats.rejected)
    };
    let (reads, attempts) = run(within(1e-5).with_first_step(0.01).into());
    assert_eq!(reads, attempts);
    let (reads, attempts) = run(within(1e-5).into());
    assert_eq!(reads, attempts + 3); // size of state, slope and curvature, for the first step
    assert_eq!(run(Stepping::Count(50)).0, 1);
}

#[test]
fn norms_of_a_pair_of_tensors_are_those_of_its_parts() {
    let tol = Tolerance { atol: 1.0, rtol: 0.0 };
    let error = (matrix(&[[1.0, 1.0], [3.0, 3.0]]), vector(&[2.0, 5.0]));
    let zero = error.zeros_like();
    let joint: Norms = error.norms(&zero, &zero, &tol, Norm::JointRms);
    // RMS of the parts: sqrt(20 / 4) and sqrt(29 / 2).
    assert!((joint.worst() - 14.5f64.sqrt()).abs() < 1e-6);
    let worst = error.norms(&zero, &zero, &tol, Norm::WorstSample).worst();
    assert!((worst - 5.0).abs() < 1e-6, "{worst}");
}

#[test]
fn a_tensor_that_is_not_finite_has_no_finite_norm() {
    let tol = Tolerance { atol: 1e-3, rtol: 1e-3 };
    let (good, error) = (vector(&[1.0, 1.0]), vector(&[1e-6, 0.0]));
    for bad in [vector(&[f64::INFINITY, 1.0]), vector(&[1.0, f64::NAN])] {
        assert!(!error.error_norm(&good, &bad, &tol).is_finite());
        assert!(!bad.error_norm(&good, &good, &tol).is_finite());
        assert!(!bad.all_finite());
    }
    assert!(good.all_finite());
}

#[test]
fn failures_on_a_device_carry_the_last_good_state() {
    let blow_up = |_: f64, y: &Tensor<1>| y.clone().square();
    let outcome = solve(&blow_up, (0.0, 2.0), vector(&[1.0]), Method::Dopri5, &within(1e-4).into());
    let error = outcome.unwrap_err();
    let (t, y) = error.last().unwrap();
    assert!((t - 1.0).abs() < 1e-2 && y.all_finite(), "{t}");
    let nan = |_: f64, y: &Tensor<1>| y.clone() * f64::NAN;
    let outcome = solve(&nan, (0.0, 1.0), vector(&[1.0]), Method::Dopri5, &within(1e-4).into());
    assert!(matches!(outcome, Err(OdeError::NonFinite { .. })));
}

#[test]
fn times_and_dense_output_work_on_tensors() {
    let problem = named("lotka_volterra");
    let solution = Problem::new(&field(&problem), problem.span(), vector(&problem.y0))
        .with_times(problem.times.clone())
        .with_dense()
        .solve(Method::Tsit5, &within(1e-5).into())
        .unwrap();
    let dense = solution.dense.unwrap();
    for ((t, y), exact) in problem.times.iter().zip(&solution.states).zip(&problem.at_times) {
        assert!(distance(&numbers(y), exact) < 5e-3, "at {t}");
        assert_eq!(numbers(&dense.at(*t).unwrap()), numbers(y), "at {t}");
    }
}

#[test]
fn rows_of_a_tensor_are_solved_by_their_own_steps() {
    // Row r decays at the rate 1 + 20 r.
    let rates = Tensor::<2>::from_data([[1.0], [21.0], [41.0]], &device());
    let rows = {
        let rates = rates.clone();
        move |_: &[f64], y: &Tensor<2>| y.clone() * rates.clone() * -1.0
    };
    let y0 = matrix(&[[1.0, 2.0]; 3]);
    let end = solve_rows(&rows, (0.0, 1.0), y0, Method::Dopri5, &within(1e-5)).unwrap();
    let y = numbers(&end.y);
    for (r, rate) in [1.0, 21.0, 41.0].into_iter().enumerate() {
        let exact = f64::exp(-rate);
        assert!((y[2 * r] - exact).abs() < 1e-4 && (y[2 * r + 1] - 2.0 * exact).abs() < 1e-4);
    }
    assert!(end.rows[0].accepted < end.rows[2].accepted);
}

/// `x' = v`, `v' = -w^2 x` for a batch of states and a parameter that may carry a gradient.
fn oscillator(w: Tensor<1>) -> impl Fn(f64, &Tensor<2>) -> Tensor<2> {
    move |_, y| {
        let (x, v) = (y.clone().slice([0..1, 0..1]), y.clone().slice([0..1, 1..2]));
        let w = w.clone().reshape([1, 1]);
        Tensor::cat(vec![v, x * w.square() * -1.0], 1)
    }
}

#[test]
fn gradients_through_the_steps_are_the_closed_form() {
    let device = device().autodiff();
    for (method, stepping) in
        [(Method::Rk4, Stepping::Count(400)), (Method::Tsit5, within(1e-6).into())]
    {
        let w = Tensor::<1>::from_data([3.0], &device).require_grad();
        let y0 = Tensor::<2>::from_data([[1.0, 0.0]], &device).require_grad();
        let end =
            solve(&oscillator(w.clone()), (0.0, 10.0), y0.clone(), method, &stepping).unwrap();
        let gradients = end.y.slice([0..1, 0..1]).sum().backward();
        let of_w = numbers(&w.grad(&gradients).unwrap())[0];
        let of_y0 = numbers(&y0.grad(&gradients).unwrap());
        // f32 through some hundred steps with a sensitivity that grows to 10.
        assert!((of_w - 9.880316240928618).abs() < 5e-3, "{method}: {of_w}");
        assert!((of_y0[0] - 0.15425144988758405).abs() < 1e-3, "{method}: {of_y0:?}");
        assert!((of_y0[1] + 0.3293438746976206).abs() < 1e-3, "{method}: {of_y0:?}");
    }
}

#[test]
fn a_solve_whose_field_needs_no_gradient_keeps_no_tape() {
    let tracked = RefCell::new(Vec::new());
    let decay = |_: f64, y: &Tensor<1>| {
        tracked.borrow_mut().push(y.is_tracked());
        y.clone() * -1.0
    };
    let y0 = Tensor::<1>::from_data([1.0], &device().autodiff());
    solve(&decay, (0.0, 1.0), y0, Method::Dopri5, &within(1e-4).into()).unwrap();
    assert!(tracked.borrow().iter().all(|tracked| !tracked));
}

#[test]
fn adjoint_on_tensors_is_the_closed_form() {
    let field =
        AutodiffField::new(|t, y: Tensor<2>, w: Tensor<1>| oscillator(w)(t, &y), vector(&[3.0]));
    let stepping = Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 }).into();
    let span = (0.0, 10.0);
    let end = solve(&field, span, matrix(&[[1.0, 0.0]]), Method::Tsit5, &stepping).unwrap();
    let loss = matrix(&[[1.0, 0.0]]);
    let gradient = adjoint(&field, span, end.y, loss, Method::Tsit5, &stepping).unwrap();
    let of_w = numbers(&gradient.params)[0];
    assert!((of_w - 9.880316240928618).abs() < 1e-2, "{of_w}");
    let start = numbers(&gradient.start);
    assert!((start[0] - 0.15425144988758405).abs() < 2e-3, "{start:?}");
    assert!((start[1] + 0.3293438746976206).abs() < 2e-3, "{start:?}");
}

#[test]
fn a_fixed_grid_that_ends_in_nan_is_an_error() {
    let late = |t: f64, y: &Tensor<1>| y.clone() * if t > 0.5 { f64::NAN } else { 1.0 };
    for method in [Method::Euler, Method::Rk4, Method::Ab2, Method::Dopri5] {
        let outcome = solve(&late, (0.0, 1.0), vector(&[1.0, 2.0]), method, &Stepping::Count(4));
        let error = outcome.unwrap_err();
        let said = error.to_string();
        assert!(said.contains("not finite between t = 0 and t = 1"), "{method}: {said}");
        // The device was not looked at on the way, so the start is the last state known to be good.
        let (t, y) = error.last().unwrap();
        assert_eq!((t, numbers(y)), (0.0, vec![1.0, 2.0]), "{method}");
        assert_eq!(error.row(), Some(0), "{method}");
    }
    // A blow-up beyond the largest f32 as well.
    let blow_up = |_: f64, y: &Tensor<1>| y.clone() * 1e5;
    let outcome = solve(&blow_up, (0.0, 1.0), vector(&[1.0]), Method::Euler, &Stepping::Count(20));
    assert!(matches!(outcome, Err(OdeError::NonFinite { .. })));
}

#[test]
fn a_component_that_starts_at_zero_needs_no_absolute_tolerance_in_f32() {
    let approach = |_: f64, y: &Tensor<1>| y.clone() * -1.0 + 1.0;
    let tol = Tolerance { atol: 0.0, rtol: 1e-5 };
    let start = vector(&[0.0, 0.5]);
    let end = solve(&approach, (0.0, 1.0), start, Method::Dopri5, &Adaptive::new(tol).into());
    let y = numbers(&end.unwrap().y);
    let decay = (-1f64).exp();
    assert!(distance(&y, &[1.0 - decay, 1.0 - 0.5 * decay]) < 1e-4, "{y:?}");
}

#[test]
fn a_stiff_field_of_tensors_is_named() {
    let stiff = |t: f64, y: &Tensor<1>| (y.clone() - t.cos()) * -1e4;
    let adaptive = within(1e-4).with_max_steps(300).into();
    let error = solve(&stiff, (0.0, 1.0), vector(&[0.0, 0.5]), Method::Dopri5, &adaptive);
    let said = error.unwrap_err().to_string();
    assert!(said.contains("stiff"), "{said}");
    let tame = |_: f64, y: &Tensor<1>| y.clone();
    let adaptive = within(1e-5).with_max_steps(2).into();
    let error = solve(&tame, (0.0, 9.0), vector(&[1.0]), Method::Dopri5, &adaptive);
    let said = error.unwrap_err().to_string();
    assert!(!said.contains("stiff"), "{said}");
}

#[test]
fn the_implicit_method_and_tolerances_by_component_refuse_tensors() {
    let decay = |_: f64, y: &Tensor<1>| y.clone() * -1.0;
    let outcome = solve(&decay, (0.0, 1.0), vector(&[1.0]), Method::Rodas5p, &Stepping::Count(3));
    assert!(matches!(outcome, Err(OdeError::NoNumbers { what: "rodas5p" })));
    let adaptive = within(1e-5).with_atols(vec![1e-5]).into();
    let outcome = solve(&decay, (0.0, 1.0), vector(&[1.0]), Method::Dopri5, &adaptive);
    assert!(matches!(outcome, Err(OdeError::NoNumbers { what: "`with_atols`" })));
}

#[test]
fn an_empty_batch_of_tensors_is_solved() {
    let decay = |_: f64, y: &Tensor<2>| y.clone() * -1.0;
    for norm in [Norm::JointRms, Norm::WorstSample] {
        let empty = Tensor::<2>::zeros([0, 2], &device());
        let adaptive = within(1e-5).with_norm(norm).into();
        let end = solve(&decay, (0.0, 1.0), empty, Method::Dopri5, &adaptive).unwrap();
        assert_eq!(end.y.dims(), [0, 2]);
    }
}
