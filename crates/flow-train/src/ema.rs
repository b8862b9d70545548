//! The exponential moving average of the weights.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use burn::tensor::container::TensorContainer;
use serde::{Deserialize, Serialize};

/// The decay of the average, in images, so that it means the same for any batch size.
///
/// After `n` images a batch of `B` moves the average by `1 - beta`, with
/// `beta = 2^(-B / min(half_life, ramp n))`: early on, when the weights change fast, the half-life
/// is a fraction `ramp` of the images seen. A half-life of 0 is no average: it equals the weights.
///
/// In `f32` an average that is within half a unit in the last place over `1 - beta` of its weight
/// stands still: for a half-life of 200,000 images that is 1e-5 of the weight at 512 rows in a
/// batch and 1.7 % at 1 row.
///
/// # Reference
/// Karras et al. (2022), "Elucidating the Design Space of Diffusion-Based Generative Models",
/// arXiv:2206.00364, appendix F.2 (half-life in images and its ramp-up).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ema {
    /// Images after which a weight counts half.
    pub half_life: f64,
    /// Largest half-life as a fraction of the images seen so far.
    pub ramp: f64,
}

impl Default for Ema {
    fn default() -> Self {
        Self { half_life: 200_000.0, ramp: 0.05 }
    }
}

impl Ema {
    /// The factor `beta` of the old average in the step that ends at `images` images.
    ///
    /// Lies in `[0, 1]`. An infinite half-life keeps the average as it began; one that is not a
    /// number counts as the other, or as 0 if neither is one ([`Plan::check`](crate::Plan::check)
    /// refuses that).
    ///
    /// # Panics
    /// When `images` or `batch` is not finite or negative.
    #[must_use]
    pub fn decay(&self, images: f64, batch: f64) -> f64 {
        let count = |x: f64| (0.0..f64::INFINITY).contains(&x);
        assert!(
            count(images) && count(batch),
            "expected numbers of images, got {images} after a batch of {batch}"
        );
        let half_life = self.half_life.min(self.ramp * images);
        if half_life > 0.0 { (-batch / half_life).exp2() } else { 0.0 }
    }

    /// `average <- average + (1 - beta) (network - average)`, parameter by parameter, after the
    /// step that ends at `images` images.
    ///
    /// A weight that is not finite makes its average so.
    ///
    /// # Panics
    /// If `average` is no copy of `network` at another time, or as [`Ema::decay`].
    #[must_use]
    pub fn follow<M: Module>(&self, average: M, network: &M, images: f64, batch: f64) -> M {
        let mut weights = Weights::default();
        network.visit(&mut weights);
        average.map(&mut Blend { weights, beta: self.decay(images, batch) })
    }
}

/// The plain values of a network's parameters, by parameter.
#[derive(Default)]
struct Weights(TensorContainer<ParamId>);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.0.register::<Tensor<D>>(parameter.id, parameter.val().inner());
    }
}

struct Blend {
    weights: Weights,
    beta: f64,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let weight =
            self.weights.0.get::<Tensor<D>>(&parameter.id).expect(
                "the average is a copy of the network, its parameters have the same identity",
            );
        let beta = self.beta;
        parameter.map(|average| flow_kernels::blend(average, weight, beta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_half_life_of_images_a_weight_counts_half() {
        let ema = Ema { half_life: 1000.0, ramp: f64::INFINITY };
        let kept: f64 = (1..=10).map(|step| ema.decay(f64::from(step) * 100.0, 100.0)).product();
        assert!((kept - 0.5).abs() < 1e-12, "kept {kept}");
    }

    #[test]
    fn early_on_the_average_follows_the_weights() {
        let ema = Ema { half_life: 1e6, ramp: 0.05 };
        // The first batch has a half-life of 5 images out of 100: 2^-20 of the old average is left.
        assert!(ema.decay(100.0, 100.0) < 1e-6);
        assert!((ema.decay(1e9, 100.0) - (-1e-4_f64).exp2()).abs() < 1e-12);
    }
}
