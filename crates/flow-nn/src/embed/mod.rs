//! Embeddings of time, class and position.

mod class;
mod fourier;
mod time;

pub use class::ClassEmbedding;
pub use fourier::FourierFeatures;
pub use time::TimeEmbedding;
