//! One step at a time is the training of `fit`.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::sync::Arc;

use burn::tensor::Device;
use common::{Log, batches, bits, network, plan, run};
use flow_train::{Interrupter, MatchingBatches, Plan, Regression, Stepper, TrainError};

fn stepper(plan: Plan, batches: MatchingBatches) -> Result<Stepper, TrainError> {
    let device = Device::flex();
    Stepper::new(network(&device), Arc::new(Regression), Arc::new(batches), plan, &device)
}

#[test]
fn steps_by_hand_have_the_losses_and_the_weights_of_fit_to_the_bit() {
    let (folder, log) = (tempfile::tempdir().unwrap(), Log::default());
    let fitted = run(folder.path(), 12, None, &log, &Interrupter::new()).unwrap();
    let mut by_hand = stepper(plan(12), batches(7)).unwrap();
    let mut losses = Vec::new();
    for step in 0..12 {
        assert_eq!(by_hand.steps(), step);
        let loss;
        (by_hand, loss) = by_hand.step().unwrap();
        losses.push(loss.to_bits());
    }
    let expected: Vec<u64> = log.losses.lock().unwrap().iter().map(|x| x.to_bits()).collect();
    assert_eq!(losses, expected);
    assert_eq!(bits(&by_hand.average()), bits(&fitted.network));
    // The control: other batches lead elsewhere.
    let mut other = stepper(plan(12), batches(8)).unwrap();
    for _ in 0..12 {
        (other, _) = other.step().unwrap();
    }
    assert_ne!(bits(&other.average()), bits(&fitted.network));
}

#[test]
fn what_fit_refuses_is_refused_before_the_first_step() {
    let none = MatchingBatches { rows: 0, ..batches(7) };
    assert!(matches!(stepper(plan(1), none), Err(TrainError::Plan { .. })));
    let mut wrong = plan(1);
    wrong.learning_rate.peak = f64::NAN;
    assert!(matches!(stepper(wrong, batches(7)), Err(TrainError::Plan { .. })));
    let wild = {
        let mut plan = plan(40);
        plan.learning_rate.peak = 1e30;
        plan
    };
    let mut training = stepper(wild, batches(7)).unwrap();
    let error = loop {
        match training.step() {
            Ok((next, _)) => training = next,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, TrainError::Diverged { .. }), "{error}");
}
