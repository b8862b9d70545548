//! The times of a batch, on the host.

use burn::prelude::*;
use burn::tensor::TensorData;

/// One time per sample, in `[0, 1]` from noise to data, kept on the host in `f64`.
///
/// Schedules are evaluated here, in scalar code and full precision; tensors receive the resulting
/// coefficients only. The numbers are taken as they are: a time that is no number gives
/// coefficients that are none.
#[derive(Clone, Debug, PartialEq)]
pub struct Times(Vec<f64>);

impl Times {
    /// The given times, one per sample.
    #[must_use]
    pub fn new(times: Vec<f64>) -> Self {
        Self(times)
    }

    /// The same time for each of `n` samples.
    #[must_use]
    pub fn constant(t: f64, n: usize) -> Self {
        Self(vec![t; n])
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The times as a slice.
    #[must_use]
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// The times one after the other.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.0.iter().copied()
    }

    /// Each time through a function.
    #[must_use]
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self(self.iter().map(f).collect())
    }

    /// Times of the unit interval mapped linearly into a span, such as [`crate::Schedule::span`].
    #[must_use]
    pub fn scaled_to(&self, (start, end): (f64, f64)) -> Self {
        self.map(|t| start + (end - start) * t)
    }

    /// The times as a network input, in the device's default float type.
    ///
    /// # Shapes
    /// Output `[B]`.
    #[must_use]
    pub fn to_tensor(&self, device: &Device) -> Tensor<1> {
        Tensor::from_data(TensorData::new(self.0.clone(), [self.len()]), device)
    }

    /// A function of time as a column that broadcasts over a batch of samples.
    ///
    /// # Shapes
    /// `like` is `[B, ..]`; the output is `[B, 1, ..]`, on its device and of its type.
    ///
    /// # Panics
    /// If there is not one time per sample.
    #[must_use]
    pub fn column<const D: usize>(&self, like: &Tensor<D>, f: impl Fn(f64) -> f64) -> Tensor<D> {
        column(like, self.iter().map(f).collect())
    }
}

impl From<Vec<f64>> for Times {
    fn from(times: Vec<f64>) -> Self {
        Self(times)
    }
}

/// One scalar per sample, shaped to broadcast over the batch.
pub(crate) fn column<const D: usize>(like: &Tensor<D>, values: Vec<f64>) -> Tensor<D> {
    let batch = like.dims()[0];
    assert_eq!(values.len(), batch, "expected one time per sample ({batch}), got {}", values.len());
    let mut shape = [1; D];
    shape[0] = batch;
    Tensor::from_data(TensorData::new(values, shape), (&like.device(), like.dtype()))
}
