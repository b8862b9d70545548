//! All gradients of a module as one vector, and back.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

/// The gradients of all parameters, in the order of the module's fields. After those of each
/// parameter stands 1 if it has a gradient, else 0: an optimizer leaves a parameter without one
/// alone, which is not what it does for a gradient of zeros.
pub(crate) fn flat<M: Module>(module: &M, gradients: &GradientsParams) -> Vec<f32> {
    let mut read = Read { gradients, flat: Vec::new() };
    module.visit(&mut read);
    read.flat
}

struct Read<'a> {
    gradients: &'a GradientsParams,
    flat: Vec<f32>,
}

impl ModuleVisitor for Read<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(parameter.id) {
            let data = gradient.into_data().convert::<f32>();
            self.flat.extend_from_slice(data.as_slice().expect("they are f32 now"));
            self.flat.push(1.0);
        } else {
            let numbers = parameter.lazy_shape().num_elements();
            self.flat.extend(std::iter::repeat_n(0.0, numbers + 1));
        }
    }
}

/// The gradients of a vector of [`flat`], or of a sum of such vectors, and what follows them in it.
pub(crate) fn of_flat<'a, M: Module>(module: &M, flat: &'a [f32]) -> (GradientsParams, &'a [f32]) {
    let mut write = Write { gradients: GradientsParams::new(), rest: flat };
    module.visit(&mut write);
    (write.gradients, write.rest)
}

struct Write<'a> {
    gradients: GradientsParams,
    rest: &'a [f32],
}

impl ModuleVisitor for Write<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let shape = parameter.lazy_shape();
        let (numbers, rest) = self.rest.split_at(shape.num_elements());
        let (given, rest) = rest.split_at(1);
        self.rest = rest;
        if 0.0 < given[0] {
            // Gradients live on the device below the tape.
            let device = parameter.lazy_device().inner();
            let data = TensorData::new(numbers.to_vec(), shape);
            self.gradients.register::<D>(parameter.id, Tensor::from_data(data, &device));
        }
    }
}

/// A checksum of all weights of a module without a tape.
pub(crate) fn checksum<M: Module>(module: &M) -> u32 {
    let mut sum = Checksum(crc32fast::Hasher::new());
    module.visit(&mut sum);
    sum.0.finalize()
}

struct Checksum(crc32fast::Hasher);

impl ModuleVisitor for Checksum {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.0.update(&parameter.val().into_data().into_bytes());
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use flow_nn::{Condition, MlpConfig, Network, NetworkConfig, Signature, Time};

    use super::*;

    /// The first parameter of a module.
    struct First(Option<burn::module::ParamId>);

    impl ModuleVisitor for First {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            self.0.get_or_insert(parameter.id);
        }
    }

    #[test]
    fn gradients_come_back_as_they_were_and_none_stays_none() {
        let device = Device::flex().autodiff();
        let config = MlpConfig { hidden: 8, depth: 1, time_features: 4, ..MlpConfig::default() };
        let network = config.init(&Signature::of([2]), &device).unwrap();
        let x = Tensor::<2>::from_data([[0.3, -1.0], [0.7, 0.2]], &device);
        let time = Time { t: Tensor::from_data([0.25, 0.5], &device), s: None };
        let loss = network.forward(x, time, &Condition::none()).square().mean();
        let mut gradients = GradientsParams::from_grads(loss.backward(), &network);
        let mut first = First(None);
        network.visit(&mut first);
        let whole = flat(&network, &gradients);
        gradients.remove::<2>(first.0.unwrap()).expect("the first parameter is a matrix");
        let vector = flat(&network, &gradients);
        assert_ne!(vector, whole);
        let (back, rest) = of_flat(&network, &vector);
        assert!(rest.is_empty());
        assert_eq!(flat(&network, &back), vector);
        assert!(back.get::<2>(first.0.unwrap()).is_none());
    }
}
