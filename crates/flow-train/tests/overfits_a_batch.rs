//! Training minimises the loss, towards a value known in closed form.

mod common;

use common::{Log, run};
use flow_train::Interrupter;

/// Data are the two points (1, 1) and (-1, 0.5), noise is N(0, I). A network that answered zero
/// would have the loss E|x_1 - x_0|^2 / d = (1.625 + 2) / 2 = 1.81. The floor, the variance of
/// `x_1 - x_0` given `x_t`, is below 1: at every `t` the second coordinate alone tells little, yet
/// `x_t` fixes `x_0` once the point is known. Training from 1.81 to below 1.2 needs the gradient's
/// sign and the target's sign to be right.
#[test]
fn the_loss_falls_and_the_average_follows() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::default();
    run(folder.path(), 400, None, &log, &Interrupter::new()).unwrap();
    let losses = log.losses.lock().unwrap();
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&losses[..5]), mean(&losses[350..]));
    assert!(1.4 < first && last < 1.2, "loss went from {first} to {last}");
    let validations = log.validations.lock().unwrap();
    let &(step, validation) = validations.last().unwrap();
    assert_eq!(step, 400);
    // Two batches of 64 rows: the standard error is about 0.06.
    assert!((validation - last).abs() < 0.3, "validation {validation}, training {last}");
}
