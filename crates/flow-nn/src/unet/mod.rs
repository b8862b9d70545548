//! A U-Net of the ADM family, for images of any height and width that can be halved.

mod attention;
mod block;
mod config;
mod footprint;
mod graph;
mod recompute;
mod resample;

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{GroupNorm, Linear};
use burn::tensor::{Shape, Tensor, activation::silu};
use flow_kernels::{Activation, Precision};

use crate::condition::Condition;
use crate::embed::{ClassEmbedding, LatentEmbedding, TimeEmbedding, VectorEmbedding};
use crate::graph::{Graph, Inputs, Value};
use crate::layer::{conv, norm};
use crate::network::{Network, Time};
use crate::signature::Signature;
use attention::Attention;
use block::ResidualBlock;
use resample::{Downsample, Upsample};

pub use config::{Fusion, UNetConfig};

/// Share of the latent's embedding in a bottleneck sum (Guo & Schwing 2025, arXiv:2502.09616,
/// section 4.4).
const LATENT_SHARE: f64 = 0.9;

/// An encoder and a decoder joined at every resolution by skip connections.
///
/// Residual blocks see the time, the class and the latent through adaptive group norm, or the
/// latent is mixed into the bottleneck ([`Fusion`]); attention is added at chosen resolutions.
/// Every residual branch and the output layer start at zero.
///
/// # Reference
/// Dhariwal & Nichol (2021), "Diffusion Models Beat GANs on Image Synthesis", arXiv:2105.05233,
/// section 3; Ronneberger et al. (2015), arXiv:1505.04597, for the shape.
#[derive(Module, Debug)]
pub struct UNet {
    time: TimeEmbedding,
    class: Option<ClassEmbedding>,
    latent: Option<LatentEmbedding>,
    #[module(skip)]
    fusion: Fusion,
    /// All scales and shifts of all blocks in one product, `[E, sum of 2 C_block]`.
    modulation: Linear,
    input: Conv2d,
    down: Vec<Stage>,
    middle: [Unit; 2],
    up: Vec<Stage>,
    norm: GroupNorm,
    output: Conv2d,
    vector: Option<VectorEmbedding>,
    duration: Option<TimeEmbedding>,
    #[module(skip)]
    signature: Signature,
    #[module(skip)]
    training: Training,
}

/// How it is trained, which no other pass has to know.
#[derive(Clone, Copy, Debug, Default)]
struct Training {
    /// Of the convolutions between hidden channels.
    precision: Precision,
    /// Whether a tape computes residual branches again in place of keeping what is inside of them.
    recompute: bool,
}

/// The blocks of one resolution.
#[derive(Module, Debug)]
struct Stage {
    units: Vec<Unit>,
    downsample: Option<Downsample>,
    upsample: Option<Upsample>,
}

/// A residual block and, at some resolutions, attention after it.
#[derive(Module, Debug)]
struct Unit {
    block: ResidualBlock,
    attention: Option<Attention>,
}

impl Unit {
    fn forward(&self, x: Tensor<4>, modulation: &mut Modulation, training: Training) -> Tensor<4> {
        let (scale, shift) = modulation.next(self.block.channels());
        let branch = if training.recompute { recompute::branch } else { ResidualBlock::branch };
        let h = branch(&self.block, x.clone(), scale, shift, training.precision);
        let x = self.block.around(h, x, training.precision);
        match &self.attention {
            Some(attention) => attention.forward(x, training.precision),
            None => x,
        }
    }
}

/// Hands out the scales and shifts in the order of the blocks.
struct Modulation {
    all: Tensor<2>,
    used: usize,
}

impl Modulation {
    /// Scale and shift of the next block, each `[B, C]`.
    fn next(&mut self, channels: usize) -> (Tensor<2>, Tensor<2>) {
        let scale = self.all.clone().narrow(1, self.used, channels);
        let shift = self.all.clone().narrow(1, self.used + channels, channels);
        self.used += 2 * channels;
        (scale, shift)
    }
}

impl Network for UNet {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// # Panics
    /// When the signature names a vector, a context or a latent, and the condition has none of its
    /// size, or when `x` is not made of rows of the signature's shape.
    fn forward(&self, x: Tensor<2>, time: Time, condition: &Condition) -> Tensor<2> {
        let [batch, size] = x.dims();
        let mut embedding = self.time.forward(time.t.clone()); // [B, E]
        if let Some(duration) = &self.duration {
            embedding = embedding + duration.forward(time.duration());
        }
        if let Some(class) = &self.class {
            embedding = embedding + class.forward(condition.class.as_ref(), batch);
        }
        if let Some(vector) = &self.vector {
            embedding = embedding + vector.forward(condition);
        }
        let latent = self.latent.as_ref().map(|latent| {
            let z = condition.expect_latent(latent.size());
            (latent.forward(z), self.fusion)
        });
        if let Some((latent, Fusion::AdaptiveNorm)) = &latent {
            embedding = embedding + latent.clone();
        }
        let all = crate::layer::linear(&self.modulation, silu(embedding), Activation::Identity);
        let all = all.clone().expand(Shape::new([batch, all.dims()[1]]));
        let (mut modulation, training) = (Modulation { all, used: 0 }, self.training);

        let mut h = conv(&self.input, self.image(x, condition));
        let mut skips = vec![h.clone()];
        for stage in &self.down {
            for unit in &stage.units {
                h = unit.forward(h, &mut modulation, training);
                skips.push(h.clone());
            }
            if let Some(downsample) = &stage.downsample {
                h = downsample.forward(h);
                skips.push(h.clone());
            }
        }
        for unit in &self.middle {
            h = unit.forward(h, &mut modulation, training);
        }
        if let Some((latent, Fusion::BottleneckSum)) = latent {
            h = latent.unsqueeze_dims::<4>(&[2, 3]) * LATENT_SHARE + h * (1.0 - LATENT_SHARE);
        }
        for stage in &self.up {
            for unit in &stage.units {
                let skip = skips.pop().expect("the decoder mirrors the encoder");
                h = unit.forward(Tensor::cat(vec![h, skip], 1), &mut modulation, training);
            }
            if let Some(upsample) = &stage.upsample {
                h = upsample.forward(h, training.precision);
            }
        }
        conv(&self.output, norm(&self.norm, h, Activation::Silu)).reshape([batch, size])
    }

    fn graph(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        self.operations(graph, inputs)
    }

    fn recompute(&mut self, again: bool) -> bool {
        self.training.recompute = again;
        true
    }

    fn multiply_in(&mut self, precision: Precision) -> bool {
        self.training.precision = precision;
        true
    }
}

impl UNet {
    /// Rows as images, with the channels of the context behind their own.
    fn image(&self, x: Tensor<2>, condition: &Condition) -> Tensor<4> {
        let Signature { shape, context, .. } = &self.signature;
        let ([batch, _], [height, width]) = (x.dims(), [shape[1], shape[2]]);
        let x = x.reshape([batch, shape[0], height, width]);
        if context.is_empty() {
            return x;
        }
        let (given, hidden) = condition.expect_context(context.iter().product());
        let given = given.reshape([batch, context[0], height, width]);
        let flag = Shape::new([batch, 1, height, width]);
        let hidden = hidden.unsqueeze_dims::<4>(&[2, 3]).expand(flag);
        Tensor::cat(vec![x, given, hidden], 1)
    }
}
