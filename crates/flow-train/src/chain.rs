//! Data to data: each path starts in a row of one snapshot and ends in a row of the next.

use std::collections::HashMap;
use std::ops::Range;

use flow_path::stream::{Purpose, Streams};
use rand::RngExt;

use crate::data::{DataSource, Draw, Leg};

/// Rows that were seen at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// When, in the units of the data.
    pub time: f64,
    /// The rows, one after another.
    pub rows: Vec<f32>,
    /// Class of each row.
    pub labels: Option<Vec<usize>>,
    /// Numbers that condition each row, standardised.
    pub vectors: Option<Vec<f32>>,
}

/// Snapshots `x^0, x^1, ..` at times `t_0 < t_1 < ..`, of which nobody knows which row became
/// which.
///
/// One velocity over the whole interval carries each snapshot to the next: a path of leg `k` is `x
/// = (1 - s) x^k + s x^{k+1}` at `s` in `[0, 1]`, seen by the network at `tau = tau_k + s
/// (tau_{k+1} - tau_k)` with the velocity `(x^{k+1} - x^k) / (tau_{k+1} - tau_k)`, where `tau` is
/// the time from 0 at the first snapshot to 1 at the last. Legs are drawn in proportion to their
/// length, so that `tau` is uniform where the times of training are. Two snapshots are data to
/// data.
///
/// Rows are drawn with replacement, and a start has the condition of its end wherever the snapshot
/// has conditions: the coupling, within a batch, pairs rows of one leg and one condition, so that
/// no condition is biased.
///
/// # Reference
/// Tong et al. (2024), "Improving and Generalizing Flow-Based Generative Models with Minibatch
/// Optimal Transport", arXiv:2302.00482.
#[derive(Debug)]
pub struct Chain {
    shape: Vec<usize>,
    snapshots: Vec<Snapshot>,
    vector: usize,
    legs: Vec<Starts>,
}

/// A leg: when it runs, and from which rows the ends of each condition may start.
#[derive(Debug)]
struct Starts {
    from: f64,
    to: f64,
    /// By the group of an end.
    rows: Vec<Vec<usize>>,
    /// The group of each row of the snapshot in which the leg ends.
    group_of: Vec<usize>,
    /// Groups of the legs before.
    first: usize,
}

/// A row whose condition no row of the snapshot before has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "row {row} of snapshot {snapshot} has a condition that no row of the snapshot before has, so \
     that no path can lead to it"
)]
pub struct NoStart {
    /// The snapshot, the first one being 0.
    pub snapshot: usize,
    /// Its row, from 0.
    pub row: usize,
}

impl Chain {
    /// Snapshots in the order of their times, with rows of `shape`.
    ///
    /// # Errors
    /// When a row has a condition that no row of the snapshot before has.
    ///
    /// # Panics
    /// When there are fewer than two snapshots, their times do not increase, or one holds no row,
    /// no whole number of them, or not one condition for each.
    pub fn new(shape: Vec<usize>, snapshots: Vec<Snapshot>) -> Result<Self, NoStart> {
        let size: usize = shape.iter().product();
        assert!(2 <= snapshots.len(), "expected two snapshots, got {}", snapshots.len());
        for Snapshot { rows, labels, vectors, .. } in &snapshots {
            let whole = !rows.is_empty() && rows.len().is_multiple_of(size);
            assert!(whole, "expected whole rows of {size} numbers, got {} numbers", rows.len());
            let n = rows.len() / size;
            let labelled = labels.as_ref().is_none_or(|labels| labels.len() == n);
            let told = vectors.as_ref().is_none_or(|vectors| vectors.len().is_multiple_of(n));
            assert!(labelled && told, "expected a condition for each of {n} rows");
        }
        let times: Vec<f64> = snapshots.iter().map(|snapshot| snapshot.time).collect();
        let finite = times.iter().all(|t| t.is_finite());
        let increasing = finite && times.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(increasing, "expected increasing times, got {times:?}");
        let (start, length) = (times[0], times[times.len() - 1] - times[0]);
        let mut legs: Vec<Starts> = Vec::new();
        for (k, pair) in snapshots.windows(2).enumerate() {
            let first = legs.last().map_or(0, |leg| leg.first + leg.rows.len());
            let [from, to] = [times[k], times[k + 1]].map(|t| (t - start) / length);
            let (rows, group_of) =
                groups(&pair[0], &pair[1], size).map_err(|row| NoStart { snapshot: k + 1, row })?;
            legs.push(Starts { from, to, rows, group_of, first });
        }
        let end = &snapshots[snapshots.len() - 1];
        let vector = end.vectors.as_ref().map_or(0, |all| all.len() * size / end.rows.len());
        Ok(Self { shape, snapshots, vector, legs })
    }
}

/// The rows in which the ends of each condition may start, and the group of each end; the row of an
/// end that has none.
fn groups(
    before: &Snapshot,
    after: &Snapshot,
    size: usize,
) -> Result<(Vec<Vec<usize>>, Vec<usize>), usize> {
    let count = |snapshot: &Snapshot| snapshot.rows.len() / size;
    // A snapshot without conditions is the start of any.
    let (labels, vectors) = (before.labels.is_some(), before.vectors.is_some());
    let key = |snapshot: &Snapshot, row: usize| -> (Option<usize>, Vec<u32>) {
        let label = snapshot.labels.as_ref().filter(|_| labels).map(|labels| labels[row]);
        let numbers = snapshot.vectors.as_ref().filter(|_| vectors).map(|vectors| {
            let dim = vectors.len() / count(snapshot);
            vectors[row * dim..(row + 1) * dim].iter().map(|number| number.to_bits()).collect()
        });
        (label, numbers.unwrap_or_default())
    };
    let mut numbers = HashMap::new();
    let mut rows: Vec<Vec<usize>> = Vec::new();
    for row in 0..count(before) {
        let group = *numbers.entry(key(before, row)).or_insert(rows.len());
        if group == rows.len() {
            rows.push(Vec::new());
        }
        rows[group].push(row);
    }
    let group_of = (0..count(after)).map(|row| numbers.get(&key(after, row)).copied().ok_or(row));
    Ok((rows, group_of.collect::<Result<_, _>>()?))
}

impl DataSource for Chain {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn vector(&self) -> usize {
        self.vector
    }

    fn draw(&self, range: Range<u64>, streams: &Streams) -> Draw {
        let size: usize = self.shape.iter().product();
        let mut rng = streams.rng(range.start, Purpose::Data);
        let last = &self.snapshots[self.snapshots.len() - 1];
        let mut draw = Draw {
            labels: last.labels.as_ref().map(|_| Vec::new()),
            vectors: last.vectors.as_ref().map(|_| Vec::new()),
            starts: Some(Vec::new()),
            legs: Some(Vec::new()),
            ..Draw::default()
        };
        for _ in range {
            let at = rng.random_range(0.0..1.0);
            let k = self.legs.partition_point(|leg| leg.to <= at).min(self.legs.len() - 1);
            let (leg, before, after) = (&self.legs[k], &self.snapshots[k], &self.snapshots[k + 1]);
            let row = rng.random_range(0..leg.group_of.len());
            let group = leg.group_of[row];
            let start = leg.rows[group][rng.random_range(0..leg.rows[group].len())];
            draw.rows.extend(&after.rows[row * size..(row + 1) * size]);
            if let Some(starts) = &mut draw.starts {
                starts.extend(&before.rows[start * size..(start + 1) * size]);
            }
            if let Some(legs) = &mut draw.legs {
                legs.push(Leg { from: leg.from, to: leg.to, group: leg.first + group });
            }
            if let (Some(out), Some(labels)) = (&mut draw.labels, &after.labels) {
                out.push(labels[row]);
            }
            if let (Some(out), Some(vectors)) = (&mut draw.vectors, &after.vectors) {
                out.extend(&vectors[row * self.vector..(row + 1) * self.vector]);
            }
        }
        draw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of one number, `100 k + i` for row `i` of snapshot `k`, of the classes 0 and 1 in turn.
    fn snapshot(k: usize, time: f64, n: usize) -> Snapshot {
        Snapshot {
            time,
            rows: (0..n).map(|i| (100 * k + i) as f32).collect(),
            labels: Some((0..n).map(|i| i % 2).collect()),
            vectors: None,
        }
    }

    #[test]
    fn every_path_leads_to_the_next_snapshot_and_keeps_its_condition() {
        let snapshots = vec![snapshot(0, 2.0, 10), snapshot(1, 3.0, 7), snapshot(2, 6.0, 20)];
        let chain = Chain::new(vec![1], snapshots).unwrap();
        let draw = chain.draw(0..4000, &Streams::new(3));
        let (legs, starts) = (draw.legs.unwrap(), draw.starts.unwrap());
        let mut late = 0.0;
        for (i, leg) in legs.iter().enumerate() {
            let [start, end] = [starts[i], draw.rows[i]].map(|x| x as usize);
            assert_eq!(end / 100, start / 100 + 1);
            assert_eq!((start % 100) % 2, (end % 100) % 2, "a start has the class of its end");
            assert_eq!(draw.labels.as_ref().unwrap()[i], (end % 100) % 2);
            assert_eq!(leg.group, 2 * (start / 100) + (start % 100) % 2);
            let times = if start < 100 { (0.0, 0.25) } else { (0.25, 1.0) };
            assert_eq!((leg.from, leg.to), times);
            late += f64::from(u8::from(0.2 < leg.from));
        }
        // Three quarters of the time: 3000 of 4000 draws, deviation sqrt(4000 3/16) = 27.
        assert!((late - 3000.0).abs() < 4.0 * 27.4, "{late}");
        assert_eq!(chain.draw(0..50, &Streams::new(3)), chain.draw(0..50, &Streams::new(3)));
        assert_ne!(chain.draw(0..50, &Streams::new(3)), chain.draw(50..100, &Streams::new(3)));
    }

    #[test]
    fn a_snapshot_without_conditions_is_the_start_of_any() {
        let free = Snapshot { labels: None, ..snapshot(0, 0.0, 10) };
        let chain = Chain::new(vec![1], vec![free, snapshot(1, 1.0, 10)]).unwrap();
        let draw = chain.draw(0..500, &Streams::new(0));
        assert!(draw.legs.unwrap().iter().all(|leg| leg.group == 0));
        let other = draw.starts.unwrap().iter().zip(&draw.rows).any(|(a, b)| (b - a) % 2.0 != 0.0);
        assert!(other, "any start meets any end");
    }

    #[test]
    fn a_condition_without_a_start_is_named() {
        let one = Snapshot { labels: Some(vec![0; 4]), ..snapshot(0, 0.0, 4) };
        let chain = Chain::new(vec![1], vec![one, snapshot(1, 1.0, 6)]);
        assert_eq!(chain.unwrap_err(), NoStart { snapshot: 1, row: 1 });
    }
}
