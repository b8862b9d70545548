//! Networks of other programs whose architecture differs from every network of this workspace.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::selu;
use burn::tensor::{Device, Tensor};
use flow_kernels::Activation;
use flow_model::Registry;
use flow_nn::graph::{Function, Graph, Inputs, Value};
use flow_nn::{Condition, Footprint, Network, NetworkConfig, NetworkError, Signature, Time};
use serde::{Deserialize, Serialize};

use crate::unet::AdmUNetConfig;

/// A registry that knows the networks of this crate too, for [`Model::open_with`] and for recipes.
///
/// [`Model::open_with`]: flow_model::Model::open_with
#[must_use]
pub fn registry(known: Registry) -> Registry {
    known.with::<TorchcfmMlpConfig>().with::<AdmUNetConfig>()
}

/// Layers that no perceptron has: more are refused before they are made.
const MOST_LAYERS: usize = 10_000;

/// Sizes of a [`TorchcfmMlp`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TorchcfmMlpConfig {
    /// Width of each hidden layer.
    pub hidden: usize,
    /// Number of hidden layers.
    pub depth: usize,
}

impl Default for TorchcfmMlpConfig {
    fn default() -> Self {
        Self { hidden: 64, depth: 3 }
    }
}

impl NetworkConfig for TorchcfmMlpConfig {
    const KIND: &'static str = "torchcfm-mlp";
    const ABOUT: &'static str = "the perceptron of torchcfm, for points";
    type Network = TorchcfmMlp;

    /// # Errors
    /// When rows are no points, the signature names a condition, or a size is zero or so large that
    /// no network has it.
    fn init(&self, signature: &Signature, device: &Device) -> Result<TorchcfmMlp, NetworkError> {
        let kind = Self::KIND;
        let [dim] = *signature.shape else {
            let shape = signature.shape.clone();
            return Err(NetworkError::Shape { kind, need: "points, [d]", shape });
        };
        if *signature != Signature::of([dim]) {
            return Err(NetworkError::CannotTake { kind, what: "condition and no second time" });
        }
        for (field, value) in [("dim", dim), ("hidden", self.hidden), ("depth", self.depth)] {
            if value == 0 {
                return Err(NetworkError::Zero { field });
            }
        }
        if MOST_LAYERS < self.depth {
            let (value, most) = (self.depth, MOST_LAYERS);
            return Err(NetworkError::TooMany { field: "depth", value, most });
        }
        let sides = (0..=self.depth).map(|layer| {
            let from = if layer == 0 { dim + 1 } else { self.hidden };
            (from, if layer == self.depth { dim } else { self.hidden })
        });
        Ok(TorchcfmMlp {
            layers: sides.map(|(from, to)| LinearConfig::new(from, to).init(device)).collect(),
            signature: signature.clone(),
        })
    }

    fn footprint(&self, signature: &Signature) -> Footprint {
        let dim = signature.shape.iter().map(|&side| side as f64).product::<f64>();
        let (mut all, width) = (Footprint::default(), self.hidden as f64);
        all.stack(dim + 1.0, width, self.depth);
        all.linear(width, dim);
        all
    }
}

/// `x, t -> W_L selu(.. selu(W_0 [x, t] + b_0) ..) + b_L`, the time as it is behind the point.
///
/// # Reference
/// Tong et al. (2024), "Improving and Generalizing Flow-Based Generative Models with Minibatch
/// Optimal Transport", arXiv:2302.00482, whose code it is; Klambauer et al. (2017),
/// "Self-Normalizing Neural Networks", arXiv:1706.02515, for the activation.
#[derive(Module, Debug)]
pub struct TorchcfmMlp {
    layers: Vec<Linear>,
    #[module(skip)]
    signature: Signature,
}

impl Network for TorchcfmMlp {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn forward(&self, x: Tensor<2>, time: Time, _: &Condition) -> Tensor<2> {
        let t = time.expand(x.dims()[0]).t;
        let h = Tensor::cat(vec![x, t.unsqueeze_dim(1)], 1); // [B, d + 1]
        let last = self.layers.len() - 1;
        self.layers.iter().enumerate().fold(h, |h, (i, layer)| {
            let h = layer.forward(h);
            if i == last { h } else { selu(h) }
        })
    }

    fn graph(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        let h = graph.concat(&[inputs.x, inputs.t], 1);
        let last = self.layers.len() - 1;
        Some(self.layers.iter().enumerate().fold(h, |h, (i, layer)| {
            let h = graph.linear(layer, h, Activation::Identity);
            if i == last { h } else { graph.map(Function::Selu, h) }
        }))
    }
}
