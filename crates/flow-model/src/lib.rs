//! A trained flow-matching model as a thing of its own.

mod error;
mod registry;
mod section;

pub use error::ModelError;
pub use registry::Registry;
pub use section::NetworkSection;
