//! Numbers and weights that every test sees alike.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

/// Host numbers, so that every test sees the same whatever ran before it.
pub(crate) fn ramp<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let n = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..n).map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0).collect();
    Tensor::from_data(burn::tensor::TensorData::new(values, shape), device)
}

pub(crate) fn difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    (a - b).abs().max().into_scalar::<f32>()
}

/// Puts noise into every parameter: output layers and residual branches start at zero and would
/// hide what is before them.
pub(crate) fn stir<M: Module>(module: M) -> M {
    struct Stir;
    impl burn::module::ModuleMapper for Stir {
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            parameter.map(|p| {
                let noise = ramp(p.dims(), &p.device().inner()) * 0.1;
                if p.device().is_autodiff() {
                    (p + noise.autodiff()).detach().require_grad()
                } else {
                    p + noise
                }
            })
        }
    }
    module.map(&mut Stir)
}
