//! Rows that lack some of their numbers: they teach what they have.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use common::{ROWS, batches};
use flow_nn::{Condition, Network, Signature, Time};
use flow_train::{
    Batch, BatchSource, DrawBy, FlowMatching, MatchingBatches, Networks, Objective, Parts,
    Regression, Rows,
};

/// Two whole rows and one that lacks its second number, each told which it is.
fn rows(missing: f32) -> Rows {
    Rows::new(vec![2], vec![1.0, 1.0, -1.0, 0.5, 2.0, missing], None)
        .with_vectors(vec![0.0, 0.0, 1.0])
        .with_known(vec![true, true, true, true, true, false])
}

fn source(data: Rows, condition_drop: f64) -> MatchingBatches {
    let matching = FlowMatching { condition_drop, ..FlowMatching::default() };
    MatchingBatches { data: Arc::new(data), matching, ..batches(1) }
}

fn batch(source: &MatchingBatches) -> Batch {
    source.batch(3, &Device::flex()).unwrap()
}

fn host(rows: Tensor<2>) -> Vec<f64> {
    rows.into_data().iter::<f64>().collect()
}

/// A network that answers zero, so that its error is minus the target.
struct Zero(Signature);

impl Network for Zero {
    fn signature(&self) -> &Signature {
        &self.0
    }

    fn forward(&self, x: Tensor<2>, _: Time, _: &Condition) -> Tensor<2> {
        x.zeros_like()
    }
}

fn loss(batch: Batch) -> f64 {
    let network = Zero(Signature { vector: 1, ..Signature::of([2]) });
    f64::from(Regression.loss(Networks::of(&network), batch).total.into_scalar::<f32>())
}

#[test]
fn the_loss_is_the_mean_over_what_is_known() {
    let batch = batch(&source(rows(7.0), 0.0));
    let [x0, x1, x_t, target] =
        [&batch.x0, &batch.x1, &batch.x_t, &batch.target].map(|x| host(x.clone()));
    let known = host(batch.known.clone().unwrap());
    let told = host(batch.condition.vector.clone().unwrap());
    let t: Vec<f64> = batch.time.t.clone().into_data().iter::<f64>().collect();
    let mut lacking = 0;
    for row in 0..ROWS {
        let (first, second) = (2 * row, 2 * row + 1);
        assert!(
            (known[first] - 1.0).abs() < 1e-9 && (known[second] + told[row] - 1.0).abs() < 1e-9
        );
        if told[row] > 0.5 {
            lacking += 1;
            // Nothing of the number that stands in the file is left: the path leads to zero.
            assert!(x1[second].abs() < 1e-9 && (x1[first] - 2.0).abs() < 1e-6);
            assert!((x_t[second] - (1.0 - t[row]) * x0[second]).abs() < 1e-5);
        }
    }
    assert!((5..40).contains(&lacking), "a third of {ROWS} rows: {lacking}");
    let squares = target.iter().zip(&known).map(|(x, known)| x * x * known).sum::<f64>();
    let expected = squares / (2 * ROWS - lacking) as f64;
    let found = loss(batch.clone());
    assert!((found - expected).abs() < 1e-5 * expected, "{found} is not {expected}");
    // The control: the mean over all, as if zero were known there, is another number.
    let all = loss(Batch { known: None, weight: None, ..batch });
    assert!((all - expected).abs() > 1e-3 * expected, "{all} and {expected}");
}

#[test]
fn what_stands_in_the_place_of_a_missing_number_changes_nothing() {
    let [zero, seven] = [0.0, 7.0].map(|missing| batch(&source(rows(missing), 0.0)));
    assert_eq!(host(zero.x_t.clone()), host(seven.x_t.clone()));
    assert!(loss(zero).total_cmp(&loss(seven)).is_eq());
}

#[test]
fn parts_of_a_batch_add_up_to_it() {
    let source = source(rows(0.0), 0.0);
    let whole = loss(batch(&source));
    let parts = Parts { count: 4, draw: DrawBy::Batch };
    let parts = source.parts(3, parts, 0..4, &Device::flex()).unwrap();
    let mean = parts.into_iter().map(loss).sum::<f64>() / 4.0;
    assert!((mean - whole).abs() < 1e-5 * whole, "{mean} is not {whole}");
}

#[test]
fn rows_that_lack_nothing_are_those_of_before() {
    let points = || Rows::new(vec![2], vec![1.0, 1.0, -1.0, 0.5], None);
    let [plain, known] = [points(), points().with_known(vec![true; 4])];
    let [plain, known] = [plain, known].map(|rows| batch(&source(rows, 0.0)));
    assert!(plain.known.is_none() && plain.weight.is_none());
    assert_eq!(host(plain.x_t.clone()), host(known.x_t.clone()));
    let [plain, known] = [plain, known].map(loss);
    assert!((plain - known).abs() < 1e-5 * plain, "{known} is not {plain}");
}

#[test]
fn the_vector_of_a_row_that_lacks_a_number_is_never_hidden() {
    let batch = batch(&source(rows(0.0), 0.5));
    let told = host(batch.condition.vector.unwrap());
    let hidden: Vec<bool> = batch.condition.hidden.unwrap().into_data().iter::<bool>().collect();
    assert!(hidden.iter().any(|hidden| *hidden));
    assert!(hidden.iter().zip(told).all(|(hidden, told)| !hidden || told < 0.5));
}

#[test]
#[should_panic(expected = "expected a known number in each row, got none in Some(1)")]
fn a_row_of_which_nothing_is_known_is_refused() {
    drop(Rows::new(vec![1], vec![0.0, 0.0], None).with_known(vec![true, false]));
}
