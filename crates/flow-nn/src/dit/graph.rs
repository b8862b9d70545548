//! The transformer as operations of a graph, in the order of its `forward`.

use burn::tensor::Device;
use flow_kernels::Activation;

use super::tokens::Grid;
use super::{Dit, Given};
use crate::graph::{Graph, Inputs, Value};

impl Dit {
    /// Nothing for sequences of different lengths, which a graph has no input for.
    pub(super) fn operations(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        if self.signature.lengths {
            return None;
        }
        let mut conditions = Vec::with_capacity(self.embeddings.len());
        for embedding in &self.embeddings {
            let sum = embedding.graph(graph, inputs)?;
            conditions.push(graph.activate(sum, Activation::Silu));
        }
        let [_, tokens, width] = self.positions.dims();
        let (own, last) = (self.grid.count(), conditions.len() - 1);
        let positions = graph.fixed(&self.positions);
        let h = self.tokens_of(graph, inputs)?;
        let mut h = graph.add(h, positions);
        for (i, block) in self.blocks.iter().enumerate() {
            h = block.graph(graph, h, conditions[i.min(last)], [tokens, width]);
        }
        let h = if own < tokens { graph.slice(h, 1, 0, own) } else { h };
        let h = self.head.graph(graph, h, conditions[0], [own, width]);
        let joined = self.grid.joined(graph, h);
        Some(graph.reshape_like(joined, inputs.x))
    }

    /// The tokens of rows and context without their positions, `[B, N, D]`.
    fn tokens_of(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        let rows = self.grid.parted(graph, inputs.x);
        let Some(given) = &self.given else {
            return Some(graph.linear(&self.input, rows, Activation::Identity));
        };
        let (Given::Joined(grid) | Given::Tokens(grid)) = given;
        let context = grid.parted(graph, inputs.context?);
        let context = inputs.flagged(graph, context, 2, 3)?;
        Some(match &self.context {
            None => {
                let both = graph.concat(&[rows, context], 2);
                graph.linear(&self.input, both, Activation::Identity)
            }
            Some(layer) => {
                let rows = graph.linear(&self.input, rows, Activation::Identity);
                let context = graph.linear(layer, context, Activation::Identity);
                graph.concat(&[rows, context], 1)
            }
        })
    }
}

impl Grid {
    /// Rows of the grid's shape as tokens: `split` as operations.
    fn parted(&self, graph: &mut dyn Graph, x: Value) -> Value {
        match *self {
            Self::Columns(columns) => {
                let own = graph.fixed(&super::tokens::diagonal(columns, &Device::flex()));
                let x = graph.reshape(x, &[0, columns as i64, 1]);
                graph.multiply(x, own)
            }
            Self::Elements { .. } => x,
            Self::Patches { channels, rows, columns, patch } => {
                let sides = [channels, rows, patch, columns, patch].map(|side| side as i64);
                let x = graph.reshape(x, &[&[0], &sides[..]].concat());
                let x = graph.transpose(x, &[0, 2, 4, 3, 5, 1]);
                graph.reshape(x, &[0, self.count() as i64, self.width() as i64])
            }
        }
    }

    /// Tokens as numbers in the order of rows: `join` as operations, in any shape.
    fn joined(&self, graph: &mut dyn Graph, tokens: Value) -> Value {
        match *self {
            Self::Columns(columns) => {
                // The number at its own place, summed by a product with ones.
                let own = graph.fixed(&super::tokens::diagonal(columns, &Device::flex()));
                let own = graph.multiply(tokens, own);
                let ones = graph.constant(&[columns, 1], &vec![1.0; columns]);
                graph.matmul(own, ones)
            }
            Self::Elements { .. } => tokens,
            Self::Patches { channels, rows, columns, patch } => {
                let sides = [rows, columns, patch, patch, channels].map(|side| side as i64);
                let x = graph.reshape(tokens, &[&[0], &sides[..]].concat());
                graph.transpose(x, &[0, 5, 1, 3, 2, 4])
            }
        }
    }
}
