//! Where data rows come from.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use flow_path::stream::{Purpose, Streams};
use rand::RngExt;

/// Rows of one batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draw {
    /// Row-major values, `[n, ..]`.
    pub rows: Vec<f32>,
    /// Class of each row, for labelled data.
    pub labels: Option<Vec<usize>>,
    /// Where the path of each row starts, `[n, ..]`, for data that come in pairs; else it is drawn.
    pub starts: Option<Vec<f32>>,
}

/// A source of training data.
pub trait DataSource: Debug + Send + Sync {
    /// Shape of one row, for example `[2]` or `[1, 28, 28]`.
    fn shape(&self) -> &[usize];

    /// The rows numbered `range` in the endless sequence of rows that `streams` defines.
    ///
    /// The answer depends on the arguments alone.
    fn draw(&self, range: Range<u64>, streams: &Streams) -> Draw;
}

/// A finite data set, seen in a new order on each pass.
///
/// Row `k` of the endless sequence is row `order_p(k mod n)` of the set, where `order_p` is a
/// permutation drawn for pass `p = k / n`.
#[derive(Debug)]
pub struct Rows {
    shape: Vec<usize>,
    values: Vec<f32>,
    labels: Option<Vec<usize>>,
    starts: Option<Vec<f32>>,
    mirror: bool,
    order: Mutex<Option<Order>>,
}

/// The order of one pass, kept because neighbouring batches share it.
#[derive(Debug)]
struct Order {
    streams: Streams,
    pass: u64,
    rows: Arc<[usize]>,
}

impl Rows {
    /// A data set of row-major `rows`, each of `shape`.
    ///
    /// # Panics
    /// When `rows` is empty or no whole number of rows, or when there is not one label per row.
    #[must_use]
    pub fn new(shape: Vec<usize>, rows: Vec<f32>, labels: Option<Vec<usize>>) -> Self {
        let size: usize = shape.iter().product();
        assert!(
            !rows.is_empty() && rows.len().is_multiple_of(size),
            "expected whole rows of {size} numbers, got {} numbers",
            rows.len()
        );
        let n = rows.len() / size;
        if let Some(labels) = &labels {
            assert!(labels.len() == n, "expected {n} labels, got {}", labels.len());
        }
        Self { shape, values: rows, labels, starts: None, mirror: false, order: Mutex::new(None) }
    }

    /// Gives each row the start of its path, for pairs that belong together: use the coupling
    /// [`Paired`](flow_path::Paired), which keeps them so.
    ///
    /// # Panics
    /// When there is not one number for each of the rows.
    #[must_use]
    pub fn with_starts(mut self, starts: Vec<f32>) -> Self {
        let (got, expected) = (starts.len(), self.values.len());
        assert!(got == expected, "expected starts of {expected} numbers, got {got}");
        self.starts = Some(starts);
        self
    }

    /// Mirrors each image left to right with probability one half.
    #[must_use]
    pub fn mirrored(mut self) -> Self {
        self.mirror = true;
        self
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.size()
    }

    /// Never true: an empty data set is refused by [`Rows::new`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn size(&self) -> usize {
        self.shape.iter().product()
    }

    fn order(&self, pass: u64, streams: Streams) -> Arc<[usize]> {
        let mut kept = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(order) = kept.as_ref().filter(|o| o.pass == pass && o.streams == streams) {
            return Arc::clone(&order.rows);
        }
        let mut rows: Vec<usize> = (0..self.len()).collect();
        let mut rng = streams.rng(pass, Purpose::Data);
        // Fisher & Yates, as in Knuth, TAOCP volume 2, algorithm 3.4.2P.
        for i in (1..rows.len()).rev() {
            rows.swap(i, rng.random_range(0..=i));
        }
        let rows: Arc<[usize]> = rows.into();
        *kept = Some(Order { streams, pass, rows: Arc::clone(&rows) });
        rows
    }
}

impl DataSource for Rows {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn draw(&self, range: Range<u64>, streams: &Streams) -> Draw {
        let (n, size) = (self.len() as u64, self.size());
        let width = self.shape.last().copied().unwrap_or(1);
        let mut coin = streams.rng(range.start, Purpose::Augment);
        let mut draw = Draw {
            rows: Vec::new(),
            labels: self.labels.as_ref().map(|_| Vec::new()),
            starts: self.starts.as_ref().map(|_| Vec::new()),
        };
        for k in range {
            let row = self.order(k / n, *streams)[(k % n) as usize];
            let mirrored = self.mirror && coin.random_bool(0.5);
            let copy = |out: &mut Vec<f32>, from: &[f32]| {
                let values = &from[row * size..(row + 1) * size];
                if mirrored {
                    values.chunks(width).for_each(|line| out.extend(line.iter().rev()));
                } else {
                    out.extend_from_slice(values);
                }
            };
            copy(&mut draw.rows, &self.values);
            if let (Some(out), Some(starts)) = (&mut draw.starts, &self.starts) {
                copy(out, starts);
            }
            if let (Some(out), Some(labels)) = (&mut draw.labels, &self.labels) {
                out.push(labels[row]);
            }
        }
        draw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(n: usize) -> Rows {
        Rows::new(vec![1], (0..n).map(|i| i as f32).collect(), Some((0..n).collect()))
    }

    #[test]
    fn each_pass_sees_every_row_once_in_a_new_order() {
        let (rows, streams) = (numbered(10), Streams::new(1));
        let draw = rows.draw(0..20, &streams);
        let (first, second) = draw.rows.split_at(10);
        for pass in [first, second] {
            let mut sorted = pass.to_vec();
            sorted.sort_by(f32::total_cmp);
            assert_eq!(sorted, (0..10).map(|i| i as f32).collect::<Vec<_>>());
        }
        assert_ne!(first, second);
    }

    #[test]
    fn a_draw_does_not_depend_on_what_was_drawn_before() {
        let streams = Streams::new(1);
        let all = numbered(7).draw(0..30, &streams).rows;
        let rows = numbered(7);
        rows.draw(100..120, &streams);
        assert_eq!(rows.draw(12..19, &streams).rows, all[12..19]);
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "sums of small integers are exact")]
    fn starts_stay_with_their_rows() {
        let starts = (0..9).map(|i| 100.0 + i as f32).collect();
        let draw = numbered(9).with_starts(starts).draw(3..40, &Streams::new(5));
        let starts = draw.starts.unwrap();
        assert!(draw.rows.iter().zip(&starts).all(|(row, start)| start - row == 100.0));
    }

    #[test]
    fn labels_stay_with_their_rows() {
        let draw = numbered(9).draw(3..40, &Streams::new(5));
        let labels = draw.labels.unwrap();
        assert!(draw.rows.iter().zip(labels).all(|(&row, label)| row as usize == label));
    }
}
