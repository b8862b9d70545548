//! The order in which each pass over a finite set sees its rows.

use std::sync::{Arc, Mutex, PoisonError};

use flow_path::stream::{Purpose, Streams};
use rand::RngExt;

/// Permutations by (seed, pass). The newest is kept, because neighbouring batches share it.
#[derive(Debug, Default)]
pub(crate) struct Orders(Mutex<Option<Order>>);

/// The order of one pass.
#[derive(Debug)]
struct Order {
    streams: Streams,
    pass: u64,
    rows: Arc<[usize]>,
}

impl Orders {
    /// The order of `n` rows in a pass: `rows[i]` is the row that comes at place `i`.
    pub(crate) fn of(&self, pass: u64, n: usize, streams: Streams) -> Arc<[usize]> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |o: &&Order| o.pass == pass && o.streams == streams && o.rows.len() == n;
        if let Some(order) = kept.as_ref().filter(same) {
            return Arc::clone(&order.rows);
        }
        let mut rows: Vec<usize> = (0..n).collect();
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
