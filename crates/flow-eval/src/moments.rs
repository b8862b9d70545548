//! Mean and covariance of a stream of points, in one pass.

use nalgebra::{DMatrix, DVector};

use crate::matrix::symmetric;
use crate::{EvalError, Points};

/// The largest dimension: its covariance takes 8 GiB.
pub(crate) const MOST_DIMENSIONS: usize = 1 << 15;

/// Points whose products are summed at once, by a matrix product.
const BATCH: usize = 512;

/// Running mean and covariance, all in f64.
///
/// Batches are centred on their own mean and then merged, so that a large offset of the data costs
/// no digits. Memory `O(dim^2)`, whatever the number of points.
///
/// ```
/// use flow_eval::{Moments, Points};
///
/// let mut moments = Moments::new(1);
/// moments.push(Points::new(&[1.0, 2.0], 1)?);
/// moments.push(Points::new(&[6.0], 1)?);
/// assert_eq!((moments.n(), moments.mean()), (3, &[3.0][..]));
/// assert!((moments.covariance()?[0] - 7.0).abs() < 1e-12);
/// # Ok::<(), flow_eval::EvalError>(())
/// ```
///
/// # Reference
/// Chan, Golub & LeVeque (1983), "Algorithms for Computing the Sample Variance: Analysis and
/// Recommendations", The American Statistician 37.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    n: usize,
    mean: DVector<f64>,
    /// Sum of the outer products of the deviations from the mean.
    scatter: DMatrix<f64>,
}

impl Moments {
    /// The moments of no points of dimension `dim`.
    ///
    /// # Panics
    /// When `dim` is above 32,768, since a covariance holds `dim^2` numbers.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        assert!(dim <= MOST_DIMENSIONS, "a covariance of {dim} dimensions is too large for memory");
        Self { n: 0, mean: DVector::zeros(dim), scatter: DMatrix::zeros(dim, dim) }
    }

    /// The moments of a set.
    ///
    /// # Panics
    /// When its dimension is above 32,768.
    #[must_use]
    pub fn of(points: Points<'_>) -> Self {
        let mut moments = Self::new(points.dim());
        moments.push(points);
        moments
    }

    /// Moments that were computed elsewhere, in float32 or better: `covariance` is row-major,
    /// divided by `n - 1`.
    ///
    /// # Errors
    /// When a number is not finite, when `n` times the covariance leaves the range of `f64`, when
    /// it is not `dim` by `dim` and symmetric up to `1e-6` of its greatest entry, and for fewer
    /// than two points.
    pub fn from_parts(n: usize, mean: &[f64], covariance: &[f64]) -> Result<Self, EvalError> {
        enough(n)?;
        let dim = mean.len();
        if let Some(column) = mean.iter().position(|x| !x.is_finite()) {
            return Err(EvalError::NotFinite { row: 0, column, value: mean[column] });
        }
        let scatter = symmetric(covariance, dim)? * (n - 1) as f64;
        if let Some(&value) = scatter.iter().find(|x| !x.is_finite()) {
            return Err(EvalError::Overflow { metric: "a sum of squares".into(), value });
        }
        Ok(Self { n, mean: DVector::from_column_slice(mean), scatter })
    }

    /// Adds points.
    ///
    /// # Panics
    /// When their dimension is another.
    pub fn push(&mut self, points: Points<'_>) {
        let dim = self.dim();
        assert_eq!(points.dim(), dim, "moments of dimension {dim} cannot take these points");
        for rows in points.as_slice().chunks(BATCH * dim) {
            let n = rows.len() / dim;
            let mut batch = DMatrix::from_iterator(dim, n, rows.iter().copied().map(f64::from));
            let mean = batch.column_mean();
            for mut point in batch.column_iter_mut() {
                point -= &mean;
            }
            self.merge(&Self { n, mean, scatter: &batch * batch.transpose() });
        }
    }

    /// Adds all points that `other` has seen.
    ///
    /// # Panics
    /// When the dimensions differ.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.dim(), other.dim(), "moments of two dimensions cannot be merged");
        if other.n == 0 {
            return;
        }
        let (n, m) = (self.n as f64, other.n as f64);
        let shift = &other.mean - &self.mean;
        self.scatter += &other.scatter;
        self.scatter.ger(n * m / (n + m), &shift, &shift, 1.0);
        self.mean += shift * (m / (n + m));
        self.n = self.n.saturating_add(other.n);
    }

    /// Number of points seen.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// Dimension of the points.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// Mean of the points; 0 before the first.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        self.mean.as_slice()
    }

    /// Unbiased covariance, `[dim, dim]` row-major.
    ///
    /// # Errors
    /// For fewer than two points.
    pub fn covariance(&self) -> Result<Vec<f64>, EvalError> {
        Ok(self.covariance_matrix()?.as_slice().to_vec())
    }

    pub(crate) fn covariance_matrix(&self) -> Result<DMatrix<f64>, EvalError> {
        enough(self.n)?;
        Ok(&self.scatter / (self.n - 1) as f64)
    }
}

fn enough(n: usize) -> Result<(), EvalError> {
    if n < 2 { Err(EvalError::TooFew { metric: "a covariance", n, needed: 2 }) } else { Ok(()) }
}
