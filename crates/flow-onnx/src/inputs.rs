//! Conditions of a model, as inputs of a graph.

use flow_nn::Signature;
use flow_nn::graph::{Graph, Value};

use crate::builder::Builder;
use crate::proto::{FLOAT, INT64, ValueInfo, batch_of, value};

/// Conditions of each row, as they are declared.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    pub(crate) class: Option<Value>,
    pub(crate) vector: Option<Value>,
    pub(crate) context: Option<Value>,
    pub(crate) latent: Option<Value>,
}

impl Told {
    /// Declares an input for everything that the signature names.
    pub(crate) fn declare(
        signature: &Signature,
        builder: &mut Builder,
        inputs: &mut Vec<ValueInfo>,
    ) -> Self {
        let mut input = |name: &str, kind: i32, shape: &[usize], is_there: bool| {
            is_there.then(|| {
                inputs.push(value(name, kind, &batch_of(shape)));
                builder.named(name)
            })
        };
        let &Signature { classes, vector, latent, ref context, .. } = signature;
        Self {
            class: input("class", INT64, &[], 0 < classes),
            vector: input("vector", FLOAT, &[vector], 0 < vector),
            context: input("context", FLOAT, context, !context.is_empty()),
            latent: input("latent", FLOAT, &[latent], 0 < latent),
        }
    }

    /// Whether the network reads a part that can be hidden from it.
    pub(crate) fn is_hideable(&self) -> bool {
        self.vector.is_some() || self.context.is_some()
    }

    /// Everything twice, one copy after the other.
    pub(crate) fn twice(&self, builder: &mut Builder) -> Self {
        let mut twice = |part: Option<Value>| part.map(|part| builder.concat(&[part, part], 0));
        Self {
            class: twice(self.class),
            vector: twice(self.vector),
            context: twice(self.context),
            latent: twice(self.latent),
        }
    }
}

/// The number of rows of a value, `[1]`.
pub(crate) fn rows(builder: &mut Builder, x: Value) -> Value {
    let shape = builder.node("Shape", &[x], Vec::new());
    builder.slice(shape, 0, 0, 1)
}

/// One number for each row, `[B, 1]`.
pub(crate) fn column(builder: &mut Builder, number: Value, rows: Value) -> Value {
    let one = builder.ints(&[1], &[1]);
    let shape = builder.concat(&[rows, one], 0);
    builder.node("Expand", &[number, shape], Vec::new())
}
