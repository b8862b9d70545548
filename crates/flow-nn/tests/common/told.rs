//! Networks that may be told everything, and what they are told.

use burn::tensor::{Bool, Device, Tensor};
use flow_nn::{
    Condition, DitConfig, DynNetwork, Embeddings, FourierFeatures, Fusion, MlpConfig,
    NetworkConfig, Signature, SplitMlpConfig, Time, UNetConfig,
};

use super::{built, ramp, stir};

/// Rows in a batch.
pub(crate) const ROWS: usize = 5;

pub(crate) fn mlp() -> MlpConfig {
    let fourier = FourierFeatures { octaves: 2, wavelength: 8.0 };
    MlpConfig { hidden: 16, depth: 2, time_features: 8, fourier, ..MlpConfig::default() }
}

pub(crate) fn split() -> SplitMlpConfig {
    SplitMlpConfig { features: 16, hidden: 16, ..SplitMlpConfig::default() }
}

pub(crate) fn dit() -> DitConfig {
    DitConfig { hidden: 16, depth: 2, heads: 2, ..DitConfig::default() }
}

/// `attention` is the height of the smaller of two resolutions.
pub(crate) fn unet(attention: usize, fusion: Fusion) -> UNetConfig {
    UNetConfig {
        channels: 8,
        multipliers: vec![1, 2],
        blocks: 1,
        attention: vec![attention],
        head_channels: 8,
        groups: 4,
        fusion,
        ..UNetConfig::default()
    }
}

/// Everything that a network of points may be told.
pub(crate) fn told_points() -> Signature {
    Signature { classes: 3, vector: 2, two_times: true, ..Signature::of([2]) }
}

/// Everything that a network of images may be told, which are wider than high.
pub(crate) fn told_images() -> Signature {
    Signature {
        classes: 3,
        vector: 2,
        context: vec![2, 8, 12],
        latent: 3,
        two_times: true,
        ..Signature::of([3, 8, 12])
    }
}

/// A network with all its weights off zero.
pub(crate) fn network<C: NetworkConfig>(config: &C, signature: &Signature) -> DynNetwork {
    DynNetwork::new(stir(built(config, signature, &Device::flex())))
}

/// A row of this shape with everything that a transformer may be told.
pub(crate) fn told(shape: Vec<usize>, context: Vec<usize>) -> Signature {
    Signature { shape, context, ..told_images() }
}

pub(crate) fn own_embeddings() -> DitConfig {
    DitConfig { embeddings: Embeddings::EachBlock, ..dit() }
}

/// Networks of every kind, with nothing but their rows to read and with everything they can.
pub(crate) fn all() -> Vec<(&'static str, DynNetwork)> {
    let (norm, sum) = (Fusion::AdaptiveNorm, Fusion::BottleneckSum);
    let latent = |shape: &[usize]| Signature { latent: 3, ..Signature::of(shape) };
    vec![
        ("mlp", network(&mlp(), &Signature::of([2]))),
        ("mlp told everything", network(&mlp(), &told_points())),
        ("split-mlp", network(&split(), &Signature::of([2]))),
        ("split-mlp with a latent", network(&split(), &latent(&[2]))),
        ("unet", network(&unet(4, norm), &Signature::of([1, 8, 8]))),
        ("unet told everything", network(&unet(4, norm), &told_images())),
        ("unet with a latent in its middle", network(&unet(6, sum), &latent(&[1, 12, 8]))),
        ("dit of columns", network(&dit(), &Signature::of([3]))),
        ("dit of columns told everything", network(&dit(), &told(vec![3], vec![4]))),
        ("dit of a sequence", network(&dit(), &Signature::of([6, 2]))),
        ("dit of a sequence told everything", network(&dit(), &told(vec![6, 2], vec![6, 3]))),
        ("dit of a sequence told another", network(&dit(), &told(vec![6, 2], vec![4, 3]))),
        ("dit of an image", network(&dit(), &Signature::of([1, 8, 8]))),
        ("dit of an image told everything", network(&dit(), &told_images())),
        ("dit of an image told a sequence", network(&dit(), &told(vec![2, 4, 8], vec![3, 2]))),
        ("dit that embeds for each block", network(&own_embeddings(), &told_images())),
    ]
}

pub(crate) fn flags(hidden: [bool; ROWS]) -> Tensor<1, Bool> {
    Tensor::from_data(hidden, &Device::flex())
}

/// Numbers for each row.
pub(crate) fn numbers(size: usize) -> Tensor<2> {
    ramp([ROWS, size], &Device::flex())
}

/// A condition of every part, of the sizes that a network reads and of others where it reads none.
pub(crate) fn everything(signature: &Signature) -> Condition {
    let size = |n: usize| if n == 0 { 7 } else { n };
    let context = if signature.context.is_empty() { 0 } else { signature.context.iter().product() };
    Condition::classes(&[0, 2, 1, 3, 0], &Device::flex())
        .with_vector(numbers(size(signature.vector)))
        .with_context(numbers(size(context)))
        .with_latent(numbers(size(signature.latent)))
        .with_hidden(flags([false, true, false, false, true]))
}

/// One time for all rows; a second one, where it is read.
pub(crate) fn one_time(signature: &Signature) -> Time {
    let at = |t: f32| Tensor::from_floats([t], &Device::flex());
    Time { t: at(0.37), s: signature.two_times.then(|| at(0.8)) }
}
