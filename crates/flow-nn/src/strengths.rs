//! Strengths of guidance that a network has learned to answer with.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::condition::Condition;

/// The strengths of guidance that one evaluation of a network answers with: one, or all of a range.
/// Of a range, the last number of the condition vector is the logarithm of the strength.
///
/// A strength of 1 is no guidance, and its logarithm 0. In a file it is one number, or two.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Strengths {
    /// The least of them.
    pub least: f64,
    /// The greatest of them.
    pub most: f64,
}

/// As it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    One(f64),
    Range([f64; 2]),
}

impl From<Written> for Strengths {
    fn from(written: Written) -> Self {
        let [least, most] = match written {
            Written::One(one) => [one; 2],
            Written::Range(range) => range,
        };
        Self { least, most }
    }
}

impl From<Strengths> for Written {
    fn from(strengths: Strengths) -> Self {
        let Strengths { least, most } = strengths;
        if strengths.is_one() { Self::One(least) } else { Self::Range([least, most]) }
    }
}

impl Strengths {
    /// Whether there is one alone, which needs no number of the condition vector.
    #[must_use]
    pub fn is_one(self) -> bool {
        self.least.total_cmp(&self.most).is_eq()
    }

    /// Numbers that they take of a condition vector: one for a range.
    #[must_use]
    pub fn numbers(self) -> usize {
        usize::from(!self.is_one())
    }

    /// Whether they can be learned: finite numbers from 1 on, the least first.
    #[must_use]
    pub fn are_valid(self) -> bool {
        1.0 <= self.least && self.least <= self.most && self.most.is_finite()
    }

    /// Whether a strength is one of them.
    #[must_use]
    pub fn hold(self, strength: f64) -> bool {
        (self.least..=self.most).contains(&strength)
    }

    /// The condition with the logarithms of strengths told, `[B]`, where they are a range.
    ///
    /// # Panics
    /// When the condition has another number of rows.
    #[must_use]
    pub fn told(self, condition: Condition, logarithms: Tensor<1>) -> Condition {
        if self.is_one() { condition } else { condition.with_number(logarithms) }
    }
}

impl std::fmt::Display for Strengths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { least, most } = self;
        if self.is_one() { write!(f, "{least}") } else { write!(f, "{least} to {most}") }
    }
}
