//! Networks `f(x, t, c)` for flow matching.
//!
//! A network receives a point `x`, one time per row and a [`Condition`]; it returns a tensor of the
//! shape of `x`. What that tensor means (a velocity, the data, the noise, a score) is not known
//! here: `flow-path` gives the regression target, and `flow-sample` converts predictions.
//!
//! | network | for | configuration |
//! |---|---|---|
//! | [`Mlp`] | points in the plane, small vectors | [`MlpConfig`] |
//! | [`SplitMlp`] | points, with or without a latent | [`SplitMlpConfig`] |
//! | [`UNet`] | images from 8x8 to 64x64, with or without a latent | [`UNetConfig`] |
//! | [`PointEncoder`], [`ImageEncoder`] | the latent of a pair, as a [`Posterior`] | [`PointEncoderConfig`], [`ImageEncoderConfig`] |
//! | [`Classifier`] | features that measure generated images | [`ClassifierConfig`] |
//! | [`Inception`] | the features that FID is defined on, from weights in a file | |
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use flow_nn::{Condition, MlpConfig, Network, init_seeded};
//!
//! # fn main() -> Result<(), flow_nn::NetworkError> {
//! let device = Device::flex();
//! let config = MlpConfig { dim: 2, hidden: 32, ..MlpConfig::default() };
//! let network = init_seeded(7, &device, |device| config.init(device))?;
//! let velocity = network.forward(
//!     Tensor::<2>::zeros([5, 2], &device),
//!     Tensor::<1>::zeros([5], &device),
//!     &Condition::none(),
//! );
//! assert_eq!(velocity.dims(), [5, 2]);
//! # Ok(())
//! # }
//! ```

mod classifier;
mod embed;
mod error;
mod footprint;
mod inception;
mod init;
mod layer;
mod mlp;
mod network;
mod posterior;
mod split_mlp;
mod unet;

pub use classifier::{Classifier, ClassifierConfig};
pub use embed::{
    Band, ClassEmbedding, CoordinateEncoder, FourierFeatures, LatentEmbedding, TimeEmbedding,
};
pub use error::NetworkError;
pub use footprint::Footprint;
pub use inception::{Inception, Weights};
pub use init::{init_seeded, parameter_count};
pub use mlp::{Mlp, MlpConfig};
pub use network::{Condition, Network};
pub use posterior::{
    DiagonalGaussian, ImageEncoder, ImageEncoderConfig, PathPoints, PointEncoder,
    PointEncoderConfig, Posterior, PosteriorInput,
};
pub use split_mlp::{SplitMlp, SplitMlpConfig};
pub use unet::{Fusion, UNet, UNetConfig};
