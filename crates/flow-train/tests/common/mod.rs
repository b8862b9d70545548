//! A small problem that trains in a second: two points in the plane.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use flow_nn::{DynNetwork, MlpConfig, NetworkConfig, Signature, init_seeded};
use flow_path::stream::Streams;
use flow_train::{
    AdamW, Alone, Checkpoint, CheckpointFolder, Decay, Ema, Ensemble, FlowMatching, Interrupter,
    LearningRate, MatchingBatches, Observer, Outcome, Parts, Plan, Regression, Rows, Session,
    StepRecord, Task, Terms, TrainError, fit,
};

pub(crate) const ROWS: usize = 64;

pub(crate) fn small() -> MlpConfig {
    MlpConfig { hidden: 32, depth: 2, time_features: 16, ..MlpConfig::default() }
}

pub(crate) fn network(device: &Device) -> Ensemble {
    let init = |device: &Device| small().init(&Signature::of([2]), device);
    DynNetwork::new(init_seeded(3, device, init).unwrap()).into()
}

pub(crate) fn batches(seed: u64) -> MatchingBatches {
    MatchingBatches {
        matching: FlowMatching::default(),
        data: Arc::new(Rows::new(vec![2], vec![1.0, 1.0, -1.0, 0.5], None)),
        classes: 0,
        rows: ROWS,
        noise: 0,
        streams: Streams::new(seed),
    }
}

pub(crate) fn plan(steps: usize) -> Plan {
    Plan {
        steps,
        every: 10,
        also: Vec::new(),
        learning_rate: LearningRate {
            peak: 3e-3,
            warmup: 5,
            steps,
            decay: Decay::Cosine,
            floor: 0.0,
        },
        optimizer: AdamW::default(),
        ema: Ema { half_life: 500.0, ramp: 0.5 },
        max_gradient_norm: Some(1.0),
        validation_batches: 2,
        parts: Parts::default(),
    }
}

/// Records what it is told, and interrupts after a given step.
#[derive(Clone, Default)]
pub(crate) struct Log {
    pub(crate) losses: Arc<Mutex<Vec<f64>>>,
    pub(crate) terms: Arc<Mutex<Vec<Terms>>>,
    pub(crate) validations: Arc<Mutex<Vec<(usize, f64)>>>,
    pub(crate) stop_after: Option<(usize, Interrupter)>,
}

impl Observer for Log {
    fn step(&mut self, record: &StepRecord) {
        self.losses.lock().unwrap().push(record.loss);
        self.terms.lock().unwrap().push(record.terms.clone());
        if let Some((step, interrupter)) = &self.stop_after
            && *step <= record.step
        {
            interrupter.stop(Some("test"));
        }
    }

    fn validation(&mut self, step: usize, loss: f64) {
        self.validations.lock().unwrap().push((step, loss));
    }
}

/// The velocity of the small problem, learned by `model`.
pub(crate) fn task(model: Ensemble) -> Task {
    Task {
        model,
        objective: Arc::new(Regression),
        train: Arc::new(batches(7)),
        validation: Arc::new(batches(8)),
    }
}

pub(crate) fn session<'a>(
    checkpoints: &'a CheckpointFolder,
    resume: Option<&'a Checkpoint>,
    observer: &(impl Observer + Clone + 'static),
    interrupter: &'a Interrupter,
) -> Session<'a> {
    static DEVICE: LazyLock<Device> = LazyLock::new(Device::flex);
    let observer = Box::new(observer.clone());
    let group = Arc::new(Alone);
    Session { device: &DEVICE, checkpoints, resume, observer, interrupter, group }
}

pub(crate) fn run(
    folder: &Path,
    steps: usize,
    resume: Option<&Checkpoint>,
    log: &Log,
    interrupter: &Interrupter,
) -> Result<Outcome<Ensemble>, TrainError> {
    run_plan(folder, &plan(steps), resume, log, interrupter)
}

pub(crate) fn run_plan(
    folder: &Path,
    plan: &Plan,
    resume: Option<&Checkpoint>,
    log: &Log,
    interrupter: &Interrupter,
) -> Result<Outcome<Ensemble>, TrainError> {
    let checkpoints = checkpoints(folder);
    let session = session(&checkpoints, resume, log, interrupter);
    fit(task(network(&Device::flex())), plan, session)
}

pub(crate) fn checkpoints(folder: &Path) -> CheckpointFolder {
    CheckpointFolder::new(folder, "test")
}

/// Bits of all weights, in order.
pub(crate) fn bits<M: Module>(module: &M) -> Vec<u32> {
    struct Bits(Vec<u32>);
    impl ModuleVisitor for Bits {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let values: Vec<f32> = parameter.val().into_data().try_to_vec().unwrap();
            self.0.extend(values.iter().map(|v| v.to_bits()));
        }
    }
    let mut bits = Bits(Vec::new());
    module.visit(&mut bits);
    bits.0
}
