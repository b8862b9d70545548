//! Everything that a network is told besides its rows, as operations of a graph.

use super::{ClassEmbedding, LatentEmbedding, TimeEmbedding, VectorEmbedding};
use crate::graph::{Graph, Inputs, Value};

/// The embeddings of a network, whose sum it reads.
pub(crate) struct Told<'a> {
    pub(crate) time: &'a TimeEmbedding,
    pub(crate) duration: Option<&'a TimeEmbedding>,
    pub(crate) class: Option<&'a ClassEmbedding>,
    pub(crate) vector: Option<&'a VectorEmbedding>,
    pub(crate) latent: Option<&'a LatentEmbedding>,
}

impl Told<'_> {
    /// Their sum, `[B, width]`; nothing if an input is missing.
    pub(crate) fn graph(self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        let mut sum = self.time.graph(graph, inputs.t);
        if let Some(duration) = self.duration {
            let time = inputs.duration(graph)?;
            let duration = duration.graph(graph, time);
            sum = graph.add(sum, duration);
        }
        if let Some(class) = self.class {
            let class = class.graph(graph, inputs.class?);
            sum = graph.add(sum, class);
        }
        if let Some(vector) = self.vector {
            let vector = vector.graph(graph, inputs)?;
            sum = graph.add(sum, vector);
        }
        if let Some(latent) = self.latent {
            let latent = latent.graph(graph, inputs.latent?);
            sum = graph.add(sum, latent);
        }
        Some(sum)
    }
}
