//! The block of a transformer, and the layers before and after all blocks.

use std::sync::Arc;

use burn::module::{Module, ModuleMapper, ModuleVisitor};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use flow_kernels::{Activation, Precision, attention, attention_within, group_norm_act};

use crate::graph::{Graph, Value};
use crate::layer::{linear, linear_in};

/// Hidden numbers of the MLP for each of a token.
pub(super) const MLP_RATIO: usize = 4;

/// Added to the variance of a token.
pub(super) const EPSILON: f64 = 1e-6;

/// Attention and an MLP, each behind a layer norm without parameters that the condition shifts and
/// scales, and before a gate that the condition opens:
///
/// `h <- h + g_1 attention((1 + s_1) norm(h) + b_1)`,
/// `h <- h + g_2 mlp((1 + s_2) norm(h) + b_2)`, with
/// `[b_1, s_1, g_1, b_2, s_2, g_2] = W silu(c) + b`, zero at first: a new block is the identity.
///
/// # Reference
/// Peebles & Xie (2023), "Scalable Diffusion Models with Transformers", arXiv:2212.09748, section
/// 3.2, adaLN-Zero.
#[derive(Module, Debug)]
pub(super) struct Block {
    modulation: Linear,
    qkv: Linear,
    out: Linear,
    up: Linear,
    down: Linear,
    heads: usize,
    mlp_epsilon: f64,
    /// Of the products on tokens.
    #[module(skip)]
    precision: Precision,
}

impl Block {
    pub(super) fn new(width: usize, heads: usize, mlp_epsilon: f64, device: &Device) -> Self {
        Self {
            modulation: zero(width, 6 * width, device),
            qkv: xavier(width, 3 * width, device),
            out: xavier(width, width, device),
            up: xavier(width, MLP_RATIO * width, device),
            down: xavier(MLP_RATIO * width, width, device),
            heads,
            mlp_epsilon,
            precision: Precision::F32,
        }
    }

    /// Multiplies tokens in a precision from now on, and what the condition asks of them as before.
    pub(super) fn multiply_in(&mut self, precision: Precision) {
        self.precision = precision;
    }

    /// # Shapes
    /// - `h` and output: `[B, N, D]`
    /// - `condition`: `silu(c)`, `[B, D]`, or `[1, D]` for one that all rows share
    /// - `lengths`: the tokens that are there of each row, if not all are
    pub(super) fn forward(
        &self,
        h: Tensor<3>,
        condition: &Tensor<2>,
        lengths: Option<&Arc<[usize]>>,
    ) -> Tensor<3> {
        self.on_tokens(h, self.asked(condition), lengths)
    }

    /// What a condition, `silu(c)`, asks of the tokens: `[B, 6 D]`.
    pub(super) fn asked(&self, condition: &Tensor<2>) -> Tensor<2> {
        linear(&self.modulation, condition.clone(), Activation::Identity)
    }

    /// What the block does with tokens, given what the condition asks of them, `[B, 6 D]`.
    pub(super) fn on_tokens(
        &self,
        h: Tensor<3>,
        modulation: Tensor<2>,
        lengths: Option<&Arc<[usize]>>,
    ) -> Tensor<3> {
        let [b1, s1, g1, b2, s2, g2] = split(modulation);
        let h = h.clone() + g1 * self.attend(modulated(h, EPSILON, s1, b1), lengths);
        let inner = modulated(h.clone(), self.mlp_epsilon, s2, b2);
        let inner = each_in(&self.up, inner, Activation::GeluTanh, self.precision);
        h + g2 * each_in(&self.down, inner, Activation::Identity, self.precision)
    }

    /// Shows the layers that work on tokens: all but the one that reads the condition.
    pub(super) fn visit_layers(&self, visitor: &mut impl ModuleVisitor) {
        for layer in [&self.qkv, &self.out, &self.up, &self.down] {
            layer.visit(visitor);
        }
    }

    /// The same block with other weights in these layers.
    pub(super) fn map_layers(self, mapper: &mut impl ModuleMapper) -> Self {
        let [qkv, out, up, down] =
            [self.qkv, self.out, self.up, self.down].map(|layer| layer.map(mapper));
        Self { qkv, out, up, down, ..self }
    }

    /// Self-attention over all tokens that are there.
    fn attend(&self, h: Tensor<3>, lengths: Option<&Arc<[usize]>>) -> Tensor<3> {
        let [batch, tokens, width] = h.dims();
        let qkv = each_in(&self.qkv, h, Activation::Identity, self.precision)
            .reshape([batch, tokens, 3, self.heads, width / self.heads])
            .permute([2, 0, 3, 1, 4]); // [3, B, heads, N, d]
        let [q, k, v] = [0, 1, 2].map(|i| qkv.clone().narrow(0, i, 1).squeeze_dim::<4>(0));
        let y = match lengths {
            None => attention(q, k, v),
            Some(lengths) => attention_within(q, k, v, lengths),
        };
        let y = y.swap_dims(1, 2).reshape([batch, tokens, width]);
        each_in(&self.out, y, Activation::Identity, self.precision)
    }
}

impl Block {
    /// The same as operations, on `tokens` tokens of `width` numbers.
    pub(super) fn graph(
        &self,
        graph: &mut dyn Graph,
        h: Value,
        condition: Value,
        [tokens, width]: [usize; 2],
    ) -> Value {
        let [b1, s1, g1, b2, s2, g2] = parts(graph, &self.modulation, condition, width);
        let inner = shifted(graph, h, [s1, b1], EPSILON, tokens);
        let inner = self.attend_graph(graph, inner, [tokens, width]);
        let inner = graph.multiply(g1, inner);
        let h = graph.add(h, inner);
        let inner = shifted(graph, h, [s2, b2], self.mlp_epsilon, tokens);
        let inner = graph.linear(&self.up, inner, Activation::GeluTanh);
        let inner = graph.linear(&self.down, inner, Activation::Identity);
        let inner = graph.multiply(g2, inner);
        graph.add(h, inner)
    }

    fn attend_graph(&self, graph: &mut dyn Graph, h: Value, [tokens, width]: [usize; 2]) -> Value {
        let d = width / self.heads;
        let qkv = graph.linear(&self.qkv, h, Activation::Identity);
        let each = [0, 1, 2].map(|i| {
            let part = graph.slice(qkv, 2, i * width, (i + 1) * width);
            let part = graph.reshape(part, &[0, tokens as i64, self.heads as i64, d as i64]);
            graph.transpose(part, &[0, 2, 1, 3]) // [B, heads, N, d]
        });
        let y = graph.attention(each, d);
        let y = graph.transpose(y, &[0, 2, 1, 3]);
        let y = graph.reshape(y, &[0, tokens as i64, width as i64]);
        graph.linear(&self.out, y, Activation::Identity)
    }
}

/// `W ((1 + s) norm(h) + b) + b'` with `[b, s]` from the condition: the last layer, zero at first.
#[derive(Module, Debug)]
pub(super) struct Head {
    modulation: Linear,
    out: Linear,
}

impl Head {
    pub(super) fn new(width: usize, output: usize, device: &Device) -> Self {
        Self { modulation: zero(width, 2 * width, device), out: zero(width, output, device) }
    }

    /// # Shapes
    /// - `h`: `[B, N, D]`, `condition`: `silu(c)`, `[B, D]` or `[1, D]`, output: `[B, N, output]`
    pub(super) fn forward(&self, h: Tensor<3>, condition: &Tensor<2>) -> Tensor<3> {
        let modulation = linear(&self.modulation, condition.clone(), Activation::Identity);
        let [shift, scale] = split(modulation);
        each(&self.out, modulated(h, EPSILON, scale, shift), Activation::Identity)
    }
}

impl Head {
    /// The same as operations, on `tokens` tokens of `width` numbers.
    pub(super) fn graph(
        &self,
        graph: &mut dyn Graph,
        h: Value,
        condition: Value,
        [tokens, width]: [usize; 2],
    ) -> Value {
        let [shift, scale] = parts(graph, &self.modulation, condition, width);
        let h = shifted(graph, h, [scale, shift], EPSILON, tokens);
        graph.linear(&self.out, h, Activation::Identity)
    }
}

/// What a condition asks of the tokens as operations, in `PARTS` parts of `[B, 1, D]`.
fn parts<const PARTS: usize>(
    graph: &mut dyn Graph,
    layer: &Linear,
    condition: Value,
    width: usize,
) -> [Value; PARTS] {
    let all = graph.linear(layer, condition, Activation::Identity);
    std::array::from_fn(|part| {
        let part = graph.slice(all, 1, part * width, (part + 1) * width);
        graph.reshape(part, &[0, 1, width as i64])
    })
}

/// `modulated` as operations.
fn shifted(
    graph: &mut dyn Graph,
    h: Value,
    [scale, shift]: [Value; 2],
    epsilon: f64,
    tokens: usize,
) -> Value {
    let h = graph.standardise(h, tokens, epsilon);
    let scale = graph.plus(scale, 1.0);
    let h = graph.multiply(h, scale);
    graph.add(h, shift)
}

/// A linear layer of each token, `[B, N, in] -> [B, N, out]`.
pub(super) fn each(layer: &Linear, tokens: Tensor<3>, activation: Activation) -> Tensor<3> {
    each_in(layer, tokens, activation, Precision::F32)
}

/// [`each`] with products of operands in a precision.
fn each_in(
    layer: &Linear,
    tokens: Tensor<3>,
    activation: Activation,
    precision: Precision,
) -> Tensor<3> {
    let [batch, count, width] = tokens.dims();
    let rows = linear_in(layer, tokens.reshape([batch * count, width]), activation, precision);
    let [_, width] = rows.dims();
    rows.reshape([batch, count, width])
}

/// What a condition asks of the tokens, `[B, PARTS D]`, in parts of `[B, 1, D]`.
fn split<const PARTS: usize>(modulation: Tensor<2>) -> [Tensor<3>; PARTS] {
    let all = modulation.unsqueeze_dim::<3>(1);
    let width = all.dims()[2] / PARTS;
    std::array::from_fn(|part| all.clone().narrow(2, part * width, width))
}

/// `(1 + scale) (h - mean) / sqrt(var + epsilon) + shift` over the numbers of each token.
fn modulated(h: Tensor<3>, epsilon: f64, scale: Tensor<3>, shift: Tensor<3>) -> Tensor<3> {
    let [batch, tokens, width] = h.dims();
    // The layer norm of tokens is the group norm of as many channels, each a group of its own.
    let ones = Tensor::ones([1, tokens], (&h.device(), h.dtype()));
    let zeros = ones.zeros_like();
    let h = h.reshape([batch, tokens, width, 1]);
    let h = group_norm_act(h, tokens, epsilon, ones, zeros, Activation::Identity);
    h.reshape([batch, tokens, width]) * (scale + 1.0) + shift
}

/// A linear layer drawn as those of transformers are, with a bias of zero.
///
/// # Reference
/// Glorot & Bengio (2010), "Understanding the difficulty of training deep feedforward neural
/// networks", equation 16.
pub(super) fn xavier(from: usize, to: usize, device: &Device) -> Linear {
    let weight = Initializer::XavierUniform { gain: 1.0 };
    let bias = Some(Initializer::Zeros.init([to], device));
    Linear { bias, ..linear_of(from, to, weight, device) }
}

/// A linear layer whose output is zero at first.
fn zero(from: usize, to: usize, device: &Device) -> Linear {
    linear_of(from, to, Initializer::Zeros, device)
}

fn linear_of(from: usize, to: usize, initializer: Initializer, device: &Device) -> Linear {
    LinearConfig::new(from, to).with_initializer(initializer).init(device)
}
