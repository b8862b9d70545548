//! A network written down as operations, for programs that run it elsewhere.
//!
//! [`Network::graph`](crate::Network::graph) tells a [`Graph`] what
//! [`Network::forward`](crate::Network::forward) does to tensors, operation by operation. There
//! are two graphs: flow-onnx writes the operations into a file, and the tests of this crate compute
//! them and compare with `forward`.

use burn::module::{Param, ParamId};
use burn::nn::conv::Conv2d;
use burn::nn::{GroupNorm, Linear};
use burn::tensor::Tensor;
use flow_kernels::Activation;

/// The output of an operation, by its number in the graph that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value(pub usize);

/// The inputs of a network, with a batch in front of every shape: those that its
/// [`Signature`](crate::Signature) names.
#[derive(Clone, Copy, Debug)]
pub struct Inputs {
    /// Rows, `[B, ..]` of the signature's shape: not flat.
    pub x: Value,
    /// The time of each row, `[B, 1]`.
    pub t: Value,
    /// Where a flow map arrives, `[B, 1]`.
    pub s: Option<Value>,
    /// Whole numbers, the class of each row or the null class, `[B]`.
    pub class: Option<Value>,
    /// A condition vector for each row, `[B, vector]`.
    pub vector: Option<Value>,
    /// A conditioning row for each row, `[B, ..]` of the signature's context.
    pub context: Option<Value>,
    /// One where vector and context are hidden, else zero, `[B, 1]`; there with either of them.
    pub hidden: Option<Value>,
    /// A latent for each row, `[B, latent]`.
    pub latent: Option<Value>,
}

impl Inputs {
    /// How far a flow map goes, `s - t`, `[B, 1]`.
    pub(crate) fn duration(&self, graph: &mut dyn Graph) -> Option<Value> {
        let back = graph.times(self.t, -1.0);
        self.s.map(|s| graph.add(s, back))
    }

    /// Numbers with zeros where they are hidden, and behind them along the side `axis` of `rank` a
    /// one that says so, as a network reads what may be hidden.
    pub(crate) fn flagged(
        &self,
        graph: &mut dyn Graph,
        numbers: Value,
        axis: usize,
        rank: usize,
    ) -> Option<Value> {
        let mut column = vec![1; rank];
        column[0] = 0;
        let hidden = graph.reshape(self.hidden?, &column);
        let visible = graph.times(hidden, -1.0);
        let visible = graph.plus(visible, 1.0);
        let shown = graph.multiply(numbers, visible);
        // The flag has the sides of one number along the axis.
        let one = graph.slice(shown, axis, 0, 1);
        let nothing = graph.times(one, 0.0);
        let flag = graph.add(nothing, hidden);
        Some(graph.concat(&[shown, flag], axis))
    }
}

/// A function of each number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The error function.
    Erf,
    /// The cosine.
    Cos,
    /// The sine.
    Sin,
    /// `gamma x` above zero and `gamma alpha (exp(x) - 1)` below, with `alpha = 1.67326` and
    /// `gamma = 1.05070`, the scaled exponential linear unit (Klambauer et al. 2017,
    /// arXiv:1706.02515, equation 2).
    Selu,
}

/// A recorder of the operations of a network.
///
/// Sides are known but for the batch, which comes first. Numbers are of single precision. The names
/// and rules are those of ONNX: shapes of `add` and `multiply` are broadcast, and in `reshape` 0
/// keeps a side and -1 is what is left.
pub trait Graph {
    /// A parameter; asked for again by its identity, it is the same.
    fn parameter(&mut self, id: ParamId, shape: &[usize], values: &dyn Fn() -> Vec<f32>) -> Value;

    /// A constant.
    fn constant(&mut self, shape: &[usize], values: &[f32]) -> Value;

    /// `a + b`.
    fn add(&mut self, a: Value, b: Value) -> Value;

    /// `a b`, number by number.
    fn multiply(&mut self, a: Value, b: Value) -> Value;

    /// The product of the matrices in the last two sides.
    fn matmul(&mut self, a: Value, b: Value) -> Value;

    /// A function of each number.
    fn map(&mut self, function: Function, x: Value) -> Value;

    /// Parts beside each other along a side.
    fn concat(&mut self, parts: &[Value], axis: usize) -> Value;

    /// The numbers `start..end` along a side.
    fn slice(&mut self, x: Value, axis: usize, start: usize, end: usize) -> Value;

    /// The same numbers in another shape: 0 keeps a side, one -1 is what is left.
    fn reshape(&mut self, x: Value, shape: &[i64]) -> Value;

    /// The same numbers in the shape of another value.
    fn reshape_like(&mut self, x: Value, like: Value) -> Value;

    /// Sides in another order.
    fn transpose(&mut self, x: Value, order: &[usize]) -> Value;

    /// `exp(x)` over its sum along the last side.
    fn softmax(&mut self, x: Value) -> Value;

    /// `(x - mean) / sqrt(var + epsilon)` over each last side of `[B, groups, n]`.
    fn standardise(&mut self, x: Value, groups: usize, epsilon: f64) -> Value;

    /// A convolution, `[B, C, H, W]` with weights `[C', C, k, k]`.
    fn convolve(
        &mut self,
        x: Value,
        weight: Value,
        bias: Option<Value>,
        stride: usize,
        padding: usize,
    ) -> Value;

    /// Each pixel of `[B, C, H, W]` twice, and each row of pixels.
    fn double(&mut self, x: Value) -> Value;

    /// The rows of a table `[n, d]` at whole numbers `[B]`.
    fn gather(&mut self, table: Value, rows: Value) -> Value;
}

/// What networks are made of.
impl dyn Graph + '_ {
    /// A parameter of a module.
    pub fn param<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) -> Value {
        let tensor = parameter.val();
        self.parameter(parameter.id, &tensor.dims(), &|| floats(tensor.clone()))
    }

    /// A tensor that is no parameter.
    pub fn fixed<const D: usize>(&mut self, tensor: &Tensor<D>) -> Value {
        self.constant(&tensor.dims(), &floats(tensor.clone()))
    }

    /// `x + number`.
    pub fn plus(&mut self, x: Value, number: f64) -> Value {
        let number = self.constant(&[1], &[number as f32]);
        self.add(x, number)
    }

    /// `x number`.
    pub fn times(&mut self, x: Value, number: f64) -> Value {
        let number = self.constant(&[1], &[number as f32]);
        self.multiply(x, number)
    }

    /// A value and another, if there is one.
    pub fn plus_some(&mut self, x: Value, other: Option<Value>) -> Value {
        other.map_or(x, |other| self.add(x, other))
    }

    /// An activation.
    ///
    /// # Panics
    /// For one that no network of this crate has.
    pub fn activate(&mut self, x: Value, activation: Activation) -> Value {
        match activation {
            Activation::Identity => x,
            Activation::Silu => {
                let gate = self.map(Function::Sigmoid, x);
                self.multiply(x, gate)
            }
            Activation::Gelu => {
                let erf = self.times(x, std::f64::consts::FRAC_1_SQRT_2);
                let erf = self.map(Function::Erf, erf);
                let double = self.plus(erf, 1.0);
                let gate = self.times(double, 0.5);
                self.multiply(x, gate)
            }
            Activation::GeluTanh => {
                // z / (1 + exp(-2 u)), u = sqrt(2 / pi) (z + 0.044715 z^3)
                let square = self.multiply(x, x);
                let inner = self.times(square, 0.044715);
                let inner = self.plus(inner, 1.0);
                let inner = self.multiply(x, inner);
                let inner = self.times(inner, 2.0 * std::f64::consts::FRAC_2_PI.sqrt());
                let gate = self.map(Function::Sigmoid, inner);
                self.multiply(x, gate)
            }
            other => unreachable!("no network here has the activation {other:?}"),
        }
    }

    /// `act(x W + b)` of the last side.
    pub fn linear(&mut self, layer: &Linear, x: Value, activation: Activation) -> Value {
        let weight = self.param(&layer.weight);
        let bias = layer.bias.as_ref().map(|bias| self.param(bias));
        let product = self.matmul(x, weight);
        let sum = self.plus_some(product, bias);
        self.activate(sum, activation)
    }

    /// A convolution of odd size that keeps the size of the image at stride 1.
    pub fn conv(&mut self, layer: &Conv2d, x: Value) -> Value {
        let weight = self.param(&layer.weight);
        let bias = layer.bias.as_ref().map(|bias| self.param(bias));
        self.convolve(x, weight, bias, layer.stride[0], layer.kernel_size[0] / 2)
    }

    /// `gamma (x - mean) / std + beta` over groups of channels of `[B, C, H, W]`.
    pub fn norm(&mut self, layer: &GroupNorm, x: Value) -> Value {
        let flat = self.reshape(x, &[0, layer.num_groups as i64, -1]);
        let flat = self.standardise(flat, layer.num_groups, layer.epsilon);
        let mut y = self.reshape_like(flat, x);
        if let Some(gamma) = &layer.gamma {
            let gamma = self.param(gamma);
            let gamma = self.reshape(gamma, &[1, -1, 1, 1]);
            y = self.multiply(y, gamma);
        }
        if let Some(beta) = &layer.beta {
            let beta = self.param(beta);
            let beta = self.reshape(beta, &[1, -1, 1, 1]);
            y = self.add(y, beta);
        }
        y
    }

    /// `softmax(q k^T / sqrt(d)) v` of `[B, heads, N, d]`.
    pub fn attention(&mut self, [q, k, v]: [Value; 3], d: usize) -> Value {
        let k = self.transpose(k, &[0, 1, 3, 2]);
        let scores = self.matmul(q, k);
        let scores = self.times(scores, (d as f64).sqrt().recip());
        let weights = self.softmax(scores);
        self.matmul(weights, v)
    }

    /// The attention of the pixels of an image `x`, `[B, C, H, W]`, whose queries, keys and values
    /// stand below each other in `qkv`, `[B, 3 C, H, W]`; of several heads, in the shape of `x`.
    pub fn attention_of_pixels(
        &mut self,
        qkv: Value,
        x: Value,
        [heads, channels]: [usize; 2],
    ) -> Value {
        let d = channels / heads;
        let parts = [0, 1, 2].map(|i| {
            let part = self.slice(qkv, 1, i * channels, (i + 1) * channels);
            let part = self.reshape(part, &[0, heads as i64, d as i64, -1]);
            self.transpose(part, &[0, 1, 3, 2]) // [B, heads, HW, d]
        });
        let y = self.attention(parts, d);
        let y = self.transpose(y, &[0, 1, 3, 2]);
        self.reshape_like(y, x)
    }

    /// `[cos(w_k x_i), sin(w_k x_i)]` for every number of a row, `[B, n] -> [B, 2 K n]`.
    pub fn sinusoids(&mut self, x: Value, n: usize, frequencies: &[f32]) -> Value {
        let count = frequencies.len();
        let frequencies = self.constant(&[1, 1, count], frequencies);
        let each = self.reshape(x, &[0, n as i64, 1]);
        let angle = self.multiply(each, frequencies);
        let angle = self.reshape(angle, &[0, (n * count) as i64]);
        let (cos, sin) = (self.map(Function::Cos, angle), self.map(Function::Sin, angle));
        self.concat(&[cos, sin], 1)
    }
}

/// Numbers of a tensor on the host.
fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_into_vec().expect("converted to f32 just before")
}
