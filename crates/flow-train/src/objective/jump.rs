//! What the losses of flow maps share: the rows that jump, and the loss once their targets are
//! known.

use burn::tensor::Tensor;
use flow_nn::{Condition, Network, Time};
use flow_path::PathError;
use flow_path::config::within;

use super::Batch;

/// The rows of a batch that jump from `t` to `s`, without a tape.
pub(super) struct Jumps {
    /// Where they start, `[B, d]`.
    pub(super) x: Tensor<2>,
    /// When, `[B]`.
    pub(super) t: Tensor<1>,
    /// When they arrive, `[B]`.
    pub(super) s: Tensor<1>,
    /// The velocity of their pair at the start, `[B, d]`.
    pub(super) velocity: Tensor<2>,
    /// The noise that the loss has asked for, `[B, noise]`.
    pub(super) noise: Option<Tensor<2>>,
    condition: Condition,
}

impl Jumps {
    /// `u(x, t, s)` of a network for the same rows elsewhere, without a gradient.
    pub(super) fn ask(
        &self,
        network: &dyn Network,
        x: Tensor<2>,
        t: &Tensor<1>,
        s: &Tensor<1>,
    ) -> Tensor<2> {
        let time = Time::from_to(t.clone(), s.clone());
        network.forward(x, time, &self.condition).without_autodiff()
    }

    /// `s - t`, `[B, 1]`.
    pub(super) fn duration(&self) -> Tensor<2> {
        column(self.s.clone() - self.t.clone())
    }
}

/// `[B]` as a column, `[B, 1]`.
pub(super) fn column(values: Tensor<1>) -> Tensor<2> {
    values.unsqueeze_dim(1)
}

/// The batch with the targets of the rows that jump: `of` says what `u(x, t, s)` is to be.
///
/// The rows that stay keep the velocity of their pair.
///
/// # Panics
/// When rows jump and there is no second time.
pub(super) fn with_targets(mut batch: Batch, of: impl FnOnce(&Jumps) -> Tensor<2>) -> Batch {
    let jumps = batch.jumps;
    if jumps == 0 {
        return batch;
    }
    let s = batch.time.s.clone().expect("the batches of a flow map bring second times");
    let stay = batch.x_t.dims()[0] - jumps;
    let rows = |x: &Tensor<2>| x.clone().narrow(0, stay, jumps).without_autodiff();
    let times = |t: Tensor<1>| t.narrow(0, stay, jumps).without_autodiff();
    let target = of(&Jumps {
        x: rows(&batch.x_t),
        t: times(batch.time.t.clone()),
        s: times(s),
        velocity: rows(&batch.target),
        noise: batch.noise.as_ref().map(rows),
        condition: batch.condition.narrow(stay, jumps),
    });
    batch.target = if stay == 0 {
        target
    } else {
        let velocity = batch.target.narrow(0, 0, stay).without_autodiff();
        Tensor::cat(vec![velocity, target], 0)
    };
    batch
}

/// Refuses a share that leaves no row to learn the velocity from, which all jumps of the loss
/// follow from.
pub(super) fn check_share_below_one(share: f64) -> Result<(), PathError> {
    within("share", share, (0.0..1.0).contains(&share), "[0, 1)")
}

/// Refuses a share of rows that is none.
pub(super) fn check_share(share: f64) -> Result<(), PathError> {
    within("share", share, (0.0..=1.0).contains(&share), "[0, 1]")
}
