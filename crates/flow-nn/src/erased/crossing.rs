//! Visitors and mappers of Burn's modules, across a box.
//!
//! `Module` has generic methods, so `dyn Module` does not exist. The way across is the one that
//! Burn itself takes for its reparameterizations (`burn-core`, `reparameterization_dyn.rs`): a
//! parameter crosses as `dyn Any` together with its kind and rank, and is itself again on the
//! other side.

use std::any::Any;

use burn::module::{Flag, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Float,
    Int,
    Bool,
}

/// A parameter on its way across.
pub(super) struct Crossing<P> {
    kind: Kind,
    rank: usize,
    param: P,
}

/// A [`ModuleVisitor`] without generic methods.
pub(super) trait Visit {
    fn param(&mut self, param: Crossing<&dyn Any>);
    fn flag(&mut self, flag: &Param<Flag>);
    fn enter(&mut self, name: &str, container: &str);
    fn exit(&mut self, name: &str, container: &str);
}

/// A [`ModuleMapper`] without generic methods.
pub(super) trait Map {
    fn param(&mut self, param: Crossing<Box<dyn Any + Send>>) -> Box<dyn Any + Send>;
    fn flag(&mut self, flag: Param<Flag>) -> Param<Flag>;
    fn enter(&mut self, name: &str, container: &str);
    fn exit(&mut self, name: &str, container: &str);
}

/// The side of the module in the box: Burn's traits over ours.
pub(super) struct Inner<'a, T: ?Sized>(pub(super) &'a mut T);

/// The side of the caller: our traits over Burn's.
pub(super) struct Outer<'a, T>(pub(super) &'a mut T);

macro_rules! visit {
    ($($method:ident $kind:ident $($k:ty)?;)*) => {$(
        fn $method<const D: usize>(&mut self, param: &Param<Tensor<D $(, $k)?>>) {
            self.0.param(Crossing { kind: Kind::$kind, rank: D, param });
        }
    )*};
}

impl ModuleVisitor for Inner<'_, dyn Visit + '_> {
    visit! { visit_float Float; visit_int Int Int; visit_bool Bool Bool; }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.0.flag(flag);
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.enter(name, container);
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.exit(name, container);
    }
}

macro_rules! map {
    ($($method:ident $kind:ident $($k:ty)?;)*) => {$(
        fn $method<const D: usize>(
            &mut self,
            param: Param<Tensor<D $(, $k)?>>,
        ) -> Param<Tensor<D $(, $k)?>> {
            let crossing = Crossing { kind: Kind::$kind, rank: D, param: Box::new(param) as _ };
            *self.0.param(crossing).downcast().expect("a parameter keeps its rank and kind")
        }
    )*};
}

impl ModuleMapper for Inner<'_, dyn Map + '_> {
    map! { map_float Float; map_int Int Int; map_bool Bool Bool; }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.0.flag(flag)
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.enter(name, container);
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.exit(name, container);
    }
}

/// From a rank that is a number to one that is a type.
macro_rules! by_rank {
    ($rank:expr, $d:ident => $body:expr) => {
        by_rank!(@ $rank, $d => $body; 0 1 2 3 4 5 6 7 8)
    };
    (@ $rank:expr, $d:ident => $body:expr; $($n:literal)*) => {
        match $rank {
            $($n => { const $d: usize = $n; $body })*
            rank => unreachable!("Burn has no parameters of rank {rank}"),
        }
    };
}

impl<V: ModuleVisitor> Visit for Outer<'_, V> {
    fn param(&mut self, Crossing { kind, rank, param }: Crossing<&dyn Any>) {
        fn same<P: 'static>(param: &dyn Any) -> &P {
            param.downcast_ref().expect("a parameter keeps its rank and kind")
        }
        by_rank!(rank, D => match kind {
            Kind::Float => self.0.visit_float(same::<Param<Tensor<D>>>(param)),
            Kind::Int => self.0.visit_int(same::<Param<Tensor<D, Int>>>(param)),
            Kind::Bool => self.0.visit_bool(same::<Param<Tensor<D, Bool>>>(param)),
        });
    }

    fn flag(&mut self, flag: &Param<Flag>) {
        self.0.visit_flag(flag);
    }

    fn enter(&mut self, name: &str, container: &str) {
        self.0.enter_module(name, container);
    }

    fn exit(&mut self, name: &str, container: &str) {
        self.0.exit_module(name, container);
    }
}

impl<M: ModuleMapper> Map for Outer<'_, M> {
    fn param(&mut self, crossing: Crossing<Box<dyn Any + Send>>) -> Box<dyn Any + Send> {
        fn own<P: 'static>(param: Box<dyn Any + Send>) -> P {
            *param.downcast().expect("a parameter keeps its rank and kind")
        }
        let Crossing { kind, rank, param } = crossing;
        by_rank!(rank, D => match kind {
            Kind::Float => Box::new(self.0.map_float(own::<Param<Tensor<D>>>(param))),
            Kind::Int => Box::new(self.0.map_int(own::<Param<Tensor<D, Int>>>(param))),
            Kind::Bool => Box::new(self.0.map_bool(own::<Param<Tensor<D, Bool>>>(param))),
        })
    }

    fn flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.0.map_flag(flag)
    }

    fn enter(&mut self, name: &str, container: &str) {
        self.0.enter_module(name, container);
    }

    fn exit(&mut self, name: &str, container: &str) {
        self.0.exit_module(name, container);
    }
}
