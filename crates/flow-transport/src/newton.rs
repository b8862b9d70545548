//! Newton's method on the potentials of the rows, where plain sweeps get slow.
//!
//! With `g` the best answer to `f` the dual is a concave function of `f` alone. In masses relative
//! to those of the rows, `p_ij = m P_ij` with row sums `r` and column sums `c`, its gradient is
//! `t - r`, where `t` is 1 or, with relaxed marginals, `exp(-f / rho)`, and a Newton step
//! `epsilon x` solves
//!
//! `(diag(r) + (epsilon / rho) diag(t) - damping p diag(1 / c) p^T) x = t - r`.
//!
//! A weak entropy leaves few masses in a row, so that the system is sparse, and conjugate gradients
//! solve it in less time than a sweep. Plain sweeps at a weak entropy err by `1 / k` after `k` of
//! them; these steps square the error once it is small.
//!
//! # Reference
//! Brauer, Clason, Lorenz & Wirth (2017), "A Sinkhorn-Newton method for entropic optimal
//! transport", arXiv:1710.06635; the sparsity is that of Tang, Shavlovsky, Rahmanian, Tardini,
//! Thekumparampil, Xiao & Ying (2024), "Accelerating Sinkhorn Algorithm with Sparse Newton
//! Iterations", arXiv:2401.12253.

use crate::potentials::Potentials;

/// Masses below this share of a row do not steer a step.
const NEGLIGIBLE: f64 = 1e-12;

/// Halvings of a step before it is given up.
const HALVINGS: usize = 12;

impl Potentials<'_> {
    /// One step of Newton's method, shortened until the dual grows, and a plain sweep after it;
    /// returns the largest relative error of a row before the sweep.
    ///
    /// Where no length of the step helps, the plain sweep is all that happens.
    pub(crate) fn newton(&mut self, epsilon: f64) -> f64 {
        self.answer_rows(epsilon);
        let system = System::new(self, epsilon);
        let (start, value) = (self.f.clone(), self.dual_value(epsilon));
        let step = system.solve();
        let gain: f64 = step.iter().zip(&system.gradient).map(|(x, r)| x * r).sum();
        let mut length = epsilon;
        for _ in 0..HALVINGS {
            for ((f, start), x) in self.f.iter_mut().zip(&start).zip(&step) {
                *f = start + length * x;
            }
            self.answer_rows(epsilon);
            let growth = self.dual_value(epsilon) - value;
            // A tenth of what the slope promises, or nothing that rounding could tell from it.
            let rounding = 4.0 * f64::EPSILON * value.abs();
            if growth >= 0.1 * length * gain / start.len() as f64 - rounding {
                return self.sweep(epsilon);
            }
            length *= 0.5;
        }
        self.f = start;
        self.answer_rows(epsilon);
        self.sweep(epsilon)
    }
}

/// The Newton system, with the masses of each row that matter.
struct System {
    /// `(column, mass)`, row after row.
    masses: Vec<(u32, f64)>,
    /// Where each row ends among them.
    ends: Vec<usize>,
    diagonal: Vec<f64>,
    /// `damping / c`.
    of_columns: Vec<f64>,
    gradient: Vec<f64>,
}

impl System {
    fn new(potentials: &Potentials<'_>, epsilon: f64) -> Self {
        let columns = potentials.g.len();
        let rows = potentials.relative_masses(epsilon, NEGLIGIBLE);
        let (mut masses, mut ends) = (Vec::new(), Vec::with_capacity(rows.len()));
        let mut column_sums = vec![0.0; columns];
        let (mut diagonal, mut gradient) = (Vec::new(), Vec::new());
        for (row, &f) in rows.iter().zip(&potentials.f) {
            let sum: f64 = row.iter().map(|(_, mass)| mass).sum();
            for &(j, mass) in row {
                column_sums[j as usize] += mass;
            }
            masses.extend_from_slice(row);
            ends.push(masses.len());
            let (meant, stiffness) = potentials.meant(f, epsilon);
            diagonal.push(sum + stiffness);
            gradient.push(meant - sum);
        }
        let damping = potentials.damping(epsilon);
        let of_columns = column_sums.iter().map(|c| if *c > 0.0 { damping / c } else { 0.0 });
        Self { masses, ends, diagonal, of_columns: of_columns.collect(), gradient }
    }

    fn rows(&self) -> impl Iterator<Item = &[(u32, f64)]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.masses[start..end])
    }

    fn times(&self, x: &[f64]) -> Vec<f64> {
        let mut of_columns = vec![0.0; self.of_columns.len()];
        for (row, x) in self.rows().zip(x) {
            for &(j, mass) in row {
                of_columns[j as usize] += mass * x;
            }
        }
        of_columns.iter_mut().zip(&self.of_columns).for_each(|(y, weight)| *y *= weight);
        let across = |row: &[(u32, f64)]| -> f64 {
            row.iter().map(|&(j, mass)| mass * of_columns[j as usize]).sum()
        };
        let rows = self.rows().zip(x.iter().zip(&self.diagonal));
        rows.map(|(row, (x, diagonal))| diagonal * x - across(row)).collect()
    }

    /// Conjugate gradients, preconditioned by the diagonal, to a residual that falls with the
    /// gradient.
    fn solve(&self) -> Vec<f64> {
        let n = self.gradient.len();
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let scaled = |r: &[f64]| -> Vec<f64> {
            r.iter().zip(&self.diagonal).map(|(r, d)| if *d > 0.0 { r / d } else { 0.0 }).collect()
        };
        let (mut x, mut residual) = (vec![0.0; n], self.gradient.clone());
        let mut z = scaled(&residual);
        let mut direction = z.clone();
        let mut square = dot(&residual, &z);
        let enough = square * (0.01 * (square / n as f64).min(1.0)).max(1e-20);
        for _ in 0..2 * n {
            let image = self.times(&direction);
            let curvature = dot(&direction, &image);
            // Rounding of a singular system: what is left has no slope.
            if curvature.is_nan() || curvature <= 1e-15 * dot(&direction, &direction) {
                break;
            }
            let length = square / curvature;
            for k in 0..n {
                x[k] += length * direction[k];
                residual[k] -= length * image[k];
            }
            z = scaled(&residual);
            let next = dot(&residual, &z);
            if next <= enough {
                break;
            }
            let turn = next / square;
            direction.iter_mut().zip(&z).for_each(|(d, z)| *d = z + turn * *d);
            square = next;
        }
        x
    }
}
