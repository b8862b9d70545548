//! Scores of a trained model, each beside the floor that real data reach, and golden numbers.
//!
//! [`evaluate`] samples the model of a run in every way that its recipe asks for, and scores the
//! samples, the paths that lead to them and the fields behind them. What it finds is a [`Report`],
//! the content of `eval.json`. [`likelihood()`] asks a model how probable data are.
//!
//! | part | items |
//! |---|---|
//! | scores of a run, and what they are asked for | [`evaluate`], [`EvalOptions`], [`Report`], [`METRICS`] |
//! | the same by several processes | [`evaluate_together`] |
//! | the classifier whose features images are compared by (FD-clf) | [`Judge`], [`Verdict`] |
//! | the network of FID from a file, and statistics of its features | [`inception`] |
//! | the field beside the exact one | [`FieldReport`] |
//! | the spread of velocities at a point | [`AmbiguityReport`], [`ambiguity`] |
//! | what a latent carries, and what it decides | [`LatentReport`], [`ControlReport`], [`control`] |
//! | questions about held-out rows, put to several methods and models | [`Inquiry`], [`ImageQuestions`], [`RowQuestions`], [`AnswersReport`] |
//! | log-likelihood and bits per dimension | [`likelihood()`], [`LikelihoodOptions`], [`LikelihoodData`] |
//! | golden numbers, computed again | [`verify`] |
//!
//! Nothing is printed: a [`Listener`](flow_run::Listener) is told what happens meanwhile, and what
//! goes wrong is a [`JudgeError`].

pub mod ambiguity;
mod calibration;
mod classifier;
pub mod control;
mod course;
mod enlarged;
mod error;
mod evaluate;
mod examiner;
mod field;
#[cfg(test)]
mod fuzz;
pub mod inception;
mod latent;
mod likelihood;
mod malformed;
mod metric;
mod paths;
mod questions;
mod report;
mod standard;
mod subject;
mod table;
mod teaching;
pub mod verify;
mod viewer;

pub use ambiguity::{AmbiguityPoint, AmbiguityReport};
pub use calibration::{Calibrated, Calibration, calibrate};
pub use classifier::{Judge, Verdict};
pub use control::{ControlReport, Manifold, Variance};
pub use course::Point;
pub use error::JudgeError;
pub use evaluate::{EvalOptions, check_metrics, check_numbers, evaluate, evaluate_together};
pub use field::{FieldError, FieldReport};
pub use latent::{LatentError, LatentReport};
pub use likelihood::{
    Bits, Estimate, Found, LikelihoodData, LikelihoodOptions, Report as LikelihoodReport,
    densities, densities_in_words, likelihood, with_densities,
};
pub use malformed::Malformed;
pub use metric::{Kind, METRICS, Metric, metrics_in_words};
pub use paths::{ErrorReport, ErrorRow, PathReport};
pub use questions::{
    AnswersReport, AnswersRow, ImageQuestions, Inquiry, QuestionOptions, RowQuestions, TrainedModel,
};
pub use report::{InceptionFile, Report, Row};
pub use table::TableSpace;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
