//! Signatures: the shapes and conditions of a network's input and output.

use serde::{Deserialize, Serialize};

use crate::error::NetworkError;

/// All that a caller must know of a network: the shape of a row, and what conditions it reads.
///
/// It is the part of a model that follows from the data and the task; the rest, widths and depths,
/// is the network's own configuration.
///
/// ```
/// use flow_nn::Signature;
///
/// let digits = Signature { classes: 10, ..Signature::of([1, 8, 8]) };
/// assert_eq!(digits.size(), 64);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Signature {
    /// Shape of one row: `[2]` for points, `[16, 4]` for sequences, `[3, 32, 48]` for images.
    pub shape: Vec<usize>,
    /// Number of classes, 0 for an unconditional network. The index `classes` is the null class of
    /// classifier-free guidance (Ho & Salimans 2022, arXiv:2207.12598).
    #[serde(skip_serializing_if = "is_zero")]
    pub classes: usize,
    /// Numbers in a condition vector, 0 for none.
    #[serde(skip_serializing_if = "is_zero")]
    pub vector: usize,
    /// Shape of a conditioning row, such as an image to upsample or a masked image with its mask;
    /// empty for none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<usize>,
    /// Numbers in a latent, 0 for none.
    #[serde(skip_serializing_if = "is_zero")]
    pub latent: usize,
    /// Whether rows are sequences `[length, channels]` that may end before their last element: then
    /// each says where, and what lies behind is neither read nor answered.
    #[serde(skip_serializing_if = "is_false")]
    pub lengths: bool,
    /// Whether the network is a flow map `u(x, t, s)` of two times.
    #[serde(skip_serializing_if = "is_false")]
    pub two_times: bool,
}

// Serde calls these with a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(b: &bool) -> bool {
    !*b
}

impl Signature {
    /// An unconditional network of one time for rows of this shape.
    #[must_use]
    pub fn of(shape: impl Into<Vec<usize>>) -> Self {
        Self { shape: shape.into(), ..Self::default() }
    }

    /// Numbers in one row, the product of its shape.
    #[must_use]
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// The one side of rows of points, `[d]`.
    ///
    /// # Errors
    /// When rows have another rank or lengths of their own, with the kind of network that takes
    /// points alone.
    pub fn points(&self, kind: &'static str) -> Result<usize, NetworkError> {
        self.refuse_lengths(kind)?;
        match *self.shape {
            [dim] => Ok(dim),
            _ => Err(NetworkError::Shape { kind, need: "points, [d]", shape: self.shape.clone() }),
        }
    }

    /// Channels, height and width of rows of images.
    ///
    /// # Errors
    /// When rows have another rank or lengths of their own, with the kind of network that takes
    /// images alone.
    pub fn image(&self, kind: &'static str) -> Result<[usize; 3], NetworkError> {
        self.refuse_lengths(kind)?;
        <[usize; 3]>::try_from(self.shape.as_slice()).map_err(|_| NetworkError::Shape {
            kind,
            need: "images, [channels, height, width]",
            shape: self.shape.clone(),
        })
    }

    /// Rows that end early are sequences, and neither points nor images.
    fn refuse_lengths(&self, kind: &'static str) -> Result<(), NetworkError> {
        Self::refuse(kind, &[("lengths of other rows than sequences", self.lengths)])
    }

    /// Refuses the first of some inputs that a kind of network has no place for. Without the check
    /// they would be ignored in silence.
    ///
    /// # Errors
    /// When one of them is asked for.
    pub fn refuse(kind: &'static str, inputs: &[(&'static str, bool)]) -> Result<(), NetworkError> {
        match inputs.iter().find(|(_, asked)| *asked) {
            Some(&(what, _)) => Err(NetworkError::CannotTake { kind, what }),
            None => Ok(()),
        }
    }
}
