//! What a network is told of each row besides its class: numbers, and rows to condition on.

use burn::tensor::{Device, Tensor, TensorData};
use flow_nn::{Condition, Signature};
use rand::{Rng, RngExt};

use crate::data::{DataSource, Draw};
use crate::error::TrainError;
use crate::loader::BatchSource;

/// Refuses conditions that are not finite, with the first such row.
///
/// # Panics
/// When there is not one condition for each row, of the sizes that the data promise.
pub(crate) fn check_conditions(
    step: usize,
    rows: usize,
    data: &dyn DataSource,
    draw: &Draw,
) -> Result<(), TrainError> {
    let parts = [
        ("condition vectors", &draw.vectors, data.vector()),
        ("conditioning rows", &draw.contexts, context_size(data)),
    ];
    for (what, values, size) in parts {
        let values = values.as_deref().unwrap_or_default();
        let (expected, got) = (rows * size, values.len());
        assert!(expected == got, "expected {what} of {expected} numbers in a batch, got {got}");
        if let Some(at) = values.iter().position(|x| !x.is_finite()) {
            return Err(TrainError::Condition { step, row: at / size, what, value: values[at] });
        }
    }
    Ok(())
}

/// The condition with the vectors and contexts of a draw, each row of them hidden with probability
/// `drop`.
///
/// # Panics
/// When `drop` is no probability.
pub(crate) fn with_conditions(
    mut condition: Condition,
    data: &dyn DataSource,
    (vectors, contexts): (Option<Vec<f32>>, Option<Vec<f32>>),
    (drop, rng): (f64, &mut dyn Rng),
    device: &Device,
) -> Condition {
    let rows_of = |values: Vec<f32>, size: usize| {
        let shape = [values.len() / size, size];
        Tensor::<2>::from_data(TensorData::new(values, shape), device)
    };
    if let Some(vectors) = vectors {
        condition = condition.with_vector(rows_of(vectors, data.vector()));
    }
    if let Some(contexts) = contexts {
        condition = condition.with_context(rows_of(contexts, context_size(data)));
    }
    assert!((0.0..=1.0).contains(&drop), "expected a condition_drop in [0, 1], got {drop}");
    let read = condition.vector.as_ref().or(condition.context.as_ref());
    let Some(rows) = read.map(|part| part.dims()[0]).filter(|_| 0.0 < drop) else {
        return condition;
    };
    let hidden: Vec<bool> = (0..rows).map(|_| rng.random_bool(drop)).collect();
    condition.with_hidden(Tensor::from_data(TensorData::new(hidden, [rows]), device))
}

/// Refuses batches whose conditions, with the numbers that the loss adds to each vector, are of
/// other sizes than those that the network reads.
pub(crate) fn check_fit<B: Send + 'static>(
    signature: &Signature,
    batches: &dyn BatchSource<Batch = B>,
    added: usize,
) -> Result<(), TrainError> {
    let numbers = |n: usize| if n == 0 { Vec::new() } else { vec![n] };
    let flag = |is_there: bool| numbers(usize::from(is_there));
    let parts = [
        ("condition vector", numbers(batches.vector() + added), numbers(signature.vector)),
        ("conditioning row", batches.context().to_vec(), signature.context.clone()),
        ("length", flag(batches.lengths()), flag(signature.lengths)),
    ];
    let other = parts.into_iter().find(|(_, batches, network)| batches != network);
    other.map_or(Ok(()), |(what, batches, network)| {
        Err(TrainError::Conditions { what, batches, network })
    })
}

/// Numbers in a conditioning row, none where there is none.
fn context_size(data: &dyn DataSource) -> usize {
    if data.context().is_empty() { 0 } else { data.context().iter().product() }
}
