//! Numbers and weights that every test sees alike.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

pub(crate) mod told;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use flow_nn::{NetworkConfig, Signature, init_seeded};

/// The network of a configuration, with the weights of one seed.
pub(crate) fn built<C: NetworkConfig>(
    config: &C,
    signature: &Signature,
    device: &Device,
) -> C::Network {
    init_seeded(5, device, |device| config.init(signature, device)).unwrap()
}

/// Host numbers, so that every test sees the same whatever ran before it.
pub(crate) fn ramp<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let n = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..n).map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0).collect();
    Tensor::from_data(burn::tensor::TensorData::new(values, shape), device)
}

pub(crate) fn difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    largest(a - b)
}

/// The largest magnitude.
pub(crate) fn largest<const D: usize>(x: Tensor<D>) -> f32 {
    x.abs().max().into_scalar::<f32>()
}

/// Bits of all numbers, in order.
pub(crate) fn bits<const D: usize>(x: Tensor<D>) -> Vec<u32> {
    x.into_data().try_to_vec::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
}

/// Puts noise into every parameter: output layers and residual branches start at zero and would
/// hide what is before them.
pub(crate) fn stir<M: Module>(module: M) -> M {
    stir_except(module, None)
}

/// Puts noise into every parameter but those of parts of one name.
pub(crate) fn stir_except<M: Module>(module: M, part: Option<&'static str>) -> M {
    struct Stir(Option<&'static str>, Vec<String>);
    impl ModuleMapper for Stir {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.1.push(name.into());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.1.pop();
        }
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if self.0.is_some_and(|part| self.1.iter().any(|name| name == part)) {
                return parameter;
            }
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
    module.map(&mut Stir(part, Vec::new()))
}

/// The paths of all parameters that no gradient reaches.
pub(crate) fn without_gradient<M: Module>(module: &M, gradients: &GradientsParams) -> Vec<String> {
    struct Missing<'a>(&'a GradientsParams, Vec<String>, Vec<String>);
    impl ModuleVisitor for Missing<'_> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.1.push(name.into());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.1.pop();
        }
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            if self.0.get::<D>(parameter.id).is_none_or(|g| largest(g) == 0.0) {
                self.2.push(self.1.join("."));
            }
        }
    }
    let mut missing = Missing(gradients, Vec::new(), Vec::new());
    module.visit(&mut missing);
    missing.2
}
