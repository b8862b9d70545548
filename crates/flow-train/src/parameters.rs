//! Parameters by their path: identities that follow from it, and a look for numbers that are not
//! finite.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Bool, Int, Tensor};

/// Gives each parameter an identity that follows from `run` and its path in the module.
///
/// Burn draws identities at random. An optimizer's state is found by them, so with these two equal
/// runs write equal files, and the state of another run fits nothing.
pub(crate) fn identified<M: Module>(module: M, run: &str) -> M {
    module.map(&mut Identify { path: vec![run.into()] })
}

struct Identify {
    path: Vec<String>,
}

impl Identify {
    /// The 64-bit hash of Fowler, Noll and Vo, variant 1a, of the path.
    fn id(&self) -> ParamId {
        let bytes = self.path.iter().flat_map(|name| name.bytes().chain([0]));
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        ParamId::from(hash)
    }
}

impl ModuleMapper for Identify {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, mut parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.id = self.id();
        parameter
    }

    fn map_int<const D: usize>(
        &mut self,
        mut parameter: Param<Tensor<D, Int>>,
    ) -> Param<Tensor<D, Int>> {
        parameter.id = self.id();
        parameter
    }

    fn map_bool<const D: usize>(
        &mut self,
        mut parameter: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        parameter.id = self.id();
        parameter
    }
}

/// The path of the first parameter of a module without a tape that is not finite.
///
/// Waits for the device once, whatever the number of parameters.
pub(crate) fn first_not_finite<M: Module>(module: &M) -> Option<String> {
    let mut zeros = Zeros::default();
    module.visit(&mut zeros);
    if zeros.sums.is_empty() {
        return None;
    }
    let sums = Tensor::cat(zeros.sums, 0).into_data();
    let at = sums.iter::<f64>().position(|sum| !sum.is_finite())?;
    Some(zeros.names.swap_remove(at))
}

/// `sum_i 0 x_i` of each parameter: zero, unless one of its numbers is not finite.
#[derive(Default)]
struct Zeros {
    path: Vec<String>,
    names: Vec<String>,
    sums: Vec<Tensor<1>>,
}

impl ModuleVisitor for Zeros {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.names.push(self.path.join("."));
        self.sums.push(parameter.val().mul_scalar(0.0).sum());
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use flow_nn::{MlpConfig, NetworkConfig, Signature};

    use super::*;

    #[derive(Default)]
    struct Ids(Vec<u64>);

    impl ModuleVisitor for Ids {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            self.0.push(parameter.id.val());
        }
    }

    fn ids(run: &str) -> Vec<u64> {
        let network = MlpConfig::default().init(&Signature::of([2]), &Device::flex()).unwrap();
        let mut ids = Ids::default();
        identified(network, run).visit(&mut ids);
        ids.0
    }

    #[test]
    fn identities_follow_from_the_run_and_the_path() {
        assert_eq!(ids("a"), ids("a"));
        let (mut a, b) = (ids("a"), ids("b"));
        assert!(a.iter().all(|id| !b.contains(id)), "another run has other identities");
        let n = a.len();
        a.sort_unstable();
        a.dedup();
        assert_eq!(a.len(), n, "each parameter has its own");
    }

    #[test]
    fn a_parameter_that_is_not_finite_is_named() {
        struct Break(f32);
        impl ModuleMapper for Break {
            fn map_float<const D: usize>(&mut self, p: Param<Tensor<D>>) -> Param<Tensor<D>> {
                // Shapes of one number only: the network below has one output.
                let value = self.0;
                p.map(|x| if x.dims().iter().product::<usize>() == 1 { x * 0.0 + value } else { x })
            }
        }
        let network = MlpConfig::default().init(&Signature::of([1]), &Device::flex()).unwrap();
        assert_eq!(first_not_finite(&network), None);
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let broken = network.clone().map(&mut Break(value));
            assert_eq!(first_not_finite(&broken).as_deref(), Some("out.bias"));
        }
        let large = network.map(&mut Break(f32::MAX));
        assert_eq!(first_not_finite(&large), None, "a large number is a number");
    }
}
