//! Consistency flow matching against closed forms: a straight field, and the flow of Gaussian data.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

#[path = "common/gaussian.rs"]
mod gaussian;

use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor, TensorData};
use flow_nn::{Condition, Network, Signature, Time};
use flow_path::stream::Streams;
use flow_train::{
    Batch, BatchSource, ConsistencyFlow, FlowMatching, MatchingBatches, Networks, Objective,
};
use gaussian::{Normal, STD, exact};

/// A formula of points and times, `[B, 1]` each.
type Formula = fn(Tensor<2>, Tensor<2>) -> Tensor<2>;

/// A velocity of one time by a formula, times a weight.
#[derive(Debug)]
struct Field {
    of: Formula,
    weight: Tensor<1>,
    signature: Signature,
}

impl Field {
    fn of(of: Formula) -> Self {
        Self::scaled(of, 1.0)
    }

    fn scaled(of: Formula, factor: f64) -> Self {
        let weight = Tensor::from_data([factor], (&Device::flex(), DType::F64));
        Self { of, weight, signature: Signature::of([1]) }
    }
}

impl Network for Field {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn forward(&self, x: Tensor<2>, time: Time, _: &Condition) -> Tensor<2> {
        let weight = self.weight.clone().cast(x.dtype()).unsqueeze_dim::<2>(1);
        (self.of)(x, time.t.unsqueeze_dim(1)) * weight
    }
}

/// The velocity of the lines from `x_0` to `S x_0`, which do not cross.
fn straight(x: Tensor<2>, t: Tensor<2>) -> Tensor<2> {
    x * (STD - 1.0) / (t * (STD - 1.0) + 1.0)
}

/// The velocity of independent pairs of noise and Gaussian data, whose flow is curved.
fn marginal(x: Tensor<2>, t: Tensor<2>) -> Tensor<2> {
    exact(x, t.clone(), t)
}

/// Its mean from `t` to the end of one of two segments.
fn to_half(x: Tensor<2>, t: Tensor<2>) -> Tensor<2> {
    let end = ((t.clone() * 2.0).floor() + 1.0) / 2.0;
    exact(x, t, end)
}

/// Its mean from `t` to the data.
fn to_data(x: Tensor<2>, t: Tensor<2>) -> Tensor<2> {
    exact(x, t.clone(), t.ones_like())
}

/// A loss of two segments that asks the network up to their ends, and for steps alone.
fn two_segments(gap: f64) -> ConsistencyFlow {
    ConsistencyFlow { gap, boundary: 1.0, alpha: 0.0, ..ConsistencyFlow::default() }
}

/// A batch in double precision of five points at each time; `starts` says where a point is at its
/// time, and `line` the velocity of its line there.
fn batch(times: &[f64], starts: Formula, line: Formula) -> Batch {
    let options = (&Device::flex(), DType::F64);
    let points = [-1.4, -0.3, 0.2, 0.9, 2.1];
    let rows: Vec<[f64; 2]> = times.iter().flat_map(|&t| points.map(|x| [x, t])).collect();
    let column = |k: usize| {
        let values: Vec<f64> = rows.iter().map(|row| row[k]).collect();
        Tensor::<1>::from_data(TensorData::new(values, [rows.len()]), options)
    };
    let (x0, t) = (column(0).unsqueeze_dim::<2>(1), column(1));
    let at = t.clone().unsqueeze_dim::<2>(1);
    let x_t = starts(x0.clone(), at.clone());
    Batch {
        x1: x0.clone(),
        x0,
        target: line(x_t.clone(), at),
        x_t,
        time: Time::at(t),
        jumps: 0,
        weight: None,
        known: None,
        condition: Condition::none(),
        noise: None,
    }
}

/// Points on the lines from `x_0` to `S x_0`.
fn lines() -> Batch {
    let times = [0.0, 0.1, 0.2, 0.35, 0.5, 0.6, 0.75, 0.9];
    batch(&times, |x, t| x * (t * (STD - 1.0) + 1.0), straight)
}

/// The loss of a field that is its own teacher.
fn loss(objective: ConsistencyFlow, field: Formula, batch: Batch) -> f64 {
    let field = Field::of(field);
    objective.loss(Networks::of(&field), batch).total.into_scalar::<f64>()
}

#[test]
fn on_a_straight_field_the_loss_is_zero() {
    for segments in [1, 2, 3] {
        for gap in [0.1, 1e-3] {
            for boundary in [0.0, 0.9, 1.0] {
                let objective = ConsistencyFlow { segments, gap, boundary, alpha: 0.5 };
                let found = loss(objective, straight, lines());
                assert!(found < 1e-28, "{objective:?}: {found}");
            }
        }
        // Fields of the same ends that are curved have one, and so has a straight one that is too
        // fast.
        let objective = ConsistencyFlow { segments, ..two_segments(0.1) };
        for curved in [marginal as Formula, to_half, |x, t| straight(x, t) * 1.1] {
            assert!(loss(objective, curved, lines()) > 1e-5, "{segments} segments");
        }
    }
}

/// Where lines move with the velocity of the flow, the mean velocity to the end differs from one
/// step of Euler and the mean from there by the error of that step, which is of order two.
#[test]
fn the_mean_velocity_to_the_end_of_each_segment_satisfies_the_identity() {
    let times = [0.0, 0.1, 0.2, 0.3, 0.55, 0.6, 0.7, 0.8];
    let order = |field: Formula| {
        let flow = || batch(&times, |x, _| x, marginal);
        let [wide, narrow] = [64.0, 128.0].map(|n| loss(two_segments(1.0 / n), field, flow()));
        0.5 * (wide / narrow).log2()
    };
    assert!((order(to_half) - 2.0).abs() < 0.05, "{}", order(to_half));
    // The mean to another end and the velocity itself leave an error of the size of the gap.
    for other in [to_data as Formula, marginal] {
        assert!((order(other) - 1.0).abs() < 0.1, "{}", order(other));
    }
}

/// Independent pairs of noise and data, `N(0, S^2)`.
fn drawn() -> Batch {
    let batches = MatchingBatches {
        matching: FlowMatching::default(),
        data: Arc::new(Normal),
        classes: 0,
        rows: 16_384,
        noise: 0,
        streams: Streams::new(11),
    };
    batches.batch(0, &Device::flex()).unwrap()
}

#[test]
fn the_loss_of_two_segments_is_least_for_the_mean_velocity_to_the_end_of_each() {
    let (teacher, batch) = (Field::of(to_half), drawn());
    let of = |objective: ConsistencyFlow, field: Field| {
        let networks = Networks { network: &field, ..Networks::of(&teacher) };
        objective.loss(networks, batch.clone()).total.into_scalar::<f64>()
    };
    let taught = |factor: f64| of(two_segments(1.0 / 32.0), Field::scaled(to_half, factor));
    let (less, least, more) = (taught(0.9), taught(1.0), taught(1.1));
    assert!(1.2 * least < less && 1.2 * least < more, "{less}, {least}, {more}");
    for other in [to_data as Formula, marginal] {
        let found = of(two_segments(1.0 / 32.0), Field::of(other));
        assert!(5.0 * least < found, "{found} and {least}");
    }
    // With a boundary of zero it is flow matching, whose least is at the velocity.
    let plain = ConsistencyFlow { boundary: 0.0, ..two_segments(1.0 / 32.0) };
    let [velocity, mean] = [marginal as Formula, to_half].map(|field| of(plain, Field::of(field)));
    assert!(1.05 * velocity < mean, "{velocity} and {mean}");
}

#[test]
fn a_boundary_of_zero_is_flow_matching_weighted_by_the_square_of_what_is_left() {
    let batch = lines();
    let plain = ConsistencyFlow { boundary: 0.0, alpha: 7.0, ..two_segments(0.1) };
    let found = loss(plain, marginal, batch.clone());
    let left = [0.5, 0.4, 0.3, 0.15, 0.5, 0.4, 0.25, 0.1].map(|left: f64| [left; 5]);
    let left = TensorData::new(left.as_flattened().to_vec(), [40, 1]);
    let left = Tensor::<2>::from_data(left, (&Device::flex(), DType::F64));
    let at = batch.time.t.clone().unsqueeze_dim::<2>(1);
    let error = (marginal(batch.x_t.clone(), at) - batch.target) * left;
    let want = error.square().mean().into_scalar::<f64>();
    assert!((found - want).abs() < 1e-14, "{found} is not {want}");
}

#[test]
fn gradients_reach_the_network_and_not_what_it_is_asked_for() {
    let objective = ConsistencyFlow { alpha: 0.3, ..two_segments(0.1) };
    let tracked = |factor: f64| {
        let field = Field::scaled(to_half, factor);
        Field { weight: field.weight.autodiff().require_grad(), ..field }
    };
    let at = 0.8;
    let own = tracked(at);
    // The network with its tape is its own teacher: what it is asked for must not keep it.
    let total = objective.loss(Networks::of(&own), lines()).total;
    let gradient = own.weight.grad(&total.backward()).unwrap().into_scalar::<f64>();
    let loss = |network: f64, teacher: f64| {
        let [network, teacher] = [network, teacher].map(|factor| Field::scaled(to_half, factor));
        let networks = Networks { network: &network, ..Networks::of(&teacher) };
        objective.loss(networks, lines()).total.into_scalar::<f64>()
    };
    let h = 1e-5;
    let partial = (loss(at + h, at) - loss(at - h, at)) / (2.0 * h);
    let whole = (loss(at + h, at + h) - loss(at - h, at - h)) / (2.0 * h);
    assert!((gradient - partial).abs() < 1e-8, "{gradient} is not {partial}");
    assert!((gradient - whole).abs() > 1e-3, "what is asked for has no gradient: {whole}");
}
