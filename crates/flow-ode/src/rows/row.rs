//! The clock of one row.

use crate::adaptive::Adaptive;
use crate::controller::Control;
use crate::error::{HeldBy, OdeError};
use crate::fit::{Fit, fit, resolution};
use crate::segment::Interval;
use crate::stats::Stats;

/// Where a row is in time, and the step that it takes next.
#[derive(Clone)]
pub(super) struct Row {
    /// The next step; empty once the row has arrived.
    interval: Interval,
    end: f64,
    /// The step planned, before it is fitted to the end of the span.
    h: f64,
    cut_short: bool,
    max_step: f64,
    control: Control,
    last_error: f64,
    /// The last step taken.
    last: f64,
    pub(super) stats: Stats,
}

impl Row {
    pub(super) fn new((t0, t1): (f64, f64), settings: &Adaptive, exponent: f64) -> Self {
        let mut row = Self {
            interval: Interval::new(t0, t0),
            end: t1,
            h: 0.0,
            cut_short: false,
            max_step: settings.max_step,
            control: Control::new(settings.controller, exponent),
            last_error: 0.0,
            last: 0.0,
            stats: Stats::default(),
        };
        row.plan(settings.first_step.unwrap_or(f64::INFINITY));
        row
    }

    pub(super) fn is_running(&self) -> bool {
        self.time() != self.end
    }

    pub(super) fn time(&self) -> f64 {
        self.interval.t0
    }

    /// The step to be tried, with its sign; 0 once the row has arrived.
    pub(super) fn step(&self) -> f64 {
        self.interval.h()
    }

    /// The time of node `c` in the step to be tried.
    pub(super) fn node(&self, c: f64) -> f64 {
        self.interval.node(c)
    }

    /// The longest step there could be.
    pub(super) fn rest(&self) -> f64 {
        (self.end - self.time()).abs().min(self.max_step)
    }

    /// Looks ahead by `h`, to find out how long the first step may be.
    pub(super) fn look_ahead(&mut self, h: f64) {
        let (t, end) = (self.time(), self.end);
        let ahead = if h < self.rest() { t + h.copysign(end - t) } else { end };
        self.interval = Interval::new(t, ahead);
    }

    /// Sets the next step to `h`, fitted to what is left.
    pub(super) fn plan(&mut self, h: f64) {
        let t = self.time();
        self.h = h.min(self.max_step);
        let h = self.h.max(resolution(t));
        let Fit { end, cut_short } = fit(t, self.end, h, self.control.after_rejection());
        self.interval = Interval::new(t, end);
        self.cut_short = cut_short;
    }

    /// Accepts or rejects the step tried, and plans the next.
    pub(super) fn judge(&mut self, error: f64) -> bool {
        let tried = self.step().abs();
        self.last_error = error;
        let accepted = error <= 1.0;
        let h = if accepted {
            self.stats.accept(tried);
            self.last = tried;
            self.interval = Interval::new(self.interval.t1, self.interval.t1);
            let grown = tried * self.control.accept(error);
            if self.cut_short { grown.max(self.h) } else { grown }
        } else {
            self.stats.rejected += 1;
            tried * self.control.reject(error)
        };
        self.plan(h);
        accepted
    }

    pub(super) fn has_failed(&self, settings: &Adaptive) -> bool {
        let refused = self.last_error.is_nan() || self.last_error > 1.0;
        let vanished = refused && self.h < resolution(self.time());
        self.is_running() && (vanished || self.is_spent(settings))
    }

    fn is_spent(&self, settings: &Adaptive) -> bool {
        self.stats.accepted + self.stats.rejected >= settings.max_steps
    }

    /// The step that would come next, or the last one taken, if that was longer.
    pub(super) fn longest_step(&self) -> f64 {
        self.h.max(self.last)
    }

    /// What went wrong with row number `row`, with the batch as it is now; `finite` says whether
    /// the last step led to finite numbers, and `held_by` what kept the steps small.
    pub(super) fn failure<S>(
        &self,
        (row, y): (usize, S),
        settings: &Adaptive,
        finite: bool,
        held_by: HeldBy,
    ) -> OdeError<S> {
        let (t, h) = (self.time(), self.h.copysign(self.end - self.time()));
        let (limit, row) = (settings.max_steps, Some(row));
        if self.is_spent(settings) {
            OdeError::StepLimit { t, h, y, limit, held_by, row }
        } else if finite || self.last_error.is_finite() {
            OdeError::StepUnderflow { t, h, y, held_by, row }
        } else {
            OdeError::NonFinite { t, h, y, row }
        }
    }
}
