//! The messages of an ONNX file that an exporter writes, with the numbers of their fields.
//!
//! # Reference
//! `onnx.proto` of ONNX 1.12, <https://github.com/onnx/onnx>: fields that nothing here writes are
//! left out. Numbers that may be zero are optional, because a reader tells zero from nothing.

use prost::{Message, Oneof};

/// Version of the file format: that of ONNX 1.12.
pub(crate) const IR_VERSION: i64 = 8;
/// Version of the operators.
pub(crate) const OPSET: i64 = 17;

/// Kinds of numbers.
pub(crate) const FLOAT: i32 = 1;
pub(crate) const INT64: i32 = 7;
pub(crate) const BOOL: i32 = 9;
pub(crate) const DOUBLE: i32 = 11;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Model {
    #[prost(int64, tag = "1")]
    pub(crate) ir_version: i64,
    #[prost(string, tag = "2")]
    pub(crate) producer_name: String,
    #[prost(string, tag = "3")]
    pub(crate) producer_version: String,
    #[prost(string, tag = "6")]
    pub(crate) doc_string: String,
    #[prost(message, optional, tag = "7")]
    pub(crate) graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    pub(crate) opset_import: Vec<OperatorSet>,
    #[prost(message, repeated, tag = "14")]
    pub(crate) metadata_props: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct OperatorSet {
    #[prost(string, optional, tag = "1")]
    pub(crate) domain: Option<String>,
    #[prost(int64, tag = "2")]
    pub(crate) version: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Entry {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub(crate) node: Vec<Node>,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(message, repeated, tag = "5")]
    pub(crate) initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    pub(crate) input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    pub(crate) output: Vec<ValueInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub(crate) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) output: Vec<String>,
    #[prost(string, tag = "3")]
    pub(crate) name: String,
    #[prost(string, tag = "4")]
    pub(crate) op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub(crate) attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Attribute {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(float, optional, tag = "2")]
    pub(crate) f: Option<f32>,
    #[prost(int64, optional, tag = "3")]
    pub(crate) i: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub(crate) s: Option<Vec<u8>>,
    #[prost(message, optional, tag = "6")]
    pub(crate) g: Option<Graph>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub(crate) ints: Vec<i64>,
    #[prost(int32, tag = "20")]
    pub(crate) kind: i32,
}

/// Numbers and texts that an operator needs besides its inputs; the second argument of `of` is the
/// number by which ONNX tells their kinds apart.
impl Attribute {
    fn of(name: &str, kind: i32) -> Self {
        Self { name: name.into(), kind, ..Self::default() }
    }

    pub(crate) fn float(name: &str, f: f32) -> Self {
        Self { f: Some(f), ..Self::of(name, 1) }
    }

    pub(crate) fn int(name: &str, i: i64) -> Self {
        Self { i: Some(i), ..Self::of(name, 2) }
    }

    pub(crate) fn text(name: &str, text: &str) -> Self {
        Self { s: Some(text.into()), ..Self::of(name, 3) }
    }

    pub(crate) fn graph(name: &str, graph: Graph) -> Self {
        Self { g: Some(graph), ..Self::of(name, 5) }
    }

    pub(crate) fn ints(name: &str, ints: &[i64]) -> Self {
        Self { ints: ints.into(), ..Self::of(name, 7) }
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Tensor {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub(crate) dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub(crate) data_type: i32,
    #[prost(string, tag = "8")]
    pub(crate) name: String,
    #[prost(bytes = "vec", tag = "9")]
    pub(crate) raw_data: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ValueInfo {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) kind: Option<Type>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Type {
    #[prost(message, optional, tag = "1")]
    pub(crate) tensor: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TensorType {
    #[prost(int32, tag = "1")]
    pub(crate) elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub(crate) shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Shape {
    #[prost(message, repeated, tag = "1")]
    pub(crate) dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Dimension {
    #[prost(oneof = "Side", tags = "1, 2")]
    pub(crate) side: Option<Side>,
}

/// A side of a shape: a number, or the name of one that is known when the file is run.
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Side {
    #[prost(int64, tag = "1")]
    Number(i64),
    #[prost(string, tag = "2")]
    Name(String),
}

/// A value of a kind of numbers and a shape.
pub(crate) fn value(name: &str, elem_type: i32, sides: &[Side]) -> ValueInfo {
    let dim = sides.iter().map(|side| Dimension { side: Some(side.clone()) }).collect();
    let tensor = TensorType { elem_type, shape: Some(Shape { dim }) };
    ValueInfo { name: name.into(), kind: Some(Type { tensor: Some(tensor) }) }
}

/// The sides of a batch of rows of a shape.
pub(crate) fn batch_of(shape: &[usize]) -> Vec<Side> {
    let numbers = shape.iter().map(|&side| Side::Number(side as i64));
    std::iter::once(Side::Name("batch".into())).chain(numbers).collect()
}
