//! AdamW in one pass over each tensor, as an optimizer of Burn's.

use burn::optim::{AdamWState, AdaptiveMomentumState, LearningRate, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};
use flow_kernels::{AdamWStep, adamw};
use serde::{Deserialize, Serialize};

/// Coefficients of AdamW; the defaults are PyTorch's.
///
/// # Reference
/// Loshchilov & Hutter (2019), "Decoupled Weight Decay Regularization", arXiv:1711.05101.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Decay of the gradient's mean.
    pub beta1: f32,
    /// Decay of the gradient's mean square.
    pub beta2: f32,
    /// Added to the root of the mean square.
    pub epsilon: f32,
    /// Fraction of the learning rate by which weights shrink in a step.
    pub weight_decay: f32,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 }
    }
}

impl AdamW {
    /// The optimizer, without state.
    ///
    /// Its steps and its records are those of Burn's `AdamW`, bit for bit.
    #[must_use]
    pub fn optimizer(self) -> ModuleOptimizer {
        ModuleOptimizer::from(self)
    }
}

impl Optimizer for AdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        weight: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamWState<D>>,
    ) -> (Tensor<D>, Option<AdamWState<D>>) {
        let (time, means) = match state.map(|state| state.momentum) {
            Some(state) => (state.time + 1, [state.moment_1, state.moment_2]),
            None => (1, [weight.zeros_like(), weight.zeros_like()]),
        };
        let &Self { beta1, beta2, epsilon, weight_decay } = self;
        let step = AdamWStep { rate, beta1, beta2, epsilon, weight_decay, time };
        let (weight, [mean, square]) = adamw(weight, gradient, means, &step);
        (weight, Some(AdamWState::new(AdaptiveMomentumState::new(time, mean, square))))
    }

    fn to_device<const D: usize>(mut state: AdamWState<D>, device: &Device) -> AdamWState<D> {
        state.momentum.moment_1 = state.momentum.moment_1.to_device(device);
        state.momentum.moment_2 = state.momentum.moment_2.to_device(device);
        state
    }
}
