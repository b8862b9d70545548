//! Operations of a network as nodes of ONNX.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor as BurnTensor;
use flow_nn::DynNetwork;
use flow_nn::graph::{Function, Graph, Value};

use crate::proto::{Attribute, DOUBLE, FLOAT, INT64, Node, Tensor};

/// Nodes of a graph that is being built. Constants are written once and outside of all loops.
pub(crate) struct Builder {
    /// Nodes since the last [`inside`](Self::inside).
    nodes: Vec<Node>,
    initializers: Vec<Tensor>,
    /// The name of each value.
    names: Vec<String>,
    parameters: HashMap<ParamId, Value>,
    /// All other constants, by kind, shape and bytes.
    constants: BTreeMap<(i32, Vec<i64>, Vec<u8>), Value>,
    /// Paths of the parameters of the network.
    paths: HashMap<ParamId, String>,
}

impl Builder {
    /// For a network whose parameters keep their names.
    pub(crate) fn of(network: &DynNetwork) -> Self {
        let mut paths = Paths::default();
        network.visit(&mut paths);
        Self {
            nodes: Vec::new(),
            initializers: Vec::new(),
            names: Vec::new(),
            parameters: HashMap::new(),
            constants: BTreeMap::new(),
            paths: paths.found,
        }
    }

    /// A value under a name of its own, such as an input.
    pub(crate) fn named(&mut self, name: &str) -> Value {
        self.names.push(name.into());
        Value(self.names.len() - 1)
    }

    pub(crate) fn name(&self, value: Value) -> &str {
        &self.names[value.0]
    }

    /// The result of an operator.
    pub(crate) fn node(
        &mut self,
        op_type: &str,
        inputs: &[Value],
        attribute: Vec<Attribute>,
    ) -> Value {
        let [value] = self.nodes_of(op_type, inputs, attribute);
        value
    }

    /// The results of an operator that has several.
    pub(crate) fn nodes_of<const N: usize>(
        &mut self,
        op_type: &str,
        inputs: &[Value],
        attribute: Vec<Attribute>,
    ) -> [Value; N] {
        let values = [(); N].map(|()| {
            let name = format!("v{}", self.names.len());
            self.named(&name)
        });
        self.push(op_type, inputs, &values, attribute);
        values
    }

    /// Gives a value a name of the caller's, as outputs have.
    pub(crate) fn output(&mut self, value: Value, name: &str) {
        let named = self.named(name);
        self.push("Identity", &[value], &[named], Vec::new());
    }

    fn push(&mut self, op: &str, inputs: &[Value], outputs: &[Value], attribute: Vec<Attribute>) {
        let names = |values: &[Value]| -> Vec<String> {
            values.iter().map(|&value| self.name(value).into()).collect()
        };
        let (input, output) = (names(inputs), names(outputs));
        let name = format!("{op}_{}", output[0]);
        self.nodes.push(Node { input, output, name, op_type: op.into(), attribute });
    }

    /// A constant of whole numbers.
    pub(crate) fn ints(&mut self, shape: &[usize], numbers: &[i64]) -> Value {
        self.fixed(INT64, shape, numbers.iter().flat_map(|n| n.to_le_bytes()).collect())
    }

    /// A constant of double precision.
    pub(crate) fn double(&mut self, number: f64) -> Value {
        self.fixed(DOUBLE, &[], number.to_le_bytes().into())
    }

    fn fixed(&mut self, data_type: i32, shape: &[usize], raw_data: Vec<u8>) -> Value {
        let dims: Vec<i64> = shape.iter().map(|&side| side as i64).collect();
        let key = (data_type, dims.clone(), raw_data.clone());
        if let Some(&value) = self.constants.get(&key) {
            return value;
        }
        let name = format!("c{}", self.names.len());
        let value = self.named(&name);
        self.constants.insert(key, value);
        self.initializers.push(Tensor { dims, data_type, name, raw_data });
        value
    }

    /// Makes nodes apart from the others, such as the body of a loop.
    pub(crate) fn inside<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> (T, Vec<Node>) {
        let outer = std::mem::take(&mut self.nodes);
        let made = make(self);
        (made, std::mem::replace(&mut self.nodes, outer))
    }

    pub(crate) fn finish(self) -> (Vec<Node>, Vec<Tensor>) {
        (self.nodes, self.initializers)
    }
}

impl Graph for Builder {
    fn parameter(&mut self, id: ParamId, shape: &[usize], values: &dyn Fn() -> Vec<f32>) -> Value {
        if let Some(&value) = self.parameters.get(&id) {
            return value;
        }
        let name = self.paths.get(&id).map(|path| format!("network.{path}"));
        let name = name.unwrap_or_else(|| format!("p{}", self.names.len()));
        let value = self.named(&name);
        let dims = shape.iter().map(|&side| side as i64).collect();
        let raw_data = values().into_iter().flat_map(f32::to_le_bytes).collect();
        self.initializers.push(Tensor { dims, data_type: FLOAT, name, raw_data });
        self.parameters.insert(id, value);
        value
    }

    fn constant(&mut self, shape: &[usize], values: &[f32]) -> Value {
        self.fixed(FLOAT, shape, values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    fn add(&mut self, a: Value, b: Value) -> Value {
        self.node("Add", &[a, b], Vec::new())
    }

    fn multiply(&mut self, a: Value, b: Value) -> Value {
        self.node("Mul", &[a, b], Vec::new())
    }

    fn matmul(&mut self, a: Value, b: Value) -> Value {
        self.node("MatMul", &[a, b], Vec::new())
    }

    fn map(&mut self, function: Function, x: Value) -> Value {
        let op_type = match function {
            Function::Sigmoid => "Sigmoid",
            Function::Erf => "Erf",
            Function::Cos => "Cos",
            Function::Sin => "Sin",
            Function::Selu => "Selu",
        };
        self.node(op_type, &[x], Vec::new())
    }

    fn concat(&mut self, parts: &[Value], axis: usize) -> Value {
        self.node("Concat", parts, vec![Attribute::int("axis", axis as i64)])
    }

    fn slice(&mut self, x: Value, axis: usize, start: usize, end: usize) -> Value {
        let [start, end, axis] = [start, end, axis].map(|number| self.ints(&[1], &[number as i64]));
        self.node("Slice", &[x, start, end, axis], Vec::new())
    }

    fn reshape(&mut self, x: Value, shape: &[i64]) -> Value {
        let shape = self.ints(&[shape.len()], shape);
        self.node("Reshape", &[x, shape], Vec::new())
    }

    fn reshape_like(&mut self, x: Value, like: Value) -> Value {
        let shape = self.node("Shape", &[like], Vec::new());
        self.node("Reshape", &[x, shape], Vec::new())
    }

    fn transpose(&mut self, x: Value, order: &[usize]) -> Value {
        let order: Vec<i64> = order.iter().map(|&side| side as i64).collect();
        self.node("Transpose", &[x], vec![Attribute::ints("perm", &order)])
    }

    fn softmax(&mut self, x: Value) -> Value {
        self.node("Softmax", &[x], vec![Attribute::int("axis", -1)])
    }

    fn standardise(&mut self, x: Value, groups: usize, epsilon: f64) -> Value {
        let (scale, shift) = (
            self.constant(&[groups], &vec![1.0; groups]),
            self.constant(&[groups], &vec![0.0; groups]),
        );
        let epsilon = vec![Attribute::float("epsilon", epsilon as f32)];
        self.node("InstanceNormalization", &[x, scale, shift], epsilon)
    }

    fn convolve(
        &mut self,
        x: Value,
        weight: Value,
        bias: Option<Value>,
        stride: usize,
        padding: usize,
    ) -> Value {
        let inputs: Vec<Value> = [x, weight].into_iter().chain(bias).collect();
        let [stride, padding] = [stride, padding].map(|number| number as i64);
        let attributes =
            vec![Attribute::ints("strides", &[stride; 2]), Attribute::ints("pads", &[padding; 4])];
        self.node("Conv", &inputs, attributes)
    }

    fn double(&mut self, x: Value) -> Value {
        let (none, scales) = (self.named(""), self.constant(&[4], &[1.0, 1.0, 2.0, 2.0]));
        let attributes = vec![
            Attribute::text("mode", "nearest"),
            Attribute::text("nearest_mode", "floor"),
            Attribute::text("coordinate_transformation_mode", "asymmetric"),
        ];
        self.node("Resize", &[x, none, scales], attributes)
    }

    fn gather(&mut self, table: Value, rows: Value) -> Value {
        self.node("Gather", &[table, rows], vec![Attribute::int("axis", 0)])
    }
}

/// Paths of the parameters of a module.
#[derive(Default)]
struct Paths {
    path: Vec<String>,
    found: HashMap<ParamId, String>,
}

impl ModuleVisitor for Paths {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<BurnTensor<D>>) {
        self.found.insert(parameter.id, self.path.join("."));
    }
}
