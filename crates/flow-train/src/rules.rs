//! How a gradient becomes a step of the weights and of their average.

use burn::module::Module;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use flow_kernels::on_pool;

use crate::clip::{clip, global_norm};
use crate::ema::Ema;
use crate::plan::Plan;

/// What a step follows from besides its gradient, and the number of steps done.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Where steps are taken.
    device: Device,
    ema: Ema,
    max_gradient_norm: Option<f64>,
    /// Rows in a batch.
    rows: usize,
    /// Steps done.
    step: usize,
}

impl Rules {
    /// Those of a plan after `step` steps of so many rows.
    pub(crate) fn of(plan: &Plan, rows: usize, step: usize, device: &Device) -> Self {
        let &Plan { ema, max_gradient_norm, .. } = plan;
        Self { device: device.clone(), ema, max_gradient_norm, rows, step }
    }

    /// Runs a step where its many short loops are cheapest.
    pub(crate) fn run<R: Send>(&mut self, step: impl FnOnce(&mut Self) -> R + Send) -> R {
        let device = self.device.clone();
        on_pool(&device, || step(self))
    }

    /// The gradients within their bound, and their norm before it; no norm if no parameter has a
    /// gradient.
    pub(crate) fn bounded<N: Module>(
        &self,
        network: &N,
        gradients: GradientsParams,
    ) -> (GradientsParams, Option<Tensor<1>>) {
        let norm = global_norm(network, &gradients);
        let gradients = match (self.max_gradient_norm, &norm) {
            (Some(most), Some(norm)) => clip(network, gradients, norm.clone(), most),
            _ => gradients,
        };
        (gradients, norm)
    }

    /// The next network and its average, by gradients that are [`bounded`](Self::bounded).
    pub(crate) fn follow<N: Module>(
        &mut self,
        (network, average): (N, N),
        optimizer: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> (N, N) {
        let network = optimizer.step(rate, network, gradients);
        self.step += 1;
        let (images, rows) = ((self.step * self.rows) as f64, self.rows as f64);
        let average = self.ema.follow(average, &network, images, rows);
        (network, average)
    }
}
