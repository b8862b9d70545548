//! Pictures and pages of runs, and runs side by side.
//!
//! | part | items |
//! |---|---|
//! | the pictures of a run | [`draw`] |
//! | the density of a model of points of the plane | [`draw_density`] |
//! | draws after observations, in a table and in a picture | [`Posterior`], [`draw_posterior`] |
//! | how far draws can be trusted | [`draw_calibration`] |
//! | samples as one picture, or as the file is named | [`save_samples`], [`write_samples`] |
//! | pixels from pictures and arrays, and what is seen of a sample | [`Pixels`], [`operator()`], [`mask`], [`noise`] |
//! | what a model is told before it is sampled | [`Told`] |
//! | an observation, and its answers in a folder | [`Seen`], [`observed`], [`save_answers`] |
//! | everything about a run on one page, in one file | [`page`] |
//! | runs side by side: where their recipes differ, their scores, figures | [`Comparison`], [`CompareOptions`] |
//!
//! Pages are made from what lies in the folder of a run, so that a run that was moved or made by an
//! earlier version has them too. Nothing is printed: a [`Listener`](flow_run::Listener) is told
//! what is left out, and what goes wrong is a [`ReportError`].

mod answers;
mod calibration;
mod compare;
mod density;
mod document;
mod error;
mod family;
#[cfg(test)]
mod fuzz;
mod gallery;
mod operator;
mod page;
mod pictures;
mod pixels;
mod posterior;
mod seen;
mod told;

pub use answers::{AnswersNote, back_projection, observed, save_answers};
pub use calibration::draw_calibration;
pub use compare::{CompareOptions, Comparison};
pub use density::draw_density;
pub use error::ReportError;
pub use gallery::draw;
pub use operator::{mask, noise, operator};
pub use page::page;
pub use pictures::{save_samples, write_samples};
pub use pixels::Pixels;
pub use posterior::{Posterior, draw_posterior};
pub use seen::{Asked, Explained, Seen};
pub use told::Told;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
