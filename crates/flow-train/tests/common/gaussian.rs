//! The flow map of Gaussian data on the straight path, as a network.
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::Arc;

use burn::tensor::Tensor;
use flow_nn::{Condition, Network, Signature, Time};
use flow_path::stream::{Purpose, Streams};
use flow_train::{Batch, DataSource, Draw, FlowMatching, MapBatches, MatchingBatches, Objective};
use rand_distr::{Distribution, StandardNormal};

/// Standard deviation of the data.
pub(crate) const STD: f64 = 0.5;

/// `u(x, t, s) = x (sqrt(V(s) / V(t)) - 1) / (s - t)` with `V(t) = t^2 S^2 + (1 - t)^2`, times a
/// factor, at times that may be read the wrong way.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) factor: f64,
    pub(crate) read: Read,
    signature: Signature,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Read {
    Rightly,
    /// `u(x, s, t)`.
    Swapped,
    /// `u(x, t, t)`, the velocity, whatever the end.
    WithoutEnd,
    /// `u(x, 1 - t, 1 - s)`.
    Backwards,
}

impl Map {
    pub(crate) fn exact() -> Self {
        Self::scaled(1.0)
    }

    pub(crate) fn scaled(factor: f64) -> Self {
        let signature = Signature { two_times: true, ..Signature::of([1]) };
        Self { factor, read: Read::Rightly, signature }
    }

    pub(crate) fn read(read: Read) -> Self {
        Self { read, ..Self::exact() }
    }
}

/// `V(t)`, whose difference over `s - t` is `(1 + S^2) (t + s) - 2`.
fn variance(t: Tensor<2>) -> Tensor<2> {
    t.clone().square() * (1.0 + STD * STD) - t * 2.0 + 1.0
}

/// Without the cancellation of the formula, so that it holds for `s = t` too.
pub(crate) fn exact(x: Tensor<2>, t: Tensor<2>, s: Tensor<2>) -> Tensor<2> {
    let (from, to) = (variance(t.clone()), variance(s.clone()));
    let slope = (t + s) * (1.0 + STD * STD) - 2.0;
    x * slope / (from.clone() * ((to / from).sqrt() + 1.0))
}

impl Network for Map {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn forward(&self, x: Tensor<2>, time: Time, _: &Condition) -> Tensor<2> {
        let Time { t, s } = time;
        let s = s.unwrap_or(t.clone()).unsqueeze_dim::<2>(1);
        let t = t.unsqueeze_dim::<2>(1);
        let (t, s) = match self.read {
            Read::Rightly => (t, s),
            Read::Swapped => (s, t),
            Read::WithoutEnd => (t.clone(), t),
            Read::Backwards => (-t + 1.0, -s + 1.0),
        };
        exact(x, t, s) * self.factor
    }
}

/// Numbers from `N(0, S^2)`, new ones in every batch.
#[derive(Debug)]
pub(crate) struct Normal;

impl DataSource for Normal {
    fn shape(&self) -> &[usize] {
        &[1]
    }

    fn draw(&self, range: std::ops::Range<u64>, streams: &Streams) -> Draw {
        let mut rng = streams.rng(range.start, Purpose::Data);
        let n = (range.end - range.start) as usize;
        let rows: Vec<f32> = (0..n)
            .map(|_| {
                let z: f64 = StandardNormal.sample(&mut rng);
                (STD * z) as f32
            })
            .collect();
        Draw { rows, ..Draw::default() }
    }
}

/// Batches of these numbers and noise, for a loss of a flow map.
pub(crate) fn batches(objective: &dyn Objective, rows: usize) -> MapBatches {
    let signature = Signature { two_times: true, ..Signature::of([1]) };
    MapBatches {
        batches: MatchingBatches {
            matching: FlowMatching::default(),
            data: Arc::new(Normal),
            classes: 0,
            rows,
            noise: objective.noise(&signature),
            streams: Streams::new(11),
        },
        pairs: objective.pairs().unwrap(),
    }
}

/// Both times of each row.
pub(crate) fn times(batch: &Batch) -> Vec<(f64, f64)> {
    let host = |t: Tensor<1>| t.into_data().iter::<f64>().collect::<Vec<_>>();
    let s = host(batch.time.s.clone().unwrap());
    host(batch.time.t.clone()).into_iter().zip(s).collect()
}
