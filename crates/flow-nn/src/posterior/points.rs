//! The posterior of points: an encoder for each thing seen, then layers over all of them.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use flow_kernels::Activation;
use serde::{Deserialize, Serialize};

use super::{DiagonalGaussian, PathPoints, Posterior, PosteriorInput};
use crate::embed::{Band, CoordinateEncoder};
use crate::error::{NetworkError, positive};
use crate::footprint::Footprint;
use crate::layer::{linear, stack};

/// Sizes of a [`PointEncoder`]; the defaults are those of the paper's synthetic experiments.
///
/// For points on a line and a latent of four that is 17,160 numbers with one input and 41,992 with three.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PointEncoderConfig {
    /// Dimension of a point.
    pub dim: usize,
    /// What is looked at.
    pub inputs: Vec<PosteriorInput>,
    /// Numbers in the latent.
    pub latent: usize,
    /// Sinusoids of each input together.
    pub features: usize,
    /// Their frequencies.
    pub band: Band,
    /// Width of the encoders and of each hidden layer.
    pub hidden: usize,
    /// Hidden layers behind the encoders.
    pub depth: usize,
}

impl Default for PointEncoderConfig {
    fn default() -> Self {
        Self {
            dim: 1,
            inputs: vec![PosteriorInput::X0, PosteriorInput::X1, PosteriorInput::Xt],
            latent: 4,
            features: 64,
            band: Band::default(),
            hidden: 64,
            depth: 2,
        }
    }
}

impl PointEncoderConfig {
    /// Builds the network.
    ///
    /// # Errors
    /// When a size is zero, there is no input, `features` is no multiple of `2 dim`, or a frequency
    /// is not positive.
    pub fn init(&self, device: &Device) -> Result<PointEncoder, NetworkError> {
        let &Self { dim, latent, features, band, hidden, depth, .. } = self;
        positive("inputs", self.inputs.len())?;
        positive("latent", latent)?;
        positive("depth", depth)?;
        let encoder = |input: &PosteriorInput| {
            let dim = if *input == PosteriorInput::T { 1 } else { dim };
            CoordinateEncoder::new(dim, features, band, hidden, device)
        };
        Ok(PointEncoder {
            encoders: self.inputs.iter().map(encoder).collect::<Result<_, _>>()?,
            layers: stack(self.inputs.len() * hidden, hidden, depth, device),
            out: LinearConfig::new(hidden, 2 * latent).init(device),
            latent,
            inputs: self.inputs.clone(),
        })
    }

    /// What the network would take.
    #[must_use]
    pub fn footprint(&self) -> Footprint {
        let [latent, features, hidden] =
            [self.latent, self.features, self.hidden].map(|n| n as f64);
        let joined = self.inputs.len() as f64 * hidden;
        let mut all = Footprint::default();
        for _ in &self.inputs {
            all.input(features);
            all.linear(features, hidden);
            all.linear(hidden, hidden);
        }
        all.input(joined);
        all.stack(joined, hidden, self.depth);
        all.linear(hidden, 2.0 * latent);
        all
    }
}

/// `[mu, ln sigma^2] = W_out h_L`, `h_0 = [e_1(input_1), ..]`, `h_l = gelu(W_l h_{l-1} + b_l)`.
///
/// # Reference
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, appendix D.1.
#[derive(Module, Debug)]
pub struct PointEncoder {
    encoders: Vec<CoordinateEncoder>,
    layers: Vec<Linear>,
    out: Linear,
    latent: usize,
    #[module(skip)]
    inputs: Vec<PosteriorInput>,
}

impl Posterior<2> for PointEncoder {
    fn forward(&self, seen: &PathPoints<2>) -> DiagonalGaussian {
        let encode = |(encoder, input): (&CoordinateEncoder, &PosteriorInput)| {
            encoder.forward(match input {
                PosteriorInput::X0 => seen.x0.clone(),
                PosteriorInput::X1 => seen.x1.clone(),
                PosteriorInput::Xt => seen.x_t.clone(),
                PosteriorInput::T => seen.t.clone().unsqueeze_dim(1),
            })
        };
        let h = Tensor::cat(self.encoders.iter().zip(&self.inputs).map(encode).collect(), 1);
        let h = self.layers.iter().fold(h, |h, layer| linear(layer, h, Activation::Gelu));
        DiagonalGaussian::from_output(linear(&self.out, h, Activation::Identity))
    }

    fn latent(&self) -> usize {
        self.latent
    }
}
