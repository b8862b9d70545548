#![doc = include_str!("../README.md")]

mod density;
mod error;
mod file;
mod model;
mod registry;
mod request;
mod sample;
mod section;
mod settings;
mod weights;

pub use density::{Densities, DensityRequest, Rows, Trace};
pub use error::ModelError;
pub use file::{FORMAT, ModelConfig};
pub use model::Model;
pub use registry::Registry;
pub use request::{Against, Classes, Guidance, SampleRequest, Samples};
pub use section::NetworkSection;
pub use settings::{Asked, SampleConfig, SamplePlan, check_solver, check_steps};
