//! A trained flow-matching model as a thing of its own: open, sample, score and save it.
//!
//! Nothing here knows of recipes, runs, data sets or training.
//!
//! ```no_run
//! use burn::tensor::Device;
//! use flow_model::{Classes, Model, ModelError, SampleRequest};
//!
//! fn main() -> Result<(), ModelError> {
//!     let model = Model::open("runs/0001-digits/model", &Device::flex())?;
//!     let request = SampleRequest { classes: Classes::All(7), ..model.request(16, 0)? };
//!     let samples = model.sample(&request, &*model.sampler()?)?;
//!     println!("{} numbers in rows of shape {:?}", samples.rows.len(), model.shape());
//!     Ok(())
//! }
//! ```

mod answering;
mod begin;
mod card;
mod changes;
mod check;
mod config;
mod density;
mod error;
mod file;
mod finite;
mod method;
mod model;
mod piece;
mod plan;
mod push;
mod question;
mod registry;
mod request;
mod sample;
mod section;
mod settings;
mod together;
mod told;
mod torch;
mod weights;

pub use answering::AnswerPlan;
pub use begin::begin;
pub use card::{Card, CardPath};
pub use changes::SampleChanges;
pub use config::{DATA, FORMAT, ModelConfig};
pub use density::{Densities, DensityRequest, Rows, Trace};
pub use error::ModelError;

pub use flow_nn::parameter_count;
pub use method::AnswerMethod;
pub use model::Model;
pub use plan::{Asked, SamplePlan};
pub use question::{Answered, Question};
pub use registry::Registry;
pub use request::{Against, Classes, Guidance, SampleRequest, Samples};
pub use section::NetworkSection;
pub use settings::{SampleConfig, check_solver, check_steps};

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
