//! Embeddings of time, class and position.

mod class;
mod coordinate;
mod fourier;
mod latent;
mod time;
mod vector;

pub use class::ClassEmbedding;
pub use coordinate::{Band, CoordinateEncoder};
pub use fourier::FourierFeatures;
pub use latent::LatentEmbedding;
pub use time::TimeEmbedding;
pub use vector::VectorEmbedding;
