//! A multilayer perceptron that encodes position, time and latent apart before it joins them.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Shape, Tensor};
use flow_kernels::Activation;
use serde::{Deserialize, Serialize};

use crate::embed::{Band, CoordinateEncoder};
use crate::error::{NetworkError, positive};
use crate::footprint::Footprint;
use crate::layer::{linear, stack};
use crate::network::{Condition, Network};

/// Sizes of a [`SplitMlp`]; the defaults are those of the paper's synthetic experiments.
///
/// Without a latent that is 33,281 numbers for points on a line, and 75,137 with one of four.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitMlpConfig {
    /// Dimension of `x`.
    pub dim: usize,
    /// Sinusoids of `x` together, and of `t`.
    pub features: usize,
    /// Their frequencies.
    pub band: Band,
    /// Width of the encoders of `x` and `t` and of each hidden layer.
    pub hidden: usize,
    /// Hidden layers behind the encoders.
    pub depth: usize,
    /// Numbers in the latent, 0 for none.
    pub latent: usize,
    /// Width of the latent's encoder.
    pub latent_hidden: usize,
    /// Layers of the latent's encoder.
    pub latent_depth: usize,
}

impl Default for SplitMlpConfig {
    fn default() -> Self {
        Self {
            dim: 1,
            features: 64,
            band: Band::default(),
            hidden: 64,
            depth: 3,
            latent: 0,
            latent_hidden: 128,
            latent_depth: 3,
        }
    }
}

impl SplitMlpConfig {
    /// Builds the network.
    ///
    /// # Errors
    /// When a size is zero, `features` is no multiple of `2 dim`, or a frequency is not positive.
    pub fn init(&self, device: &Device) -> Result<SplitMlp, NetworkError> {
        let &Self { dim, features, band, hidden, depth, latent, latent_hidden, latent_depth } =
            self;
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
        })
    }

    /// What the network would take.
    #[must_use]
    pub fn footprint(&self) -> Footprint {
        let [dim, hidden, features] = [self.dim, self.hidden, self.features].map(|n| n as f64);
        let [latent, latent_hidden] = [self.latent, self.latent_hidden].map(|n| n as f64);
        let mut all = Footprint::default();
        // The encoders of x and t.
        for _ in 0..2 {
            all.input(features);
            all.linear(features, hidden);
            all.linear(hidden, hidden);
        }
        let encoded = if 0 < self.latent {
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
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, appendix D.1. The paper gives
/// no frequencies for the sinusoids; ours are a [`Band`] of the configuration.
#[derive(Module, Debug)]
pub struct SplitMlp {
    x: CoordinateEncoder,
    t: CoordinateEncoder,
    z: Vec<Linear>,
    layers: Vec<Linear>,
    out: Linear,
    latent: usize,
}

impl Network<2> for SplitMlp {
    /// Also takes one time for all rows, `[1]`.
    ///
    /// # Panics
    /// When the network has a latent input and the condition none of its size.
    fn forward(&self, x: Tensor<2>, t: Tensor<1>, condition: &Condition) -> Tensor<2> {
        let [batch, _] = x.dims();
        let t = self.t.forward(t.unsqueeze_dim(1));
        let t = t.clone().expand(Shape::new([batch, t.dims()[1]]));
        let mut h = vec![self.x.forward(x), t];
        if 0 < self.latent {
            let z = condition.expect_latent(self.latent);
            h.push(self.z.iter().fold(z, |h, layer| linear(layer, h, Activation::Gelu)));
        }
        let h = Tensor::cat(h, 1);
        let h = self.layers.iter().fold(h, |h, layer| linear(layer, h, Activation::Gelu));
        linear(&self.out, h, Activation::Identity)
    }

    fn forward_at(&self, x: Tensor<2>, t: Tensor<1>, condition: &Condition) -> Tensor<2> {
        self.forward(x, t, condition)
    }

    fn latent(&self) -> usize {
        self.latent
    }
}
