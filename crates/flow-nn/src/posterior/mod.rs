//! Networks that look at a pair and answer with a distribution of its latent.

mod config;
mod gaussian;
mod image;
mod points;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

pub use config::EncoderConfig;
pub use gaussian::DiagonalGaussian;
pub use image::{ImageEncoder, ImageEncoderConfig};
pub use points::{PointEncoder, PointEncoderConfig};

/// A batch of points on the paths of their pairs: everything that a posterior may look at.
#[derive(Clone, Debug)]
pub struct PathPoints {
    /// Starts, `[B, d]`.
    pub x0: Tensor<2>,
    /// Ends, `[B, d]`.
    pub x1: Tensor<2>,
    /// Points between, `[B, d]`.
    pub x_t: Tensor<2>,
    /// Their times, `[B]`.
    pub t: Tensor<1>,
}

/// What a posterior looks at.
///
/// The choice decides what the latent can tell. From `x_t` alone it can tell nothing that the
/// velocity network does not know, and the model is plain flow matching; with `x_0` and `x_1` it
/// can tell the velocity itself, and only the weight of the divergence keeps it from doing so.
///
/// # Reference
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, appendix C.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PosteriorInput {
    /// The start of the pair.
    #[serde(rename = "x0")]
    X0,
    /// The end of the pair.
    #[serde(rename = "x1")]
    X1,
    /// The point between.
    #[serde(rename = "x_t")]
    Xt,
    /// The time.
    #[serde(rename = "t")]
    T,
}

/// A posterior `q(z | x_0, x_1, x_t, t)`, or of any subset of these.
pub trait Posterior {
    /// The distribution of the latent of each row.
    fn forward(&self, seen: &PathPoints) -> DiagonalGaussian;

    /// Numbers in the latent.
    fn latent(&self) -> usize;
}
