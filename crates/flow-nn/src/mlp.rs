//! A multilayer perceptron for points in the plane and other small vectors.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Shape, Tensor};
use flow_kernels::{Activation, Precision};
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::config::NetworkConfig;
use crate::embed::{
    ClassEmbedding, FourierFeatures, TIME_SCALE, TimeEmbedding, Told, VectorEmbedding, is_usual,
    time_scale,
};
use crate::error::{NetworkError, at_most, positive};
use crate::footprint::Footprint;
use crate::graph::{Graph, Inputs, Value};
use crate::layer::{linear, stack, through};
use crate::network::{Network, Time};
use crate::signature::Signature;

/// Sizes of an [`Mlp`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpConfig {
    /// Width of each hidden layer.
    pub hidden: usize,
    /// Number of hidden layers.
    pub depth: usize,
    /// Width of the time embedding.
    pub time_features: usize,
    /// Radians that a time in `[0, 1]` spans in the fastest of its sinusoids; a few for flow maps.
    #[serde(default = "time_scale", skip_serializing_if = "is_usual")]
    pub time_scale: u32,
    /// Fourier features of `x`; 0 octaves feed `x` alone.
    pub fourier: FourierFeatures,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            hidden: 256,
            depth: 3,
            time_features: 64,
            time_scale: TIME_SCALE,
            fourier: FourierFeatures { octaves: 0, wavelength: 16.0 },
        }
    }
}

/// Most octaves of Fourier features: single precision has no more digits to tell them apart.
const MOST_OCTAVES: usize = 24;

impl NetworkConfig for MlpConfig {
    const KIND: &'static str = "mlp";
    const ABOUT: &'static str = "a multilayer perceptron for points and small vectors";
    const TIME_SCALE_KEY: &'static [&'static str] = &["time_scale"];
    type Network = Mlp;

    /// # Errors
    /// When a size is zero, `time_features` is odd, or a frequency of `fourier` is no positive
    /// number.
    fn check(&self) -> Result<(), NetworkError> {
        positive("hidden", self.hidden)?;
        positive("depth", self.depth)?;
        positive("time_features", self.time_features)?;
        positive("time_scale", self.time_scale as usize)?;
        crate::error::multiple("time_features", self.time_features, 2)?;
        at_most("fourier.octaves", self.fourier.octaves, MOST_OCTAVES)?;
        self.fourier.check()
    }

    /// # Errors
    /// When rows are no points, the signature names a context or a latent, a size is zero,
    /// `time_features` is odd, or a frequency of `fourier` is no positive number.
    fn init(&self, signature: &Signature, device: &Device) -> Result<Mlp, NetworkError> {
        let dim = signature.points(Self::KIND)?;
        let (context, latent) = (!signature.context.is_empty(), 0 < signature.latent);
        Signature::refuse(Self::KIND, &[("conditioning row", context), ("latent", latent)])?;
        let &Self { hidden, depth, time_features: time, time_scale: scale, fourier } = self;
        positive("dim", dim)?;
        self.check()?;
        let &Signature { classes, vector, two_times, .. } = signature;
        let input = fourier.width(dim) + time;
        Ok(Mlp {
            time: TimeEmbedding::scaled(scale, time, time, device),
            class: (classes > 0).then(|| ClassEmbedding::new(classes, time, device)),
            layers: stack(input, hidden, depth, device),
            out: LinearConfig::new(hidden, dim).init(device),
            vector: (vector > 0).then(|| VectorEmbedding::new(vector, time, device)),
            duration: two_times.then(|| TimeEmbedding::starting_at_zero(scale, time, time, device)),
            fourier,
            signature: signature.clone(),
            precision: Precision::F32,
        })
    }

    fn footprint(&self, signature: &Signature) -> Footprint {
        let dim = signature.size() as f64;
        let [hidden, time] = [self.hidden, self.time_features].map(|n| n as f64);
        let input = dim * (1.0 + 2.0 * self.fourier.octaves as f64) + time;
        let mut all = Footprint::default();
        all.time(time, time);
        all.classes(signature.classes, time);
        all.vector(signature.vector, time);
        if signature.two_times {
            all.time(time, time);
        }
        all.input(input);
        all.stack(input, hidden, self.depth);
        all.linear(hidden, dim);
        all
    }
}

/// `x, t, c -> W_out h_L`, `h_0 = [phi(x), e(t) + e(c)]`, `h_l = silu(W_l h_{l-1} + b_l)`.
///
/// `e(c)` is a learned vector of the class, two layers over a condition vector, or both. A flow map
/// `u(x, t, s)` adds an embedding of `s - t` that starts at zero.
#[derive(Module, Debug)]
pub struct Mlp {
    time: TimeEmbedding,
    class: Option<ClassEmbedding>,
    layers: Vec<Linear>,
    out: Linear,
    vector: Option<VectorEmbedding>,
    duration: Option<TimeEmbedding>,
    #[module(skip)]
    fourier: FourierFeatures,
    #[module(skip)]
    signature: Signature,
    /// Of the products between hidden layers.
    #[module(skip)]
    precision: Precision,
}

impl Network for Mlp {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// # Panics
    /// When the signature names a condition vector and the condition has none of its size.
    fn forward(&self, x: Tensor<2>, time: Time, condition: &Condition) -> Tensor<2> {
        let [batch, _] = x.dims();
        let mut embedding = self.time.forward(time.t.clone());
        if let Some(duration) = &self.duration {
            embedding = embedding + duration.forward(time.duration());
        }
        if let Some(class) = &self.class {
            embedding = embedding + class.forward(condition.class.as_ref(), batch);
        }
        if let Some(vector) = &self.vector {
            embedding = embedding + vector.forward(condition);
        }
        let width = embedding.dims()[1];
        let embedding = embedding.expand(Shape::new([batch, width]));
        let h = Tensor::cat(vec![self.fourier.forward(x), embedding], 1);
        let h = through(&self.layers, h, Activation::Silu, self.precision);
        linear(&self.out, h, Activation::Identity)
    }

    fn graph(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        let told = Told {
            time: &self.time,
            duration: self.duration.as_ref(),
            class: self.class.as_ref(),
            vector: self.vector.as_ref(),
            latent: None,
        };
        let embedding = told.graph(graph, inputs)?;
        let x = self.fourier.graph(graph, inputs.x, self.signature.size());
        let h = graph.concat(&[x, embedding], 1);
        let h = self.layers.iter().fold(h, |h, layer| graph.linear(layer, h, Activation::Silu));
        Some(graph.linear(&self.out, h, Activation::Identity))
    }

    fn multiply_in(&mut self, precision: Precision) -> bool {
        self.precision = precision;
        true
    }
}
