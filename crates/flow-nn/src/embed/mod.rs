//! Embeddings of time, class and position.

mod class;
mod coordinate;
mod fourier;
mod latent;
mod time;
mod told;
mod vector;

pub use class::ClassEmbedding;
pub use coordinate::{Band, CoordinateEncoder};
pub use fourier::FourierFeatures;
pub use latent::LatentEmbedding;
pub use time::{TIME_SCALE, TimeEmbedding};
pub(crate) use time::{is_usual, time_scale};
pub(crate) use told::Told;
pub use vector::VectorEmbedding;
