//! Settings of adaptive stepping.

use crate::controller::Controller;
use crate::error::{OdeError, TimeList};
use crate::state::{Norm, Norms, State, Tolerance, component_norms};
use crate::times::check_times;

/// Steps as large as the tolerance allows.
///
/// Each attempted step costs one read from the device, of its error norm. The field is evaluated
/// within the span and nowhere else, since steps are clipped to its end and to the jumps.
///
/// ```
/// use flow_ode::{Adaptive, Controller, Method, Norm, Problem, Tolerance};
///
/// let adaptive = Adaptive::new(Tolerance { atol: 1e-8, rtol: 1e-6 })
///     .with_controller(Controller::pi(0.4, 0.3))
///     .with_norm(Norm::WorstSample)
///     .with_max_step(0.5);
/// let field = |t: f64, y: &f64| t - y;
/// let end = Problem::new(&field, (0.0, 3.0), 0.0).solve(Method::Tsit5, &adaptive.into()).unwrap();
/// assert!(end.stats.largest_step <= 0.5);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Adaptive {
    pub(crate) tol: Tolerance,
    pub(crate) controller: Controller,
    pub(crate) weights: ErrorWeights,
    pub(crate) norm: Norm,
    pub(crate) first_step: Option<f64>,
    pub(crate) max_step: f64,
    pub(crate) max_steps: usize,
    pub(crate) jumps: Vec<f64>,
    pub(crate) atols: Vec<f64>,
}

/// How large the error estimates of the 5(4) pairs `dopri5` and `tsit5` are taken to be; other
/// methods have one set of weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorWeights {
    /// Two thirds of the published weights: for `dopri5` those of Shampine's codes and of most
    /// neural ODE packages, for `tsit5` the same share, so that both read a tolerance alike. Some
    /// 7 % fewer evaluations for 1.5 times the error.
    #[default]
    Shampine,
    /// The published weights: for `dopri5` those of Hairer, Nørsett & Wanner's code DOPRI5.
    Hairer,
}

impl Adaptive {
    /// Steps within `tol`, all else at its default: an integral controller, the joint norm, a
    /// first step found from the field, no largest step, 100000 steps at most and no jumps.
    ///
    /// ```
    /// # use flow_ode::{Adaptive, Tolerance};
    /// let adaptive = Adaptive::new(Tolerance { atol: 1e-5, rtol: 1e-5 });
    /// # let _ = adaptive;
    /// ```
    #[must_use]
    pub fn new(tol: Tolerance) -> Self {
        Self {
            tol,
            controller: Controller::default(),
            weights: ErrorWeights::default(),
            norm: Norm::default(),
            first_step: None,
            max_step: f64::INFINITY,
            max_steps: 100_000,
            jumps: Vec::new(),
            atols: Vec::new(),
        }
    }

    /// Sets the step controller.
    ///
    /// ```
    /// # use flow_ode::{Adaptive, Controller, Tolerance};
    /// # let tol = Tolerance { atol: 1e-5, rtol: 1e-5 };
    /// let adaptive = Adaptive::new(tol).with_controller(Controller::pi(0.4, 0.3));
    /// # let _ = adaptive;
    /// ```
    #[must_use]
    pub fn with_controller(self, controller: Controller) -> Self {
        Self { controller, ..self }
    }

    /// Sets the error weights of `dopri5` and `tsit5`.
    ///
    /// ```
    /// # use flow_ode::{Adaptive, ErrorWeights, Tolerance};
    /// # let tol = Tolerance { atol: 1e-5, rtol: 1e-5 };
    /// let adaptive = Adaptive::new(tol).with_error_weights(ErrorWeights::Hairer);
    /// # let _ = adaptive;
    /// ```
    #[must_use]
    pub fn with_error_weights(self, weights: ErrorWeights) -> Self {
        Self { weights, ..self }
    }

    /// Sets how the errors of a batch become one.
    ///
    /// ```
    /// # use flow_ode::{Adaptive, Norm, Tolerance};
    /// # let tol = Tolerance { atol: 1e-5, rtol: 1e-5 };
    /// let adaptive = Adaptive::new(tol).with_norm(Norm::WorstSample);
    /// # let _ = adaptive;
    /// ```
    #[must_use]
    pub fn with_norm(self, norm: Norm) -> Self {
        Self { norm, ..self }
    }

    /// Sets the size of the first attempt, which saves the evaluation and the reads that find it.
    ///
    /// ```
    /// # use flow_ode::{Adaptive, Method, Tolerance, solve};
    /// # let tol = Tolerance { atol: 1e-5, rtol: 1e-5 };
    /// let adaptive = Adaptive::new(tol).with_first_step(0.1).into();
    /// let end = solve(&|_, y: &f64| -y, (0.0, 1.0), 1.0, Method::Dopri5, &adaptive).unwrap();
    /// assert_eq!(end.stats.evals, 1 + 6 * (end.stats.accepted + end.stats.rejected));
    /// ```
    #[must_use]
    pub fn with_first_step(self, h: f64) -> Self {
        Self { first_step: Some(h), ..self }
    }

    /// Sets the largest step, so that short features of the field are not stepped over.
    ///
    /// ```
    /// # use flow_ode::{Adaptive, Tolerance};
    /// # let tol = Tolerance { atol: 1e-5, rtol: 1e-5 };
    /// let adaptive = Adaptive::new(tol).with_max_step(0.05);
    /// # let _ = adaptive;
    /// ```
    #[must_use]
    pub fn with_max_step(self, h: f64) -> Self {
        Self { max_step: h, ..self }
    }

    /// Sets how many steps may be attempted before the solve gives up.
    ///
    /// ```
    /// # use flow_ode::{Adaptive, Method, OdeError, Tolerance, solve};
    /// # let tol = Tolerance { atol: 1e-9, rtol: 1e-9 };
    /// let adaptive = Adaptive::new(tol).with_max_steps(3).into();
    /// let end = solve(&|_, y: &f64| -y, (0.0, 9.0), 1.0, Method::Dopri5, &adaptive);
    /// assert!(matches!(end, Err(OdeError::StepLimit { limit: 3, .. })));
    /// ```
    #[must_use]
    pub fn with_max_steps(self, max_steps: usize) -> Self {
        Self { max_steps, ..self }
    }

    /// Sets the times at which the field jumps, in the direction of time.
    ///
    /// Steps end there, the field is evaluated on the side of the jump where the step lies, one
    /// unit of rounding away from it.
    ///
    /// ```
    /// # use flow_ode::{Adaptive, Method, Tolerance, solve};
    /// # let tol = Tolerance { atol: 1e-8, rtol: 1e-8 };
    /// let switch = |t: f64, y: &f64| if t < 0.5 { -y } else { *y };
    /// let adaptive = Adaptive::new(tol).with_jumps(vec![0.5]).into();
    /// let end = solve(&switch, (0.0, 1.0), 1.0, Method::Dopri5, &adaptive).unwrap();
    /// assert!((end.y - 1.0).abs() < 1e-7);
    /// ```
    #[must_use]
    pub fn with_jumps(self, jumps: Vec<f64>) -> Self {
        Self { jumps, ..self }
    }

    /// Sets an absolute tolerance for each component, in place of the one of [`Tolerance::atol`].
    ///
    /// They stand in the order of [`State::numbers`], for states on the host. For a batch the
    /// tolerances of one sample suffice: they repeat. An infinite one leaves its component out of
    /// the step control.
    ///
    /// ```
    /// # use flow_ode::{Adaptive, Method, Tolerance, solve};
    /// // The second component is a hundred million times as small as the first.
    /// let field = |_t: f64, [a, b]: &[f64; 2]| [-a, -2.0 * b];
    /// let tol = Tolerance { atol: 1e-6, rtol: 0.0 };
    /// let adaptive = Adaptive::new(tol).with_atols(vec![1e-6, 1e-14]).into();
    /// let end = solve(&field, (0.0, 5.0), [1.0, 1e-8], Method::Dopri5, &adaptive).unwrap();
    /// assert!((end.y[1] - 1e-8 * (-10f64).exp()).abs() < 1e-14);
    /// ```
    #[must_use]
    pub fn with_atols(self, atols: Vec<f64>) -> Self {
        Self { atols, ..self }
    }

    /// The error norms of a step from `y0` to `y1`, not yet read from the device.
    pub(crate) fn norms<S: State>(&self, error: &S, y0: &S, y1: &S) -> Norms {
        if self.atols.is_empty() {
            error.norms(y0, y1, &self.tol, self.norm)
        } else {
            component_norms([error, y0, y1], &self.atols, self.tol.rtol, self.norm)
        }
    }

    /// These settings with the relative tolerance raised to what `f64` can resolve and each jump
    /// named once, or what is wrong with them for a solve from `y0`.
    pub(crate) fn checked<S: State>(&self, span: (f64, f64), y0: &S) -> Result<Self, OdeError<S>> {
        let Tolerance { atol, rtol } = self.tol;
        if !(self.tol.is_sound() && atol.is_finite() && rtol.is_finite()) {
            return Err(OdeError::BadTolerance { atol, rtol });
        }
        if let Some(own) = y0.own_tolerances().iter().find(|own| !own.is_sound()) {
            return Err(OdeError::BadTolerance { atol: own.atol, rtol: own.rtol });
        }
        if !self.atols.is_empty() {
            let numbers = y0.numbers().ok_or(OdeError::NoNumbers { what: "`with_atols`" })?.len();
            check_atols(&self.atols, rtol, numbers)?;
        }
        let Controller { proportional, integral, derivative, safety, min_factor, max_factor } =
            self.controller;
        let first = self.first_step.unwrap_or(1.0);
        let rules = [
            ("proportional", proportional, proportional.is_finite(), "it is finite"),
            ("integral", integral, integral.is_finite(), "it is finite"),
            ("derivative", derivative, derivative.is_finite(), "it is finite"),
            ("safety", safety, 0.0 < safety && safety < 1.0, "it lies between 0 and 1"),
            (
                "min_factor",
                min_factor,
                0.0 < min_factor && min_factor < 1.0,
                "it lies between 0 and 1",
            ),
            ("max_factor", max_factor, 1.0 <= max_factor, "it is at least 1"),
            ("first_step", first, 0.0 < first && first.is_finite(), "it is positive and finite"),
            ("max_step", self.max_step, 0.0 < self.max_step, "it is positive"),
        ];
        if let Some(&(name, value, _, must)) = rules.iter().find(|(_, _, holds, _)| !holds) {
            return Err(OdeError::BadSetting { name, value, must });
        }
        check_times(TimeList::Jumps, span, &self.jumps)?;
        let rtol = rtol.max(100.0 * f64::EPSILON);
        let mut jumps = self.jumps.clone();
        jumps.dedup();
        Ok(Self { tol: Tolerance { atol, rtol }, jumps, ..self.clone() })
    }
}

/// Checks the absolute tolerances of the components of a state of so many numbers.
fn check_atols<S>(atols: &[f64], rtol: f64, numbers: usize) -> Result<(), OdeError<S>> {
    if !numbers.is_multiple_of(atols.len()) {
        return Err(OdeError::BadSetting {
            name: "with_atols",
            value: atols.len() as f64,
            must: "there are as many as the state has numbers, or as one sample of a batch has",
        });
    }
    match atols.iter().find(|atol| !Tolerance { atol: **atol, rtol }.is_sound()) {
        Some(atol) => Err(OdeError::BadTolerance { atol: *atol, rtol }),
        None => Ok(()),
    }
}
