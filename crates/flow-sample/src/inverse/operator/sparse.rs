//! Sums and projections, by the entries of their matrix that are not zero.

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

use super::LinearOperator;
use crate::error::SampleError;
use crate::sampler::within;

/// A linear map by the few entries of its matrix that are not zero: sums over rows and columns of a
/// picture, projections along rays, differences of neighbours.
///
/// Time and memory are those of the entries for each row of data, not of the whole matrix: the sums
/// along both sides of a picture of `h x w` pixels have `2 h w` entries of `(h + w) h w`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use flow_sample::{LinearOperator, Sparse};
///
/// # fn main() -> Result<(), flow_sample::SampleError> {
/// let device = Device::flex();
/// // Two rows of three pixels: the sums of their columns.
/// let columns = Sparse::sums(&[0, 1, 2, 0, 1, 2], &device)?;
/// let x = Tensor::<2>::from_data([[1.0, 2.0, 3.0, 10.0, 20.0, 30.0]], &device);
/// let sums: Vec<f32> = columns.apply(&x).into_data().iter::<f32>().collect();
/// assert_eq!(sums, [11.0, 22.0, 33.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sparse {
    sizes: (usize, usize),
    /// The number seen that each entry belongs to.
    seen: Tensor<1, Int>,
    /// The number of the data that it reads.
    read: Tensor<1, Int>,
    /// Its weight, `[1, entries]`.
    weights: Tensor<2>,
}

impl Sparse {
    /// The map with the entries `(i, j, weight)` of a matrix of `m x d` numbers, `sizes` being
    /// `(d, m)`; entries at the same place are summed.
    ///
    /// # Errors
    /// If there are none, or one lies outside the matrix or is not finite.
    pub fn new(
        entries: &[(usize, usize, f32)],
        (d, m): (usize, usize),
        device: &Device,
    ) -> Result<Self, SampleError> {
        let count = entries.len();
        within("number of entries", count as f64, (1.0, f64::MAX))?;
        for &(i, j, weight) in entries {
            within("row of an entry", i as f64, (0.0, m as f64 - 1.0))?;
            within("column of an entry", j as f64, (0.0, d as f64 - 1.0))?;
            within("weight of an entry", f64::from(weight), (f64::MIN, f64::MAX))?;
        }
        let indices = |of: fn(&(usize, usize, f32)) -> usize| {
            let all: Vec<i64> = entries.iter().map(|entry| of(entry) as i64).collect();
            Tensor::from_data(TensorData::new(all, [count]), device)
        };
        let weights: Vec<f32> = entries.iter().map(|(.., weight)| *weight).collect();
        Ok(Self {
            sizes: (d, m),
            seen: indices(|entry| entry.0),
            read: indices(|entry| entry.1),
            weights: Tensor::from_data(TensorData::new(weights, [1, count]), device),
        })
    }

    /// Sums over groups: number `j` of the data belongs to the sum `groups[j]`.
    ///
    /// # Errors
    /// If there are no groups.
    pub fn sums(groups: &[usize], device: &Device) -> Result<Self, SampleError> {
        let entries: Vec<_> = groups.iter().enumerate().map(|(j, &i)| (i, j, 1.0)).collect();
        let sums = groups.iter().max().map_or(0, |last| last.saturating_add(1));
        Self::new(&entries, (groups.len(), sums), device)
    }

    /// The weighted numbers at some places, added up at others, of which there are `size`.
    fn carried(
        &self,
        x: &Tensor<2>,
        (from, to): (&Tensor<1, Int>, &Tensor<1, Int>),
        size: usize,
    ) -> Tensor<2> {
        let parts = x.clone().select(1, from.clone()) * self.weights.clone().cast(x.dtype());
        Tensor::zeros([x.dims()[0], size], (&x.device(), x.dtype())).select_assign(
            1,
            to.clone(),
            parts,
            IndexingUpdateOp::Add,
        )
    }
}

impl LinearOperator for Sparse {
    fn sizes(&self) -> (usize, usize) {
        self.sizes
    }

    fn apply(&self, x: &Tensor<2>) -> Tensor<2> {
        self.carried(x, (&self.read, &self.seen), self.sizes.1)
    }

    fn adjoint(&self, y: &Tensor<2>) -> Tensor<2> {
        self.carried(y, (&self.seen, &self.read), self.sizes.0)
    }
}
