//! A run that cannot go on ends with an error, and saves nothing of the failed step.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor};
use common::{Log, ROWS, batches, checkpoints, network, plan, session, task};
use flow_train::{
    Batch, BatchSource, Divergence, Ensemble, Interrupter, Loss, MatchingBatches, Networks,
    Objective, Outcome, Plan, Regression, Task, TrainError, fit,
};

/// What happens at one batch.
#[derive(Clone)]
enum Event {
    /// The loss is weighted by this number, so that its gradient is not finite either.
    Loss(f32),
    /// The loss is finite and its gradient is not a number.
    Gradient,
    /// The thread that makes the batches dies.
    Panic,
    /// The user wants to stop.
    Stop(Interrupter),
    /// The user wants to stop a batch that takes minutes to make, once all before it are used.
    Long(Interrupter),
}

/// The batches of the small problem with an event at one of them.
struct Eventful {
    inner: MatchingBatches,
    event: Option<(usize, Event)>,
}

impl fmt::Debug for Eventful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An interrupter cannot be shown.
        f.debug_struct("Eventful").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl BatchSource for Eventful {
    type Batch = Batch;

    fn batch(&self, step: usize, device: &Device) -> Result<Batch, TrainError> {
        let mut batch = self.inner.batch(step, device)?;
        match self.event.as_ref().filter(|(at, _)| *at == step).map(|(_, event)| event) {
            Some(Event::Panic) => panic!("the disk of batch {step} is gone"),
            Some(Event::Stop(interrupter)) => interrupter.stop(Some("test")),
            Some(Event::Long(interrupter)) => {
                sleep(Duration::from_secs(1));
                interrupter.stop(Some("test"));
                sleep(Duration::from_mins(10));
            }
            Some(Event::Loss(value)) => batch.weight = Some(Tensor::full([ROWS], *value, device)),
            Some(Event::Gradient) => batch.noise = Some(Tensor::zeros([ROWS, 1], device)),
            None => {}
        }
        Ok(batch)
    }

    fn rows(&self) -> usize {
        ROWS
    }
}

/// The loss of the small problem, with a gradient that is not a number where a batch brings noise.
#[derive(Debug)]
struct EventObjective;

impl Objective for EventObjective {
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        let marked = batch.noise.is_some();
        let mut loss = Regression.loss(networks, batch);
        if marked {
            // The root of zero has the slope infinity, and 0 times infinity is not a number.
            loss.total = loss.total.clone() + (loss.total * 0.0).sqrt();
        }
        loss
    }
}

fn train(
    folder: &Path,
    plan: &Plan,
    [training, validation]: [Option<(usize, Event)>; 2],
    log: &Log,
    interrupter: &Interrupter,
) -> Result<Outcome<Ensemble>, TrainError> {
    let source = |seed, event| Arc::new(Eventful { inner: batches(seed), event });
    let task = Task {
        model: network(&Device::flex()),
        objective: Arc::new(EventObjective),
        train: source(7, training),
        validation: source(8, validation),
    };
    fit(task, plan, session(&checkpoints(folder), None, log, interrupter))
}

fn error(plan: &Plan, events: [Option<(usize, Event)>; 2]) -> (TrainError, Option<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let result = train(folder.path(), plan, events, &Log::default(), &Interrupter::new());
    let latest = checkpoints(folder.path()).latest().ok().map(|checkpoint| {
        checkpoint.average(network(&Device::flex())).expect("what is kept is whole");
        checkpoint.step
    });
    let left = std::fs::read_dir(folder.path()).unwrap().flatten();
    let unfinished = left.filter(|e| e.file_name().to_string_lossy().starts_with('.')).count();
    assert_eq!(unfinished, 0, "nothing half-written stays");
    (result.map(|outcome| outcome.step).unwrap_err(), latest)
}

#[test]
fn a_finite_loss_whose_gradient_is_not_stops_the_last_step_before_its_checkpoint() {
    let plan = plan(20);
    for without_validation in [false, true] {
        let batches = if without_validation { 0 } else { plan.validation_batches };
        let plan = Plan { validation_batches: batches, ..plan.clone() };
        let (error, latest) = error(&plan, [Some((19, Event::Gradient)), None]);
        let TrainError::Diverged { step: 20, what } = &error else { panic!("{error}") };
        assert!(
            matches!(what, Divergence::Validation(loss) if loss.is_nan())
                || matches!(what, Divergence::Weights(path) if path.starts_with("network.")),
            "{error}"
        );
        assert_eq!(latest, Some(10));
    }
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_before_the_next_checkpoint() {
    for value in [f32::NAN, f32::INFINITY] {
        let (error, latest) = error(&plan(20), [Some((12, Event::Loss(value))), None]);
        let TrainError::Diverged { step: 13, what: Divergence::Loss(loss) } = error else {
            panic!("{error}")
        };
        assert!(!loss.is_finite());
        assert_eq!(latest, Some(10));
    }
}

#[test]
fn a_validation_that_is_no_number_stops_the_run_before_its_checkpoint() {
    let (error, latest) = error(&plan(20), [None, Some((1, Event::Loss(f32::NAN)))]);
    let what = matches!(
        error,
        TrainError::Diverged { step: 10, what: Divergence::Validation(loss) } if loss.is_nan()
    );
    assert!(what, "{error}");
    assert_eq!(latest, None);
}

#[test]
fn weights_beyond_all_numbers_are_not_kept() {
    // The first step moves every weight by the learning rate, and the second one past the largest
    // number.
    let mut plan = Plan { every: 1, validation_batches: 0, ..plan(3) };
    plan.learning_rate.peak = 1e38;
    plan.learning_rate.warmup = 0;
    let (error, _) = error(&plan, [None, None]);
    assert!(matches!(error, TrainError::Diverged { .. }), "{error}");
}

#[test]
fn a_source_of_batches_that_panics_is_an_error_with_its_words() {
    let (error, latest) = error(&plan(20), [Some((5, Event::Panic)), None]);
    assert_eq!(
        error.to_string(),
        "the batch of step 5 could not be made: the disk of batch 5 is gone"
    );
    assert_eq!(latest, None);
    for batch in [0, 1] {
        let (error, latest) = self::error(&plan(20), [None, Some((batch, Event::Panic))]);
        assert!(error.to_string().contains("is gone"), "{error}");
        assert_eq!(latest, None);
    }
}

#[test]
fn an_interruption_is_heard_during_a_validation_and_keeps_the_step() {
    let folder = tempfile::tempdir().unwrap();
    let (interrupter, log) = (Interrupter::new(), Log::default());
    // Validating that often takes hours.
    let plan = Plan { validation_batches: 1_000_000_000, ..plan(20) };
    let stop = Some((3, Event::Stop(interrupter.clone())));
    let outcome = train(folder.path(), &plan, [None, stop], &log, &interrupter).unwrap();
    assert!(outcome.interrupted && outcome.step == 10, "stopped at {}", outcome.step);
    assert_eq!(checkpoints(folder.path()).latest().unwrap().step, 10);
    assert!(log.validations.lock().unwrap().is_empty(), "a part of the mean is not the mean");
}

#[test]
fn an_interruption_does_not_wait_for_a_batch_and_keeps_the_step_before() {
    for at in [0, 3, 10] {
        let folder = tempfile::tempdir().unwrap();
        let (interrupter, log, started) = (Interrupter::new(), Log::default(), Instant::now());
        let long = Some((at, Event::Long(interrupter.clone())));
        let outcome = train(folder.path(), &plan(20), [long, None], &log, &interrupter).unwrap();
        assert!(started.elapsed() < Duration::from_mins(1), "waited for the batch");
        assert!(outcome.interrupted);
        // The batch numbered 3 is that of step 4.
        assert_eq!(outcome.step, at);
        let kept = checkpoints(folder.path()).latest().ok().map(|checkpoint| checkpoint.step);
        assert_eq!(kept, (0 < at).then_some(at));
    }
}

/// A log of three metrics that is never read takes 175 bytes a step.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_steps() {
    fn resident_bytes() -> f64 {
        let status = std::fs::read_to_string("/proc/self/statm").unwrap();
        status.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
    }
    #[derive(Clone)]
    struct Watch(std::sync::Arc<std::sync::Mutex<Vec<f64>>>);
    impl flow_train::Observer for Watch {
        fn step(&mut self, record: &flow_train::StepRecord) {
            if record.step.is_multiple_of(4_000) {
                self.0.lock().unwrap().push(resident_bytes());
            }
        }
        fn validation(&mut self, _: usize, _: f64) {}
    }
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex();
    let watch = Watch(std::sync::Arc::default());
    let few = Arc::new(MatchingBatches { rows: 1, ..batches(1) });
    let task = Task { train: few.clone(), validation: few, ..task(network(&device)) };
    let plan = Plan { every: usize::MAX, validation_batches: 0, ..plan(28_000) };
    let (folder, interrupter) = (checkpoints(folder.path()), Interrupter::new());
    fit(task, &plan, session(&folder, None, &watch, &interrupter)).unwrap();
    let seen = watch.0.lock().unwrap();
    // That would be 3.5 million bytes here.
    let grown = seen[6] - seen[1];
    assert!(grown < 1.5e6, "{grown} bytes in 20,000 steps: {seen:?}");
}
