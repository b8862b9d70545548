//! Pi-GDM: the observation under one variance for all numbers.

use burn::tensor::Tensor;
use flow_path::Prediction;

use super::conditioned::Conditioning;
use super::conjugate::solved;
use super::evidence::Observation;
use super::operator::LinearOperator;
use crate::predictor::Predictor;
use crate::pullback::pull_back;

/// Pseudoinverse-guided sampling: `x_1` given `x_t` is taken for `N(E[x_1 | x_t], r^2 I)`.
///
/// With `J = dE[x_1 | x_t]/dx_t` and noise of covariance `R`,
///
/// `grad log p(y | x_t) = J^T A^T (r^2 A A^T + R)^-1 (y - A E[x_1 | x_t])`,
///
/// where `r^2 = s^2 sigma^2 / (sigma^2 + s^2 alpha^2)` is the variance for normal data of standard
/// deviation `s`. The system holds the operator alone and is solved by conjugate gradients without
/// the network, which is evaluated once, forward and backward.
///
/// # Bias
/// None for normal data of covariance `s^2 I`. Data of other covariances are pulled too hard in
/// directions in which they vary little and too weakly where they vary more, so that the answers
/// are too narrow in the former and do not explain `y` in the latter until late. Unlike with
/// [`Dps`](super::Dps) the pull is bounded, `1 / r^2`, so that few steps are stable.
///
/// # Reference
/// Song, Vahdat, Mardani & Kautz (2023), "Pseudoinverse-Guided Diffusion Models for Inverse
/// Problems"; Pokle, Muckley, Chen & Karrer (2023), "Training-Free Linear Image
/// Inverses via Flows", arXiv:2310.04432, algorithm 1, whose velocity is raised by
/// `sigma^2 (d log(alpha / sigma) / dt) grad log p(y | x_t)` as here, with `s = 1`; it may
/// start later, from what is seen mixed with noise, here from noise alone.
#[derive(Clone, Debug)]
pub struct PiGdm<A> {
    /// The observation.
    pub observation: Observation<A>,
    /// Standard deviation of the data.
    pub data_std: f64,
    /// Iterations of conjugate gradients, at least 1. For a [`Mask`](super::Mask) and a
    /// [`Pool`](super::Pool) with normal noise one solves the system.
    pub iterations: usize,
}

impl<A: LinearOperator> Conditioning for PiGdm<A> {
    fn evaluations(&self) -> usize {
        1
    }

    fn shift(&self, predictor: &dyn Predictor, x: &Tensor<2>, t: f64) -> (Tensor<2>, Tensor<2>) {
        let (c, operator) = (predictor.schedule().at(t), self.observation.operator());
        let (noise, signal) = (c.sigma * c.sigma, (c.alpha * self.data_std).powi(2));
        let spread = self.data_std.powi(2) * noise / (noise + signal);
        let weighed = |data: &Tensor<2>| {
            let (residual, variance) = self.observation.residual(data);
            solved(residual, self.iterations, |p| {
                let back = operator.adjoint(p);
                let seen = operator.apply(&back) * spread;
                (seen + p.clone() * variance.clone(), back)
            })
        };
        let predict = |x: &Tensor<2>| predictor.predict(Prediction::Data, x, t);
        let (data, pulled) = pull_back("prediction", predict, x.clone(), weighed);
        (data, pulled * (noise / c.alpha))
    }
}
