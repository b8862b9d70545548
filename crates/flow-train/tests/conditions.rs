//! Conditions that are no classes, on their way from the data to the network.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "numbers are carried, not computed")]

mod common;

use std::sync::Arc;

use burn::tensor::Device;
use common::{Log, ROWS, batches, checkpoints, plan, session, small, task};
use flow_nn::{DynNetwork, NetworkConfig, Signature, init_seeded};
use flow_path::{ConditionalOt, ExactOt};
use flow_train::{
    Batch, BatchSource, Ensemble, FlowMatching, Interrupter, MatchingBatches, PartDrop, Rows, Task,
    TrainError, fit,
};

/// Two points, each with two numbers and a row of three to condition on.
fn rows() -> Rows {
    Rows::new(vec![2], vec![1.0, 1.0, -1.0, 0.5], None)
        .with_vectors(vec![10.0, 11.0, 20.0, 21.0])
        .with_contexts(vec![3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
}

fn conditioned(data: Rows, matching: FlowMatching) -> MatchingBatches {
    MatchingBatches { data: Arc::new(data), matching, ..batches(1) }
}

fn batch(source: &MatchingBatches) -> Batch {
    source.batch(3, &Device::flex()).unwrap()
}

fn host(rows: burn::tensor::Tensor<2>) -> Vec<f32> {
    rows.into_data().try_to_vec().unwrap()
}

#[test]
fn conditions_reach_the_batch_with_their_rows() {
    let batch = batch(&conditioned(rows(), FlowMatching::default()));
    let [x1, vectors] = [batch.x1, batch.condition.vector.unwrap()].map(host);
    let contexts = host(batch.condition.context.unwrap());
    assert!(batch.condition.hidden.is_none(), "nothing is hidden unless asked for");
    for k in 0..ROWS {
        let first = x1[2 * k..2 * k + 2] == [1.0, 1.0];
        let (vector, context) =
            if first { ([10.0, 11.0], [1.0, 2.0, 3.0]) } else { ([20.0, 21.0], [4.0, 5.0, 6.0]) };
        assert_eq!(vectors[2 * k..2 * k + 2], vector);
        assert_eq!(contexts[3 * k..3 * k + 3], context);
    }
}

#[test]
fn hiding_follows_its_rate_and_moves_no_other_draw() {
    let matching = |condition_drop| FlowMatching { condition_drop, ..FlowMatching::default() };
    let [plain, never, often] = [
        batch(&batches(1)),
        batch(&conditioned(rows(), matching(0.0))),
        batch(&conditioned(rows(), matching(0.25))),
    ];
    let x_t = [&plain, &never, &often].map(|batch| host(batch.x_t.clone()));
    assert!(x_t[0] == x_t[1] && x_t[1] == x_t[2], "a stream of its own");
    let hidden: Vec<bool> = often.condition.hidden.unwrap().into_data().iter::<bool>().collect();
    let count = hidden.iter().filter(|hidden| **hidden).count();
    // 64 rows at a quarter: 16 with a standard deviation of 3.5.
    assert!((3..30).contains(&count), "{count}");
    assert!(plain.condition.rows().is_none());
}

#[test]
fn conditions_are_hidden_alone_each_at_its_own_rate() {
    // A value and what says that it is known, for each of two conditions, and a number of others.
    let told = [10.0, 20.0, 1.0, 1.0, 7.0];
    let rows = || {
        let points = Rows::new(vec![2], vec![1.0, 1.0, -1.0, 0.5], None);
        points.with_vectors([told, told].concat())
    };
    let part = |at: usize, probability| PartDrop { numbers: vec![at, at + 2], probability };
    let matching = |part_drop| FlowMatching { part_drop, ..FlowMatching::default() };
    let batch = |matching| {
        let source = MatchingBatches { rows: 4000, ..conditioned(rows(), matching) };
        batch(&source)
    };
    let plain = batch(matching(Vec::new()));
    let some = batch(matching(vec![part(0, 0.1), part(1, 0.4)]));
    assert!(host(plain.x_t) == host(some.x_t), "a stream of its own");
    assert!(some.condition.hidden.is_none());
    let vectors = host(some.condition.vector.unwrap());
    let mut hidden = [0.0; 3];
    for row in vectors.chunks(5) {
        let gone = [row[0] == 0.0, row[1] == 0.0];
        for (at, gone) in gone.into_iter().enumerate() {
            let expected = if gone { [0.0; 2] } else { [told[at], 1.0] };
            assert_eq!([row[at], row[at + 2]], expected);
            hidden[at] += f64::from(u8::from(gone));
        }
        hidden[2] += f64::from(u8::from(gone == [true; 2]));
        assert_eq!(row[4], 7.0);
    }
    // Binomial, 4000 rows: four standard errors of a share p are 4 sqrt(p (1 - p) / 4000).
    for (count, p) in hidden.into_iter().zip([0.1_f64, 0.4, 0.04]) {
        let within = 4.0 * (p * (1.0 - p) / 4000.0).sqrt();
        assert!((count / 4000.0 - p).abs() < within, "{count} of 4000 for {p}");
    }
    let none = batch(matching(vec![part(0, 0.0)]));
    assert_eq!(host(none.condition.vector.unwrap()), host(plain.condition.vector.unwrap()));
}

#[test]
fn the_coupling_is_told_of_the_vectors() {
    let coupled = |coupling| conditioned(rows(), FlowMatching { coupling, ..Default::default() });
    let conditional = batch(&coupled(Arc::new(ConditionalOt::default())));
    let plain = batch(&coupled(Arc::new(ExactOt)));
    assert_ne!(host(conditional.x0), host(plain.x0));
    // Without vectors there is nothing to weigh, and the message says what to do.
    let matching =
        FlowMatching { coupling: Arc::new(ConditionalOt::default()), ..FlowMatching::default() };
    let error = MatchingBatches { matching, ..batches(1) }.batch(3, &Device::flex()).unwrap_err();
    assert!(error.to_string().starts_with("step 3: this coupling weighs the condition"), "{error}");
}

#[test]
fn conditions_that_are_not_finite_are_named() {
    let refused = |data: Rows| {
        let source = MatchingBatches { rows: 2, ..conditioned(data, FlowMatching::default()) };
        source.batch(0, &Device::flex()).unwrap_err().to_string()
    };
    let points = || Rows::new(vec![1], vec![0.0; 2], None);
    let error = refused(points().with_vectors(vec![f32::NAN; 2]));
    assert!(error.starts_with("step 0: row 0 of the condition vectors holds NaN"), "{error}");
    let error = refused(points().with_contexts(vec![1], vec![f32::INFINITY; 2]));
    assert!(error.starts_with("step 0: row 0 of the conditioning rows holds inf"), "{error}");
}

fn network(signature: &Signature) -> Ensemble {
    let init = |device: &Device| small().init(signature, device);
    DynNetwork::new(init_seeded(3, &Device::flex(), init).unwrap()).into()
}

#[test]
fn conditions_of_another_size_are_refused_before_the_first_step() {
    let run = |data: Rows, vector| {
        let folder = tempfile::tempdir().unwrap();
        let model = network(&Signature { vector, ..Signature::of([2]) });
        let source = Arc::new(conditioned(data, FlowMatching::default()));
        let task = Task { train: source.clone(), validation: source, ..task(model) };
        let (folder, interrupter) = (checkpoints(folder.path()), Interrupter::new());
        let session = session(&folder, None, &Log::default(), &interrupter);
        fit(task, &plan(3), session).map(|outcome| outcome.step)
    };
    let points = || Rows::new(vec![2], vec![1.0, 1.0, -1.0, 0.5], None);
    let vectors = || points().with_vectors(vec![10.0, 11.0, 20.0, 21.0]);
    assert_eq!(run(vectors(), 2).unwrap(), 3);
    for (data, vector) in [(vectors(), 3), (vectors(), 0), (points(), 2)] {
        let error = run(data, vector).unwrap_err();
        assert!(
            matches!(error, TrainError::Conditions { what: "condition vector", .. }),
            "{error}"
        );
    }
    let error = run(rows(), 2).unwrap_err().to_string();
    assert!(
        error.contains("conditioning row of [3] numbers, the network reads one of []"),
        "{error}"
    );
}

/// Sequences of three elements of two numbers, of which the second ends after one.
fn sequences(filling: f32) -> Rows {
    let second = [5.0, 6.0, filling, filling, filling, filling];
    let values = [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], second].concat();
    Rows::new(vec![3, 2], values, None).with_lengths(vec![3, 1])
}

#[test]
fn what_lies_behind_the_end_of_a_sequence_has_no_part_in_the_loss() {
    use flow_train::{MeanFlow, Networks, Objective, Regression};
    let signature = Signature { lengths: true, ..Signature::of([3, 2]) };
    let matching = FlowMatching::default();
    let of = |objective: &dyn Objective, filling: f32| {
        let batch = batch(&conditioned(sequences(filling), matching.clone()));
        let lengths = batch.condition.lengths.clone().unwrap();
        let short = lengths.iter().filter(|length| **length == 1).count();
        assert!(0 < short && short < ROWS, "both are drawn");
        let zero = Zero(signature.clone());
        // The error of a network that answers zero is its target.
        let target = host(batch.target.clone());
        let there = target.chunks(6).zip(lengths.iter()).flat_map(|(row, n)| &row[..2 * n]);
        let squares: Vec<f64> = there.map(|x| f64::from(*x).powi(2)).collect();
        let mean = squares.iter().sum::<f64>() / squares.len() as f64;
        (objective.loss(Networks::of(&zero), batch).total.into_scalar::<f64>(), mean)
    };
    let plain = MeanFlow { power: 0.0, ..MeanFlow::default() };
    for objective in [&Regression as &dyn Objective, &plain] {
        let (loss, mean) = of(objective, 0.0);
        // Sums of some hundred squares in single precision.
        assert!((loss - mean).abs() < 1e-5 * mean, "{loss} is not {mean}");
        let (other, _) = of(objective, 100.0);
        assert!((loss - other).abs() < 1e-6 * loss, "{other} is not {loss}");
    }
    // The control: a network of whole rows counts everything.
    let whole = Zero(Signature::of([3, 2]));
    let batch = batch(&conditioned(sequences(100.0), matching.clone()));
    let loss = Regression.loss(Networks::of(&whole), batch).total.into_scalar::<f64>();
    assert!(1000.0 < loss, "{loss}");
}

/// Answers zero.
#[derive(Debug)]
struct Zero(Signature);

impl flow_nn::Network for Zero {
    fn signature(&self) -> &Signature {
        &self.0
    }

    fn forward(
        &self,
        x: burn::tensor::Tensor<2>,
        _: flow_nn::Time,
        _: &flow_nn::Condition,
    ) -> burn::tensor::Tensor<2> {
        x.zeros_like()
    }
}
