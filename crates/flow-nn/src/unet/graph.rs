//! The U-Net as operations of a graph, in the order of its `forward`.

use flow_kernels::Activation;

use super::{Fusion, LATENT_SHARE, UNet, Unit};
use crate::embed::Told;
use crate::graph::{Graph, Inputs, Value};

impl UNet {
    pub(super) fn operations(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        let in_norms = |_: &_| self.fusion == Fusion::AdaptiveNorm;
        let told = Told {
            time: &self.time,
            duration: self.duration.as_ref(),
            class: self.class.as_ref(),
            vector: self.vector.as_ref(),
            latent: self.latent.as_ref().filter(in_norms),
        };
        let embedding = told.graph(graph, inputs)?;
        let embedding = graph.activate(embedding, Activation::Silu);
        let all = graph.linear(&self.modulation, embedding, Activation::Identity);
        let mut modulation = Modulation { all, used: 0 };

        let image = self.image_of(graph, inputs)?;
        let mut h = graph.conv(&self.input, image);
        let mut skips = vec![h];
        for stage in &self.down {
            for unit in &stage.units {
                h = unit.operations(graph, h, &mut modulation);
                skips.push(h);
            }
            if let Some(downsample) = &stage.downsample {
                h = graph.conv(&downsample.conv, h);
                skips.push(h);
            }
        }
        for unit in &self.middle {
            h = unit.operations(graph, h, &mut modulation);
        }
        if let Some(latent) = self.latent.as_ref().filter(|_| self.fusion == Fusion::BottleneckSum)
        {
            let z = latent.graph(graph, inputs.latent?);
            let z = graph.reshape(z, &[0, -1, 1, 1]);
            let (z, kept) = (graph.times(z, LATENT_SHARE), graph.times(h, 1.0 - LATENT_SHARE));
            h = graph.add(z, kept);
        }
        for stage in &self.up {
            for unit in &stage.units {
                let joined = graph.concat(&[h, skips.pop()?], 1);
                h = unit.operations(graph, joined, &mut modulation);
            }
            if let Some(upsample) = &stage.upsample {
                let doubled = graph.double(h);
                h = graph.conv(&upsample.conv, doubled);
            }
        }
        let h = graph.norm(&self.norm, h);
        let h = graph.activate(h, Activation::Silu);
        Some(graph.conv(&self.output, h))
    }

    /// Rows, with the channels of the context and the flag that hides them behind their own.
    fn image_of(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        if self.signature.context.is_empty() {
            return Some(inputs.x);
        }
        let context = inputs.flagged(graph, inputs.context?, 1, 4)?;
        Some(graph.concat(&[inputs.x, context], 1))
    }
}

impl Unit {
    fn operations(&self, graph: &mut dyn Graph, x: Value, modulation: &mut Modulation) -> Value {
        let scale_and_shift = modulation.next(graph, self.block.channels());
        let x = self.block.graph(graph, x, scale_and_shift);
        self.attention.as_ref().map_or(x, |attention| attention.graph(graph, x))
    }
}

/// Hands out the scales and shifts in the order of the blocks.
struct Modulation {
    all: Value,
    used: usize,
}

impl Modulation {
    /// Scale and shift of the next block, each `[B, C, 1, 1]`.
    fn next(&mut self, graph: &mut dyn Graph, channels: usize) -> [Value; 2] {
        [(); 2].map(|()| {
            let part = graph.slice(self.all, 1, self.used, self.used + channels);
            self.used += channels;
            graph.reshape(part, &[0, -1, 1, 1])
        })
    }
}
