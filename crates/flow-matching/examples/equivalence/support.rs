//! Points, means and a short training loop.

use std::error::Error;

use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{DType, Device, Tensor, TensorData};
use flow_matching::datasets::{GaussianMixture, Toy};
use flow_matching::nn::{FourierFeatures, Mlp, MlpConfig, NetworkConfig, Signature, init_seeded};
use flow_matching::path::stream::{Purpose, Streams};
use flow_matching::sample::{Predictor, Sampler, Way, normal_rows};
use flow_matching::train::{
    BatchSource, DataSource, Draw, FlowMatching, MatchingBatches, Networks, Objective, Regression,
};

/// What a figure ends with.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Rows in double precision.
pub(crate) fn rows(values: &[f64], columns: usize) -> Tensor<2> {
    let data = TensorData::new(values.to_vec(), [values.len() / columns, columns]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

/// Numbers of a tensor.
pub(crate) fn host(x: Tensor<2>) -> Vec<f64> {
    x.into_data().convert::<f64>().try_into_vec().expect("converted to f64 just before")
}

/// Standard normal rows of a seed.
pub(crate) fn noise(seed: u64, n: usize, columns: usize) -> Vec<f64> {
    normal_rows(seed, Purpose::Noise, 0..n, columns).into_iter().map(f64::from).collect()
}

/// The samples that a sampler makes of `x0` along its way.
pub(crate) fn end(
    sampler: &dyn Sampler,
    field: &dyn Predictor,
    x0: Tensor<2>,
    way: &Way<'_>,
) -> Outcome<Tensor<2>> {
    Ok(sampler.sample(field, x0, way)?.x)
}

/// Largest absolute difference; not a number if either side is none.
pub(crate) fn gap(a: &Tensor<2>, b: &Tensor<2>) -> f64 {
    let gaps = host(a.clone() - b.clone());
    gaps.into_iter().fold(0.0, |worst: f64, gap| if gap.abs() <= worst { worst } else { gap.abs() })
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation of a sample.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    let squares: f64 = values.iter().map(|x| (x - centre).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// Eight Gaussians on a circle, drawn afresh.
#[derive(Debug)]
pub(crate) struct EightGaussians(pub(crate) GaussianMixture);

impl EightGaussians {
    pub(crate) fn new() -> Self {
        Self(GaussianMixture::eight_gaussians())
    }
}

impl DataSource for EightGaussians {
    fn shape(&self) -> &[usize] {
        &[2]
    }

    fn draw(&self, range: std::ops::Range<u64>, streams: &Streams) -> Draw {
        let n = (range.end - range.start) as usize;
        let mut rng = streams.rng(range.start, Purpose::Data);
        Draw { rows: self.0.sample(n, &mut rng), ..Draw::default() }
    }
}

/// Batches of a regression on the eight Gaussians.
pub(crate) fn batches(matching: FlowMatching, rows: usize, seed: u64) -> MatchingBatches {
    MatchingBatches {
        matching,
        data: std::sync::Arc::new(EightGaussians::new()),
        classes: 0,
        rows,
        noise: 0,
        streams: Streams::new(seed),
    }
}

/// The network of all figures, with the weights of seed 0.
pub(crate) fn network() -> Outcome<Mlp> {
    let fourier = FourierFeatures { octaves: 3, wavelength: 16.0 };
    let config = MlpConfig { hidden: 128, fourier, ..MlpConfig::default() };
    Ok(init_seeded(0, &Device::flex(), |device| config.init(&Signature::of([2]), device))?)
}

/// Trains for `steps` steps of AdamW, with a rate that falls to zero as half a cosine, and shows
/// the network to `watch` every `every` steps and at the end.
pub(crate) fn train(
    batches: &MatchingBatches,
    steps: usize,
    every: usize,
    mut watch: impl FnMut(usize, &Mlp) -> Outcome<()>,
) -> Outcome<Mlp> {
    let training = Device::flex().autodiff();
    let mut network = network()?.train();
    let mut optimizer = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.0).init();
    for step in 0..steps {
        if step % every == 0 {
            watch(step, &network.valid())?;
        }
        let loss = Regression.loss(Networks::of(&network), batches.batch(step, &training)?).total;
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        let progress = step as f64 / steps as f64;
        let rate = 2e-3 * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        network = optimizer.step(rate, network, gradients);
    }
    let network = network.valid();
    watch(steps, &network)?;
    Ok(network)
}
