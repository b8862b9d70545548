//! The numbers of a finite set, in memory or read row by row.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

/// Rows that are not in memory, such as those of a file that is larger.
pub trait RowStore: Debug + Send + Sync {
    /// Number of rows.
    fn len(&self) -> usize;

    /// Whether there is no row.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of a row.
    ///
    /// # Errors
    /// A sentence about why it cannot be read.
    fn row(&self, row: usize) -> Result<Vec<f32>, String>;
}

/// The numbers of all rows.
#[derive(Debug)]
pub(crate) enum Values {
    Memory(Vec<f32>),
    Stored(Arc<dyn RowStore>),
}

impl Values {
    /// How many rows of `size` numbers there are.
    pub(crate) fn rows(&self, size: usize) -> usize {
        match self {
            Self::Memory(values) => values.len() / size,
            Self::Stored(rows) => rows.len(),
        }
    }

    /// The numbers of a row of `size` numbers.
    ///
    /// # Panics
    /// When it cannot be read, with the reason.
    pub(crate) fn row(&self, row: usize, size: usize) -> Cow<'_, [f32]> {
        match self {
            Self::Memory(values) => Cow::Borrowed(&values[row * size..(row + 1) * size]),
            Self::Stored(rows) => match rows.row(row) {
                Ok(row) => Cow::Owned(row),
                Err(reason) => panic!("{reason}"),
            },
        }
    }
}
