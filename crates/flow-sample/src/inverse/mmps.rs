//! MMPS: the likelihood of an observation under the covariance that the network implies.

use burn::tensor::Tensor;
use flow_path::Prediction;

use super::conditioned::Conditioning;
use super::conjugate::solved;
use super::evidence::Observation;
use super::operator::LinearOperator;
use crate::predictor::Predictor;
use crate::pullback::pull_back;

/// Moment-matching posterior sampling: `x_1` given `x_t` is taken for normal with its true mean and
/// covariance.
///
/// The covariance is in the network already. Differentiating Tweedie's formula,
/// `Cov[x_1 | x_t] = C = (sigma^2 / alpha) J` with `J = dE[x_1 | x_t]/dx_t`. For `y = A x_1 + n`
/// with noise of covariance `R` the law of `y` given `x_t` is then normal, and
///
/// `(sigma^2 / alpha) grad log p(y | x_t) = C A^T (A C A^T + R)^-1 (y - A E[x_1 | x_t])`,
///
/// the update of the Kalman filter. The system is solved by conjugate gradients, in which each
/// product with `C` is one evaluation, forward and backward: `J` is symmetric for the true mean, so
/// that a vector-Jacobian product serves. The sum of the products is the answer, so that it costs
/// as many evaluations as there are iterations and no more. Counts enter by a normal law with
/// their variance at the predicted data.
///
/// # Bias
/// None but that of the steps where data are normal. Elsewhere `x_1` given `x_t` has other moments
/// than two: between modes it is a mixture, whose shares the normal law does not know, and the
/// answers weigh modes wrongly while the noise still hides which it is. More steps do not mend
/// that; [`Langevin`](crate::Langevin) corrections do in part. The `J` of a network is not quite
/// symmetric, and too few iterations leave `y` partly unexplained, in the directions in which the
/// covariance is small. A handful of iterations does for pictures (Rozet et al.), as many as there
/// are numbers seen solve the system.
///
/// # Reference
/// Rozet, Andry, Lanusse & Louppe (2024), "Learning Diffusion Priors from Observations by
/// Expectation Maximization", arXiv:2405.13712, section 4.2.
#[derive(Clone, Debug)]
pub struct Mmps<A> {
    /// The observation.
    pub observation: Observation<A>,
    /// Iterations of conjugate gradients, at least 1.
    pub iterations: usize,
}

impl<A: LinearOperator> Conditioning for Mmps<A> {
    fn evaluations(&self) -> usize {
        self.iterations.max(1)
    }

    fn shift(&self, predictor: &dyn Predictor, x: &Tensor<2>, t: f64) -> (Tensor<2>, Tensor<2>) {
        let (c, operator) = (predictor.schedule().at(t), self.observation.operator());
        let factor = c.sigma * c.sigma / c.alpha;
        let predict = |x: &Tensor<2>| predictor.predict(Prediction::Data, x, t);
        let covariance = |v: &dyn Fn(&Tensor<2>) -> Tensor<2>| {
            let (data, pulled) = pull_back("prediction", predict, x.clone(), v);
            (data, pulled * factor)
        };
        // The first direction of the search is the residual, which the first evaluation tells.
        let (data, first) =
            covariance(&|data| operator.adjoint(&self.observation.residual(data).0));
        let (residual, variance) = self.observation.residual(&data);
        let mut first = Some(first);
        let shift = solved(residual, self.evaluations(), |p| {
            let moved = first.take().unwrap_or_else(|| covariance(&|_| operator.adjoint(p)).1);
            (operator.apply(&moved) + p.clone() * variance.clone(), moved)
        });
        (data, shift)
    }
}
