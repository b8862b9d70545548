//! Errors of the costs handed to a solver, and of its solution.

use thiserror::Error;

/// Errors of this crate.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum TransportError {
    /// No rows or no columns, where an answer needs some.
    #[error("{rows} rows against {columns} columns: give at least one of each")]
    Empty {
        /// Rows of the costs.
        rows: usize,
        /// Columns of the costs.
        columns: usize,
    },

    /// A cost that is no number, or minus infinity.
    #[error(
        "the cost of row {row} and column {column} is {value}: costs are finite, or infinite for a \
         pair that is forbidden"
    )]
    Cost {
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
        /// The cost.
        value: f64,
    },

    /// A coordinate of a point that is not finite.
    #[error("row {row} of the {set} set holds {value}: distances need finite numbers")]
    Coordinate {
        /// Which set, `first` or `second`.
        set: &'static str,
        /// The row.
        row: usize,
        /// The number.
        value: f32,
    },

    /// More costs than are kept in memory.
    #[error(
        "{rows} times {columns} costs take {bytes} bytes, which is more than the {limit} that a \
         matrix may have or more than is free: take smaller sets, such as smaller batches"
    )]
    TooLarge {
        /// Rows of the costs.
        rows: usize,
        /// Columns of the costs.
        columns: usize,
        /// Memory asked for.
        bytes: u128,
        /// The most that a matrix may have, whatever is free.
        limit: u128,
    },

    /// Forbidden pairs that leave a row without a partner.
    #[error(
        "the forbidden pairs leave no partner for {side} {index}: allow more pairs, or pair fewer \
         rows"
    )]
    Infeasible {
        /// `row` or `column`.
        side: &'static str,
        /// Which of them.
        index: usize,
    },

    /// Masses of two sides that differ.
    #[error("the rows send {rows} units and the columns take {columns}: give both as many")]
    Masses {
        /// Units of all rows.
        rows: u64,
        /// Units of all columns.
        columns: u64,
    },

    /// More pairs than there are rows or columns.
    #[error(
        "{pairs} pairs of {rows} rows and {columns} columns: ask for at most the fewer of both"
    )]
    PairCount {
        /// Pairs asked for.
        pairs: usize,
        /// Rows of the costs.
        rows: usize,
        /// Columns of the costs.
        columns: usize,
    },

    /// Forbidden pairs that allow fewer pairs than were asked for.
    #[error("the forbidden pairs allow no {pairs} pairs: allow more, or ask for fewer")]
    TooFewAllowed {
        /// Pairs asked for.
        pairs: usize,
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

    /// An entropy so weak that the rounding of the costs outweighs it.
    #[error(
        "epsilon is {epsilon:e} and a cost is {largest:e}: in double precision such costs need an \
         epsilon of at least {least:e}; raise epsilon (for a Schrodinger bridge sigma, \
         epsilon = 2 sigma^2), or take exact transport"
    )]
    EpsilonTooSmall {
        /// The regularisation, in units of the cost.
        epsilon: f64,
        /// The largest finite cost.
        largest: f64,
        /// The least regularisation for such costs.
        least: f64,
    },

    /// A plan whose marginals are not met well enough.
    #[error(
        "the entropic plan misses a marginal by the fraction {error:e} after {iterations} sweeps \
         ({stop}), above the tolerance {tolerance:e}: raise epsilon (for a Schrodinger bridge \
         sigma, epsilon = 2 sigma^2), or take exact transport"
    )]
    NotConverged {
        /// Sweeps made at the final regularisation.
        iterations: usize,
        /// Largest error of a marginal, as a fraction of its mass.
        error: f64,
        /// The error allowed.
        tolerance: f64,
        /// Why the sweeps ended.
        stop: crate::Stop,
    },

    /// The caller asked to stop.
    #[error("the entropic plan was interrupted after {iterations} sweeps")]
    Interrupted {
        /// Sweeps made at the final regularisation.
        iterations: usize,
    },
}

impl TransportError {
    /// Whether a row is what has no partner.
    pub(crate) fn is_about_a_row(&self) -> bool {
        matches!(self, Self::Infeasible { side: "row", .. })
    }
}

/// The value, if it is a positive number.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64, TransportError> {
    if value.is_finite() && 0.0 < value {
        Ok(value)
    } else {
        Err(TransportError::Parameter { name, value, domain: "(0, inf)" })
    }
}
