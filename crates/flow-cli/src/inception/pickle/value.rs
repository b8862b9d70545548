//! What a pickle holds, as far as arrays need it.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

/// A value of a pickle.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Anything that is not needed.
    Other,
    Int(i64),
    Text(String),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// `module.name` of a function or a class.
    Global(String),
    /// Numbers of a kind, such as `FloatStorage`, by the name under which they are kept.
    Storage {
        kind: String,
        name: String,
    },
    View(View),
}

/// An array: a part of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) kind: String,
    pub(crate) storage: String,
    pub(crate) offset: usize,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<usize>,
}

impl View {
    /// Whether the numbers lie one after another.
    pub(crate) fn is_contiguous(&self) -> bool {
        let mut step = Some(1_usize);
        self.shape.iter().zip(&self.strides).rev().all(|(&size, &stride)| {
            let fits = size == 1 || Some(stride) == step;
            step = step.and_then(|step| step.checked_mul(size));
            fits
        })
    }
}

/// Bytes of a number in each storage of a state.
pub(crate) fn widths(state: &Value) -> BTreeMap<String, usize> {
    let Value::Dict(entries) = state else { return BTreeMap::new() };
    let width = |(_, value): &(Value, Value)| match value {
        Value::View(view) => {
            let width = match view.kind.as_str() {
                "DoubleStorage" | "LongStorage" => 8,
                "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
                "ByteStorage" | "CharStorage" | "BoolStorage" => 1,
                _ => 4,
            };
            Some((view.storage.clone(), width))
        }
        _ => None,
    };
    entries.iter().filter_map(width).collect()
}

/// `("storage", kind, name, place, length, ..)`.
pub(super) fn storage(id: &Value) -> Result<Value> {
    if let Value::Tuple(parts) = id
        && let [_, Value::Global(kind), Value::Text(name), ..] = parts.as_slice()
    {
        let kind = kind.trim_start_matches("torch.").to_owned();
        return Ok(Value::Storage { kind, name: name.clone() });
    }
    bail!("a storage has no kind and no name")
}

/// What a function gives: arrays and dictionaries are made, all else is unknown.
pub(super) fn call(function: &Value, arguments: Value) -> Result<Value> {
    let (Value::Global(name), Value::Tuple(arguments)) = (function, arguments) else {
        bail!("what is called is no function")
    };
    match name.as_str() {
        "collections.OrderedDict" => Ok(Value::Dict(Vec::new())),
        "torch._utils._rebuild_parameter" => {
            Ok(arguments.into_iter().next().unwrap_or(Value::Other))
        }
        "torch._utils._rebuild_tensor_v2" => {
            if let [
                Value::Storage { kind, name },
                Value::Int(offset),
                Value::Tuple(shape),
                Value::Tuple(strides),
                ..,
            ] = arguments.as_slice()
            {
                return Ok(Value::View(View {
                    kind: kind.clone(),
                    storage: name.clone(),
                    offset: usize::try_from(*offset)?,
                    shape: sizes(shape)?,
                    strides: sizes(strides)?,
                }));
            }
            bail!("an array has no storage or no shape")
        }
        _ => Ok(Value::Other),
    }
}

fn sizes(values: &[Value]) -> Result<Vec<usize>> {
    let size = |value: &Value| match value {
        Value::Int(size) => Ok(usize::try_from(*size)?),
        _ => bail!("a size is no number"),
    };
    values.iter().map(size).collect()
}
