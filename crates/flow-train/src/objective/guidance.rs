//! Guidance baked in: any loss of velocities, taught the guided ones.

use std::f64::consts::FRAC_1_SQRT_2;
use std::sync::Arc;

use burn::tensor::Tensor;
use flow_nn::{Network, Signature, Strengths, Time};

use super::jump::column;
use super::{Batch, Loss, Networks, Objective};
use crate::pairs::{Jump, Pairs};

/// A loss whose network learns the guided field, so that a guided step costs one evaluation.
///
/// Guidance of strength `w` follows `v_w = v_c + (w - 1) (v_c - v_0)`, where `v_c` is the field
/// with the condition and `v_0` without. The velocity of each pair is replaced by
///
/// `v + (1 - 1/w) (u(x_t, t, t | c, w) - u(x_t, t, t | 0))`
///
/// by the network itself and without a gradient. Where the network is `v_w`, its mean given `x_t`
/// is `v_c + (1 - 1/w) w (v_c - v_0) = v_w`: the guided field, and no other, answers itself, since
/// what a network errs by returns in its target times `1 - 1/w < 1`. The velocity of the pair keeps
/// its factor of one, so that targets are as noisy as without guidance, whatever the strength.
///
/// All other parts of the loss are its own: jumps of a flow map agree with the guided velocity.
/// Rows whose condition is hidden are taught the plain field, with strength 1.
///
/// Of a range each row draws its strength, its logarithm uniform, and the network is told the
/// logarithm as the last number of its condition vector. A step costs two more passes without a
/// gradient.
///
/// # Reference
/// Geng et al. (2025), "Mean Flows for One-step Generative Modeling", arXiv:2505.13447, section 4.2
/// and appendix B.1, with `omega = 1` and `kappa = 1 - 1/w`; Tang et al. (2025), "Diffusion Models
/// without Classifier-free Guidance", arXiv:2502.12154, for a velocity alone; Meng et al. (2023),
/// "On Distillation of Guided Diffusion Models", arXiv:2210.03142, for the strength as an input.
#[derive(Clone, Debug)]
pub struct BakedGuidance {
    /// The loss, which learns velocities from some rows at least.
    pub objective: Arc<dyn Objective>,
    /// The strengths that are learned.
    pub strengths: Strengths,
}

impl BakedGuidance {
    /// The logarithm of each row's strength, `[B]`; of a range drawn by the last column of the
    /// noise, which is taken.
    fn draw(&self, batch: &mut Batch) -> Tensor<1> {
        let [rows, _] = batch.x_t.dims();
        let [least, most] = [self.strengths.least, self.strengths.most].map(f64::ln);
        if self.strengths.is_one() {
            return Tensor::full([rows], least, (&batch.x_t.device(), batch.x_t.dtype()));
        }
        let noise = batch.noise.take().expect("the batch brings the noise of the strength");
        let own = noise.dims()[1] - 1;
        let z = noise.clone().narrow(1, own, 1).squeeze_dim::<1>(1);
        batch.noise = (0 < own).then(|| noise.narrow(1, 0, own));
        // Uniform, since z is standard normal: its distribution function.
        let part = ((z * FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
        part * (most - least) + least
    }

    /// The batch with the guided velocities as its targets, and the strengths told.
    fn guided(&self, network: &dyn Network, mut batch: Batch) -> Batch {
        let signature = network.signature();
        let told = batch.condition.told(signature);
        let told = told.expect("guidance is away from a class, a vector or a context");
        let drawn = self.draw(&mut batch);
        let logarithm = drawn.zeros_like().mask_where(told, drawn);
        let pull = logarithm.clone().neg().exp().neg() + 1.0; // 1 - 1/w
        let without = batch.condition.hide(signature);
        let without = self.strengths.told(without, logarithm.zeros_like());
        let with = self.strengths.told(batch.condition, logarithm);
        let (x_t, t) = (batch.x_t.clone().without_autodiff(), batch.time.t.clone());
        let time = Time::at(t.without_autodiff());
        let ask = |condition| network.forward(x_t.clone(), time.clone(), condition);
        let difference = (ask(&with) - ask(&without)).without_autodiff();
        let target = batch.target + difference * column(pull);
        Batch { target, condition: with, ..batch }
    }
}

impl Objective for BakedGuidance {
    /// # Panics
    /// When nothing conditions the batch, or it brings no noise for the strengths of a range.
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        let batch = self.guided(networks.frozen, batch);
        self.objective.loss(networks, batch)
    }

    /// That of the loss, and of the strengths of a range.
    fn noise(&self, signature: &Signature) -> usize {
        self.objective.noise(signature) + self.strengths.numbers()
    }

    fn pairs(&self) -> Option<Pairs> {
        self.objective.pairs()
    }

    fn learns_from(&self, jump: Jump) -> bool {
        self.objective.learns_from(jump)
    }

    fn told(&self) -> usize {
        self.strengths.numbers()
    }

    fn differentiates(&self) -> bool {
        self.objective.differentiates()
    }

    fn teaches_itself(&self) -> bool {
        true
    }
}
