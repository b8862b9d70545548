//! Small dense linear systems.

/// A square matrix as the product of a lower and an upper triangle, with rows exchanged so that
/// pivots are large.
///
/// # Reference
/// Golub & Van Loan (2013), "Matrix Computations", fourth edition, section 3.4.
pub(crate) struct Factors {
    /// Both triangles, row by row; the diagonal is that of the upper one.
    triangles: Vec<f64>,
    /// The row that stood in for each, in the order of elimination.
    pivots: Vec<usize>,
}

impl Factors {
    /// Factors the matrix whose rows follow each other; `None` if it is singular or holds a number
    /// that is not finite.
    pub(crate) fn of(mut rows: Vec<f64>, n: usize) -> Option<Self> {
        let mut pivots = Vec::with_capacity(n);
        for k in 0..n {
            let size = |row: &usize| rows[row * n + k].abs();
            let best = (k..n).max_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(k);
            let pivot = rows[best * n + k];
            if pivot == 0.0 || !pivot.is_finite() {
                return None;
            }
            pivots.push(best);
            let (above, below) = rows.split_at_mut((k + 1) * n);
            let above = &mut above[k * n..];
            if best != k {
                let start = (best - k - 1) * n;
                above.swap_with_slice(&mut below[start..start + n]);
            }
            for row in below.chunks_mut(n) {
                let factor = row[k] / pivot;
                row[k] = factor;
                if factor != 0.0 {
                    for (x, y) in row[k + 1..].iter_mut().zip(&above[k + 1..]) {
                        *x -= factor * y;
                    }
                }
            }
        }
        rows.iter().all(|x| x.is_finite()).then_some(Self { triangles: rows, pivots })
    }

    /// Solves for one right-hand side, in its place.
    pub(crate) fn solve(&self, x: &mut [f64]) {
        let n = x.len();
        let row = |i: usize| &self.triangles[i * n..(i + 1) * n];
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for (k, pivot) in self.pivots.iter().enumerate() {
            x.swap(k, *pivot);
        }
        for i in 1..n {
            x[i] -= dot(&row(i)[..i], &x[..i]);
        }
        for i in (0..n).rev() {
            x[i] = (x[i] - dot(&row(i)[i + 1..], &x[i + 1..])) / row(i)[i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix that needs its rows exchanged: zeros on the diagonal, sizes from 1e-8 to 1e8.
    fn awkward(n: usize) -> Vec<f64> {
        let entry = |i: usize, j: usize| {
            let size = 10f64.powi(i as i32 % 5 * 4 - 8);
            if i == j { 0.0 } else { size * ((3 * i + 7 * j + i * j) as f64).sin() }
        };
        (0..n * n).map(|at| entry(at / n, at % n)).collect()
    }

    #[test]
    fn solutions_solve_the_system() {
        for n in [1usize, 2, 3, 10, 33] {
            let matrix = if n == 1 { vec![-4.0] } else { awkward(n) };
            let exact: Vec<f64> = (0..n).map(|i| 1.0 + i as f64).collect();
            let times = |x: &[f64]| -> Vec<f64> {
                matrix.chunks(n).map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum()).collect()
            };
            let mut x = times(&exact);
            let factors = Factors::of(matrix.clone(), n);
            factors.expect("these matrices are regular").solve(&mut x);
            // Condition numbers up to some 1e3 once rows are scaled, times the rounding of 1e-16.
            let error = x.iter().zip(&exact).map(|(x, e)| (x - e).abs() / e).fold(0.0, f64::max);
            assert!(error < 1e-11, "{n}: {error:e}");
        }
    }

    #[test]
    fn singular_matrices_and_nan_have_no_factors() {
        for rows in [vec![1.0, 2.0, 2.0, 4.0], vec![0.0; 4], vec![1.0, f64::NAN, 0.0, 1.0]] {
            assert!(Factors::of(rows, 2).is_none());
        }
        assert!(Factors::of(Vec::new(), 0).is_some());
    }
}
