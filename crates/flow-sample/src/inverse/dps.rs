//! DPS: the observation at the predicted data.

use burn::tensor::Tensor;
use flow_path::Prediction;

use super::conditioned::Conditioning;
use super::evidence::Evidence;
use crate::predictor::Predictor;
use crate::pullback::pull_back;

/// Diffusion posterior sampling: `p(y | x_t)` is taken for `p(y | x_1)` at `x_1 = E[x_1 | x_t]`.
///
/// With `J = dE[x_1 | x_t]/dx_t` the chain rule gives
///
/// `grad log p(y | x_t) = J^T grad log p(y | x_1)`,
///
/// one evaluation, forward and backward. It takes any [`Evidence`], counts and nonlinear functions
/// among them.
///
/// # Bias
/// The spread of `x_1` around its mean is left out: where the mean is still far from the truth, it
/// is pulled to `y` as if the noise of the observation were all that kept it away. For normal data
/// and `y = A x_1 + n` the gain is `C A^T / std^2` in place of `C A^T (A C A^T + std^2)^-1`, too
/// large by `1 + A C A^T / std^2`. Answers keep too little spread where something is seen, and
/// modes that explain `y` a little better take the shares of others. The pull is also stiff:
/// explicit steps are stable from about `2 A C A^T / (std^2 (1 - t))` steps on, so that small noise
/// needs hundreds of steps, or a smaller `scale`, which stands for a larger noise.
///
/// # Reference
/// Chung, Kim, Mccann, Klasky & Ye (2023), "Diffusion Posterior Sampling for General Noisy Inverse
/// Problems", arXiv:2209.14687, theorem 1. Its algorithms divide the step by the residual instead
/// of the variance, so that they know no noise size; here Bayes' rule stays.
#[derive(Clone, Copy, Debug)]
pub struct Dps<E> {
    /// The observation.
    pub evidence: E,
    /// Strength: 1 is Bayes' rule.
    pub scale: f64,
}

impl<E: Evidence> Conditioning for Dps<E> {
    fn evaluations(&self) -> usize {
        1
    }

    fn shift(&self, predictor: &dyn Predictor, x: &Tensor<2>, t: f64) -> (Tensor<2>, Tensor<2>) {
        let c = predictor.schedule().at(t);
        let predict = |x: &Tensor<2>| predictor.predict(Prediction::Data, x, t);
        let (data, pulled) =
            pull_back("prediction", predict, x.clone(), |data| self.evidence.gradient(data));
        (data, pulled * (self.scale * c.sigma * c.sigma / c.alpha))
    }
}
