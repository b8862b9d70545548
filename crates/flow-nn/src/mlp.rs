//! A multilayer perceptron for points in the plane and other small vectors.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Shape, Tensor};
use flow_kernels::Activation;
use serde::{Deserialize, Serialize};

use crate::embed::{ClassEmbedding, FourierFeatures, TimeEmbedding};
use crate::error::{NetworkError, positive};
use crate::footprint::Footprint;
use crate::layer::{linear, stack};
use crate::network::{Condition, Network};

/// Sizes of an [`Mlp`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Dimension of `x`.
    pub dim: usize,
    /// Width of each hidden layer.
    pub hidden: usize,
    /// Number of hidden layers.
    pub depth: usize,
    /// Width of the time embedding.
    pub time_features: usize,
    /// Fourier features of `x`; 0 octaves feed `x` alone.
    pub fourier: FourierFeatures,
    /// Number of classes, 0 for an unconditional network.
    pub classes: usize,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            dim: 2,
            hidden: 256,
            depth: 3,
            time_features: 64,
            fourier: FourierFeatures { octaves: 0, wavelength: 16.0 },
            classes: 0,
        }
    }
}

impl MlpConfig {
    /// Builds the network.
    ///
    /// # Errors
    /// When a size is zero, `time_features` is odd, or a frequency of `fourier` is no positive
    /// number.
    pub fn init(&self, device: &Device) -> Result<Mlp, NetworkError> {
        positive("dim", self.dim)?;
        positive("hidden", self.hidden)?;
        positive("depth", self.depth)?;
        positive("time_features", self.time_features)?;
        crate::error::multiple("time_features", self.time_features, 2)?;
        self.fourier.check()?;
        let input = self.fourier.width(self.dim) + self.time_features;
        Ok(Mlp {
            time: TimeEmbedding::new(self.time_features, self.time_features, device),
            class: (self.classes > 0)
                .then(|| ClassEmbedding::new(self.classes, self.time_features, device)),
            layers: stack(input, self.hidden, self.depth, device),
            out: LinearConfig::new(self.hidden, self.dim).init(device),
            fourier: self.fourier,
        })
    }

    /// What the network would take.
    #[must_use]
    pub fn footprint(&self) -> Footprint {
        let [dim, hidden, time] = [self.dim, self.hidden, self.time_features].map(|n| n as f64);
        let input = dim * (1.0 + 2.0 * self.fourier.octaves as f64) + time;
        let mut all = Footprint::default();
        all.linear(time, time);
        all.linear(time, time);
        all.classes(self.classes, time);
        all.input(input);
        all.stack(input, hidden, self.depth);
        all.linear(hidden, dim);
        all
    }
}

/// `x, t, c -> W_out h_L`, `h_0 = [phi(x), e(t) + e(c)]`, `h_l = silu(W_l h_{l-1} + b_l)`.
#[derive(Module, Debug)]
pub struct Mlp {
    time: TimeEmbedding,
    class: Option<ClassEmbedding>,
    layers: Vec<Linear>,
    out: Linear,
    #[module(skip)]
    fourier: FourierFeatures,
}

impl Network<2> for Mlp {
    /// Also takes one time for all rows, `[1]`.
    fn forward(&self, x: Tensor<2>, t: Tensor<1>, condition: &Condition) -> Tensor<2> {
        let [batch, _] = x.dims();
        let mut embedding = self.time.forward(t);
        if let Some(class) = &self.class {
            embedding = embedding + class.forward(condition.class.as_ref(), batch);
        }
        let width = embedding.dims()[1];
        let embedding = embedding.expand(Shape::new([batch, width]));
        let h = Tensor::cat(vec![self.fourier.forward(x), embedding], 1);
        let h = self.layers.iter().fold(h, |h, layer| linear(layer, h, Activation::Silu));
        linear(&self.out, h, Activation::Identity)
    }

    fn forward_at(&self, x: Tensor<2>, t: Tensor<1>, condition: &Condition) -> Tensor<2> {
        self.forward(x, t, condition)
    }

    fn classes(&self) -> usize {
        self.class.as_ref().map_or(0, ClassEmbedding::classes)
    }
}
