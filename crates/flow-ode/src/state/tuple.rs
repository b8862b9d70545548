//! Pairs of states, such as a sample and its log-density.

use super::{Norm, Norms, State, Tolerance};

/// The error of a pair is the larger of its parts' errors, so that a small part counts as much as
/// a large one. Pairs nest: `(x, (log_det, kinetic_energy))`.
impl<A: State, B: State> State for (A, B) {
    const ON_HOST: bool = A::ON_HOST && B::ON_HOST;

    fn combine(&self, terms: &[(f64, &Self)]) -> Self {
        let (first, second) = unzip(terms);
        (self.0.combine(&first), self.1.combine(&second))
    }

    fn error_norm(&self, y0: &Self, y1: &Self, tol: &Tolerance) -> f64 {
        self.norms(y0, y1, tol, Norm::JointRms).worst()
    }

    fn norms(&self, y0: &Self, y1: &Self, tol: &Tolerance, norm: Norm) -> Norms {
        let first = self.0.norms(&y0.0, &y1.0, tol, norm);
        first.and(self.1.norms(&y0.1, &y1.1, tol, norm))
    }

    fn all_finite(&self) -> bool {
        self.0.all_finite() && self.1.all_finite()
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        Some([self.0.numbers()?, self.1.numbers()?].concat())
    }

    fn with_numbers(&self, numbers: &[f64]) -> Option<Self> {
        let (first, second) = numbers.split_at(self.0.numbers()?.len());
        Some((self.0.with_numbers(first)?, self.1.with_numbers(second)?))
    }

    fn own_tolerances(&self) -> Vec<Tolerance> {
        [self.0.own_tolerances(), self.1.own_tolerances()].concat()
    }

    fn zeros_like(&self) -> Self {
        (self.0.zeros_like(), self.1.zeros_like())
    }

    fn untracked_sum(terms: &[(f64, &Self)]) -> Self {
        let (first, second) = unzip(terms);
        (A::untracked_sum(&first), B::untracked_sum(&second))
    }
}

type Terms<'a, S> = Vec<(f64, &'a S)>;

fn unzip<'a, A, B>(terms: &[(f64, &'a (A, B))]) -> (Terms<'a, A>, Terms<'a, B>) {
    terms.iter().map(|(c, (a, b))| ((*c, a), (*c, b))).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_of_a_pair_is_that_of_its_worse_part() {
        let tol = Tolerance { atol: 1.0, rtol: 0.0 };
        let error = (vec![0.0; 100], 3.0);
        let y = (vec![0.0; 100], 0.0);
        assert_eq!(error.error_norm(&y, &y, &tol), 3.0);
    }
}
