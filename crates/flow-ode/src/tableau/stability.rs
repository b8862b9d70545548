//! The longest stable step of an explicit method on the negative real axis.

use super::Tableau;

impl Tableau {
    /// Length `x` of the interval `[-x, 0]` of `h lambda` in which the method is stable on
    /// `y' = lambda y`: with longer steps a decay grows.
    ///
    /// Where it, and not the error, bounds the steps, the problem is stiff.
    ///
    /// ```
    /// use flow_ode::tableau::{DOPRI5, EULER};
    /// assert!((EULER.real_stability() - 2.0).abs() < 1e-9);
    /// assert!((DOPRI5.real_stability() - 3.306).abs() < 1e-3);
    /// ```
    #[must_use]
    pub fn real_stability(&self) -> f64 {
        const SCAN: f64 = 0.01;
        let is_stable = |x: f64| self.growth(-x).abs() <= 1.0;
        let mut steps = (1..10_000).map(|i| SCAN * f64::from(i));
        let Some(mut unstable) = steps.find(|x| !is_stable(*x)) else {
            return f64::INFINITY;
        };
        let mut stable = unstable - SCAN;
        for _ in 0..40 {
            let middle = 0.5 * (stable + unstable);
            *(if is_stable(middle) { &mut stable } else { &mut unstable }) = middle;
        }
        stable
    }

    /// `R(z)`: the factor of one step on `y' = lambda y` with `z = h lambda`.
    fn growth(&self, z: f64) -> f64 {
        let sum = |weights: &[f64], k: &[f64]| {
            1.0 + weights.iter().zip(k).map(|(w, k)| w * k).sum::<f64>()
        };
        let mut k = Vec::with_capacity(self.stages());
        for row in self.a {
            k.push(z * sum(row, &k));
        }
        sum(self.b, &k)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BOSH3, HEUN2, RK4};

    #[test]
    fn intervals_of_stability_are_those_of_the_textbook() {
        // Of order p in p stages: |1 + z + .. + z^p / p!| = 1 at -2, -2.5127 and -2.7853 (Hairer &
        // Wanner 1996, table IV.2.1).
        for (tableau, x) in [(&HEUN2, 2.0), (&BOSH3, 2.512_745), (&RK4, 2.785_294)] {
            let found = tableau.real_stability();
            assert!((found - x).abs() < 1e-5, "{}: {found}", tableau.name);
        }
    }
}
