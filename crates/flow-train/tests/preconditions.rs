//! Every public function with awkward numbers: infinities, NaN, zeros and empty shapes.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use common::{Log, batches, bits, checkpoints, network, plan, session, task};
use flow_path::stream::{Purpose, Streams};
use flow_path::{LossWeight, PairTube, Prediction, ProbabilityPath, Times, VariancePreserving};
use flow_testing::{awkward, public};
use flow_train::{
    BatchSource, Chain, DataSource, Decay, Ema, FlowMatching, Interrupter, LearningRate,
    MatchingBatches, Plan, RowStore, Rows, Snapshot, Task, TrainError, fit,
};

type Row = (&'static str, fn());

const TABLE: [Row; 13] = [
    ("Chain::new", chains),
    ("Ema::decay", decays),
    ("Ema::follow", averages),
    ("FlowMatching::draw_times", times),
    ("FlowMatching::regress", regressions),
    ("LearningRate::at", rates),
    ("Rows::new", rows),
    ("Rows::stored", stored),
    ("Rows::with_contexts", contexts),
    ("Rows::with_labels", labels),
    ("Rows::with_lengths", lengths),
    ("Rows::with_starts", starts),
    ("Rows::with_vectors", vectors),
];

#[test]
fn every_function_keeps_its_promise_for_awkward_numbers() {
    let names = TABLE.map(|(name, _)| name);
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &names, &[]);
    let broken = TABLE.into_iter().filter(|(_, run)| catch_unwind(run).is_err());
    let broken: Vec<_> = broken.map(|(name, _)| name).collect();
    assert!(broken.is_empty(), "see above: {broken:?}");
}

fn panics(words: &str, f: impl FnOnce()) {
    let panic = catch_unwind(AssertUnwindSafe(f)).expect_err(words);
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap();
    assert!(text.contains(words), "{text}");
}

fn decays() {
    let numbers = || awkward::SCALARS.into_iter().map(|(_, x)| x);
    let count = |x: f64| (0.0..f64::INFINITY).contains(&x);
    for half_life in numbers() {
        for ramp in numbers() {
            let ema = Ema { half_life, ramp };
            for images in numbers() {
                for batch in numbers() {
                    match catch_unwind(|| ema.decay(images, batch)) {
                        Ok(beta) => assert!((0.0..=1.0).contains(&beta), "{ema:?}: {beta}"),
                        Err(_) => assert!(!count(images) || !count(batch), "{images}, {batch}"),
                    }
                }
            }
        }
    }
}

/// Fills one parameter of one number; the other ones have more.
struct Fill(f32);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = self.0;
        parameter.map(|x| if x.dims() == [2; D] { x.full_like(value) } else { x })
    }
}

fn averages() {
    let average = network(&Device::flex());
    let ema = Ema::default();
    for (name, value) in awkward::SCALARS {
        let weights = average.clone().map(&mut Fill(value as f32));
        let followed = ema.follow(average.clone(), &weights, 1e6, 64.0);
        let finite = bits(&followed).iter().all(|&bits| f32::from_bits(bits).is_finite());
        assert_eq!(finite, value.is_finite(), "{name}");
    }
}

fn times() {
    for prediction in [Prediction::Velocity, Prediction::Noise, Prediction::Data] {
        for weight in [LossWeight::Unit, LossWeight::Variance, LossWeight::Diffusion] {
            let schedule = Arc::new(VariancePreserving::default());
            let matching = FlowMatching { schedule, prediction, weight, ..FlowMatching::default() };
            for n in [0, 1, 1000] {
                let mut rng = Streams::new(1).rng(0, Purpose::Time);
                let (t, weights) = matching.draw_times(n, &mut rng);
                let (start, end) = matching.span();
                assert_eq!(t.iter().count(), n);
                assert!(t.iter().all(|t| (start..=end).contains(&t)));
                for w in weights.into_iter().flatten() {
                    assert!(w.is_finite() && 0.0 <= w, "{prediction:?}, {weight:?}: {w}");
                }
            }
        }
    }
}

fn regressions() {
    let tensor = |rows: &[f32]| {
        let data = TensorData::new(rows.to_vec(), [rows.len() / 2, 2]);
        Tensor::<2>::from_data(data, &Device::flex())
    };
    let broken = |x: &[f32]| -> Vec<bool> {
        x.chunks(2).map(|row| row.iter().any(|x| !x.is_finite())).collect()
    };
    let tube: Arc<dyn ProbabilityPath<2>> = Arc::new(PairTube { sigma: 0.1 });
    for between in [None, Some(tube)] {
        let matching = FlowMatching { between, ..FlowMatching::default() };
        for set in awkward::rows(6, 2) {
            let n = set.rows.len() / 2;
            let t = Times::new((0..n).map(|i| (i as f64 + 0.5) / n as f64).collect());
            let zeros = tensor(&vec![0.0; 2 * n]);
            let (x_t, target) = matching.regress(zeros.clone(), tensor(&set.rows), Some(zeros), &t);
            for values in [x_t, target].map(|x| x.into_data().try_to_vec::<f32>().unwrap()) {
                assert_eq!(broken(&values), broken(&set.rows), "{}", set.name);
            }
        }
    }
    let line = FlowMatching::default();
    panics("expected ends of the shape [1, 2] of the starts, got [2, 2]", || {
        let t = Times::new(vec![0.5]);
        let _ = line.regress(tensor(&[0.0; 2]), tensor(&[0.0; 4]), None, &t);
    });
}

fn rates() {
    for decay in [Decay::Constant, Decay::Linear, Decay::Cosine] {
        for (warmup, steps) in [(0, 0), (0, 1), (1, 1), (5, 3), (3, 100), (usize::MAX, usize::MAX)]
        {
            for step in [0, 1, 2, 50, 99, 1000, usize::MAX] {
                let rate = LearningRate { peak: 2.0, warmup, steps, decay, floor: 0.5 };
                let at = rate.at(step);
                assert!(0.0 < at && at <= 2.0, "{at} at step {step} of {rate:?}");
            }
        }
        for (name, peak) in awkward::SCALARS {
            for (floor_name, floor) in awkward::SCALARS {
                let rate = LearningRate { peak, warmup: 2, steps: 9, decay, floor };
                let finite = (0..9).all(|step| rate.at(step).is_finite());
                let refused = Plan { learning_rate: rate, ..plan(9) }.check().is_err();
                assert!(finite || refused, "{name}, {floor_name}: accepted and not finite");
            }
        }
    }
}

/// Rows of one number that lie elsewhere: numbers, or none at all.
#[derive(Debug)]
struct Elsewhere(Vec<f32>);

impl RowStore for Elsewhere {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn row(&self, row: usize) -> Result<Vec<f32>, String> {
        Ok(vec![self.0[row]])
    }
}

/// Stored rows are those in memory, whatever the numbers are; none is refused.
fn stored() {
    let values: Vec<f32> = awkward::SCALARS.into_iter().map(|(_, x)| x as f32).collect();
    let bits = |rows: Rows| -> Vec<u32> {
        let draw = rows.draw(0..20, &Streams::new(3));
        draw.rows.iter().map(|x| x.to_bits()).collect()
    };
    let memory = Rows::new(vec![1], values.clone(), None);
    assert_eq!(bits(Rows::stored(vec![1], Arc::new(Elsewhere(values)))), bits(memory));
    panics("at least one row", || drop(Rows::stored(vec![1], Arc::new(Elsewhere(vec![])))));
}

fn rows() {
    for set in awkward::rows(6, 2) {
        if set.rows.is_empty() {
            panics("expected whole rows of 2 numbers, got 0 numbers", || {
                let _ = Rows::new(vec![2], Vec::new(), None);
            });
            continue;
        }
        let data = Arc::new(Rows::new(vec![2], set.rows.clone(), None));
        let batch = MatchingBatches { data, rows: 6, ..batches(1) }.batch(0, &Device::flex());
        match batch {
            Ok(_) => assert!(set.finite, "{} makes a batch", set.name),
            Err(TrainError::Data { row, value, .. }) => {
                assert!(!set.finite && row < 6 && !value.is_finite(), "{}", set.name);
            }
            Err(error) => panic!("{}: {error}", set.name),
        }
    }
    for (shape, numbers, words) in [
        (vec![2], 3, "expected whole rows of 2 numbers, got 3 numbers"),
        (vec![0], 3, "expected whole rows of 0 numbers"),
    ] {
        panics(words, || drop(Rows::new(shape, vec![0.0; numbers], None)));
    }
    panics("expected 2 labels, got 1", || drop(Rows::new(vec![1], vec![0.0; 2], Some(vec![0]))));
    panics("expected a largest pixel of at least 1, got 0", || {
        drop(Rows::new(vec![1], vec![0.0; 2], None).dequantised(0));
    });
    let data = Arc::new(Rows::new(vec![1, 2], vec![0.0; 4], Some(vec![0, 3])));
    let labelled = MatchingBatches { data, classes: 3, rows: 2, ..batches(1) };
    let error = labelled.batch(0, &Device::flex()).unwrap_err().to_string();
    assert!(error.contains("is of class 3, but there are 3 classes"), "{error}");
    panics("at least one of each", || {
        let _ = MatchingBatches { rows: 0, ..batches(1) }.batch(0, &Device::flex());
    });
}

fn labels() {
    let build =
        |labels: &[usize]| Rows::new(vec![1], vec![0.0; 2], None).with_labels(labels.to_vec());
    let drawn = build(&[0, usize::MAX]).draw(0..2, &Streams::new(0)).labels.unwrap();
    assert!(drawn == [0, usize::MAX] || drawn == [usize::MAX, 0], "{drawn:?}");
    for labels in [&[][..], &[1], &[0; 3]] {
        panics("expected 2 labels", || drop(build(labels)));
    }
}

fn lengths() {
    let build = |lengths: &[usize]| {
        Rows::new(vec![3, 1], vec![0.0; 6], None).with_lengths(lengths.to_vec())
    };
    let drawn = build(&[1, 3]).draw(0..2, &Streams::new(0)).lengths.unwrap();
    assert!(drawn == [1, 3] || drawn == [3, 1], "{drawn:?}");
    panics("expected lengths of 2 rows, got 1", || drop(build(&[1])));
    for lengths in [[0, 1], [1, 4], [usize::MAX, 1]] {
        panics("expected lengths from 1 to 3", || drop(build(&lengths)));
    }
}

fn starts() {
    for set in awkward::rows(2, 2) {
        let build = || Rows::new(vec![2], vec![0.0; 4], None).with_starts(set.rows.clone());
        if set.rows.len() != 4 {
            panics("expected starts of 4 numbers", || drop(build()));
            continue;
        }
        let drawn = build().draw(0..2, &Streams::new(0)).starts.unwrap();
        assert_eq!(drawn.iter().all(|x| x.is_finite()), set.finite, "{}", set.name);
        let source = MatchingBatches { data: Arc::new(build()), rows: 2, ..batches(1) };
        assert_eq!(source.batch(0, &Device::flex()).is_ok(), set.finite, "{}", set.name);
    }
}

fn chains() {
    let snapshot = |time: f64, rows: Vec<f32>| Snapshot { time, rows, ..Snapshot::default() };
    for set in awkward::rows(4, 2) {
        let ends = || vec![snapshot(0.0, vec![0.5; 4]), snapshot(1.0, set.rows.clone())];
        let build = || Chain::new(vec![2], ends()).unwrap();
        if set.rows.is_empty() {
            panics("expected whole rows of 2 numbers, got 0 numbers", || drop(build()));
            continue;
        }
        let source = MatchingBatches { data: Arc::new(build()), rows: 40, ..batches(1) };
        // Of forty draws at least one is of each of four rows, but for a chance of 1e-5 a row.
        assert_eq!(source.batch(0, &Device::flex()).is_ok(), set.finite, "{}", set.name);
    }
    for (name, time) in awkward::SCALARS {
        let ends = || vec![snapshot(0.0, vec![0.5; 4]), snapshot(time, vec![1.5; 4])];
        if !(0.0 < time && time.is_finite()) {
            panics("expected increasing times", || drop(Chain::new(vec![2], ends())));
            continue;
        }
        let draw = Chain::new(vec![2], ends()).unwrap().draw(0..3, &Streams::new(0));
        assert!(
            draw.legs.unwrap().iter().all(|leg| leg.from < 1e-9 && 1.0 - 1e-9 < leg.to),
            "{name}"
        );
    }
}

fn contexts() {
    for set in awkward::rows(2, 2) {
        let build =
            || Rows::new(vec![1], vec![0.0; 2], None).with_contexts(vec![2], set.rows.clone());
        if set.rows.len() != 4 {
            panics("expected conditioning rows of 4 numbers", || drop(build()));
            continue;
        }
        let source = MatchingBatches { data: Arc::new(build()), rows: 2, ..batches(1) };
        assert_eq!(source.batch(0, &Device::flex()).is_ok(), set.finite, "{}", set.name);
    }
}

fn vectors() {
    for set in awkward::rows(2, 3) {
        let build = || Rows::new(vec![1], vec![0.0; 2], None).with_vectors(set.rows.clone());
        if set.rows.len() != 6 {
            panics("expected condition vectors for 2 rows", || drop(build()));
            continue;
        }
        let source = MatchingBatches { data: Arc::new(build()), rows: 2, ..batches(1) };
        assert_eq!(source.batch(0, &Device::flex()).is_ok(), set.finite, "{}", set.name);
    }
}

#[test]
fn a_plan_of_numbers_that_are_none_is_refused_before_the_first_step() {
    type Field = (&'static str, fn(&mut Plan, f64));
    plan(9).check().unwrap();
    let fields: [Field; 9] = [
        ("learning_rate.peak", |plan, x| plan.learning_rate.peak = x),
        ("learning_rate.floor", |plan, x| plan.learning_rate.floor = x),
        ("optimizer.beta1", |plan, x| plan.optimizer.beta1 = x as f32),
        ("optimizer.beta2", |plan, x| plan.optimizer.beta2 = x as f32),
        ("optimizer.epsilon", |plan, x| plan.optimizer.epsilon = x as f32),
        ("optimizer.weight_decay", |plan, x| plan.optimizer.weight_decay = x as f32),
        ("ema.half_life", |plan, x| plan.ema.half_life = x),
        ("ema.ramp", |plan, x| plan.ema.ramp = x),
        ("max_gradient_norm", |plan, x| plan.max_gradient_norm = Some(x)),
    ];
    for (field, set) in fields {
        for (name, value) in awkward::SCALARS {
            let mut plan = plan(9);
            set(&mut plan, value);
            match plan.check() {
                Ok(()) => assert!(0.0 <= value, "{field} = {name} is accepted"),
                Err(error) => {
                    assert!(error.to_string().starts_with(field), "{error}");
                    assert!(!(1e-40..0.9).contains(&value), "{field} = {name} is refused");
                }
            }
        }
    }
    assert!(Plan { every: 0, ..plan(9) }.check().is_err());
}

#[test]
fn batches_and_network_agree_on_their_classes() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex();
    let data = Arc::new(Rows::new(vec![2], vec![0.0; 4], Some(vec![0, 1])));
    let source = Arc::new(MatchingBatches { data, classes: 2, ..batches(1) });
    let task = Task { train: source.clone(), validation: source, ..task(network(&device)) };
    let (folder, interrupter) = (checkpoints(folder.path()), Interrupter::new());
    let session = session(&folder, None, &Log::default(), &interrupter);
    let error = fit(task, &plan(3), session).map(drop).unwrap_err();
    assert!(matches!(error, TrainError::Classes { batches: 2, network: 0 }), "{error}");
}
