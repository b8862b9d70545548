//! Every public function that takes numbers, walked over awkward ones: what comes back is finite, a
//! documented special value or an error, never a silent NaN, a hang or an abort.
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

mod common;

use common::within;
use flow_ode::{
    Adaptive, AdjointField, Controller, Event, Method, Norms, OdeError, Problem, Solution, State,
    Stepping, Tolerance, VectorField, Vjp, adjoint, solve, solve_rows,
};
use flow_testing::{awkward, public};

/// What a function does with a number; panics where it is not what its documentation says.
type Trial = fn(f64);

/// The functions whose argument is a number, or made of one.
const TRIALS: &[(&str, Trial)] = &[
    ("Adaptive::with_first_step", |x| settings(within(1e-6).with_first_step(x))),
    ("Adaptive::with_max_step", |x| settings(within(1e-6).with_max_step(x))),
    ("Adaptive::with_max_steps", |x| settings(within(1e-6).with_max_steps(x as usize))),
    ("Adaptive::with_jumps", |x| settings(within(1e-6).with_jumps(vec![x]))),
    ("Adaptive::with_atols", |x| {
        settings(within(1e-6).with_atols(vec![x]));
        settings(within(1e-6).with_atols(vec![1e-6, x]));
        settings(within(1e-6).with_atols(Vec::new()));
    }),
    ("Controller::pi", |x| {
        settings(within(1e-6).with_controller(Controller::pi(x, 0.3)));
        settings(within(1e-6).with_controller(Controller::pi(0.4, x)));
    }),
    ("Controller::pid", |x| settings(within(1e-6).with_controller(Controller::pid(x, x, x)))),
    ("Controller::with_safety", |x| {
        settings(within(1e-6).with_controller(Controller::integral().with_safety(x)));
    }),
    ("Controller::with_factors", |x| {
        settings(within(1e-6).with_controller(Controller::integral().with_factors(x, 10.0)));
        settings(within(1e-6).with_controller(Controller::integral().with_factors(0.2, x)));
    }),
    ("Dense::at", |x| {
        let problem = Problem::new(&decay, (0.0, 1.0), 1.0).with_dense();
        let dense = problem.solve(Method::Dopri5, &Stepping::Count(3)).unwrap().dense.unwrap();
        assert_eq!(dense.at(x).is_some_and(f64::is_finite), (0.0..=1.0).contains(&x), "{x}");
    }),
    ("Event::new", |x| {
        let event = Event::new(move |_, y: &f64| y * x).terminal();
        sound(
            Problem::new(&decay, (0.0, 1.0), 1.0)
                .with_event(event)
                .solve(Method::Dopri5, &within(1e-6).into()),
        );
    }),
    ("Norms::host", |x| {
        // NaN counts as larger than any other, and what is below 0 as 0.
        let worst = Norms::host(vec![x, 1.0]).worst();
        assert!(worst >= 1.0 || x.is_nan() && worst.is_nan(), "{x}: {worst}");
    }),
    ("Problem::new", |x| {
        for span in [(0.0, x), (x, 1.0), (x, x)] {
            for method in [Method::Rk4, Method::Dopri5, Method::Rodas5p] {
                sound(Problem::new(&decay, span, 1.0).solve(method, &Stepping::Count(3)));
            }
        }
    }),
    ("Problem::with_times", |x| {
        let problem = Problem::new(&decay, (0.0, 1.0), 1.0).with_times(vec![x]);
        sound(problem.solve(Method::Dopri5, &within(1e-6).into()));
    }),
    ("Tolerance::scale", |x| {
        // Of two numbers of which one is NaN the other counts.
        let tol = Tolerance { atol: 1.0, rtol: 1e-3 };
        let scale = tol.scale(x, 2.0);
        assert!(scale >= 1.002, "{x}: {scale}");
        assert_eq!(tol.scale(x, x).is_nan(), x.is_nan(), "{x}");
    }),
    ("adjoint", |x| {
        for (span, y1, loss) in [((0.0, 1.0), x, 1.0), ((0.0, 1.0), 1.0, x), ((0.0, x), 1.0, 1.0)] {
            for stepping in [within(1e-6).with_max_steps(300).into(), Stepping::Count(3)] {
                if let Ok(gradient) = adjoint(&Growth, span, y1, loss, Method::Tsit5, &stepping) {
                    let numbers = [gradient.y0, gradient.start, gradient.params];
                    assert!(numbers.all_finite(), "{x}: {numbers:?}");
                }
            }
        }
    }),
    ("solve", |x| {
        for method in Method::ALL {
            for stepping in [Stepping::Count(3), Stepping::Size(x), Stepping::Grid(vec![0.0, x])] {
                sound(solve(&decay, (0.0, 1.0), 1.0, *method, &stepping));
            }
            for tol in [(x, 1e-6), (1e-6, x), (x, x)] {
                settings_of(*method, Adaptive::new(Tolerance { atol: tol.0, rtol: tol.1 }));
            }
            // A field that is this number, and one that carries it.
            sound(solve(&|_, _: &f64| x, (0.0, 1.0), 1.0, *method, &Stepping::Count(3)));
            let limited: Stepping = within(1e-6).with_max_steps(300).into();
            sound(solve(&|_, y: &f64| x * y, (0.0, 1.0), 1.0, *method, &limited));
        }
    }),
    ("solve_rows", |x| {
        let field = |_: &[f64], y: &Vec<[f64; 2]>| -> Vec<[f64; 2]> {
            y.iter().map(|y| y.map(|y| x - y)).collect()
        };
        let adaptive = within(1e-6).with_max_steps(300);
        for span in [(0.0, 1.0), (0.0, x), (x, 1.0)] {
            for start in [vec![[1.0, x], [0.0, 1.0]], Vec::new(), vec![[0.0; 2]]] {
                match solve_rows(&field, span, start, Method::Dopri5, &adaptive) {
                    Ok(solution) => assert!(solution.y.all_finite(), "{x}: {:?}", solution.y),
                    Err(error) => assert!(error.to_string().len() > 20),
                }
            }
        }
    }),
];

/// Those that need a tensor, below.
const ON_TENSORS: [&str; 2] = ["AutodiffField::new", "Norms::device"];

#[allow(clippy::trivially_copy_pass_by_ref, reason = "a field takes its state by reference")]
fn decay(_: f64, y: &f64) -> f64 {
    -y
}

/// `y' = a y` at `a = 1`.
struct Growth;

impl VectorField<f64> for Growth {
    fn eval(&self, _: f64, y: &f64) -> f64 {
        *y
    }
}

impl AdjointField<f64> for Growth {
    type Params = f64;

    fn zero_params(&self) -> f64 {
        0.0
    }

    fn vjp(&self, t: f64, y: &f64, w: &f64) -> Vjp<f64, f64> {
        Vjp { value: self.eval(t, y), state: *w, params: w * y }
    }
}

fn settings(adaptive: Adaptive) {
    settings_of(Method::Dopri5, adaptive);
}

fn settings_of(method: Method, adaptive: Adaptive) {
    sound(solve(&decay, (0.0, 1.0), 1.0, method, &adaptive.into()));
}

/// Finite numbers at the end, or an error that says something.
fn sound<S: State + std::fmt::Debug>(outcome: Result<Solution<S>, OdeError<S>>) {
    match outcome {
        Ok(solution) => {
            assert!(solution.y.all_finite(), "{:?}", solution.y);
            assert!(solution.states.iter().all(S::all_finite), "{:?}", solution.states);
        }
        Err(error) => assert!(error.to_string().len() > 20),
    }
}

#[test]
fn public_functions_keep_their_word_over_awkward_numbers() {
    for (name, trial) in TRIALS {
        for (what, x) in awkward::SCALARS {
            let outcome = std::panic::catch_unwind(|| trial(x));
            assert!(outcome.is_ok(), "{name} with {what}");
        }
    }
    let names: Vec<&str> = TRIALS.iter().map(|(name, _)| *name).chain(ON_TENSORS).collect();
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &names, &[]);
}

#[test]
fn awkward_starts_end_in_finite_numbers_or_an_error() {
    for set in awkward::rows(6, 2) {
        let flat: Vec<f64> = set.rows.iter().map(|x| f64::from(*x)).collect();
        let batch: Vec<[f64; 2]> = flat.chunks(2).map(|row| [row[0], row[1]]).collect();
        for method in Method::ALL {
            let adaptive = method.is_adaptive().then(|| within(1e-6).with_max_steps(300).into());
            for stepping in adaptive.into_iter().chain([Stepping::Count(7)]) {
                let square = |_: f64, y: &Vec<f64>| y.iter().map(|y| 1.0 - y * y).collect();
                let outcome = solve(&square, (0.0, 1.0), flat.clone(), *method, &stepping);
                assert!(set.finite || outcome.is_err(), "{} by {method}", set.name);
                sound(outcome);
                let square = |_: f64, y: &Vec<[f64; 2]>| -> Vec<[f64; 2]> {
                    y.iter().map(|y| y.map(|y| 1.0 - y * y)).collect()
                };
                sound(solve(&square, (0.0, 1.0), batch.clone(), *method, &stepping));
            }
        }
    }
}

#[cfg(feature = "burn")]
#[test]
fn awkward_tensors_end_in_finite_numbers_or_an_error() {
    use burn::tensor::{Device, Tensor, TensorData};
    use flow_ode::AutodiffField;

    let device = Device::flex();
    for set in awkward::rows(6, 2) {
        let data = TensorData::new(set.rows.clone(), [set.rows.len() / 2, 2]);
        let start = Tensor::<2>::from_data(data, &device);
        let square = |_: f64, y: &Tensor<2>| y.clone().square() * -1.0 + 1.0;
        for stepping in [Stepping::Count(7), within(1e-4).with_max_steps(300).into()] {
            let outcome = solve(&square, (0.0, 1.0), start.clone(), Method::Dopri5, &stepping);
            assert!(set.finite || outcome.is_err(), "{}", set.name);
            sound(outcome);
        }
    }
    for (what, x) in awkward::SCALARS {
        let number = Tensor::<1>::from_data([x as f32], &device);
        let worst = Norms::device(number.clone()).worst();
        assert!(worst >= 0.0 || x.is_nan() && worst.is_nan(), "{what}: {worst}");
        // A parameter goes into the field as it is.
        let field = AutodiffField::new(|_, y: Tensor<1>, k: Tensor<1>| y * k, number);
        let start = Tensor::<1>::from_data([1.0], &device);
        for stepping in [Stepping::Count(3), within(1e-4).with_max_steps(300).into()] {
            sound(solve(&field, (0.0, 1.0), start.clone(), Method::Dopri5, &stepping));
        }
    }
}
