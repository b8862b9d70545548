//! Data to data: when snapshots were seen, and the paths between them.

use std::sync::Arc;

use flow_datasets::counted;
use flow_path::config::plain;
use flow_train::{Chain, DataSource, Rows, Snapshot, Spread};
use serde::{Deserialize, Serialize};

use crate::error::{RunError, usage};

/// The key under which a model keeps its snapshots.
const KEY: &str = "snapshots";

/// When the snapshots were seen that a model leads from one to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshots {
    /// The times, in increasing order. Of a file that flows to another one they are 0 and 1.
    pub times: Vec<f64>,
    /// The column or array that holds the time of a row; none where files are snapshots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

impl Snapshots {
    /// Those of a file that flows to another one.
    #[must_use]
    pub fn of_files() -> Self {
        Self { times: vec![0.0, 1.0], column: None }
    }

    /// The different times of the rows of a column in their order, and the rows of each. The two
    /// zeros are one time.
    ///
    /// # Errors
    /// When a time is missing or infinite, all are equal, there are too many of them, or one has
    /// too few rows.
    pub fn of_column(column: &str, times: &[f64]) -> Result<(Self, Vec<Vec<usize>>), RunError> {
        if let Some(row) = times.iter().position(|t| !t.is_finite()) {
            return Err(usage!(
                "row {} has no time in `{column}`: give it one, or leave the row out",
                row + 1
            ));
        }
        let mut order: Vec<usize> = (0..times.len()).collect();
        // Zero has two signs, and adding one of them leaves that one alone.
        let time = |row: usize| times[row] + 0.0;
        order.sort_by(|&a, &b| time(a).total_cmp(&time(b)));
        let same = |a: &usize, b: &usize| time(*a).total_cmp(&time(*b)).is_eq();
        let rows: Vec<Vec<usize>> = order.chunk_by(same).map(<[usize]>::to_vec).collect();
        if rows.len() < 2 {
            return Err(usage!("`{column}` is the same in all rows, and two times are needed"));
        }
        if MOST < rows.len() {
            return Err(usage!(
                "`{column}` has {} different values, and snapshots are at most {MOST} times at \
                 which many rows were seen",
                rows.len()
            ));
        }
        if let Some(few) = rows.iter().find(|rows| rows.len() < FEWEST) {
            return Err(usage!(
                "`{column}` is {} in {}, and each time needs {FEWEST} rows, to learn from and to \
                 hold out: round the times, or leave such rows out",
                times[few[0]],
                counted(few.len(), "row")
            ));
        }
        let times = rows.iter().map(|rows| time(rows[0])).collect();
        Ok((Self { times, column: Some(column.to_owned()) }, rows))
    }

    /// The first and the last time.
    #[must_use]
    pub fn ends(&self) -> [f64; 2] {
        [0, self.times.len() - 1].map(|at| self.times[at])
    }

    /// A time on the model's own clock, from 0 at the first snapshot to 1 at the last.
    ///
    /// # Errors
    /// For a time before the first or after the last, and for what is no number.
    pub fn clock(&self, t: f64) -> Result<f64, RunError> {
        let [start, end] = self.ends();
        if (start..=end).contains(&t) {
            // Halves, because the whole span may be beyond any number.
            let [t, start, end] = [t, start, end].map(|t| 0.5 * t);
            return Ok((t - start) / (end - start));
        }
        Err(usage!("the time {t} lies outside {start} to {end}, which the model has learned"))
    }

    /// What a model keeps under its own key.
    ///
    /// # Panics
    /// Never: times and a name are valid TOML.
    #[must_use]
    pub fn kept(&self) -> toml::Table {
        let own = toml::Value::try_from(self).expect("times and a name are valid TOML");
        toml::Table::from_iter([(KEY.to_owned(), own)])
    }

    /// What a model of data to data has kept; nothing for other models.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of(rows: &toml::Table) -> Result<Option<Self>, RunError> {
        let Some(own) = rows.get(KEY) else { return Ok(None) };
        let read: Self = own.clone().try_into().map_err(|error: toml::de::Error| {
            usage!("the model's snapshots: {}", plain(error.message()))
        })?;
        let increase = read.times.windows(2).all(|pair| pair[0] < pair[1]);
        if read.times.len() < 2 || !increase || !read.times.iter().all(|t| t.is_finite()) {
            return Err(usage!("the model's snapshots: its times do not increase"));
        }
        Ok(Some(read))
    }
}

/// Times at which rows were seen.
const MOST: usize = 1000;

/// Rows of each time: two to learn from and two to hold out.
const FEWEST: usize = 4;

/// How rows are changed before training sees them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Gaps between the values of pixels, over which they are spread.
    pub(crate) gaps: Option<u32>,
    /// What spreads the whole numbers of a table over their cells.
    pub(crate) spread: Option<Arc<dyn Spread>>,
    /// Whether they are mirrored with probability one half.
    pub(crate) mirrored: bool,
}

impl Seen {
    /// Rows with these changes.
    pub(crate) fn of(self, rows: Rows) -> Rows {
        let rows = if self.mirrored { rows.mirrored() } else { rows };
        let rows = match self.gaps {
            Some(gaps) => rows.dequantised(gaps),
            None => rows,
        };
        match self.spread {
            Some(spread) => rows.spread_by(spread),
            None => rows,
        }
    }
}

/// How a source is made of snapshots in the order of their times: one alone is data for noise; of
/// two that are pairs row `i` leads to row `i`; others lead to any of their condition. Sequences
/// have `lengths` where they may end early.
pub(crate) fn source(
    shape: &[usize],
    mut snapshots: Vec<Snapshot>,
    pairs: bool,
    seen: Seen,
    lengths: Option<Vec<usize>>,
) -> Result<Arc<dyn DataSource>, RunError> {
    if 1 < snapshots.len() && !pairs {
        if seen.gaps.is_some() || seen.spread.is_some() || seen.mirrored {
            return Err(usage!(
                "data.dequantise and data.mirror change the rows that noise flows to, or of pairs: \
                 leave them out"
            ));
        }
        let chain = Chain::new(shape.to_vec(), snapshots);
        let chain =
            chain.map_err(|error| usage!("{error}: leave such rows out, or the condition"))?;
        return Ok(Arc::new(chain));
    }
    let Some(Snapshot { rows, labels, vectors, .. }) = snapshots.pop() else {
        return Err(usage!("there are no rows to learn from"));
    };
    let mut source = Rows::new(shape.to_vec(), rows, labels);
    if let Some(vectors) = vectors {
        source = source.with_vectors(vectors);
    }
    if let Some(lengths) = lengths {
        source = source.with_lengths(lengths);
    }
    if let Some(before) = snapshots.pop() {
        source = source.with_starts(before.rows);
    }
    Ok(Arc::new(seen.of(source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_time_are_a_snapshot_and_the_clock_runs_over_all() {
        let times = [24.0, 0.0, 72.0].repeat(4);
        let (snapshots, rows) = Snapshots::of_column("hours", &times).unwrap();
        assert_eq!(snapshots.times, [0.0, 24.0, 72.0]);
        assert_eq!(rows, [vec![1, 4, 7, 10], vec![0, 3, 6, 9], vec![2, 5, 8, 11]]);
        let few = Snapshots::of_column("hours", &times[..11]).unwrap_err().to_string();
        assert!(few.contains("`hours` is 72 in 3 rows"), "{few}");
        assert!((snapshots.clock(24.0).unwrap() - 1.0 / 3.0).abs() < 1e-15);
        assert!(snapshots.clock(72.5).unwrap_err().to_string().contains("0 to 72"));
        assert_eq!(Snapshots::of(&snapshots.kept()).unwrap(), Some(snapshots));
        assert!(Snapshots::of_column("hours", &[1.0, 1.0]).is_err());
        assert!(Snapshots::of_column("hours", &[1.0, f64::NAN]).is_err());
    }
}
