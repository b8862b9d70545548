//! Rows of training data.

use std::fmt::Debug;
use std::ops::Range;

use flow_path::stream::Streams;

/// Rows of one batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draw {
    /// Row-major values, `[n, ..]`.
    pub rows: Vec<f32>,
    /// Class of each row, for labelled data.
    pub labels: Option<Vec<usize>>,
    /// Numbers that condition each row, `[n, vector]`, standardised.
    pub vectors: Option<Vec<f32>>,
    /// A row that conditions each row, `[n, product of context]`.
    pub contexts: Option<Vec<f32>>,
    /// Elements of each row that are there, for sequences that may end early; what lies behind them
    /// is any finite number.
    pub lengths: Option<Vec<usize>>,
    /// Which numbers of each row are known, `[n, ..]`, for rows that may lack some: in the place of
    /// one that is not stands 0, and the loss looks at none of them.
    pub known: Option<Vec<bool>>,
    /// Where the path of each row starts, `[n, ..]`, for data that come in pairs; else it is drawn.
    pub starts: Option<Vec<f32>>,
    /// The part of the time that the path of each row takes; all of it, if there is none.
    pub legs: Option<Vec<Leg>>,
}

/// The part of the unit interval of time that a path takes, and with whom it may be paired.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    /// Where it starts, the first snapshot being at 0.
    pub from: f64,
    /// Where it ends, the last snapshot being at 1.
    pub to: f64,
    /// Rows of a batch that may exchange their starts: those of one leg and one condition.
    pub group: usize,
}

/// A source of training data.
pub trait DataSource: Debug + Send + Sync {
    /// Shape of one row, for example `[2]` or `[1, 28, 28]`.
    fn shape(&self) -> &[usize];

    /// Numbers in the condition vector of a row, 0 for none.
    fn vector(&self) -> usize {
        0
    }

    /// Shape of the conditioning row of a row, empty for none.
    fn context(&self) -> &[usize] {
        &[]
    }

    /// Whether rows are sequences that may end early, and say where.
    fn lengths(&self) -> bool {
        false
    }

    /// The rows numbered `range` in the endless sequence of rows that `streams` defines.
    ///
    /// The answer depends on the arguments alone.
    fn draw(&self, range: Range<u64>, streams: &Streams) -> Draw;
}
