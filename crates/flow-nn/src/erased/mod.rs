//! Any network and any posterior as one type each, which is a module itself.
//!
//! A box adds no name of its own to the path of a parameter: files of the network inside fit it.

mod crossing;

use std::fmt;

use burn::module::{
    Content, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
};
use burn::tensor::{Device, Tensor};

use flow_kernels::Precision;

use crate::condition::Condition;
use crate::graph::{Graph, Inputs, Value};
use crate::network::{Network, Time, Trainable};
use crate::posterior::{DiagonalGaussian, PathPoints, Posterior};
use crate::signature::Signature;
use crossing::{Inner, Map, Outer, Visit};

/// A box around any module with a trait of ours: `$name(Box<dyn $erased>)`, a `Module` by hand.
macro_rules! erased_module {
    (
        $(#[$about:meta])* $name:ident as $erased:ident over $trait:ident for $bound:path
    ) => {
        $(#[$about])*
        pub struct $name(Box<dyn $erased>);

        /// What a module in a box must be able to do.
        trait $erased: $trait + fmt::Debug + Send + Sync {
            fn visit(&self, visitor: &mut dyn Visit);
            fn map(self: Box<Self>, mapper: &mut dyn Map) -> Box<dyn $erased>;
            fn collect_devices(&self, devices: Vec<Device>) -> Vec<Device>;
            fn fork(self: Box<Self>, device: &Device) -> Box<dyn $erased>;
            fn to_device(self: Box<Self>, device: &Device) -> Box<dyn $erased>;
            fn train(self: Box<Self>) -> Box<dyn $erased>;
            fn valid(&self) -> Box<dyn $erased>;
            fn materialize(self: Box<Self>) -> Box<dyn $erased>;
            fn boxed_clone(&self) -> Box<dyn $erased>;
            fn type_name(&self) -> &'static str;
        }

        impl<N: $bound> $erased for N {
            fn visit(&self, visitor: &mut dyn Visit) {
                Module::visit(self, &mut Inner(visitor));
            }
            fn map(self: Box<Self>, mapper: &mut dyn Map) -> Box<dyn $erased> {
                Box::new(Module::map(*self, &mut Inner(mapper)))
            }
            fn collect_devices(&self, devices: Vec<Device>) -> Vec<Device> {
                Module::collect_devices(self, devices)
            }
            fn fork(self: Box<Self>, device: &Device) -> Box<dyn $erased> {
                Box::new(Module::fork(*self, device))
            }
            fn to_device(self: Box<Self>, device: &Device) -> Box<dyn $erased> {
                Box::new(Module::to_device(*self, device))
            }
            fn train(self: Box<Self>) -> Box<dyn $erased> {
                Box::new(Module::train(*self))
            }
            fn valid(&self) -> Box<dyn $erased> {
                Box::new(Module::valid(self))
            }
            fn materialize(self: Box<Self>) -> Box<dyn $erased> {
                Box::new(Module::materialize(*self))
            }
            fn boxed_clone(&self) -> Box<dyn $erased> {
                Box::new(self.clone())
            }
            fn type_name(&self) -> &'static str {
                std::any::type_name::<N>()
            }
        }

        impl $name {
            /// Puts one in its box.
            #[must_use]
            pub fn new(inside: impl $bound) -> Self {
                Self(Box::new(inside))
            }
        }

        impl Clone for $name {
            fn clone(&self) -> Self {
                Self(self.0.boxed_clone())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Module for $name {
            fn collect_devices(&self, devices: Vec<Device>) -> Vec<Device> {
                self.0.collect_devices(devices)
            }
            fn fork(self, device: &Device) -> Self {
                Self(self.0.fork(device))
            }
            fn to_device(self, device: &Device) -> Self {
                Self(self.0.to_device(device))
            }
            fn train(self) -> Self {
                Self(self.0.train())
            }
            fn valid(&self) -> Self {
                Self(self.0.valid())
            }
            fn materialize(self) -> Self {
                Self(self.0.materialize())
            }
            fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
                self.0.visit(&mut Outer(visitor));
            }
            fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
                Self(self.0.map(&mut Outer(mapper)))
            }
        }

        impl ModuleDisplayDefault for $name {
            fn content(&self, content: Content) -> Option<Content> {
                content.set_top_level_type(self.0.type_name()).optional()
            }
        }

        impl ModuleDisplay for $name {}
    };
}

erased_module! {
    /// Any network with its weights: one type for all of them, which trains, saves, moves and
    /// averages like any module of Burn.
    DynNetwork as ErasedNetwork over Network for Trainable
}

erased_module! {
    /// Any posterior with its weights, as [`DynNetwork`] is any network.
    DynPosterior as ErasedPosterior over Posterior for TrainablePosterior
}

/// A posterior whose weights can be trained, saved and loaded; it is not implemented by hand.
pub trait TrainablePosterior: Posterior + Module + Sync + 'static {}

impl<P: Posterior + Module + Sync + 'static> TrainablePosterior for P {}

impl Network for DynNetwork {
    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn forward(&self, x: Tensor<2>, time: Time, condition: &Condition) -> Tensor<2> {
        self.0.forward(x, time, condition)
    }

    fn graph(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        self.0.graph(graph, inputs)
    }

    fn recompute(&mut self, again: bool) -> bool {
        self.0.recompute(again)
    }

    fn multiply_in(&mut self, precision: Precision) -> bool {
        self.0.multiply_in(precision)
    }
}

impl Posterior for DynPosterior {
    fn forward(&self, seen: &PathPoints) -> DiagonalGaussian {
        self.0.forward(seen)
    }

    fn latent(&self) -> usize {
        self.0.latent()
    }
}
