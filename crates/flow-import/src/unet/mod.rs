//! The U-Net of the ADM family as torchcfm and diffusers have it.

mod config;
mod diffusers;
mod footprint;
mod graph;
mod layer;
mod places;
mod torchcfm;

use burn::module::Module;
use burn::nn::GroupNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::activation::silu;
use flow_kernels::Activation;
use flow_nn::graph::{Graph, Inputs, Value};
use flow_nn::{ClassEmbedding, Condition, Network, Signature, Time, TimeEmbedding};

pub use config::{AdmUNetConfig, Heads};
pub(crate) use diffusers::UNet2dConfig;
use layer::{Resample, Size, Unit, conv, norm};
pub(crate) use places::Place;
pub(crate) use torchcfm::TorchcfmUNetConfig;

/// A U-Net of residual blocks and attention, told the time and the class by an embedding.
///
/// Ours of the same family, [`flow_nn::UNet`], differs in its details: this one is faithful to the
/// programs whose weights it takes.
///
/// # Reference
/// Dhariwal & Nichol (2021), "Diffusion Models Beat GANs on Image Synthesis", arXiv:2105.05233;
/// Tong et al. (2024), arXiv:2302.00482, for the use in torchcfm.
#[derive(Module, Debug)]
pub struct AdmUNet {
    time: TimeEmbedding,
    class: Option<ClassEmbedding>,
    input: Conv2d,
    down: Vec<Stage>,
    middle: [Unit; 2],
    up: Vec<Stage>,
    norm: GroupNorm,
    output: Conv2d,
    #[module(skip)]
    signature: Signature,
}

/// The blocks of one size of the image, and the way to the next one.
#[derive(Module, Debug)]
struct Stage {
    units: Vec<Unit>,
    resample: Option<Resample>,
}

impl Network for AdmUNet {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn forward(&self, x: Tensor<2>, time: Time, condition: &Condition) -> Tensor<2> {
        let [rows, size] = x.dims();
        let [channels, height, width] =
            self.signature.image("adm-unet").expect("the signature was one of images when built");
        let mut told = self.time.forward(time.t);
        if let Some(class) = &self.class {
            told = told + class.forward(condition.class.as_ref(), rows);
        }
        let told = silu(told); // [B, E], or [1, E] for one time and no classes

        let mut h = conv(&self.input, x.reshape([rows, channels, height, width]));
        let mut skips = vec![h.clone()];
        for stage in &self.down {
            for unit in &stage.units {
                h = unit.forward(h, &told);
                skips.push(h.clone());
            }
            if let Some(resample) = &stage.resample {
                h = resample.forward(h, &told, Size::Halved);
                skips.push(h.clone());
            }
        }
        for unit in &self.middle {
            h = unit.forward(h, &told);
        }
        for stage in &self.up {
            for unit in &stage.units {
                let skip = skips.pop().expect("as many blocks go up as left a skip going down");
                h = unit.forward(Tensor::cat(vec![h, skip], 1), &told);
            }
            if let Some(resample) = &stage.resample {
                h = resample.forward(h, &told, Size::Doubled);
            }
        }
        conv(&self.output, norm(&self.norm, h, None, Activation::Silu)).reshape([rows, size])
    }
    fn graph(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        self.operations(graph, inputs)
    }
}
