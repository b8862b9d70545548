//! Initial-value problems over any vector space: numbers, arrays, pairs, tensors on a device.
//!
//! A *problem* is a field `f`, a span of time and a start; a *method* says how a step is made, a
//! *stepping* how time advances. Methods are data ([`tableau`]); the state is any [`State`]; time
//! is always `f64`.
//!
//! # A problem, solved on a fixed grid
//!
//! ```
//! use flow_ode::{Method, Stepping, solve};
//!
//! // Predators and their prey.
//! let field = |_t: f64, [x, y]: &[f64; 2]| [1.5 * x - x * y, x * y - 3.0 * y];
//! let end = solve(&field, (0.0, 10.0), [1.0, 1.0], Method::Rk4, &Stepping::Count(1000)).unwrap();
//! assert!((end.y[0] - 1.0263447).abs() < 1e-5);
//! assert_eq!(end.stats.evals, 4000);
//! ```
//!
//! # Steps chosen by the error
//!
//! ```
//! use flow_ode::{Adaptive, Method, Tolerance, solve};
//!
//! let field = |_t: f64, [x, y]: &[f64; 2]| [1.5 * x - x * y, x * y - 3.0 * y];
//! let adaptive = Adaptive::new(Tolerance { atol: 1e-8, rtol: 1e-8 }).into();
//! let end = solve(&field, (0.0, 10.0), [1.0, 1.0], Method::Tsit5, &adaptive).unwrap();
//! assert!((end.y[0] - 1.0263447).abs() < 1e-6);
//! assert!(end.stats.evals < 2000);
//! ```
//!
//! Time may run backward: `(10.0, 0.0)` is a span like any other. The field is never evaluated
//! outside it. [`Adaptive`] has the controller, the norm over a batch, the first and the largest
//! step, and the times at which the field jumps.
//!
//! # The solution in between
//!
//! ```
//! use flow_ode::{Adaptive, Method, Problem, Tolerance};
//!
//! let field = |_t: f64, y: &f64| -y;
//! let adaptive = Adaptive::new(Tolerance { atol: 1e-9, rtol: 1e-9 }).into();
//! let solution = Problem::new(&field, (0.0, 4.0), 1.0)
//!     .with_times(vec![1.0, 2.0, 3.0])
//!     .with_dense()
//!     .solve(Method::Dop853, &adaptive)
//!     .unwrap();
//! assert!((solution.states[1] - (-2f64).exp()).abs() < 1e-8);
//! let dense = solution.dense.unwrap();
//! assert!((dense.at(2.5).unwrap() - (-2.5f64).exp()).abs() < 1e-8);
//! ```
//!
//! Values inside a step come from the method's own interpolant, of the order that
//! [`Method::dense_order`] states; asking for them changes no step. [`Problem::with_path`] keeps
//! every step, [`Problem::with_observer`] calls a function after each.
//!
//! # Events
//!
//! ```
//! use flow_ode::{Adaptive, Event, Method, Problem, Tolerance};
//!
//! let pendulum = |_t: f64, [angle, speed]: &[f64; 2]| [*speed, -angle.sin()];
//! let adaptive = Adaptive::new(Tolerance { atol: 1e-9, rtol: 1e-9 }).into();
//! let swing = Problem::new(&pendulum, (0.0, 20.0), [0.1, 0.0])
//!     .with_event(Event::new(|_t, [angle, _]: &[f64; 2]| *angle).falling())
//!     .solve(Method::Tsit5, &adaptive)
//!     .unwrap();
//! let period = swing.events[1].t - swing.events[0].t;
//! assert!((period - 2.0 * std::f64::consts::PI).abs() < 5e-3);
//! ```
//!
//! # Tensors
//!
//! With feature `burn`, a `Tensor<D>` is a state, on any backend. An adaptive step reads one number
//! from the device, a step on a fixed grid none.
//!
//! ```
//! # #[cfg(feature = "burn")] {
//! use burn::tensor::{Device, Tensor};
//! use flow_ode::{Adaptive, Method, Tolerance, solve};
//!
//! let x0 = Tensor::<2>::from_data([[0.3, -0.7], [1.2, 0.4]], &Device::flex());
//! let field = |t: f64, x: &Tensor<2>| x.clone() * (-t);
//! let adaptive = Adaptive::new(Tolerance { atol: 1e-5, rtol: 1e-5 }).into();
//! let x1 = solve(&field, (0.0, 1.0), x0, Method::Dopri5, &adaptive).unwrap().y;
//! assert_eq!(x1.dims(), [2, 2]);
//! # }
//! ```
//!
//! Three ways to hold a batch to a tolerance: the joint norm (the default, that of most packages),
//! the worst sample ([`Norm`]), and steps of its own for each sample ([`solve_rows`]). Pairs move
//! together, such as a sample and its log-density, and [`WithTolerance`] gives a part its own
//! tolerance.
//!
//! # Stiff problems
//!
//! Where a fast decay bounds the steps and not the error, an explicit method crawls, and says so
//! when it gives up ([`HeldBy::Stability`]). [`Method::Rodas5p`] is implicit: it solves linear
//! systems with the Jacobian of the field, found by differences or given ([`WithJacobian`]).
//!
//! ```
//! use flow_ode::{Adaptive, Method, Tolerance, solve};
//!
//! let field = |t: f64, y: &f64| -1e6 * (y - t.cos());
//! let adaptive = Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 }).into();
//! let end = solve(&field, (0.0, 1.0), 0.0, Method::Rodas5p, &adaptive).unwrap();
//! assert!((end.y - 1f64.cos()).abs() < 1e-5);
//! assert!(end.stats.evals < 500);
//!
//! let error = solve(&field, (0.0, 1.0), 0.0, Method::Dopri5, &adaptive).unwrap_err();
//! assert!(error.to_string().contains("stiff"));
//! ```
//!
//! # Gradients
//!
//! On an autodiff device the end state carries the gradient of the steps taken. [`adjoint`] solves
//! the adjoint equation backward instead, in memory that does not grow with the steps.
//!
//! # Failures
//!
//! [`OdeError`] says what happened, where, and keeps the last good state. A solve never hangs and
//! never [`OdeError`] says what happened, where, and keeps the last good state. A solve never hangs
//! and never ends in numbers that are not finite. On a device a fixed grid is read once for that,
//! at its end; what was interpolated on the way is not.

#![allow(clippy::float_cmp, reason = "grids, jumps and events meet times exactly, to the last bit")]

mod adaptive;
mod adjoint;
#[cfg(feature = "burn")]
mod burn;
mod controller;
mod dense;
mod drive;
mod error;
mod event;
mod field;
mod fit;
mod initial;
mod linear;
mod method;
mod multistep;
mod problem;
mod record;
mod rosenbrock;
mod rows;
mod segment;
mod solution;
mod state;
mod stats;
mod stepper;
mod stepping;
mod stiffness;
pub mod tableau;
mod times;

#[cfg(feature = "burn")]
pub use crate::burn::AutodiffField;
pub use adaptive::{Adaptive, ErrorWeights};
pub use adjoint::{AdjointField, AdjointResult, AdjointState, Gradient, Vjp, adjoint};
pub use controller::Controller;
pub use dense::Dense;
pub use error::{HeldBy, OdeError, TimeFault, TimeList};
pub use event::{Event, Occurrence};
pub use field::{VectorField, WithJacobian};
pub use method::{Method, UnknownMethod};
pub use problem::{Problem, solve};
pub use rows::{Batch, RowField, RowSolution, solve_rows};
pub use solution::{Accepted, Solution};
pub use state::{Norm, Norms, State, Tolerance, WithTolerance};
pub use stats::Stats;
pub use stepping::Stepping;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
