//! States that are batches of independent samples.

use crate::state::State;

/// A state whose rows are samples that move independently.
///
/// Implemented for `Vec<[f64; N]>`, pairs, and with feature `burn` for `Tensor<D>`.
///
/// ```
/// use flow_ode::Batch;
/// let y = vec![[1.0], [2.0]];
/// assert_eq!(y.combine_rows(&[(&[1.0, 0.5], &y)]), vec![[2.0], [3.0]]);
/// assert_eq!(y.replace_rows(&vec![[7.0], [8.0]], &[false, true]), vec![[1.0], [8.0]]);
/// ```
pub trait Batch: State {
    /// Number of samples.
    ///
    /// ```
    /// use flow_ode::Batch;
    /// assert_eq!(vec![[1.0, 2.0]; 3].rows(), 3);
    /// ```
    #[must_use]
    fn rows(&self) -> usize;

    /// `self + sum_i diag(c_i) x_i`: each row has its own coefficients.
    ///
    /// # Panics
    /// If the shapes differ.
    ///
    /// ```
    /// use flow_ode::Batch;
    /// let (y, x) = (vec![[1.0]; 2], vec![[10.0]; 2]);
    /// assert_eq!(y.combine_rows(&[(&[0.1, 0.2], &x)]), vec![[2.0], [3.0]]);
    /// ```
    #[must_use]
    fn combine_rows(&self, terms: &[(&[f64], &Self)]) -> Self;

    /// `self` with the rows of `other` where `take` holds.
    ///
    /// # Panics
    /// If the shapes differ.
    ///
    /// ```
    /// use flow_ode::Batch;
    /// let (y, x) = (vec![[1.0]; 2], vec![[7.0]; 2]);
    /// assert_eq!(y.replace_rows(&x, &[true, false]), vec![[7.0], [1.0]]);
    /// ```
    #[must_use]
    fn replace_rows(&self, other: &Self, take: &[bool]) -> Self;
}

/// A field that evaluates each row at its own time. Closures `Fn(&[f64], &S) -> S` are such fields.
///
/// ```
/// use flow_ode::RowField;
/// let field = |t: &[f64], y: &Vec<[f64; 1]>| -> Vec<[f64; 1]> {
///     t.iter().zip(y).map(|(t, [y])| [t * y]).collect()
/// };
/// assert_eq!(field.eval(&[2.0, 3.0], &vec![[1.0], [1.0]]), vec![[2.0], [3.0]]);
/// ```
pub trait RowField<S> {
    /// `f(t_r, y_r)` for each row `r`.
    ///
    /// ```
    /// use flow_ode::RowField;
    /// let field = |t: &[f64], y: &Vec<[f64; 1]>| -> Vec<[f64; 1]> {
    ///     t.iter().zip(y).map(|(t, [y])| [t - y]).collect()
    /// };
    /// assert_eq!(field.eval(&[2.0, 5.0], &vec![[1.0], [1.0]]), vec![[1.0], [4.0]]);
    /// ```
    #[must_use]
    fn eval(&self, t: &[f64], y: &S) -> S;
}

impl<S, F: Fn(&[f64], &S) -> S> RowField<S> for F {
    fn eval(&self, t: &[f64], y: &S) -> S {
        self(t, y)
    }
}

impl<const N: usize> Batch for Vec<[f64; N]> {
    fn rows(&self) -> usize {
        self.len()
    }

    fn combine_rows(&self, terms: &[(&[f64], &Self)]) -> Self {
        let mut out = self.clone();
        for (c, x) in terms {
            for ((out, c), x) in out.iter_mut().zip(*c).zip(*x) {
                *out = out.combine(&[(*c, x)]);
            }
        }
        out
    }

    fn replace_rows(&self, other: &Self, take: &[bool]) -> Self {
        let rows = self.iter().zip(other).zip(take);
        rows.map(|((own, other), take)| if *take { *other } else { *own }).collect()
    }
}

impl<A: Batch, B: Batch> Batch for (A, B) {
    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn combine_rows(&self, terms: &[(&[f64], &Self)]) -> Self {
        let first: Vec<_> = terms.iter().map(|(c, x)| (*c, &x.0)).collect();
        let second: Vec<_> = terms.iter().map(|(c, x)| (*c, &x.1)).collect();
        (self.0.combine_rows(&first), self.1.combine_rows(&second))
    }

    fn replace_rows(&self, other: &Self, take: &[bool]) -> Self {
        (self.0.replace_rows(&other.0, take), self.1.replace_rows(&other.1, take))
    }
}
