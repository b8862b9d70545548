//! What can go wrong between the rows of a table and those of a model.

use flow_datasets::TableError;
use flow_model::ModelError;

/// An error of a table, or of the model of one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// What the model has kept of its table does not hold what was written.
    #[error("the model's table: {0}")]
    Damaged(String),
    /// A condition that the model always had in training.
    #[error(
        "row {row} of the conditions lacks `{column}`: the model was always told it, give a value"
    )]
    Untold {
        /// The row, from 1.
        row: usize,
        /// The given column.
        column: String,
    },
    /// A table that cannot be encoded, or rows that cannot be decoded.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl RowsError {
    /// Whether something was asked for that cannot be met, as opposed to something that failed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Model(error) => error.is_usage(),
            _ => true,
        }
    }
}
