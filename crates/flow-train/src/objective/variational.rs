//! The loss of variational flow matching: the velocity may depend on a latent that an encoder reads
//! off the pair.

use burn::tensor::Tensor;
use flow_nn::{PathPoints, Signature};

use super::regression::weighted_error;
use super::{Batch, Loss, Networks, Objective};

/// Variance of the posterior means over a batch from which a coordinate of the latent counts as
/// active.
const ACTIVE_VARIANCE: f64 = 0.01;

/// Velocity error plus weighted divergence of the posterior from the prior `N(0, I)`.
///
/// `L = 1/(B d) sum_i |v(x_t_i, t_i, z_i) - target_i|^2 + w 1/B sum_i KL(q_i || N(0, I))`, with one
/// draw `z_i = mu_i + sigma_i epsilon_i` for each row.
///
/// **Reductions.** The error is a mean over rows and dimensions, as in
/// [`Regression`](super::Regression); the divergence is a sum over the coordinates of the latent
/// and a mean over rows. A weight says nothing without these. The paper does not state its own; the
/// values of its loss curves can only be means over dimensions, so its weights (1.0 on the line,
/// 0.1 in the plane, 1e-3 for MNIST, 2e-3 and 5e-3 for CIFAR-10) are taken as weights `w` of this
/// formula. The evidence bound of a Gaussian likelihood of unit variance has `1/2` before the
/// squared error summed over `d` dimensions: `d L / 2` with `w = 2 / d` is that bound, so the
/// weight `beta` of the divergence relative to the bound is `w d / 2`: 0.5, 0.1, 0.39, and 3.07 or
/// 7.68.
///
/// The raw terms are logged: `velocity_error`; `kl`, for each coordinate of the latent in nats,
/// whose sum is what `w` multiplies; `active_units`, the coordinates whose posterior mean varies
/// over the batch by more than 0.01 (Burda, Grosse & Salakhutdinov 2016, "Importance Weighted
/// Autoencoders", arXiv:1509.00519, section 5.2).
///
/// # Reference
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, equation 5 and
/// algorithm 1.
#[derive(Clone, Copy, Debug)]
pub struct Variational {
    /// `w`
    pub kl_weight: f64,
}

impl Objective for Variational {
    /// # Panics
    /// When there is no posterior, or the batch brings no noise for its draw.
    fn loss(&self, networks: Networks<'_>, mut batch: Batch) -> Loss {
        let posterior = networks.posterior.expect("a model with a latent is taught by a posterior");
        let epsilon = batch.noise.take().expect("the batch brings the noise of the latent");
        let q = posterior.forward(&PathPoints {
            x0: batch.x0.clone(),
            x1: batch.x1.clone(),
            x_t: batch.x_t.clone(),
            t: batch.time.t.clone(),
        });
        batch.condition = batch.condition.with_latent(q.sample(epsilon));
        let error = weighted_error(networks.network, batch);
        let kl = q.kl().mean_dim(0).squeeze_dim::<1>(0); // [z]
        let total = error.clone() + kl.clone().sum() * self.kl_weight;
        let active = active_units(q.mean.without_autodiff());
        Loss { total, terms: vec![("velocity_error", error), ("kl", kl), ("active_units", active)] }
    }

    /// The noise of the latent's draw.
    fn noise(&self, signature: &Signature) -> usize {
        signature.latent
    }
}

/// How many columns vary, `[B, z] -> [1]`.
fn active_units(mean: Tensor<2>) -> Tensor<1> {
    let centred = mean.clone() - mean.mean_dim(0);
    centred.square().mean_dim(0).greater_elem(ACTIVE_VARIANCE).float().sum()
}
