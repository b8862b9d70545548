//! The command `flow` with a network that none of its libraries knows: residual blocks for points.

use std::process::ExitCode;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::silu;
use burn::tensor::{Device, Tensor};
use flow_model::Registry;
use flow_nn::{Condition, Network, NetworkConfig, NetworkError, Signature, Time};
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    flow_cli::run(&Registry::default().with::<ResidualConfig>())
}

/// Blocks `h + W_2 silu(W_1 h)` between a layer that reads `x` and `t` and one that writes.
#[derive(Module, Debug)]
struct Residual {
    inner: Linear,
    blocks: Vec<[Linear; 2]>,
    outer: Linear,
    #[module(skip)]
    signature: Signature,
}

impl Network for Residual {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn forward(&self, x: Tensor<2>, time: Time, _: &Condition) -> Tensor<2> {
        let t = time.expand(x.dims()[0]).t.unsqueeze_dim(1); // one time for all rows, or one each
        let mut h = self.inner.forward(Tensor::cat(vec![x, t], 1)); // [B, hidden]
        for [first, second] in &self.blocks {
            h = h.clone() + second.forward(silu(first.forward(h)));
        }
        self.outer.forward(silu(h)) // [B, d]
    }
}

/// The section `[network]` of a recipe, with `kind = "residual"`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ResidualConfig {
    hidden: usize,
    blocks: usize,
}

impl Default for ResidualConfig {
    fn default() -> Self {
        Self { hidden: 64, blocks: 2 }
    }
}

impl NetworkConfig for ResidualConfig {
    const KIND: &'static str = "residual";
    const ABOUT: &'static str = "residual blocks for points, from outside";
    type Network = Residual;

    fn init(&self, signature: &Signature, device: &Device) -> Result<Residual, NetworkError> {
        let dim = signature.points(Self::KIND)?;
        // What the network does not read is refused and not ignored in silence.
        let (class, latent) = (0 < signature.classes, 0 < signature.latent);
        Signature::refuse(Self::KIND, &[("class", class), ("latent", latent)])?;
        let layer = |from: usize, to: usize| LinearConfig::new(from, to).init(device);
        let block = |_| [layer(self.hidden, self.hidden), layer(self.hidden, self.hidden)];
        Ok(Residual {
            inner: layer(dim + 1, self.hidden),
            blocks: (0..self.blocks).map(block).collect(),
            outer: layer(self.hidden, dim),
            signature: signature.clone(),
        })
    }
}
