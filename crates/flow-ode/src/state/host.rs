//! Numbers, arrays and vectors of `f64` as states.

use super::{Norm, Norms, State, Tolerance};

/// Numbers that are combined before the next ones are loaded: they fit the first-level cache.
const BLOCK: usize = 1024;

/// Sum of squared ratios of error to tolerance.
fn sum_of_squares(error: &[f64], y0: &[f64], y1: &[f64], tol: &Tolerance) -> f64 {
    let components = error.iter().zip(y0.iter().zip(y1));
    components.map(|(e, (y0, y1))| ratio(*e, *y0, *y1, tol).powi(2)).sum()
}

/// Error over tolerance, 0 for no error whatever the tolerance; NaN if anything is not finite.
fn ratio(error: f64, y0: f64, y1: f64, tol: &Tolerance) -> f64 {
    let ratio = if error == 0.0 { 0.0 } else { error / tol.scale(y0, y1) };
    // An infinite state has an infinite scale, hence a ratio of 0: `0 * inf` brings it back.
    ratio + 0.0 * (y0 + y1)
}

/// Norms with an absolute tolerance for each component, repeated from sample to sample.
pub(crate) fn component_norms<S: State>(
    [error, y0, y1]: [&S; 3],
    atols: &[f64],
    rtol: f64,
    norm: Norm,
) -> Norms {
    let numbers = |x: &S| x.numbers().expect("checked to have numbers before the solve");
    let (error, y0, y1) = (numbers(error), numbers(y0), numbers(y1));
    let tolerances = atols.iter().cycle().map(|atol| Tolerance { atol: *atol, rtol });
    let components = error.iter().zip(y0.iter().zip(&y1)).zip(tolerances);
    let squares: Vec<f64> =
        components.map(|((e, (y0, y1)), tol)| ratio(*e, *y0, *y1, &tol).powi(2)).collect();
    let mean = |squares: &[f64]| squares.iter().sum::<f64>() / squares.len().max(1) as f64;
    Norms::host(match norm {
        Norm::JointRms => vec![mean(&squares).sqrt()],
        Norm::WorstSample => squares.chunks(atols.len()).map(|row| mean(row).sqrt()).collect(),
    })
}

fn add_scaled(out: &mut [f64], c: f64, x: &[f64]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out += c * x;
    }
}

impl State for f64 {
    fn combine(&self, terms: &[(f64, &Self)]) -> Self {
        terms.iter().fold(*self, |sum, (c, x)| sum + c * *x)
    }

    fn error_norm(&self, y0: &Self, y1: &Self, tol: &Tolerance) -> f64 {
        ratio(*self, *y0, *y1, tol).abs()
    }

    fn all_finite(&self) -> bool {
        f64::is_finite(*self)
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        Some(vec![*self])
    }

    fn with_numbers(&self, numbers: &[f64]) -> Option<Self> {
        let mut out = [*self];
        out.copy_from_slice(numbers);
        Some(out[0])
    }

    fn zeros_like(&self) -> Self {
        0.0
    }
}

impl<const N: usize> State for [f64; N] {
    fn combine(&self, terms: &[(f64, &Self)]) -> Self {
        let mut out = *self;
        for (c, x) in terms {
            add_scaled(&mut out, *c, *x);
        }
        out
    }

    fn error_norm(&self, y0: &Self, y1: &Self, tol: &Tolerance) -> f64 {
        (sum_of_squares(self, y0, y1, tol) / N.max(1) as f64).sqrt()
    }

    fn all_finite(&self) -> bool {
        self.iter().all(|x| x.is_finite())
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        Some(self.as_slice().to_vec())
    }

    fn with_numbers(&self, numbers: &[f64]) -> Option<Self> {
        let mut out = *self;
        out.as_mut_slice().copy_from_slice(numbers);
        Some(out)
    }

    fn zeros_like(&self) -> Self {
        [0.0; N]
    }
}

impl State for Vec<f64> {
    fn combine(&self, terms: &[(f64, &Self)]) -> Self {
        for (_, x) in terms {
            assert_eq!(x.len(), self.len(), "state and term differ in length (state, then term)");
        }
        let mut out = self.clone();
        for (i, block) in out.chunks_mut(BLOCK).enumerate() {
            let range = i * BLOCK..i * BLOCK + block.len();
            for (c, x) in terms {
                add_scaled(block, *c, &x[range.clone()]);
            }
        }
        out
    }

    fn error_norm(&self, y0: &Self, y1: &Self, tol: &Tolerance) -> f64 {
        (sum_of_squares(self, y0, y1, tol) / self.len().max(1) as f64).sqrt()
    }

    fn all_finite(&self) -> bool {
        self.iter().all(|x| x.is_finite())
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        Some(self.as_slice().to_vec())
    }

    fn with_numbers(&self, numbers: &[f64]) -> Option<Self> {
        let mut out = self.clone();
        out.as_mut_slice().copy_from_slice(numbers);
        Some(out)
    }

    fn zeros_like(&self) -> Self {
        vec![0.0; self.len()]
    }
}

/// A batch: each element is a sample.
impl<const N: usize> State for Vec<[f64; N]> {
    fn combine(&self, terms: &[(f64, &Self)]) -> Self {
        for (_, x) in terms {
            assert_eq!(x.len(), self.len(), "state and term differ in rows (state, then term)");
        }
        let mut out = self.clone();
        for (c, x) in terms {
            add_scaled(out.as_flattened_mut(), *c, x.as_flattened());
        }
        out
    }

    fn error_norm(&self, y0: &Self, y1: &Self, tol: &Tolerance) -> f64 {
        let (error, y0, y1) = (self.as_flattened(), y0.as_flattened(), y1.as_flattened());
        (sum_of_squares(error, y0, y1, tol) / error.len().max(1) as f64).sqrt()
    }

    fn norms(&self, y0: &Self, y1: &Self, tol: &Tolerance, norm: Norm) -> Norms {
        Norms::host(match norm {
            Norm::JointRms => vec![self.error_norm(y0, y1, tol)],
            Norm::WorstSample => {
                (0..self.len()).map(|row| self[row].error_norm(&y0[row], &y1[row], tol)).collect()
            }
        })
    }

    fn all_finite(&self) -> bool {
        self.as_flattened().iter().all(|x| x.is_finite())
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        Some(self.as_flattened().to_vec())
    }

    fn with_numbers(&self, numbers: &[f64]) -> Option<Self> {
        let mut out = self.clone();
        out.as_flattened_mut().copy_from_slice(numbers);
        Some(out)
    }

    fn zeros_like(&self) -> Self {
        vec![[0.0; N]; self.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOL: Tolerance = Tolerance { atol: 1e-3, rtol: 1e-3 };

    #[test]
    fn blocks_of_a_long_vector_are_all_combined() {
        let y = vec![1.0; 3 * BLOCK + 7];
        let x: Vec<f64> = (0..y.len()).map(|i| i as f64).collect();
        let z = y.combine(&[(2.0, &x)]);
        assert!(z.iter().enumerate().all(|(i, z)| *z == 1.0 + 2.0 * i as f64));
    }

    #[test]
    fn an_infinite_state_never_has_a_small_error() {
        // The scale is infinite there, so the plain ratio would be 0 and the step accepted.
        assert!(!1e-9_f64.error_norm(&1.0, &f64::INFINITY, &TOL).is_finite());
        assert!(![1e-9, 0.0].error_norm(&[1.0, 1.0], &[f64::NAN, 1.0], &TOL).is_finite());
        assert!(!vec![1e-9].error_norm(&vec![f64::NAN], &vec![1.0], &TOL).is_finite());
    }

    #[test]
    fn no_error_is_within_a_tolerance_of_zero() {
        let relative = Tolerance { atol: 0.0, rtol: 1e-3 };
        assert_eq!(0.0_f64.error_norm(&0.0, &0.0, &relative), 0.0);
    }

    #[test]
    fn worst_sample_is_not_hidden_by_good_ones() {
        let error = vec![[1e-3], [0.0], [0.0], [0.0]];
        let y = vec![[0.0]; 4];
        let joint = error.norms(&y, &y, &TOL, Norm::JointRms).worst();
        let worst = error.norms(&y, &y, &TOL, Norm::WorstSample).worst();
        assert!((joint - 0.5).abs() < 1e-15, "{joint}");
        assert!((worst - 1.0).abs() < 1e-15, "{worst}");
    }
}
