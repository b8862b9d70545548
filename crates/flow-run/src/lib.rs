//! Recipes and run folders of flow matching: what to train, training it, going on with it, and what
//! is known of a run afterwards.
//!
//! A [`Recipe`] names data, network, path, training, sampling and scores. A [`Training`] opens what
//! it names and refuses what cannot work before anything is written; [`Training::begin`] claims the
//! folder of its [`Run`], and [`Begun::train`] leaves checkpoints, a log and a model there. A
//! [`Model`] is what a run has learned, and a [`Request`] what to draw from it.
//!
//! | part | items |
//! |---|---|
//! | what to train, section by section, and the recipes that ship | [`recipe`], [`Recipe::named`], [`RECIPES`] |
//! | the choices that a recipe has, and other names | [`choices()`], [`networks`], [`solvers`], [`listed`] |
//! | numbers as they are typed | [`typed`] |
//! | data sets by name, tables and arrays of your own, snapshots | [`Data`], [`target`], [`table`], [`array`], [`snapshots`] |
//! | images that are told a smaller copy of themselves | [`Upsampling`] |
//! | networks, batches and pairs of a recipe | [`network`], [`batches()`], [`Teacher`], [`Beginning`] |
//! | what it takes of the memory | [`Sizes`], [`memory`] |
//! | the recipe that fits data of your own | [`OwnData`] |
//! | from a start to a model | [`Start`], [`Training`], [`Begun`] |
//! | the folder of a run | [`Run`], [`Lock`], [`Shape`], [`metrics`] |
//! | what is found of a model of its own, in a folder like that of a run | [`Run::scored`], [`Run::of_model`], [`Run::keep`] |
//! | the model of a run, and what to draw from it | [`Model`], [`Request`], [`SampleChanges`] |
//! | what processes that share a run tell each other | [`together`] |
//! | where a model comes from: a run, or a file of its own; its card | [`Place`], [`card()`] |
//! | samples in files, and rows of a file carried along the flow | [`RowForm`], [`SampleWriter`], [`Push`] |
//! | tables without holes | [`impute`] |
//! | files that appear whole or not at all | [`files`], [`drafts`], [`json`] |
//! | what is done about a signal that asks to stop | [`Signal`], [`Watch`], [`Stopping`] |
//! | messages and progress, for a terminal or a log | [`Listener`], [`Meter`], [`Silent`] |
//!
//! Libraries print nothing: what a user may want to hear goes to a [`Listener`], and what goes
//! wrong is a [`RunError`], of which [`RunError::is_usage`] tells what was asked for in vain from
//! what failed. Networks of a user's own are part of a recipe once they are registered: whatever
//! reads a recipe takes a [`Registry`](flow_model::Registry).
#![recursion_limit = "256"]

mod about;
pub mod array;
mod batches;
mod beginning;
mod begun;
mod card;
mod choices;
mod claim;
mod data;
mod description;
pub mod drafts;
mod environment;
mod error;
pub mod files;
mod form;
#[cfg(test)]
mod fuzz;
mod given;
mod impute;
pub mod json;
mod listed;
mod listener;
mod lock;
mod matching;
pub mod memory;
pub mod metrics;
mod model;
mod model_file;
mod name;
pub mod network;
mod of_model;
mod own;
mod place;
mod push;
pub mod recipe;
mod recipes;
mod recorder;
mod records;
mod reflow;
mod request;
mod run;
mod samples;
mod sampling;
mod shards;
mod signal;
mod sizes;
pub mod snapshots;
mod subset;
pub mod table;
pub mod together;
mod toys;
mod training;
pub mod typed;
mod upsampling;

pub use batches::{Sources, batches, flow_matching, sources};
pub use beginning::{Beginning, beginning_with};
pub use begun::Begun;
pub use card::card;
pub use choices::{Choices, answer_methods, choices, networks, schedules, solvers};
pub use data::{Changes, Data, data_files};
pub use environment::{Models, Shape, Stage};
pub use error::{RunError, sentence};
pub use flow_model::SampleChanges;
pub use form::RowForm;
pub use given::Given;
pub use impute::impute;
pub use listed::listed;
pub use listener::{Listener, Meter, Silent, time_left};
pub use lock::Lock;
pub use memory::row_size;
pub use model::{Model, save_model, save_torch};
pub use name::posterior_name;
pub use own::OwnData;
pub use place::Place;
pub use push::{Push, Pushed};
pub use recipe::Recipe;
pub use recipes::{RECIPES, shipped};
pub use reflow::Teacher;
pub use request::{DEFAULT_BATCH, Request};
pub use run::Run;
pub use samples::SampleWriter;
pub use signal::{Answer, Interrupted, Signal, Stopping, Told, Watch};
pub use sizes::{Sizes, check_samples, check_scored};
pub use subset::{image_rows, labels, pixels, some_of, some_places};
pub use toys::target;
pub use training::{Start, Training};
pub use upsampling::Upsampling;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
