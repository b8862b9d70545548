//! Errors of the numbers handed to a score.

use thiserror::Error;

/// Errors of this crate.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum EvalError {
    /// A set without points.
    #[error("the set has no points: give at least one row of at least one number")]
    Empty,

    /// A slice that is not a whole number of rows.
    #[error("{len} numbers are no whole number of rows of {dim}: check the dimension")]
    PartialRow {
        /// Length of the slice.
        len: usize,
        /// Numbers in a row.
        dim: usize,
    },

    /// A NaN or an infinity.
    #[error(
        "row {row} has {value} in column {column}: scores need finite numbers, look for a diverged \
         network or solve"
    )]
    NotFinite {
        /// Row of the first such number.
        row: usize,
        /// Its column.
        column: usize,
        /// The number itself.
        value: f64,
    },

    /// Two sets in different spaces.
    #[error("points of dimension {a} cannot be compared with points of dimension {b}")]
    Dimensions {
        /// Dimension of the first set.
        a: usize,
        /// Dimension of the second set.
        b: usize,
    },

    /// Two sets that must be equally large.
    #[error("{a} points against {b}: {metric} needs as many of each, drop the surplus")]
    UnequalCounts {
        /// What was asked for.
        metric: &'static str,
        /// Points of the first set.
        a: usize,
        /// Points of the second set.
        b: usize,
    },

    /// Too little data for the estimate.
    #[error("{n} points are too few: {metric} needs at least {needed}")]
    TooFew {
        /// What was asked for.
        metric: &'static str,
        /// Points given.
        n: usize,
        /// Points needed.
        needed: usize,
    },

    /// More data than an exact method can bear.
    #[error("{n} points are too many: {metric} takes at most {limit}, score a subset")]
    TooMany {
        /// What was asked for.
        metric: &'static str,
        /// Points given.
        n: usize,
        /// Points allowed.
        limit: usize,
    },

    /// A parameter outside its domain.
    #[error("{name} = {value} is out of range: it must be {expected}")]
    Parameter {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Its domain, in words.
        expected: &'static str,
    },

    /// Not one kind for each column of a table.
    #[error("{kinds} kinds for {columns} columns: say of each column what it holds")]
    ColumnCount {
        /// Kinds given.
        kinds: usize,
        /// Columns of the rows.
        columns: usize,
    },

    /// A number that should name a category.
    #[error(
        "row {row} has {value} in column {column}, which holds categories: give whole numbers from \
         0 and below {levels}"
    )]
    NotACategory {
        /// The row.
        row: usize,
        /// Its column.
        column: usize,
        /// The number.
        value: f64,
        /// Number of categories.
        levels: usize,
    },

    /// Draws that cannot be shared out among the truths.
    #[error("{draws} draws for {truths} true values: give as many draws for each of them")]
    DrawCount {
        /// Draws given.
        draws: usize,
        /// True values given.
        truths: usize,
    },

    /// A rank that is none.
    #[error("a rank of {rank} among {draws} draws: it is at most their number")]
    Rank {
        /// The rank.
        rank: usize,
        /// Number of draws.
        draws: usize,
    },

    /// A row that should hold the probabilities of all classes.
    #[error("row {row} is no distribution: its entries must be at least 0 and sum to 1, not {sum}")]
    NotADistribution {
        /// The row.
        row: usize,
        /// The sum of its entries.
        sum: f64,
    },

    /// A matrix that should be a covariance.
    #[error(
        "the matrix has the eigenvalue {eigenvalue:e}: a covariance has none below 0 by more than \
         the rounding of float32, check where the statistics come from"
    )]
    NotACovariance {
        /// The smallest eigenvalue.
        eigenvalue: f64,
    },

    /// A matrix that should equal its transpose.
    #[error(
        "the matrix differs from its transpose by {asymmetry:e}, more than the rounding of \
         float32: a covariance is symmetric"
    )]
    NotSymmetric {
        /// The greatest difference of two entries.
        asymmetry: f64,
    },

    /// Times that do not increase.
    #[error("time {index} is {time}, not after {previous}: give the states in the order of time")]
    TimesNotIncreasing {
        /// Index of the offending time.
        index: usize,
        /// The time before it.
        previous: f64,
        /// The time itself.
        time: f64,
    },

    /// Times whose distance no velocity can be divided by.
    #[error(
        "times {index} and {} are {time:e} and {previous:e}: a velocity between them would leave \
         the range of double precision, give times of a common scale",
        index - 1
    )]
    TimeStep {
        /// Index of the later time.
        index: usize,
        /// The time before it.
        previous: f64,
        /// The time itself.
        time: f64,
    },

    /// Not one state for each time.
    #[error("{states} states at {times} times: give one state for each time, and at least two")]
    StateCount {
        /// States given.
        states: usize,
        /// Times given.
        times: usize,
    },

    /// Trajectories that end where they began.
    #[error(
        "no trajectory leaves its starting point: their lengths have nothing to be compared to"
    )]
    NoDisplacement,

    /// A score that left the range of `f64` on the way.
    #[error(
        "{metric} is {value}: sums of these numbers leave the range of double precision, scale \
         them down"
    )]
    Overflow {
        /// What was asked for.
        metric: String,
        /// What came out, infinite or NaN.
        value: f64,
    },
}
