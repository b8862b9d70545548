//! Networks `f(x, t, c)` for flow matching.
//!
//! A [`Network`] receives rows `x`, their [`Time`] and a [`Condition`]; it returns a tensor of the
//! shape of `x`. What that tensor means (a velocity, the data, the noise, a score) is not known
//! here: `flow-path` gives the regression target, and `flow-sample` converts predictions.
//!
//! What follows from the data is a [`Signature`]; widths and depths are the network's own
//! [`NetworkConfig`]. Any network, also one of your own crate, stands in a [`DynNetwork`].
//!
//! | network | for | configuration |
//! |---|---|---|
//! | [`Mlp`] | points in the plane, small vectors | [`MlpConfig`] |
//! | [`SplitMlp`] | points, with or without a latent | [`SplitMlpConfig`] |
//! | [`UNet`] | images of any height and width | [`UNetConfig`] |
//! | [`Dit`] | images, sequences and tables, a transformer over their parts | [`DitConfig`] |
//! | [`PointEncoder`], [`ImageEncoder`] | the latent of a pair, as a [`Posterior`] | [`PointEncoderConfig`], [`ImageEncoderConfig`] |
//! | [`Classifier`] | features that measure generated images | [`ClassifierConfig`] |
//! | [`Inception`] | the features that FID is defined on, from weights in a file | |
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use flow_nn::{Condition, MlpConfig, Network, NetworkConfig, Signature, Time, init_seeded};
//!
//! # fn main() -> Result<(), flow_nn::NetworkError> {
//! let device = Device::flex();
//! let (config, points) = (MlpConfig { hidden: 32, ..MlpConfig::default() }, Signature::of([2]));
//! let network = init_seeded(7, &device, |device| config.init(&points, device))?;
//! let x = Tensor::<2>::zeros([5, 2], &device);
//! let t = Tensor::<1>::zeros([5], &device);
//! let velocity = network.forward(x, Time::at(t), &Condition::none());
//! assert_eq!(velocity.dims(), [5, 2]);
//! # Ok(())
//! # }
//! ```

mod classifier;
mod condition;
mod config;
mod dit;
mod embed;
mod erased;
mod error;
mod footprint;
pub mod graph;
mod inception;
mod init;
mod layer;
mod mlp;
mod network;
mod posterior;
mod reads;
mod recompute;
mod signature;
mod split_mlp;
mod strengths;
mod unet;

pub use classifier::{Classifier, ClassifierConfig};
pub use condition::Condition;
pub use config::{NetworkConfig, Preset};
pub use dit::{Dit, DitConfig, Embeddings};
pub use embed::{
    Band, ClassEmbedding, CoordinateEncoder, FourierFeatures, LatentEmbedding, TIME_SCALE,
    TimeEmbedding, VectorEmbedding,
};
pub use erased::{DynNetwork, DynPosterior, TrainablePosterior};
pub use error::NetworkError;
pub use flow_kernels::Precision;
pub use footprint::Footprint;
pub use inception::{Inception, Weights};
pub use init::{init_seeded, parameter_count};
pub use mlp::{Mlp, MlpConfig};
pub use network::{Network, Time, Trainable};
pub use posterior::{
    DiagonalGaussian, EncoderConfig, ImageEncoder, ImageEncoderConfig, PathPoints, PointEncoder,
    PointEncoderConfig, Posterior, PosteriorInput,
};
pub use signature::Signature;
pub use split_mlp::{SplitMlp, SplitMlpConfig};
pub use strengths::Strengths;
pub use unet::{Fusion, UNet, UNetConfig};

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
