//! The walk along the grid that all samplers share, counted and checked.

use std::cell::{Cell, RefCell};
use std::f64::consts::SQRT_2;

use burn::tensor::Tensor;
use flow_path::{Coefficients, Prediction, Schedule};

use super::grid::Route;
use super::kept::Kept;
use super::visit::{Visit, Watch};
use super::{Generated, Way};
use crate::ends::{carry_noise, first_row_not_finite, mix};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// From time `t` to time `s` of a grid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) index: usize,
    /// Steps of the whole grid.
    pub(super) count: usize,
    pub(super) t: f64,
    pub(super) s: f64,
    pub(super) from: Coefficients,
    pub(super) to: Coefficients,
}

impl Step {
    /// `e^{-h} = (alpha_t / sigma_t) / (alpha_s / sigma_s)`, in `[0, 1)`.
    ///
    /// Zero where the step begins at pure noise or ends at pure data, where `h` is infinite.
    pub(super) fn decay(&self) -> f64 {
        (self.from.alpha * self.to.sigma) / (self.to.alpha * self.from.sigma)
    }

    /// `h = ln(alpha_s / sigma_s) - ln(alpha_t / sigma_t)`.
    pub(super) fn h(&self) -> f64 {
        self.decay().recip().ln()
    }

    /// Whether a formula may extrapolate over this step from a step of length `h_before` before it.
    ///
    /// Predictions settle within about one unit of `h`, so that a long step after a short one would
    /// carry their last change on much too far. The bound is the one up to which the two-step
    /// formula BDF2 is stable on steps of changing length, `1 + sqrt(2)` (Grigorieff 1983).
    pub(super) fn may_extrapolate(&self, h_before: f64) -> bool {
        self.h() <= (1.0 + SQRT_2) * h_before
    }

    /// The predicted pair mixed at `s`, with the fraction `keep` of its noise:
    /// `alpha_s x_1 + sigma_s keep x_0`, where `x_0 = (x - alpha_t x_1) / sigma_t`.
    pub(super) fn mix(&self, x: Tensor<2>, data: Tensor<2>, keep: f64) -> Tensor<2> {
        mix(x, data, (&self.from, &self.to), keep)
    }

    /// The predicted pair mixed at `s`, with all of its noise but the fraction `keep` drawn anew:
    /// `alpha_s x_1 + sigma_s (keep x_0 + sqrt(1 - keep^2) z)`.
    pub(super) fn remix(
        &self,
        x: Tensor<2>,
        data: Tensor<2>,
        keep: f64,
        z: impl FnOnce(&Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        let fresh = (1.0 - keep * keep).max(0.0).sqrt();
        add_noise(self.mix(x, data, keep), self.to.sigma * fresh, z)
    }
}

/// `mean + std z`, without a draw where `std` is zero.
pub(super) fn add_noise(
    mean: Tensor<2>,
    std: f64,
    z: impl FnOnce(&Tensor<2>) -> Tensor<2>,
) -> Tensor<2> {
    if std == 0.0 {
        return mean;
    }
    let z = z(&mean);
    mean + z * std
}

/// A predictor whose network calls are counted, and whose first answer of a step is shown to the
/// watcher.
pub(super) struct Model<'a> {
    predictor: &'a dyn Predictor,
    calls: Cell<usize>,
    watch: Option<&'a Watch<'a>>,
    /// The step whose first answer is still to come.
    begun: Cell<Option<usize>>,
    stop: RefCell<Option<Stop>>,
    /// Last time of the grid.
    last: f64,
}

/// When a watcher ended the walk, and the state at the last time of the grid as it was seen then.
struct Stop {
    t: f64,
    end: Tensor<2>,
}

impl Model<'_> {
    pub(super) fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        self.calls.set(self.calls.get() + self.predictor.calls(t));
        let value = self.predictor.predict(what, x, t);
        let at = |t| self.schedule().at(t);
        let data = || what.convert_tensor(Prediction::Data, value.clone(), x.clone(), &at(t));
        self.show((t, x), &data, || mix(x.clone(), data(), (&at(t), &at(self.last)), 1.0));
        value
    }

    /// Where a flow map takes `x`; an error for what is none. The data that it predicts are where
    /// the rest of the way would take `x` in one jump, and cost one more, unless this is it.
    pub(super) fn jump(&self, x: &Tensor<2>, t: f64, s: f64) -> Result<Tensor<2>, SampleError> {
        let value = self.leap(x, t, s).ok_or(SampleError::NoFlowMap)?;
        let rest = || if s < self.last { self.leap(x, t, self.last) } else { None };
        let end = || rest().unwrap_or_else(|| value.clone());
        self.show((t, x), &end, end);
        Ok(value)
    }

    fn leap(&self, x: &Tensor<2>, t: f64, s: f64) -> Option<Tensor<2>> {
        self.calls.set(self.calls.get() + self.predictor.calls(t));
        self.predictor.jump(x, t, s)
    }

    /// Shows a state to the watcher, if a step has begun with it; `end` is the state at the last
    /// time as it is seen from there.
    fn show(
        &self,
        (t, x): (f64, &Tensor<2>),
        data: &dyn Fn() -> Tensor<2>,
        end: impl FnOnce() -> Tensor<2>,
    ) {
        let (Some(watch), Some(step)) = (self.watch, self.begun.take()) else { return };
        if watch(Visit { step, t, x, predict: data }).is_break() {
            self.stop.replace(Some(Stop { t, end: end() }));
        }
    }

    pub(super) fn schedule(&self) -> &dyn Schedule {
        self.predictor.schedule()
    }

    /// Last time at which a prediction may be asked for.
    pub(super) fn end(&self) -> f64 {
        self.predictor.span().1
    }
}

/// Walks a state from the first to the last time of a grid.
pub(super) fn walk(
    way: &Way<'_>,
    predictor: &dyn Predictor,
    x0: Tensor<2>,
    mut advance: impl FnMut(&Model<'_>, &Step, Tensor<2>) -> Result<Tensor<2>, SampleError>,
) -> Result<Generated, SampleError> {
    let Route { from, times } = way.grid.route(predictor)?;
    if x0.dims()[0] == 0 {
        let states = vec![x0.clone(); way.keep.len()];
        return Ok(Generated { x: x0, states, nfe: 0, stopped: None });
    }
    let model = Model {
        predictor,
        calls: Cell::new(0),
        watch: way.watch,
        begun: Cell::new(None),
        stop: RefCell::new(None),
        last: times[times.len() - 1],
    };
    let (schedule, last) = (model.schedule(), model.last);
    let (mut kept, mut stopped) = (Kept::new(way.keep), None);
    kept.before(times[0], |t| carry_noise(x0.clone(), schedule, from, t.max(from)));
    let mut x = carry_noise(x0, schedule, from, times[0]);
    for (index, pair) in times.windows(2).enumerate() {
        let (t, s) = (pair[0], pair[1]);
        let (from, to) = (schedule.at(t), schedule.at(s));
        let before = (!way.keep.is_empty()).then(|| x.clone());
        model.begun.set(Some(index));
        x = advance(&model, &Step { index, count: times.len() - 1, t, s, from, to }, x)?;
        if let Some(stop) = model.stop.take() {
            (x, stopped) = (stop.end, Some(stop.t));
            break;
        }
        if let Some(before) = before {
            kept.pass((t, s), &before, &x);
        }
    }
    if let Some(row) = first_row_not_finite(&x) {
        return Err(SampleError::NotFinite { row, t: last });
    }
    let states = kept.finish(&x);
    Ok(Generated { x, states, nfe: model.calls.get(), stopped })
}
