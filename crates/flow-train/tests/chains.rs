//! Paths from snapshot to snapshot: their times, their velocities and their pairs.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::needless_range_loop, reason = "a row is a place in five lists")]

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use flow_path::stream::Streams;
use flow_path::{Coupling, ExactOt, Independent, Source};
use flow_train::{BatchSource, Chain, FlowMatching, MatchingBatches, Snapshot};

/// Rows of one number near 0, 10 and 40 at the times 0, 1 and 4.
fn chain() -> Chain {
    let snapshot = |(place, time): (f32, f64)| Snapshot {
        time,
        rows: (0..50).map(|i| place + (i as f32 * 0.77).sin()).collect(),
        labels: Some((0..50).map(|i| i % 2).collect()),
        vectors: None,
    };
    let places = [(0.0, 0.0), (10.0, 1.0), (40.0, 4.0)];
    Chain::new(vec![1], places.into_iter().map(snapshot).collect()).unwrap()
}

fn batches(coupling: Arc<dyn Coupling>) -> MatchingBatches {
    MatchingBatches {
        matching: FlowMatching { source: Source::Given, coupling, ..FlowMatching::default() },
        data: Arc::new(chain()),
        classes: 2,
        rows: 400,
        noise: 0,
        streams: Streams::new(2),
    }
}

fn host<const D: usize>(x: Tensor<D>) -> Vec<f64> {
    x.into_data().iter::<f64>().collect()
}

/// The starts and ends of the rows of a leg and a class, in the order of the starts, and of equal
/// starts in that of the ends.
fn of_group(pairs: &[(f64, f64, usize)], late: bool, class: usize) -> Vec<(f64, f64)> {
    let mut own: Vec<(f64, f64)> = pairs
        .iter()
        .filter(|(start, _, label)| (5.0 < *start) == late && *label == class)
        .map(|(start, end, _)| (*start, *end))
        .collect();
    own.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    own
}

#[test]
fn a_leg_runs_at_its_own_times_with_its_own_velocity() {
    let batch = batches(Arc::new(Independent)).batch(3, &Device::flex()).unwrap();
    let [x0, x1, x_t, target] = [batch.x0, batch.x1, batch.x_t, batch.target].map(host);
    let t = host(batch.time.t);
    for row in 0..400 {
        let (from, to) = if x0[row] < 5.0 { (0.0, 0.25) } else { (0.25, 1.0) };
        assert!((from..=to).contains(&t[row]), "row {row} at {}", t[row]);
        let velocity = (x1[row] - x0[row]) / (to - from);
        // Numbers up to 160 in single precision.
        assert!((target[row] - velocity).abs() < 1e-4, "{} and {velocity}", target[row]);
        let place = x0[row] + (t[row] - from) * velocity;
        assert!((x_t[row] - place).abs() < 1e-4, "{} and {place}", x_t[row]);
    }
    // The mean speed is 40 on the first leg and 40 on the second: the same per unit of time.
    let uniform = t.iter().sum::<f64>() / 400.0;
    // A uniform time has the deviation 0.29, its mean of 400 draws 0.0144.
    assert!((uniform - 0.5).abs() < 4.0 * 0.0144, "{uniform}");
}

#[test]
fn transport_pairs_within_a_leg_and_a_class_and_nowhere_else() {
    let pairs = |coupling: Arc<dyn Coupling>| -> Vec<(f64, f64, usize)> {
        let batch = batches(coupling).batch(0, &Device::flex()).unwrap();
        let (starts, ends) = (host(batch.x0), host(batch.x1));
        let labels = batch.condition.class.unwrap().into_data();
        let labels = labels.iter::<i64>().map(|label| label as usize);
        starts.into_iter().zip(ends).zip(labels).map(|((a, b), label)| (a, b, label)).collect()
    };
    let monotone = |pairs: &[(f64, f64, usize)], late, class| {
        let own = of_group(pairs, late, class);
        assert!(20 < own.len());
        own.windows(2).all(|pair| pair[0].1 <= pair[1].1)
    };
    let (exact, any) = (pairs(Arc::new(ExactOt)), pairs(Arc::new(Independent)));
    for (late, class) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
        // On the line the cheapest pairs keep the order.
        assert!(monotone(&exact, late, class), "leg {late} of class {class}");
        assert!(!monotone(&any, late, class), "the control is not in order");
    }
    // The class of a start is that of its end: rows of even number are of class 0.
    for (start, _, label) in &exact {
        let place = if *start < 5.0 { 0.0 } else { 10.0 };
        let value = |i: usize| place + (i as f32 * 0.77).sin();
        let row = (0..50).find(|&i| (f64::from(value(i)) - start).abs() < 1e-6);
        assert_eq!(row.map(|row| row % 2), Some(*label), "the start {start}");
    }
}
