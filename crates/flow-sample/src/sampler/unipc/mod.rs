//! UniPC: a multistep predictor whose own next prediction corrects it.

mod weights;

use burn::tensor::Tensor;
use flow_path::Prediction;
use serde::{Deserialize, Serialize};

use super::walk::{Step, walk};
use super::{Generated, Sampler, Way};
use crate::error::SampleError;
use crate::predictor::Predictor;
use weights::weights;

/// The order of [`UniPc`]; in a file, its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
#[non_exhaustive]
pub enum UniPcOrder {
    /// Two predictions: `p = 2`.
    #[default]
    Second,
    /// Three predictions: `p = 3`.
    Third,
}

impl From<UniPcOrder> for u64 {
    fn from(order: UniPcOrder) -> Self {
        match order {
            UniPcOrder::Second => 2,
            UniPcOrder::Third => 3,
        }
    }
}

impl TryFrom<u64> for UniPcOrder {
    type Error = String;

    fn try_from(order: u64) -> Result<Self, String> {
        match order {
            2 => Ok(Self::Second),
            3 => Ok(Self::Third),
            _ => Err(format!("unipc has the orders 2 and 3, not {order}")),
        }
    }
}

/// How [`UniPc`] ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Final {
    /// Every step has the full order. The error falls with order `p + 1`.
    #[default]
    #[serde(rename = "full")]
    FullOrder,
    /// The last steps have orders `.., 2, 1`: steadier with few steps, but the last one then costs
    /// an error of order 2.
    #[serde(rename = "lower")]
    LowerOrder,
}

/// UniPC-p in the data prediction with `B(h) = e^h - 1` (variant `bh2`), one evaluation per step.
///
/// `x_s = (sigma_s / sigma_t) x + alpha_s (1 - e^{-h}) (m_0 + sum_k rho_k D_k)` with the data `m_k`
/// predicted `k` steps ago, `D_k = (m_k - m_0) / r_k` and `r_k = (lambda_k - lambda_0) / h`, where
/// `lambda = ln(alpha / sigma)`. Once `m` at the new time is known, the same step is made again
/// with it as a further `D` at `r = 1`; the corrected state is not evaluated again.
///
/// A step that begins at pure noise or ends at pure data is DDIM, uncorrected. One that is more
/// than `1 + sqrt(2)` times as long as the step before it in `lambda` is of order 1: the
/// differences `D_k` would be carried on too far.
///
/// # Reference
/// Zhao, Bai, Rao, Zhou & Lu (2023), "UniPC: A Unified Predictor-Corrector Framework for Fast
/// Sampling of Diffusion Models", arXiv:2302.04867.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UniPc {
    /// The order.
    pub order: UniPcOrder,
    /// How the last steps are made.
    pub last: Final,
}

/// A prediction and the `lambda` of its time.
struct Node {
    lambda: f64,
    data: Tensor<2>,
}

/// A step that can be corrected: where it began and with which order.
struct Taken {
    step: Step,
    order: usize,
    x: Tensor<2>,
}

impl UniPc {
    /// The largest number of predictions in a step.
    fn full(self) -> usize {
        match self.order {
            UniPcOrder::Second => 2,
            UniPcOrder::Third => 3,
        }
    }

    /// The order of a step whose predictions were made at these `lambda`, the newest first.
    fn order_of(self, step: &Step, nodes: &[Node]) -> usize {
        let left = match self.last {
            Final::FullOrder => self.full(),
            Final::LowerOrder => step.count - step.index,
        };
        match nodes {
            [newest, before, ..] if step.may_extrapolate(newest.lambda - before.lambda) => {
                left.min(nodes.len())
            }
            _ => 1,
        }
    }
}

impl Sampler for UniPc {
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError> {
        let mut nodes: Vec<Node> = Vec::new(); // the newest first
        let mut taken: Option<Taken> = None;
        walk(way, predictor, x0, |model, step, predicted| {
            let data = model.predict(Prediction::Data, &predicted, step.t);
            let x = match taken.take() {
                Some(last) if last.step.decay() != 0.0 => {
                    advance(&last.step, last.x, &nodes[..last.order], Some(&data))
                }
                _ => predicted,
            };
            if nodes.first().is_some_and(|node| node.lambda.is_infinite()) {
                nodes.clear();
            }
            nodes.insert(0, Node { lambda: (step.from.alpha / step.from.sigma).ln(), data });
            nodes.truncate(self.full());
            let order = self.order_of(step, &nodes);
            taken = Some(Taken { step: *step, order, x: x.clone() });
            Ok(advance(step, x, &nodes[..order], None))
        })
    }
}

/// The step from the newest of `nodes`, with the prediction at its end where that is known.
fn advance(step: &Step, x: Tensor<2>, nodes: &[Node], end: Option<&Tensor<2>>) -> Tensor<2> {
    let (newest, h) = (&nodes[0], step.h());
    let earlier = nodes[1..].iter().map(|n| ((n.lambda - newest.lambda) / h, &n.data));
    let (r, data): (Vec<f64>, Vec<_>) = earlier.chain(end.map(|data| (1.0, data))).unzip();
    let mut estimate = newest.data.clone();
    for ((rho, r), data) in weights(&r, h).iter().zip(&r).zip(data) {
        estimate = estimate + (data.clone() - newest.data.clone()) * (rho / r);
    }
    let decay = step.decay(); // e^{-h}
    x * (step.to.sigma / step.from.sigma) + estimate * (step.to.alpha * (1.0 - decay))
}
