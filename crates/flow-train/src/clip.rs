//! The norm of the gradient over all parameters, and clipping by it.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use flow_kernels::{scale, sum_of_squares};

/// Scales all gradients, whose norm `|g|` over all parameters is given, by
/// `min(1, max_norm / |g|)`.
///
/// The norm stays on the device: nothing is read back. Where it is not finite, neither are the
/// gradients that made it so; a finite one beyond 1.8e19, whose square overflows, is scaled to
/// zero.
///
/// # Reference
/// Pascanu et al. (2013), "On the difficulty of training recurrent neural networks",
/// arXiv:1211.5063, algorithm 1.
pub(crate) fn clip<M: Module>(
    module: &M,
    gradients: GradientsParams,
    norm: Tensor<1>,
    max_norm: f64,
) -> GradientsParams {
    // Against a division by zero where every gradient vanishes.
    let factor = (norm + 1e-12).recip().mul_scalar(max_norm).clamp_max(1.0);
    let mut scaled = Scale { gradients, factor };
    module.visit(&mut scaled);
    scaled.gradients
}

/// The norm `|g|` of all gradients, one number on the device; nothing if no parameter has one.
pub(crate) fn global_norm<M: Module>(module: &M, gradients: &GradientsParams) -> Option<Tensor<1>> {
    let mut squares = SquaredNorm { gradients, sum: None };
    module.visit(&mut squares);
    squares.sum.map(Tensor::sqrt)
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

#[cfg(test)]
mod tests {
    use burn::nn::LinearConfig;
    use burn::tensor::Device;

    use super::*;

    /// Of `w x + b` the gradient is `(x, 1)`: here the norm of `(2, 2, 1)`, which is 3.
    #[test]
    fn the_norm_goes_over_all_parameters_and_a_gradient_within_the_bound_is_left_alone() {
        let device = Device::flex().autodiff();
        let linear = LinearConfig::new(2, 1).init(&device);
        let gradients = |bound: Option<f64>| {
            let x = Tensor::<2>::from_data([[2.0, 2.0]], &device);
            let all = GradientsParams::from_grads(linear.forward(x).sum().backward(), &linear);
            let norm = global_norm(&linear, &all).unwrap();
            match bound {
                Some(bound) => clip(&linear, all, norm, bound),
                None => all,
            }
        };
        let norm = |gradients| -> f32 { global_norm(&linear, &gradients).unwrap().into_scalar() };
        for (bound, expected) in [(None, 3.0), (Some(6.0), 3.0), (Some(1.5), 1.5)] {
            let found = norm(gradients(bound));
            assert!((found - expected).abs() < 1e-6, "{bound:?}: {found}");
        }
        assert!(global_norm(&linear, &GradientsParams::new()).is_none());
    }
}
