//! The precision of the numbers that large products multiply.

use serde::{Deserialize, Serialize};

/// What the operands of a large product are rounded to before they are multiplied. Sums, results,
/// weights and everything else stay as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Nothing: `f32`, 24 significant digits in base two.
    #[default]
    F32,
    /// The nearest bfloat16, ties to even: the range of `f32` with 8 digits, so that an operand is
    /// off by at most 2^-9 of itself, and a product of a thousand terms of random sign by about
    /// 2^-9 of its size. CPUs with instructions for it multiply several times as fast.
    ///
    /// # Reference
    /// Kalamkar et al. (2019), "A Study of BFLOAT16 for Deep Learning Training", arXiv:1905.12322.
    Bf16,
}
