//! Step control: the next step from the errors of the last ones.

/// A proportional-integral-derivative controller of the step size.
///
/// With `e_n` the error norm of step `n` (at most 1 if accepted) and `k` one more than the order
/// of the error estimate, the step grows by
///
/// ```text
/// safety * e_n^(-(P+I+D)/k) * e_{n-1}^((P+2D)/k) * e_{n-2}^(-D/k)
/// ```
///
/// kept between `min_factor` and `max_factor`. It never grows in the step after a rejection, and a
/// step that is not finite shrinks by `min_factor`.
///
/// # Reference
/// Söderlind (2003), "Digital filters in adaptive time-stepping", ACM Transactions on Mathematical
/// Software 29; Hairer & Wanner (1996), "Solving Ordinary Differential Equations II", section IV.2.
///
/// ```
/// use flow_ode::{Adaptive, Controller, Tolerance};
/// let tol = Tolerance { atol: 1e-6, rtol: 1e-6 };
/// let smooth = Adaptive::new(tol).with_controller(Controller::pi(0.4, 1.0).with_safety(0.8));
/// # let _ = smooth;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controller {
    pub(crate) proportional: f64,
    pub(crate) integral: f64,
    pub(crate) derivative: f64,
    pub(crate) safety: f64,
    pub(crate) min_factor: f64,
    pub(crate) max_factor: f64,
}

impl Default for Controller {
    fn default() -> Self {
        Self::integral()
    }
}

impl Controller {
    /// The elementary controller, `I` = 1: the fewest steps on smooth problems.
    ///
    /// ```
    /// assert_eq!(flow_ode::Controller::integral(), flow_ode::Controller::pid(0.0, 1.0, 0.0));
    /// ```
    #[must_use]
    pub fn integral() -> Self {
        Self::pid(0.0, 1.0, 0.0)
    }

    /// A PI controller: smoother steps, fewer rejections where stability limits the step.
    /// (0.4, 0.3) and (0.3, 0.3) are usual for harder problems.
    ///
    /// ```
    /// # use flow_ode::Controller;
    /// let calm = Controller::pi(0.4, 0.3);
    /// # let _ = calm;
    /// ```
    #[must_use]
    pub fn pi(proportional: f64, integral: f64) -> Self {
        Self::pid(proportional, integral, 0.0)
    }

    /// A PID controller.
    ///
    /// ```
    /// # use flow_ode::Controller;
    /// let pid = Controller::pid(0.1, 0.3, 0.05);
    /// # let _ = pid;
    /// ```
    #[must_use]
    pub fn pid(proportional: f64, integral: f64, derivative: f64) -> Self {
        Self { proportional, integral, derivative, safety: 0.9, min_factor: 0.2, max_factor: 10.0 }
    }

    /// Sets the share of the optimal step that is taken, in `(0, 1)`; 0.9 by default.
    ///
    /// ```
    /// # use flow_ode::Controller;
    /// let careful = Controller::integral().with_safety(0.8);
    /// # let _ = careful;
    /// ```
    #[must_use]
    pub fn with_safety(self, safety: f64) -> Self {
        Self { safety, ..self }
    }

    /// Sets the least and greatest change from one step to the next, `0 < min < 1 <= max`; 0.2 and
    /// 10 by default.
    ///
    /// ```
    /// # use flow_ode::Controller;
    /// let hairer = Controller::integral().with_factors(1.0 / 3.0, 6.0);
    /// # let _ = hairer;
    /// ```
    #[must_use]
    pub fn with_factors(self, min_factor: f64, max_factor: f64) -> Self {
        Self { min_factor, max_factor, ..self }
    }
}

/// A controller at work: it remembers the errors of the last two accepted steps.
#[derive(Clone)]
pub(crate) struct Control {
    controller: Controller,
    exponent: f64,
    history: [f64; 2],
    after_rejection: bool,
}

impl Control {
    /// `exponent` is `1 / k`.
    pub(crate) fn new(controller: Controller, exponent: f64) -> Self {
        Self { controller, exponent, history: [1.0; 2], after_rejection: false }
    }

    /// Whether the last step tried was rejected.
    pub(crate) fn after_rejection(&self) -> bool {
        self.after_rejection
    }

    /// Factor to the next step after an accepted one.
    pub(crate) fn accept(&mut self, error: f64) -> f64 {
        let limit = if self.after_rejection { 1.0 } else { self.controller.max_factor };
        let factor = self.factor(error, limit);
        self.history = [error.max(f64::MIN_POSITIVE), self.history[0]];
        self.after_rejection = false;
        factor
    }

    /// Factor to the next attempt after a rejected step.
    pub(crate) fn reject(&mut self, error: f64) -> f64 {
        self.after_rejection = true;
        if error.is_finite() {
            self.factor(error, self.controller.safety)
        } else {
            self.controller.min_factor
        }
    }

    fn factor(&self, error: f64, limit: f64) -> f64 {
        let Controller { proportional: p, integral: i, derivative: d, .. } = self.controller;
        let [e1, e2] = self.history;
        let k = self.exponent;
        let error = error.max(f64::MIN_POSITIVE);
        let factor = self.controller.safety
            * error.powf(-(p + i + d) * k)
            * e1.powf((p + 2.0 * d) * k)
            * e2.powf(-d * k);
        let factor = if factor.is_nan() { self.controller.min_factor } else { factor };
        factor.clamp(self.controller.min_factor, limit.max(self.controller.min_factor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_never_grows_right_after_a_rejection() {
        let mut control = Control::new(Controller::integral(), 0.2);
        assert!(control.reject(4.0) < 1.0);
        assert_eq!(control.accept(1e-9), 1.0);
        assert_eq!(control.accept(1e-9), 10.0);
    }

    #[test]
    fn a_step_that_is_not_finite_shrinks_by_the_least_factor() {
        let mut control = Control::new(Controller::pid(0.1, 0.3, 0.05), 0.2);
        assert_eq!(control.reject(f64::NAN), 0.2);
        assert_eq!(control.reject(f64::INFINITY), 0.2);
    }

    #[test]
    fn a_step_without_error_grows_by_the_greatest_factor() {
        let mut control = Control::new(Controller::pi(0.4, 0.3), 0.2);
        assert_eq!(control.accept(0.0), 10.0);
        assert!(control.accept(0.5).is_finite());
    }

    #[test]
    fn a_rejected_step_always_shrinks() {
        // A derivative term could ask for growth; the safety factor is the limit then.
        let mut control = Control::new(Controller::pid(0.0, 0.0, 1.0), 0.2);
        control.accept(1e-8);
        assert!(control.reject(1.0 + 1e-9) <= 0.9);
    }
}
