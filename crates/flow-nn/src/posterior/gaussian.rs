//! Gaussians with independent coordinates, one for each row of a batch.

use burn::tensor::Tensor;

/// Largest magnitude of a logarithm of a variance: standard deviations from 5e-5 to 2e4.
const LARGEST_LOG_VARIANCE: f64 = 20.0;

/// `q(z) = N(z; mu, diag(sigma^2))` for each row.
///
/// # Reference
/// Kingma & Welling (2014), "Auto-Encoding Variational Bayes", arXiv:1312.6114, section 2.4 and
/// appendix B.
#[derive(Clone, Debug)]
pub struct DiagonalGaussian {
    /// `mu`, `[B, z]`.
    pub mean: Tensor<2>,
    /// `ln sigma^2`, `[B, z]`.
    pub log_variance: Tensor<2>,
}

impl DiagonalGaussian {
    /// Means and logarithms of variances from the output of a network, clamped to `[-20, 20]`.
    ///
    /// Numbers that are not finite stay so, but an infinite logarithm of a variance is clamped like
    /// a large one.
    ///
    /// # Shapes
    /// - `output`: `[B, 2 z]`
    ///
    /// # Panics
    /// When the number of columns is odd.
    #[must_use]
    pub fn from_output(output: Tensor<2>) -> Self {
        let [rows, columns] = output.dims();
        let even = columns.is_multiple_of(2);
        assert!(even, "expected means and variances, [{rows}, 2 z], got [{rows}, {columns}]");
        let z = columns / 2;
        let log_variance = output.clone().narrow(1, z, z);
        Self {
            mean: output.narrow(1, 0, z),
            log_variance: log_variance.clamp(-LARGEST_LOG_VARIANCE, LARGEST_LOG_VARIANCE),
        }
    }

    /// A draw that carries the gradient to mean and variance: `z = mu + sigma epsilon`.
    ///
    /// # Shapes
    /// - `epsilon`: `[B, z]`, standard normal; output the same
    ///
    /// # Panics
    /// When `epsilon` has another shape.
    #[must_use]
    pub fn sample(&self, epsilon: Tensor<2>) -> Tensor<2> {
        let (expected, got) = (self.mean.dims(), epsilon.dims());
        assert!(expected == got, "expected noise of shape {expected:?}, got {got:?}");
        self.mean.clone() + (self.log_variance.clone() * 0.5).exp() * epsilon
    }

    /// Divergence from the standard normal distribution by row and coordinate, in nats:
    /// `KL = (mu^2 + sigma^2 - 1 - ln sigma^2) / 2`. The divergence of a row is the sum over its
    /// coordinates.
    ///
    /// # Shapes
    /// - output: `[B, z]`
    #[must_use]
    pub fn kl(&self) -> Tensor<2> {
        let Self { mean, log_variance } = self;
        (mean.clone().square() + log_variance.clone().exp() - log_variance.clone() - 1.0) * 0.5
    }
}
