//! Known entries.

use burn::tensor::{Device, Tensor, TensorData};

use super::{LinearOperator, for_rows_of};

/// Known entries of a row: a picture with a hole, a table with gaps, a sequence to be gone on with.
///
/// What is seen has the size of the data, with zeros at the unknown entries: an observation may
/// hold there what it likes. The mask is the same for all rows or one for each, and its own
/// adjoint. With all entries known it is the identity: data seen through noise.
#[derive(Clone, Debug)]
pub struct Mask {
    known: Tensor<2>,
}

impl Mask {
    /// The entries that are known, the same for all rows if there is one row of them.
    ///
    /// # Panics
    /// If `known` is not made of whole rows of `size` numbers.
    #[must_use]
    pub fn new(known: &[bool], size: usize, device: &Device) -> Self {
        let rows = known.len().checked_div(size).unwrap_or(0);
        assert!(
            0 < rows && rows * size == known.len(),
            "expected rows of {size} entries, got {}",
            known.len()
        );
        let known: Vec<f32> = known.iter().map(|&known| f32::from(u8::from(known))).collect();
        Self { known: Tensor::from_data(TensorData::new(known, [rows, size]), device) }
    }

    fn keep(&self, x: &Tensor<2>) -> Tensor<2> {
        x.clone() * for_rows_of(&self.known, x)
    }
}

impl LinearOperator for Mask {
    fn sizes(&self) -> (usize, usize) {
        let size = self.known.dims()[1];
        (size, size)
    }

    fn apply(&self, x: &Tensor<2>) -> Tensor<2> {
        self.keep(x)
    }

    fn adjoint(&self, y: &Tensor<2>) -> Tensor<2> {
        self.keep(y)
    }

    fn seen(&self, y: &Tensor<2>) -> Tensor<2> {
        self.keep(&y.ones_like())
    }
}
