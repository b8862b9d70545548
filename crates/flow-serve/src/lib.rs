//! A trained flow-matching model behind HTTP.
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/sample` | samples, as JSON, npy, csv or a picture |
//! | `POST /v1/log_prob` | log-densities of rows |
//! | `POST /v1/impute` | rows of a table with their holes filled |
//! | `GET /v1/model` | what the model is, and what it can be asked |
//! | `GET /healthz`, `/metrics`, `/openapi.json` | for those who run it |
//! | `GET /` | a page to try it |
//!
//! Requests for samples that wait and have the same settings are drawn by one network call, and
//! each gets the numbers that its own seed gives alone, bit for bit:
//! [`Model::sample_together`](flow_model::Model::sample_together). What a request may cost is
//! bounded by [`Limits`]; a request whose client has left is given up before the next evaluation of
//! the network.
//!
//! ```no_run
//! use burn::tensor::Device;
//! use flow_model::Model;
//! use flow_serve::{Server, Settings};
//!
//! let model = Model::open("m.flow", &Device::flex())?;
//! let server = Server::new(model, Settings::default())?;
//! server.run(([127, 0, 0, 1], 8080).into(), |address| println!("http://{address}"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accept;
mod app;
mod body;
mod connections;
mod endpoints;
mod error;
mod held;
mod metrics;
mod page;
mod patient;
mod queue;
mod refusal;
mod routes;
mod server;
mod settings;
mod typed;
mod worker;

pub use error::ServeError;
pub use server::Server;
pub use settings::{Limits, Settings};

/// The example of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
