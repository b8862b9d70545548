//! A multilayer perceptron that encodes position, time and latent apart before it joins them.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Shape, Tensor};
use flow_kernels::{Activation, Precision};
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::config::NetworkConfig;
use crate::embed::{Band, CoordinateEncoder};
use crate::error::{NetworkError, positive};
use crate::footprint::Footprint;
use crate::graph::{Graph, Inputs, Value};
use crate::layer::{linear, stack, through};
use crate::network::{Network, Time};
use crate::signature::Signature;

/// Sizes of a [`SplitMlp`]; the defaults are those of the paper's synthetic experiments.
///
/// Without a latent that is 33,281 numbers for points on a line, and 75,137 with one of four.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitMlpConfig {
    /// Sinusoids of `x` together, and of `t`.
    pub features: usize,
    /// Their frequencies.
    pub band: Band,
    /// Width of the encoders of `x` and `t` and of each hidden layer.
    pub hidden: usize,
    /// Hidden layers behind the encoders.
    pub depth: usize,
    /// Width of the latent's encoder.
    #[serde(default = "latent_hidden")]
    pub latent_hidden: usize,
    /// Layers of the latent's encoder.
    #[serde(default = "latent_depth")]
    pub latent_depth: usize,
}

fn latent_hidden() -> usize {
    SplitMlpConfig::default().latent_hidden
}

fn latent_depth() -> usize {
    SplitMlpConfig::default().latent_depth
}

impl Default for SplitMlpConfig {
    fn default() -> Self {
        Self {
            features: 64,
            band: Band::default(),
            hidden: 64,
            depth: 3,
            latent_hidden: 128,
            latent_depth: 3,
        }
    }
}

impl NetworkConfig for SplitMlpConfig {
    const KIND: &'static str = "split-mlp";
    const ABOUT: &'static str = "a perceptron that encodes position, time and latent apart";
    type Network = SplitMlp;

    /// # Errors
    /// When a size is zero, or a frequency is not positive.
    fn check(&self) -> Result<(), NetworkError> {
        positive("features", self.features)?;
        positive("hidden", self.hidden)?;
        positive("depth", self.depth)?;
        self.band.check()
    }

    /// # Errors
    /// When rows are no points, the signature names a condition other than a latent, a size is
    /// zero, `features` is no multiple of `2 dim`, or a frequency is not positive.
    fn init(&self, signature: &Signature, device: &Device) -> Result<SplitMlp, NetworkError> {
        let dim = signature.points(Self::KIND)?;
        Signature::refuse(
            Self::KIND,
            &[
                ("classes", 0 < signature.classes),
                ("condition vector", 0 < signature.vector),
                ("conditioning row", !signature.context.is_empty()),
                ("second time", signature.two_times),
            ],
        )?;
        let latent = signature.latent;
        let &Self { features, band, hidden, depth, latent_hidden, latent_depth } = self;
        positive("depth", depth)?;
        if 0 < latent {
            positive("latent_hidden", latent_hidden)?;
            positive("latent_depth", latent_depth)?;
        }
        let encoder = |dim| CoordinateEncoder::new(dim, features, band, hidden, device);
        let joined = 2 * hidden + if 0 < latent { latent_hidden } else { 0 };
        let latent_depth = if 0 < latent { latent_depth } else { 0 };
        Ok(SplitMlp {
            x: encoder(dim)?,
            t: encoder(1)?,
            z: stack(latent, latent_hidden, latent_depth, device),
            layers: stack(joined, hidden, depth, device),
            out: LinearConfig::new(hidden, dim).init(device),
            latent,
            signature: signature.clone(),
            precision: Precision::F32,
        })
    }

    fn footprint(&self, signature: &Signature) -> Footprint {
        let dim = signature.size() as f64;
        let [hidden, features] = [self.hidden, self.features].map(|n| n as f64);
        let [latent, latent_hidden] = [signature.latent, self.latent_hidden].map(|n| n as f64);
        let mut all = Footprint::default();
        // The encoders of x and t.
        for _ in 0..2 {
            all.input(features);
            all.linear(features, hidden);
            all.linear(hidden, hidden);
        }
        let encoded = if 0 < signature.latent {
            all.stack(latent, latent_hidden, self.latent_depth);
            latent_hidden
        } else {
            0.0
        };
        all.input(2.0 * hidden + encoded);
        all.stack(2.0 * hidden + encoded, hidden, self.depth);
        all.linear(hidden, dim);
        all
    }
}

/// `x, t, z -> W_out h_L`, `h_0 = [e(x), e(t), e(z)]`, `h_l = gelu(W_l h_{l-1} + b_l)`.
///
/// `e(x)` and `e(t)` are [`CoordinateEncoder`]s, `e(z)` is a stack of layers with GELU.
///
/// # Reference
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, appendix D.1. The
/// paper gives no frequencies for the sinusoids; ours are a [`Band`] of the configuration.
#[derive(Module, Debug)]
pub struct SplitMlp {
    x: CoordinateEncoder,
    t: CoordinateEncoder,
    z: Vec<Linear>,
    layers: Vec<Linear>,
    out: Linear,
    latent: usize,
    #[module(skip)]
    signature: Signature,
    /// Of the products between hidden layers.
    #[module(skip)]
    precision: Precision,
}

impl Network for SplitMlp {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// # Panics
    /// When the network has a latent input and the condition none of its size.
    fn forward(&self, x: Tensor<2>, time: Time, condition: &Condition) -> Tensor<2> {
        let [batch, _] = x.dims();
        let t = self.t.forward(time.t.unsqueeze_dim(1));
        let t = t.clone().expand(Shape::new([batch, t.dims()[1]]));
        let mut h = vec![self.x.forward(x), t];
        if 0 < self.latent {
            let z = condition.expect_latent(self.latent);
            h.push(self.z.iter().fold(z, |h, layer| linear(layer, h, Activation::Gelu)));
        }
        let h = Tensor::cat(h, 1);
        let h = through(&self.layers, h, Activation::Gelu, self.precision);
        linear(&self.out, h, Activation::Identity)
    }

    fn graph(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        let mut h = vec![self.x.graph(graph, inputs.x), self.t.graph(graph, inputs.t)];
        if 0 < self.latent {
            let z = inputs.latent?;
            h.push(self.z.iter().fold(z, |h, layer| graph.linear(layer, h, Activation::Gelu)));
        }
        let h = graph.concat(&h, 1);
        let h = self.layers.iter().fold(h, |h, layer| graph.linear(layer, h, Activation::Gelu));
        Some(graph.linear(&self.out, h, Activation::Identity))
    }

    fn multiply_in(&mut self, precision: Precision) -> bool {
        self.precision = precision;
        true
    }
}
