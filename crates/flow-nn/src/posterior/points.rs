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
/// For points on a line and a latent of four that is 17,160 numbers with one input and 41,992 with
/// three.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointEncoderConfig {
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
        Self { features: 64, band: Band::default(), hidden: 64, depth: 2 }
    }
}

impl PointEncoderConfig {
    /// Builds the network for points of `dim` coordinates, which looks at `inputs` and answers
    /// with a latent of `latent` numbers.
    ///
    /// # Errors
    /// When a size is zero, there is no input, `features` is no multiple of `2 dim`, or a frequency
    /// is not positive.
    pub fn init(
        &self,
        dim: usize,
        inputs: &[PosteriorInput],
        latent: usize,
        device: &Device,
    ) -> Result<PointEncoder, NetworkError> {
        let &Self { features, band, hidden, depth } = self;
        positive("inputs", inputs.len())?;
        positive("latent", latent)?;
        positive("depth", depth)?;
        let encoder = |input: &PosteriorInput| {
            let dim = if *input == PosteriorInput::T { 1 } else { dim };
            CoordinateEncoder::new(dim, features, band, hidden, device)
        };
        Ok(PointEncoder {
            encoders: inputs.iter().map(encoder).collect::<Result<_, _>>()?,
            layers: stack(inputs.len() * hidden, hidden, depth, device),
            out: LinearConfig::new(hidden, 2 * latent).init(device),
            latent,
            inputs: inputs.to_vec(),
        })
    }

    /// What a network of `inputs` inputs and `latent` latent numbers would take.
    #[must_use]
    pub fn footprint(&self, inputs: usize, latent: usize) -> Footprint {
        let [latent, features, hidden] = [latent, self.features, self.hidden].map(|n| n as f64);
        let joined = inputs as f64 * hidden;
        let mut all = Footprint::default();
        for _ in 0..inputs {
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

impl Posterior for PointEncoder {
    fn forward(&self, seen: &PathPoints) -> DiagonalGaussian {
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
