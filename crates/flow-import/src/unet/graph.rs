//! The U-Net as operations of a graph, in the order of its `forward`.

use flow_kernels::Activation;
use flow_nn::graph::{Graph, Inputs, Value};

use super::AdmUNet;
use super::layer::{Attention, Resample, Residual, Size, Unit};

/// How an image changes its size, and the width that it has before.
type Resized = (Size, usize);

impl AdmUNet {
    pub(super) fn operations(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        let mut told = self.time.graph(graph, inputs.t);
        if let Some(class) = &self.class {
            let class = class.graph(graph, inputs.class?);
            told = graph.add(told, class);
        }
        let told = graph.activate(told, Activation::Silu);

        let mut width = *self.signature.shape.last()?;
        let mut h = graph.conv(&self.input, inputs.x);
        let mut skips = vec![h];
        for stage in &self.down {
            for unit in &stage.units {
                h = unit.graph(graph, h, told);
                skips.push(h);
            }
            if let Some(resample) = &stage.resample {
                h = resample.graph(graph, h, told, (Size::Halved, width));
                skips.push(h);
                width /= 2;
            }
        }
        for unit in &self.middle {
            h = unit.graph(graph, h, told);
        }
        for stage in &self.up {
            for unit in &stage.units {
                let joined = graph.concat(&[h, skips.pop()?], 1);
                h = unit.graph(graph, joined, told);
            }
            if let Some(resample) = &stage.resample {
                h = resample.graph(graph, h, told, (Size::Doubled, width));
                width *= 2;
            }
        }
        let h = graph.norm(&self.norm, h);
        let h = graph.activate(h, Activation::Silu);
        Some(graph.conv(&self.output, h))
    }
}

impl Size {
    /// An image of these channels and this width in its new size.
    fn graph(self, graph: &mut dyn Graph, x: Value, [channels, width]: [usize; 2]) -> Value {
        match self {
            Self::Kept => x,
            Self::Doubled => graph.double(x),
            Self::Halved => {
                let half = width as i64 / 2;
                // The mean of 2 x 2 pixels: [B, C H / 2, 2, W / 2, 2].
                let squares = graph.reshape(x, &[0, -1, 2, half, 2]);
                let rows = [0, 1].map(|row| graph.slice(squares, 2, row, row + 1));
                let rows = graph.add(rows[0], rows[1]);
                let columns = [0, 1].map(|column| graph.slice(rows, 4, column, column + 1));
                let sums = graph.add(columns[0], columns[1]);
                let means = graph.times(sums, 0.25);
                graph.reshape(means, &[0, channels as i64, -1, half])
            }
        }
    }
}

impl Residual {
    fn graph(&self, graph: &mut dyn Graph, x: Value, told: Value, by: Resized) -> Value {
        let sides = self.conv1.weight.lazy_shape();
        let (to, from) = (sides[0], sides[1]);
        let h = graph.norm(&self.norm1, x);
        let h = graph.activate(h, Activation::Silu);
        let h = by.0.graph(graph, h, [from, by.1]);
        let h = graph.conv(&self.conv1, h);
        let x = by.0.graph(graph, x, [from, by.1]);
        let told = graph.linear(&self.told, told, Activation::Identity);
        let told = graph.reshape(told, &[0, -1, 1, 1]);
        let h = if self.modulated {
            let h = graph.norm(&self.norm2, h);
            let scale = graph.slice(told, 1, 0, to);
            let scale = graph.plus(scale, 1.0);
            let shift = graph.slice(told, 1, to, 2 * to);
            let h = graph.multiply(h, scale);
            graph.add(h, shift)
        } else {
            let h = graph.add(h, told);
            graph.norm(&self.norm2, h)
        };
        let h = graph.activate(h, Activation::Silu);
        let h = graph.conv(&self.conv2, h);
        let skip = self.skip.as_ref().map_or(x, |skip| graph.conv(skip, x));
        graph.add(h, skip)
    }
}

impl Attention {
    fn graph(&self, graph: &mut dyn Graph, x: Value) -> Value {
        let seen = self.norm.as_ref().map_or(x, |norm| graph.norm(norm, x));
        let qkv = graph.conv(&self.qkv, seen);
        let channels = self.out.weight.lazy_shape()[0];
        let y = graph.attention_of_pixels(qkv, x, [self.heads, channels]);
        let y = graph.conv(&self.out, y);
        graph.add(x, y)
    }
}

impl Unit {
    fn graph(&self, graph: &mut dyn Graph, x: Value, told: Value) -> Value {
        let h = self.residual.graph(graph, x, told, (Size::Kept, 0));
        self.attention.as_ref().map_or(h, |attention| attention.graph(graph, h))
    }
}

impl Resample {
    fn graph(&self, graph: &mut dyn Graph, x: Value, told: Value, by: Resized) -> Value {
        if let Some(residual) = &self.residual {
            return residual.graph(graph, x, told, by);
        }
        let x = if by.0 == Size::Doubled { graph.double(x) } else { x };
        self.conv.as_ref().map_or(x, |layer| graph.conv(layer, x))
    }
}
