//! Everything that a block is told besides its tokens, as one vector.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::condition::Condition;
use crate::embed::{Band, ClassEmbedding, LatentEmbedding, TimeEmbedding, Told, VectorEmbedding};
use crate::graph::{Graph, Inputs, Value};
use crate::network::Time;
use crate::signature::Signature;

/// Sinusoids of a time, as many as Peebles & Xie (2023) have.
pub(super) const SINUSOIDS: usize = 256;

/// The sum of what time, class, vector, latent and duration say.
#[derive(Module, Debug)]
pub(super) struct Embedding {
    time: TimeEmbedding,
    class: Option<ClassEmbedding>,
    vector: Option<VectorEmbedding>,
    latent: Option<LatentEmbedding>,
    duration: Option<TimeEmbedding>,
}

impl Embedding {
    pub(super) fn new(width: usize, band: Band, signature: &Signature, device: &Device) -> Self {
        let &Signature { classes, vector, latent, two_times, .. } = signature;
        Self {
            time: TimeEmbedding::within(band, SINUSOIDS, width, device),
            class: (classes > 0).then(|| ClassEmbedding::new(classes, width, device)),
            vector: (vector > 0).then(|| VectorEmbedding::new(vector, width, device)),
            latent: (latent > 0).then(|| LatentEmbedding::new(latent, width, width, device)),
            duration: two_times
                .then(|| TimeEmbedding::durations_within(band, SINUSOIDS, width, device)),
        }
    }

    /// # Shapes
    /// - output: `[batch, D]`, or `[1, D]` where nothing but one time for all rows is read
    pub(super) fn forward(&self, time: &Time, condition: &Condition, batch: usize) -> Tensor<2> {
        let mut sum = self.time.forward(time.t.clone());
        if let Some(duration) = &self.duration {
            sum = sum + duration.forward(time.duration());
        }
        if let Some(class) = &self.class {
            sum = sum + class.forward(condition.class.as_ref(), batch);
        }
        if let Some(vector) = &self.vector {
            sum = sum + vector.forward(condition);
        }
        if let Some(latent) = &self.latent {
            sum = sum + latent.forward(condition.expect_latent(latent.size()));
        }
        sum
    }

    /// The same as operations, `[B, D]`.
    pub(super) fn graph(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        let told = Told {
            time: &self.time,
            duration: self.duration.as_ref(),
            class: self.class.as_ref(),
            vector: self.vector.as_ref(),
            latent: self.latent.as_ref(),
        };
        told.graph(graph, inputs)
    }
}
