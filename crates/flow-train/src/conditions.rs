//! Conditions of each row besides its class: numbers, and rows to condition on.

use rand::{Rng, RngExt};

use crate::data::{DataSource, Draw};
use crate::error::TrainError;

/// A condition that is hidden alone, with its own probability: some numbers of the condition vector
/// become 0 in some rows.
///
/// Those that say whether the condition is known are among them. A network that has seen each
/// condition hidden answers for any of them together, and follows the law given those that it is
/// told: the same idea as the null class of guidance (Ho & Salimans 2022, arXiv:2207.12598), which
/// hides all at once.
#[derive(Clone, Debug, PartialEq)]
pub struct PartDrop {
    /// Places in the condition vector.
    pub numbers: Vec<usize>,
    /// Probability of hiding them, drawn for each row.
    pub probability: f64,
}

/// Hides single conditions of some rows of vectors of `size` numbers.
///
/// # Panics
/// When a probability is none, or a vector has no such number.
pub(crate) fn hide_parts(vectors: &mut [f32], size: usize, parts: &[PartDrop], rng: &mut dyn Rng) {
    for row in vectors.chunks_mut(size.max(1)) {
        for PartDrop { numbers, probability } in parts {
            let p = *probability;
            assert!((0.0..=1.0).contains(&p), "expected a probability of a part, got {p}");
            if rng.random_bool(p) {
                for &at in numbers {
                    row[at] = 0.0;
                }
            }
        }
    }
}

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

/// Which rows have their vectors and contexts hidden, each with probability `drop`; nothing for
/// rows that are `told` nothing.
///
/// # Panics
/// When `drop` is no probability.
pub(crate) fn hidden(rows: usize, told: bool, drop: f64, rng: &mut dyn Rng) -> Option<Vec<bool>> {
    assert!((0.0..=1.0).contains(&drop), "expected a condition_drop in [0, 1], got {drop}");
    (told && 0.0 < drop).then(|| (0..rows).map(|_| rng.random_bool(drop)).collect())
}

/// Numbers in a conditioning row, none where there is none.
pub(crate) fn context_size(data: &dyn DataSource) -> usize {
    if data.context().is_empty() { 0 } else { data.context().iter().product() }
}
