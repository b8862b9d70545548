//! Errors of the data handed to a path.

use flow_transport::TransportError;
use thiserror::Error;

/// Which of the batches of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The noise, `x_0`.
    Noise,
    /// The data, `x_1`.
    Data,
    /// The condition vectors.
    Condition,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Noise => "noise",
            Self::Data => "data",
            Self::Condition => "condition",
        })
    }
}

/// Errors of this crate.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum PathError {
    /// A batch without rows.
    #[error("the batch has no rows: give at least one row of noise and of data")]
    EmptyBatch,

    /// Batches of different sizes.
    #[error(
        "{noise} rows of noise cannot be paired with {data} rows of data: draw as many of each"
    )]
    RowCounts {
        /// Rows of noise.
        noise: usize,
        /// Rows of data.
        data: usize,
    },

    /// A number that is not finite.
    #[error(
        "the {side} has the value {value} in row {row}, which is not finite: check the data and its \
         scaling"
    )]
    NotFinite {
        /// The batch in which it was found.
        side: Side,
        /// Its row.
        row: usize,
        /// The number.
        value: f32,
    },

    /// A coupling that needs labels was given none.
    #[error("this coupling pairs within classes and was given no labels: pass one per row of data")]
    MissingLabels,

    /// Labels that do not match the data.
    #[error("{labels} labels for {rows} rows of data: pass one per row")]
    LabelCount {
        /// Labels given.
        labels: usize,
        /// Rows of data.
        rows: usize,
    },

    /// A coupling that needs condition vectors was given none.
    #[error(
        "this coupling weighs the condition vectors of the rows and was given none: condition the \
         data on numbers, or choose the coupling `independent` or `ot`"
    )]
    MissingConditions,

    /// Condition vectors that do not match the data.
    #[error("{numbers} numbers of conditions for {rows} rows of data: pass as many for each row")]
    ConditionCount {
        /// Numbers given.
        numbers: usize,
        /// Rows of data.
        rows: usize,
    },

    /// A parameter outside its domain.
    #[error("{name} is {value}: it must lie in {domain}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// The value given.
        value: f64,
        /// The values allowed.
        domain: &'static str,
    },

    /// The transport between noise and data could not be found.
    #[error(transparent)]
    Transport(#[from] TransportError),
}
