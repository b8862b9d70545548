//! Requests in JSON to a trained model, and its answers.
//!
//! | request | read by | answers |
//! |---|---|---|
//! | samples | [`Sampling`] | rows, as JSON, npy, csv or a picture |
//! | log-densities of rows | [`Scoring`] | a number for each row |
//! | rows of a table with holes | [`Imputing`] | the rows with their holes filled |
//! | what the model is | [`Api::card`] | a card, from which a page makes its form |
//!
//! A request is checked whole before the network is asked: what it may cost is bounded by
//! [`Limits`], a field that is not known is refused, and a [`Refused`] is one sentence. Reading,
//! computing and answering are three steps, so that a server may draw several requests together in
//! between; [`Api::sample`] takes them all.
//!
//! There is no network, no thread and no file in this crate: flow-serve puts it behind HTTP, and
//! flow-web into a browser. Both show the same page, [`page`].

mod api;
mod ask;
mod card;
mod density;
mod fields;
mod impute;
mod label;
mod limits;
mod object;
pub mod page;
mod records;
mod refused;
mod reply;
mod sample;

pub use api::Api;
pub use density::Scoring;
pub use fields::fields;
pub use impute::Imputing;
pub use limits::Limits;
pub use object::object;
pub use refused::Refused;
pub use reply::{Form, Reply};
pub use sample::{SampleAnswer, Sampling};

/// The example of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
