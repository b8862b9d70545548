//! One training by several processes, and by one in parts: the same weights for any number of them.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::thread;

use burn::tensor::{Device, Tensor};
use common::{Log, ROWS, batches, bits, checkpoints, network, plan, session, small};
use flow_nn::{
    DitConfig, DynNetwork, DynPosterior, NetworkConfig, PointEncoderConfig, PosteriorInput,
    Signature, SplitMlpConfig, init_seeded,
};
use flow_parallel::threads;
use flow_path::stream::Streams;
use flow_path::{ExactOt, Sinkhorn, Stratified, UnbalancedPlan};
use flow_train::{
    Batch, BatchSource, Checkpoint, DrawBy, Ensemble, Group, Interrupter, LabelledBatches, Loss,
    MapBatches, MatchingBatches, MeanFlow, Networks, Objective, Outcome, Parts, Plan, Regression,
    Rows, Session, Shortcut, Task, TrainError, Variational, fit,
};

const STEPS: usize = 20;

/// What is trained: each kind of loss has a state or a sum of its own that processes must share.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// The velocity, with pairs by optimal transport.
    Transport,
    /// With weights of rows that add up over a batch, and times that cover the unit interval.
    Weighted,
    /// A latent with its posterior.
    Latent,
    /// A flow map, whose teacher is the average of the weights.
    Teacher,
    /// A flow map whose rows are weighted by their own errors.
    MeanFlow,
    /// Classes, some of them hidden.
    Classes,
    /// Sequences that end early, whose loss is a mean over what is there of the whole batch, in a
    /// flow map whose rows are weighted by their own errors.
    Sequences,
}

const KINDS: [Kind; 7] = [
    Kind::Transport,
    Kind::Weighted,
    Kind::Latent,
    Kind::Teacher,
    Kind::MeanFlow,
    Kind::Classes,
    Kind::Sequences,
];

fn model(kind: Kind) -> Ensemble {
    let device = Device::flex();
    let of = |signature: Signature| -> Ensemble {
        let init = |device: &Device| small().init(&signature, device);
        DynNetwork::new(init_seeded(3, &device, init).unwrap()).into()
    };
    match kind {
        Kind::Teacher | Kind::MeanFlow => of(Signature { two_times: true, ..Signature::of([2]) }),
        Kind::Classes => of(Signature { classes: 3, ..Signature::of([2]) }),
        Kind::Sequences => {
            let config =
                DitConfig { hidden: 8, depth: 1, heads: 2, patch: 1, ..DitConfig::default() };
            let whole = Signature { two_times: true, ..Signature::of([3, 2]) };
            let signature = Signature { lengths: true, ..whole };
            let init = |device: &Device| config.init(&signature, device);
            DynNetwork::new(init_seeded(3, &device, init).unwrap()).into()
        }
        Kind::Latent => {
            let config = SplitMlpConfig { features: 16, hidden: 16, ..SplitMlpConfig::default() };
            let signature = Signature { latent: 3, ..Signature::of([2]) };
            let init = |device: &Device| config.init(&signature, device);
            let network = DynNetwork::new(init_seeded(3, &device, init).unwrap());
            let sees = [PosteriorInput::X0, PosteriorInput::X1, PosteriorInput::T];
            let config =
                PointEncoderConfig { features: 16, hidden: 16, ..PointEncoderConfig::default() };
            let init = |device: &Device| config.init(2, &sees, 3, device);
            let posterior = DynPosterior::new(init_seeded(4, &device, init).unwrap());
            Ensemble { network, posterior: Some(posterior) }
        }
        Kind::Transport | Kind::Weighted => network(&device),
    }
}

fn objective(kind: Kind) -> Arc<dyn Objective> {
    match kind {
        Kind::Latent => Arc::new(Variational { kl_weight: 0.1 }),
        Kind::Teacher => Arc::new(Shortcut { share: 0.4, steps: 8, ..Shortcut::default() }),
        Kind::MeanFlow | Kind::Sequences => Arc::new(MeanFlow::default()),
        Kind::Transport | Kind::Weighted | Kind::Classes => Arc::new(Regression),
    }
}

fn source(kind: Kind, seed: u64) -> Arc<dyn BatchSource<Batch = Batch>> {
    let mut source = batches(seed);
    let objective = objective(kind);
    let values = |n: usize| (0..n).map(|i| (i as f32 * 0.7).sin() * 2.0).collect();
    let labels = (0..20).map(|i| i % 3).collect();
    source.data = Arc::new(Rows::new(vec![2], values(40), Some(labels)));
    match kind {
        Kind::Transport => source.matching.coupling = Arc::new(ExactOt),
        Kind::Weighted => {
            let plan = UnbalancedPlan { epsilon: 0.1, relaxation: 1.0 };
            source.matching.coupling = Arc::new(Sinkhorn::from(plan));
            source.matching.times = Arc::new(Stratified);
        }
        Kind::Latent => source.noise = 3,
        Kind::Classes => {
            (source.classes, source.matching.label_drop) = (3, 0.2);
        }
        Kind::Sequences => {
            let rows = Rows::new(vec![3, 2], values(60), None);
            source.data = Arc::new(rows.with_lengths([1, 3, 2, 1, 1].repeat(2)));
        }
        Kind::Teacher | Kind::MeanFlow => {}
    }
    match objective.pairs() {
        Some(pairs) => Arc::new(MapBatches { batches: source, pairs }),
        None => Arc::new(source),
    }
}

fn task(kind: Kind, model: &Ensemble) -> Task {
    Task {
        model: model.clone(),
        objective: objective(kind),
        train: source(kind, 7),
        validation: source(kind, 8),
    }
}

fn cut(count: usize, draw: DrawBy) -> Plan {
    Plan { parts: Parts { count, draw }, ..plan(STEPS) }
}

/// What each of `size` processes returns, by rank.
fn each<T: Send>(size: usize, work: impl Fn(Arc<dyn Group>) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let work = &work;
        let started: Vec<_> = threads(size)
            .into_iter()
            .map(|member| scope.spawn(move || work(Arc::new(member))))
            .collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// One training by `size` processes in one folder, each with a log and an interrupter of its own.
fn train(
    folder: &Path,
    size: usize,
    plan: &Plan,
    resume: Option<&Checkpoint>,
    task: impl Fn() -> Task + Sync,
    log: impl Fn(usize, &Interrupter) -> Log + Sync,
) -> Vec<Result<Outcome<Ensemble>, TrainError>> {
    each(size, |group| {
        let interrupter = Interrupter::new();
        let (log, folder) = (log(group.rank(), &interrupter), checkpoints(folder));
        fit(task(), plan, Session { group, ..session(&folder, resume, &log, &interrupter) })
    })
}

fn silent(_: usize, _: &Interrupter) -> Log {
    Log::default()
}

fn weights(results: Vec<Result<Outcome<Ensemble>, TrainError>>) -> Vec<Vec<u32>> {
    results.into_iter().map(|outcome| bits(&outcome.unwrap().network)).collect()
}

#[test]
fn one_two_three_and_four_processes_give_the_same_bits() {
    for kind in KINDS {
        for draw in [DrawBy::Batch, DrawBy::Part] {
            let (model, plan) = (model(kind), cut(4, draw));
            let of = |size| {
                let folder = tempfile::tempdir().unwrap();
                let log = Log::default();
                let all = weights(train(
                    folder.path(),
                    size,
                    &plan,
                    None,
                    || task(kind, &model),
                    |rank, _| if rank == 0 { log.clone() } else { Log::default() },
                ));
                assert!(all.iter().all(|bits| *bits == all[0]), "{kind:?}: processes differ");
                let losses = log.losses.lock().unwrap();
                let losses: Vec<u64> = losses.iter().map(|loss| loss.to_bits()).collect();
                let terms = log.terms.lock().unwrap().clone();
                let validations = log.validations.lock().unwrap().clone();
                assert_eq!((losses.len(), validations.len()), (STEPS, 2));
                (all[0].clone(), losses, terms, validations)
            };
            let alone = of(1);
            for size in 2..=4 {
                assert!(of(size) == alone, "{kind:?} by {draw:?} in {size} processes");
            }
        }
    }
}

/// The loss of another objective, so many times: what a sum that forgot to be a mean would give.
#[derive(Debug)]
struct Times(f64, Arc<dyn Objective>);

impl Objective for Times {
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        let loss = self.1.loss(networks, batch);
        Loss { total: loss.total * self.0, ..loss }
    }

    fn pairs(&self) -> Option<flow_train::Pairs> {
        self.1.pairs()
    }
}

/// The weights after one step that is a smooth function of the gradient `g`: AdamW with an epsilon
/// of 1 moves them by `g / (|g| + 1)`.
fn one_step(kind: Kind, parts: usize, factor: f64) -> Vec<f32> {
    let mut plan = Plan { every: 1, validation_batches: 0, ..cut(parts, DrawBy::Batch) };
    plan.steps = 1;
    (plan.learning_rate.peak, plan.learning_rate.warmup) = (1.0, 0);
    (plan.optimizer.epsilon, plan.optimizer.weight_decay) = (1.0, 0.0);
    (plan.max_gradient_norm, plan.ema.half_life) = (None, 0.0);
    let model = model(kind);
    let task = || {
        let task = task(kind, &model);
        Task { objective: Arc::new(Times(factor, Arc::clone(&task.objective))), ..task }
    };
    let folder = tempfile::tempdir().unwrap();
    let all = weights(train(folder.path(), 1, &plan, None, task, silent));
    all[0].iter().map(|&bits| f32::from_bits(bits)).collect()
}

#[test]
fn parts_of_a_batch_are_the_whole_batch_to_rounding() {
    for kind in KINDS {
        let furthest = |a: &[f32], b: &[f32]| -> f32 {
            a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        let whole = one_step(kind, 1, 1.0);
        for parts in [2, 4, 16] {
            // A gradient is a mean of 64 rows, whose terms are of order 1. In another order their
            // sum of 64 differs by at most 64 units of 64 * 6e-8, but those errors are of both
            // signs; the mean differs by a few 1e-7, and the weight that it is added to, of order
            // 1, rounds by 6e-8. The bound is ten times that.
            let apart = furthest(&whole, &one_step(kind, parts, 1.0));
            assert!(apart < 5e-6, "{kind:?} in {parts} parts: {apart}");
            // The control: the sum of the parts in place of their mean.
            let apart = furthest(&whole, &one_step(kind, parts, parts as f64));
            assert!(apart > 1e-2, "{kind:?} in {parts} parts, not divided: {apart}");
        }
    }
}

#[test]
fn rows_are_dealt_out_so_that_each_part_has_its_share_of_jumps() {
    let device = Device::flex();
    let source = source(Kind::Teacher, 7);
    let whole = source.batch(3, &device).unwrap();
    let parts = Parts { count: 4, draw: DrawBy::Batch };
    let dealt = source.parts(3, parts, 0..4, &device).unwrap();
    // Four tenths of 64 rows are 26: 6 or 7 in each part.
    assert_eq!(whole.jumps, 26);
    let jumps: Vec<usize> = dealt.iter().map(|part| part.jumps).collect();
    assert_eq!((jumps.iter().sum::<usize>(), jumps.len()), (26, 4));
    assert!(jumps.iter().all(|jumps| [6, 7].contains(jumps)), "{jumps:?}");
    let rows = |x: &Tensor<2>| -> Vec<Vec<u32>> {
        let values: Vec<f32> = x.to_data().iter::<f32>().collect();
        values.chunks(2).map(|row| row.iter().map(|x| x.to_bits()).collect()).collect()
    };
    let all = rows(&whole.target);
    for (k, part) in dealt.iter().enumerate() {
        let own: Vec<_> = all.iter().skip(k).step_by(4).cloned().collect();
        assert_eq!(rows(&part.target), own);
        let s = part.time.s.clone().unwrap().into_data().iter::<f32>().collect::<Vec<_>>();
        let t = part.time.t.clone().into_data().iter::<f32>().collect::<Vec<_>>();
        let moves = t.iter().zip(&s).filter(|(t, s)| t < s).count();
        assert_eq!(moves, part.jumps, "the last rows jump and no others");
    }
}

#[test]
fn parts_of_sequences_weigh_what_is_there_of_the_whole_batch() {
    let (device, source) = (Device::flex(), source(Kind::Sequences, 7));
    let elements_over_there = |batch: &Batch| {
        let lengths = batch.condition.lengths.as_ref().unwrap();
        3.0 * lengths.len() as f32 / lengths.iter().sum::<usize>() as f32
    };
    let weights =
        |batch: &Batch| -> Vec<f32> { batch.weight.clone().unwrap().into_data().iter().collect() };
    let whole = source.batch(3, &device).unwrap();
    let expected = elements_over_there(&whole);
    let parts = Parts { count: 4, draw: DrawBy::Batch };
    let dealt = source.parts(3, parts, 0..4, &device).unwrap();
    for batch in dealt.iter().chain([&whole]) {
        assert!(weights(batch).iter().all(|weight| (weight - expected).abs() < 1e-6));
    }
    // The control: a mean over what is there of each part is another.
    let own = dealt.iter().map(|part| (elements_over_there(part) - expected).abs());
    assert!(own.fold(0.0, f32::max) > 1e-2);
}

#[test]
fn parts_drawn_by_themselves_draw_the_same_rows_of_the_data() {
    let device = Device::flex();
    let mut source = batches(7);
    source.data = Arc::new(Rows::new(vec![2], (0..400).map(|i| i as f32).collect(), None));
    let whole: Vec<f32> = source.batch(5, &device).unwrap().x1.into_data().iter().collect();
    let parts = Parts { count: 4, draw: DrawBy::Part };
    let dealt = source.parts(5, parts, 1..3, &device).unwrap();
    let numbers = |part: Batch| part.x1.into_data().iter::<f32>().collect::<Vec<_>>();
    let dealt: Vec<f32> = dealt.into_iter().flat_map(numbers).collect();
    assert_eq!(dealt, whole[whole.len() / 4..whole.len() * 3 / 4]);
}

#[test]
fn another_number_of_processes_goes_on_with_the_same_bits() {
    let (model, plan) = (model(Kind::Teacher), cut(4, DrawBy::Batch));
    let task = || task(Kind::Teacher, &model);
    let whole = tempfile::tempdir().unwrap();
    let expected = weights(train(whole.path(), 1, &plan, None, task, silent)).swap_remove(0);

    let folder = tempfile::tempdir().unwrap();
    // The second of two processes is asked to stop, and both end after the same step.
    let stopped = train(folder.path(), 2, &plan, None, task, |rank, interrupter| Log {
        stop_after: (rank == 1).then(|| (7, interrupter.clone())),
        ..Log::default()
    });
    for outcome in stopped {
        let Outcome { step, interrupted, .. } = outcome.unwrap();
        assert!(interrupted && (7..STEPS).contains(&step), "{step}");
    }
    let checkpoint = checkpoints(folder.path()).latest().unwrap();
    assert!((7..STEPS).contains(&checkpoint.step), "stopped at {}", checkpoint.step);
    let resumed = weights(train(folder.path(), 4, &plan, Some(&checkpoint), task, silent));
    assert!(resumed.iter().all(|bits| *bits == expected), "the weights differ");
}

/// Batches whose source dies at a step, in the process of a part.
#[derive(Debug)]
struct Dying {
    inner: MatchingBatches,
    at: usize,
    part: usize,
}

impl BatchSource for Dying {
    type Batch = Batch;

    fn batch(&self, step: usize, device: &Device) -> Result<Batch, TrainError> {
        self.inner.batch(step, device)
    }

    fn parts(
        &self,
        step: usize,
        parts: Parts,
        own: std::ops::Range<usize>,
        device: &Device,
    ) -> Result<Vec<Batch>, TrainError> {
        assert!(step != self.at || !own.contains(&self.part), "the disk is gone");
        self.inner.parts(step, parts, own, device)
    }

    fn rows(&self) -> usize {
        ROWS
    }
}

#[test]
fn a_process_that_ends_ends_the_others_and_what_was_saved_goes_on() {
    let plan = cut(4, DrawBy::Batch);
    let task = common::task(network(&Device::flex()));
    let plain = || task.clone();
    let whole = tempfile::tempdir().unwrap();
    let expected = weights(train(whole.path(), 1, &plan, None, plain, silent)).swap_remove(0);
    for dies in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let source = || Dying { inner: batches(7), at: 12, part: dies };
        let dying = || Task { train: Arc::new(source()), ..plain() };
        let mut ends = train(folder.path(), 4, &plan, None, dying, silent);
        let own = ends.remove(dies).unwrap_err();
        assert!(matches!(own, TrainError::Batch { step: 12, .. }), "{own}");
        for end in ends {
            let error = end.unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, TrainError::Group { step: 13, .. }), "{text}");
            assert!(text.contains("has ended") && text.contains("go on from the last"), "{text}");
        }
        let checkpoint = checkpoints(folder.path()).latest().unwrap();
        assert_eq!(checkpoint.step, 10);
        let resumed = weights(train(folder.path(), 2, &plan, Some(&checkpoint), plain, silent));
        assert!(resumed.iter().all(|bits| *bits == expected), "the weights differ");
    }
}

#[test]
fn a_loss_that_is_no_number_ends_all_processes_in_the_same_step() {
    let plan = Plan { max_gradient_norm: None, ..cut(2, DrawBy::Batch) };
    let broken = Times(f64::NAN, Arc::new(Regression));
    let task = Task { objective: Arc::new(broken), ..common::task(network(&Device::flex())) };
    let task = || task.clone();
    let folder = tempfile::tempdir().unwrap();
    for end in train(folder.path(), 2, &plan, None, task, silent) {
        let error = end.unwrap_err();
        assert!(matches!(error, TrainError::Diverged { step: 1, .. }), "{error}");
    }
}

#[test]
fn parts_that_cannot_be_shared_are_refused() {
    let task = common::task(network(&Device::flex()));
    let task = || task.clone();
    let refused = |size, count| {
        let folder = tempfile::tempdir().unwrap();
        let plan = cut(count, DrawBy::Batch);
        let mut ends = train(folder.path(), size, &plan, None, task, silent);
        ends.swap_remove(0).unwrap_err().to_string()
    };
    assert!(refused(1, 0).contains("64 rows cannot be cut into 0 equal parts"));
    assert!(refused(1, 5).contains("64 rows cannot be cut into 5 equal parts"));
    let text = refused(4, 2);
    assert!(text.contains("2 parts cannot be shared by 4 processes"), "{text}");
}

#[test]
fn batches_that_do_not_say_how_they_are_cut_are_refused() {
    let labelled = LabelledBatches {
        data: Arc::new(Rows::new(vec![1, 1, 1], vec![0.0; 8], Some(vec![0; 8]))),
        rows: 4,
        streams: Streams::new(0),
    };
    let parts = |count| Parts { count, draw: DrawBy::Batch };
    let device = Device::flex();
    assert_eq!(labelled.parts(0, parts(1), 0..1, &device).unwrap().len(), 1);
    let error = labelled.parts(0, parts(2), 0..1, &device).unwrap_err();
    assert_eq!(error.to_string(), "these batches are drawn as a whole and not in 2 parts");
}

#[test]
fn one_part_is_the_batch_itself() {
    let (device, source) = (Device::flex(), source(Kind::MeanFlow, 7));
    let whole = source.batch(4, &device).unwrap();
    for draw in [DrawBy::Batch, DrawBy::Part] {
        let parts = source.parts(4, Parts { count: 1, draw }, 0..1, &device).unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].x_t.to_data(), whole.x_t.to_data());
        assert_eq!(parts[0].target.to_data(), whole.target.to_data());
    }
}
