//! The modules that an objective trains: a network and, for a latent, its posterior.

use burn::module::{
    Content, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
};
use burn::tensor::Device;
use flow_nn::{DynNetwork, DynPosterior};

/// What the parameters of both are named under in a file; without a posterior there is no name.
const NETWORK: &str = "network";
const POSTERIOR: &str = "posterior";
const CONTAINER: &str = "Struct:Ensemble";

/// A network with its posterior, if it has one: a module, so that both are trained, averaged and
/// saved together. Sampling needs the network alone.
///
/// Without a posterior it is transparent: its parameters have the paths of the network's own.
#[derive(Clone, Debug)]
pub struct Ensemble {
    /// `v(x, t, c)`, or `v(x, t, z)` with a latent.
    pub network: DynNetwork,
    /// `q(z | x_0, x_1, x_t, t)`.
    pub posterior: Option<DynPosterior>,
}

impl From<DynNetwork> for Ensemble {
    fn from(network: DynNetwork) -> Self {
        Self { network, posterior: None }
    }
}

impl Ensemble {
    /// Both through an operation of modules.
    fn each<T>(
        self,
        mut with: T,
        network: impl FnOnce(DynNetwork, &mut T) -> DynNetwork,
        posterior: impl FnOnce(DynPosterior, &mut T) -> DynPosterior,
    ) -> Self {
        let network = network(self.network, &mut with);
        Self { network, posterior: self.posterior.map(|q| posterior(q, &mut with)) }
    }
}

impl Module for Ensemble {
    fn collect_devices(&self, devices: Vec<Device>) -> Vec<Device> {
        let devices = self.network.collect_devices(devices);
        match &self.posterior {
            Some(posterior) => posterior.collect_devices(devices),
            None => devices,
        }
    }

    fn fork(self, device: &Device) -> Self {
        self.each(device, |n, device| n.fork(device), |q, device| q.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.each(device, |n, device| n.to_device(device), |q, device| q.to_device(device))
    }

    fn train(self) -> Self {
        self.each((), |n, ()| n.train(), |q, ()| q.train())
    }

    fn valid(&self) -> Self {
        self.clone().each((), |n, ()| n.valid(), |q, ()| q.valid())
    }

    fn materialize(self) -> Self {
        self.each((), |n, ()| n.materialize(), |q, ()| q.materialize())
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        let Some(posterior) = &self.posterior else { return self.network.visit(visitor) };
        visitor.enter_module(NETWORK, CONTAINER);
        self.network.visit(visitor);
        visitor.exit_module(NETWORK, CONTAINER);
        visitor.enter_module(POSTERIOR, CONTAINER);
        posterior.visit(visitor);
        visitor.exit_module(POSTERIOR, CONTAINER);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        let Some(posterior) = self.posterior else {
            return Self { network: self.network.map(mapper), posterior: None };
        };
        mapper.enter_module(NETWORK, CONTAINER);
        let network = self.network.map(mapper);
        mapper.exit_module(NETWORK, CONTAINER);
        mapper.enter_module(POSTERIOR, CONTAINER);
        let posterior = Some(posterior.map(mapper));
        mapper.exit_module(POSTERIOR, CONTAINER);
        Self { network, posterior }
    }
}

impl ModuleDisplayDefault for Ensemble {
    fn content(&self, content: Content) -> Option<Content> {
        content.set_top_level_type("Ensemble").optional()
    }
}

impl ModuleDisplay for Ensemble {}
