//! Clipping the gradient by its norm over all parameters.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use flow_kernels::{scale, sum_of_squares};

/// Scales all gradients by `min(1, max_norm / |g|)`, `|g|^2` summed over all parameters.
///
/// The norm stays on the device: nothing is read back. Where it is not finite, neither are the
/// gradients that made it so; a finite one beyond 1.8e19, whose square overflows, is scaled to
/// zero.
///
/// # Reference
/// Pascanu et al. (2013), "On the difficulty of training recurrent neural networks",
/// arXiv:1211.5063, algorithm 1.
pub(crate) fn clip_global_norm<M: Module>(
    module: &M,
    gradients: GradientsParams,
    max_norm: f64,
) -> GradientsParams {
    let mut squares = SquaredNorm { gradients: &gradients, sum: None };
    module.visit(&mut squares);
    let Some(square) = squares.sum else { return gradients };
    // Against a division by zero where every gradient vanishes.
    let factor = (square.sqrt() + 1e-12).recip().mul_scalar(max_norm).clamp_max(1.0);
    let mut scaled = Scale { gradients, factor };
    module.visit(&mut scaled);
    scaled.gradients
}

struct SquaredNorm<'a> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for SquaredNorm<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(parameter.id) {
            let square = sum_of_squares(gradient);
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + square,
                None => square,
            });
        }
    }
}

struct Scale {
    gradients: GradientsParams,
    factor: Tensor<1>,
}

impl ModuleVisitor for Scale {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(parameter.id) {
            self.gradients.register(parameter.id, scale(gradient, self.factor.clone()));
        }
    }
}
