//! Consistency flow matching: the points of a line agree on where it leaves its segment of time.

use burn::tensor::Tensor;
use flow_nn::Time;
use flow_path::PathError;
use flow_path::config::{Check, within};
use serde::{Deserialize, Serialize};

use super::jump::column;
use super::regression::{squares, weighted_mean};
use super::{Batch, Loss, Networks, Objective};

/// A velocity of one time that goes straight to the end of a segment of time.
///
/// Time is cut into equal segments. From `t`, whose segment ends at `e`, the network steps to
/// `f(x_t, t) = x_t + (e - t) v(x_t, t)`. That step is to agree with the step from a point of the
/// same line a little later, `r = min(t + gap, e)`, and so is the velocity:
///
/// `|f(x_t, t) - f(x_r, r)|^2 + alpha |v(x_t, t) - v(x_r, r)|^2`
///
/// What is asked at `x_r` is the network itself, without a gradient. Where the segment ends before
/// the gap does, and at all times `r` from `boundary` on, `f(x_r, r)` is the point of the line at
/// the end, from which the rest is learned, and the second term is left out.
///
/// As the gap goes to zero, with a boundary of 1 and without the second term, the least is where
/// `v(x, t)` is the mean velocity of the flow from `t` to `e`: Euler steps from end to end follow
/// the flow, as many as there are segments. It is the velocity of the flow, and any solver may
/// follow it, just where the flow is straight within its segments. With a boundary of 0 there is
/// nothing but the velocity of the pair, weighted by `(e - t)^2`: the first stage of the paper,
/// whose second stage has 0.9 and begins with the weights of the first.
///
/// Lines must be straight and their targets velocities, so that `x_r = x_t + (r - t) target`.
///
/// # Reference
/// Yang, Zhang, Zhang, Liu, Xu, Zhang, Liu, Ermon & Cui (2024), "Consistency Flow Matching:
/// Defining Straight Flows with Velocity Consistency", arXiv:2407.02398. The teacher is the network
/// as it is, as in the authors' program, where the paper writes its moving average.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsistencyFlow {
    /// Equal parts of time.
    pub segments: usize,
    /// Time from a point to the later one.
    pub gap: f64,
    /// Time from which on the end of the line stands for the later point's step.
    pub boundary: f64,
    /// Weight of the difference of the velocities.
    pub alpha: f64,
}

impl Default for ConsistencyFlow {
    fn default() -> Self {
        Self { segments: 2, gap: 1e-3, boundary: 0.9, alpha: 1e-5 }
    }
}

/// More segments than anybody takes steps, and few enough that single precision tells them apart.
const MOST_SEGMENTS: usize = 10_000;

impl Check for ConsistencyFlow {
    fn check(&self) -> Result<(), PathError> {
        let Self { segments, gap, boundary, alpha } = *self;
        let fits = (1..=MOST_SEGMENTS).contains(&segments);
        within("segments", segments as f64, fits, "[1, 10000]")?;
        within("gap", gap, 0.0 < gap && gap < 1.0, "(0, 1)")?;
        within("boundary", boundary, (0.0..=1.0).contains(&boundary), "[0, 1]")?;
        within("alpha", alpha, (0.0..f64::INFINITY).contains(&alpha), "[0, inf)")
    }
}

impl ConsistencyFlow {
    /// The end of the segment of each time, `[B]`.
    fn ends(&self, t: &Tensor<1>) -> Tensor<1> {
        let segments = self.segments as f64;
        (((t.clone() * segments).floor() + 1.0) / segments).clamp_max(1.0)
    }
}

impl Objective for ConsistencyFlow {
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        let Batch { x_t, time, target, weight, known, condition, .. } = batch;
        let (t, line) = (time.t.clone().without_autodiff(), target.without_autodiff());
        let end = self.ends(&t);
        let r = (t.clone() + self.gap).min_pair(end.clone()); // [B]
        let way = column(r.clone() - t.clone());
        let x_r = x_t.clone().without_autodiff() + way.clone() * line.clone();
        let later = networks.frozen.forward(x_r, Time::at(r.clone()), &condition);
        let later = later.without_autodiff();

        // 1 where the later point is asked, 0 where the line goes on to its end.
        let asked =
            r.clone().lower(end.clone()).float() * r.clone().lower_elem(self.boundary).float();
        let asked = column(asked.cast(t.dtype()));
        let rest = line.clone() + asked.clone() * (later.clone() - line.clone());
        let whole = way * line + column(end.clone() - r) * rest;

        let own = networks.network.forward(x_t, time, &condition);
        let of = |error| squares(networks.network, &condition, known.clone(), error);
        let steps = of(own.clone() * column(end - t) - whole);
        let velocities = of(own - later) * asked;
        Loss { total: weighted_mean(steps + velocities * self.alpha, weight), terms: Vec::new() }
    }

    fn teaches_itself(&self) -> bool {
        true
    }
}
