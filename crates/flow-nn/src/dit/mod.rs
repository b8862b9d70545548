//! A diffusion transformer: for images, sequences and the columns of tables.

mod block;
mod config;
mod embedding;
mod graph;
mod recompute;
mod tokens;

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::silu;
use burn::tensor::{Shape, Tensor};
use flow_kernels::{Activation, Precision};

use crate::condition::Condition;
use crate::graph::{Graph, Inputs, Value};
use crate::network::{Network, Time};
use crate::signature::Signature;
use block::{Block, Head, each};
use embedding::Embedding;
use tokens::Grid;

pub use config::{DitConfig, Embeddings};

/// Transformer blocks over tokens, which time and conditions shift, scale and gate (adaLN-Zero).
///
/// Tokens are the patches of an image, the elements of a sequence or the columns of a table, with
/// sine-cosine positions. A context whose tokens lie where those of the rows do, such as an image
/// to upsample, is joined to them; any other is read as further tokens before the first block,
/// behind those of the rows. Of sequences that end early no element attends to what lies behind the
/// end, where the answer is zero. Gates and output layer start at zero, so that a new network
/// answers zero.
///
/// # Reference
/// Peebles & Xie (2023), "Scalable Diffusion Models with Transformers", arXiv:2212.09748; Ma et al.
/// (2024), "SiT: Exploring Flow and Diffusion-based Generative Models with Scalable Interpolant
/// Transformers", arXiv:2401.08740, for its use with velocities.
#[derive(Module, Debug)]
pub struct Dit {
    input: Linear,
    context: Option<Linear>,
    blocks: Vec<Block>,
    head: Head,
    /// Of the rows' tokens, then of the context's where it has its own, `[1, N, D]`.
    positions: Tensor<3>,
    /// One for all blocks, or one for each. They stand behind the blocks, and the duration is the
    /// last of an embedding, so that a seed draws a flow map as the velocity, and that besides.
    embeddings: Vec<Embedding>,
    #[module(skip)]
    grid: Grid,
    #[module(skip)]
    given: Option<Given>,
    #[module(skip)]
    signature: Signature,
    /// Whether a tape computes blocks again in place of keeping what is inside of them.
    #[module(skip)]
    recompute: bool,
}

/// How a context is read.
#[derive(Clone, Debug)]
enum Given {
    /// As further numbers of the rows' tokens.
    Joined(Grid),
    /// As further tokens.
    Tokens(Grid),
}

impl Network for Dit {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// # Panics
    /// When the signature names a vector, a context, a latent or lengths, and the condition has
    /// none of its size, or when `x` is not made of rows of the signature's shape.
    fn forward(&self, x: Tensor<2>, time: Time, condition: &Condition) -> Tensor<2> {
        let [batch, _] = x.dims();
        let conditions: Vec<Tensor<2>> = self
            .embeddings
            .iter()
            .map(|embedding| silu(embedding.forward(&time, condition, batch)))
            .collect();
        let tokens = self.tokens(x, condition);
        let tokens = tokens.clone() + self.positions.clone().cast(tokens.dtype());
        let last = conditions.len() - 1;
        let lengths = condition.expect_lengths(&self.signature, batch);
        let blocks = self.blocks.iter().enumerate();
        let h = blocks.fold(tokens, |h, (i, block)| {
            let (condition, lengths) = (&conditions[i.min(last)], lengths.as_ref());
            if self.recompute {
                recompute::forward(block, h, condition, lengths)
            } else {
                block.forward(h, condition, lengths)
            }
        });
        let h = h.narrow(1, 0, self.grid.count());
        let y = self.grid.join(self.head.forward(h, &conditions[0]));
        match condition.within(&self.signature, &y) {
            Some(within) => y * within,
            None => y,
        }
    }

    fn graph(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        self.operations(graph, inputs)
    }

    fn recompute(&mut self, again: bool) -> bool {
        self.recompute = again;
        true
    }

    fn multiply_in(&mut self, precision: Precision) -> bool {
        self.blocks.iter_mut().for_each(|block| block.multiply_in(precision));
        true
    }
}

impl Dit {
    /// The tokens of rows and context without their positions, `[B, N, D]`.
    fn tokens(&self, x: Tensor<2>, condition: &Condition) -> Tensor<3> {
        let rows = self.grid.split(x);
        let Some(given) = &self.given else {
            return each(&self.input, rows, Activation::Identity);
        };
        let (Given::Joined(grid) | Given::Tokens(grid)) = given;
        let (context, hidden) = condition.expect_context(self.signature.context.iter().product());
        let context = grid.split(context);
        let [batch, count, _] = context.dims();
        let hidden = hidden.unsqueeze_dim::<3>(2).expand(Shape::new([batch, count, 1]));
        let context = Tensor::cat(vec![context, hidden], 2);
        match &self.context {
            None => each(&self.input, Tensor::cat(vec![rows, context], 2), Activation::Identity),
            Some(layer) => {
                let rows = each(&self.input, rows, Activation::Identity);
                Tensor::cat(vec![rows, each(layer, context, Activation::Identity)], 1)
            }
        }
    }
}
