//! Loops over a row of costs, compiled for the widest vectors that the CPU has.
//!
//! They have no branches, so the compiler turns them into vector code; one copy each is for AVX-512,
//! for AVX2 and for the baseline, among which the CPU decides.
#![allow(
    clippy::inline_always,
    reason = "what is not inlined into a `WithSimd` is compiled for the baseline instruction set"
)]

use pulp::{Arch, Simd, WithSimd};

/// Columns whose minima are found side by side.
const LANES: usize = 16;

/// Adds `(x - y_j)^2` to each sum.
pub(super) fn add_squared_differences(x: f32, y: &[f32], sums: &mut [f64]) {
    Arch::new().dispatch(AddSquaredDifferences { x, y, sums });
}

struct AddSquaredDifferences<'a> {
    x: f32,
    y: &'a [f32],
    sums: &'a mut [f64],
}

impl WithSimd for AddSquaredDifferences<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (&y, sum) in self.y.iter().zip(self.sums) {
            let difference = f64::from(self.x - y);
            *sum += difference * difference;
        }
    }
}

/// Lowers each minimum over the rows so far to the cost in row `row`, and remembers the row.
pub(super) fn lower_minima(row: usize, costs: &[f64], least: &mut [f64], cheapest: &mut [usize]) {
    Arch::new().dispatch(LowerMinima { row, costs, least, cheapest });
}

struct LowerMinima<'a> {
    row: usize,
    costs: &'a [f64],
    least: &'a mut [f64],
    cheapest: &'a mut [usize],
}

impl WithSimd for LowerMinima<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let columns = self.costs.iter().zip(self.least).zip(self.cheapest);
        for ((&cost, least), cheapest) in columns {
            let lower = cost < *least;
            *least = if lower { cost } else { *least };
            *cheapest = if lower { self.row } else { *cheapest };
        }
    }
}

/// The column of the least `cost - dual`, that value and the second least one.
pub(super) fn two_least(costs: &[f64], duals: &[f64]) -> (usize, f64, f64) {
    Arch::new().dispatch(TwoLeast { costs, duals })
}

struct TwoLeast<'a> {
    costs: &'a [f64],
    duals: &'a [f64],
}

/// The two least numbers so far, and where the least is.
#[derive(Clone, Copy)]
struct Two {
    at: usize,
    first: f64,
    second: f64,
}

impl Two {
    const NONE: Self = Self { at: 0, first: f64::INFINITY, second: f64::INFINITY };

    fn with(self, at: usize, x: f64) -> Self {
        if x < self.first {
            Self { at, first: x, second: self.first }
        } else {
            Self { second: self.second.min(x), ..self }
        }
    }
}

impl WithSimd for TwoLeast<'_> {
    type Output = (usize, f64, f64);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let mut first = [f64::INFINITY; LANES];
        let mut second = first;
        let mut at = [0_usize; LANES];
        let (costs, costs_rest) = self.costs.as_chunks::<LANES>();
        let (duals, duals_rest) = self.duals.as_chunks::<LANES>();
        for (chunk, (costs, duals)) in costs.iter().zip(duals).enumerate() {
            for lane in 0..LANES {
                let x = costs[lane] - duals[lane];
                let lower = x < first[lane];
                let loser = if lower { first[lane] } else { x };
                second[lane] = if loser < second[lane] { loser } else { second[lane] };
                first[lane] = if lower { x } else { first[lane] };
                at[lane] = if lower { chunk } else { at[lane] };
            }
        }
        let mut two = Two::NONE;
        for lane in 0..LANES {
            two = two.with(at[lane] * LANES + lane, first[lane]);
            two.second = two.second.min(second[lane]);
        }
        let start = costs.len() * LANES;
        for (k, (cost, dual)) in costs_rest.iter().zip(duals_rest).enumerate() {
            two = two.with(start + k, cost - dual);
        }
        (two.at, two.first, two.second)
    }
}

/// The tentative distances of a search.
pub(super) struct Tentative {
    /// Distance of each open column, infinite for those that are done.
    pub(super) distance: Vec<f64>,
    /// The row through which it is reached.
    pub(super) from: Vec<usize>,
    /// Dual of each open column, minus infinity for those that are done: nothing shortens their way.
    pub(super) duals: Vec<f64>,
}

impl Tentative {
    /// Shortens ways to `offset + cost - dual` through `row`; returns the least distance.
    pub(super) fn relax(&mut self, row: usize, offset: f64, costs: &[f64]) -> f64 {
        Arch::new().dispatch(Relax { tentative: self, row, offset, costs })
    }

    /// The first column no farther than `least` that has no row, or else the first of all.
    pub(super) fn nearest(&self, least: f64, row_of: &[usize], no_row: usize) -> usize {
        let mut first = None;
        for (i, chunk) in self.distance.chunks(LANES).enumerate() {
            if !Arch::new().dispatch(Reaches { chunk, least }) {
                continue;
            }
            let near = chunk.iter().enumerate().filter(|&(_, &d)| d <= least);
            for column in near.map(|(k, _)| i * LANES + k) {
                if row_of[column] == no_row {
                    return column;
                }
                first = first.or(Some(column));
            }
        }
        first.expect("the least distance is that of a column")
    }
}

/// Whether any number is at most `least`.
struct Reaches<'a> {
    chunk: &'a [f64],
    least: f64,
}

impl WithSimd for Reaches<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        let mut found = 0_u8;
        for &d in self.chunk {
            found |= u8::from(d <= self.least);
        }
        found != 0
    }
}

/// The least of all lanes, by halving.
#[inline(always)]
fn least_lane(mut lanes: [f64; LANES]) -> f64 {
    let mut width = LANES / 2;
    while 0 < width {
        for i in 0..width {
            lanes[i] = if lanes[i + width] < lanes[i] { lanes[i + width] } else { lanes[i] };
        }
        width /= 2;
    }
    lanes[0]
}

struct Relax<'a> {
    tentative: &'a mut Tentative,
    row: usize,
    offset: f64,
    costs: &'a [f64],
}

impl WithSimd for Relax<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let Self { tentative: Tentative { distance, from, duals }, row, offset, costs } = self;
        let (costs, costs_rest) = costs.as_chunks::<LANES>();
        let (duals, duals_rest) = duals.as_chunks::<LANES>();
        let (distance, distance_rest) = distance.as_chunks_mut::<LANES>();
        let (from, from_rest) = from.as_chunks_mut::<LANES>();
        let mut least = [f64::INFINITY; LANES];
        for (((costs, duals), distance), from) in costs.iter().zip(duals).zip(distance).zip(from) {
            for lane in 0..LANES {
                let through = offset + costs[lane] - duals[lane];
                let nearer = through < distance[lane];
                distance[lane] = if nearer { through } else { distance[lane] };
                from[lane] = if nearer { row } else { from[lane] };
                let lower = distance[lane] < least[lane];
                least[lane] = if lower { distance[lane] } else { least[lane] };
            }
        }
        let mut least = least_lane(least);
        let rest = costs_rest.iter().zip(duals_rest).zip(distance_rest).zip(from_rest);
        for (((cost, dual), distance), from) in rest {
            let through = offset + cost - dual;
            if through < *distance {
                (*distance, *from) = (through, row);
            }
            least = least.min(*distance);
        }
        least
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "numbers are copied and compared")]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f64> {
        (0..n).map(|k| ((k * 7919 + seed * 104_729) % 97) as f64).collect()
    }

    #[test]
    fn the_two_least_are_those_of_a_sorted_row() {
        for n in [1, 2, 15, 16, 17, 40, 97] {
            let (costs, duals) = (numbers(n, 1), numbers(n, 2));
            let (at, first, second) = two_least(&costs, &duals);
            let mut sorted: Vec<f64> = costs.iter().zip(&duals).map(|(c, v)| c - v).collect();
            assert_eq!(sorted[at], first, "{n} columns");
            sorted.sort_by(f64::total_cmp);
            let expected = sorted.get(1).copied().unwrap_or(f64::INFINITY);
            assert_eq!((first, second), (sorted[0], expected), "{n} columns");
        }
    }

    #[test]
    fn relaxing_shortens_open_ways_alone() {
        for n in [1, 16, 37] {
            let (costs, mut duals) = (numbers(n, 3), numbers(n, 4));
            let mut distance = numbers(n, 5);
            (duals[0], distance[0]) = (f64::NEG_INFINITY, f64::INFINITY);
            let expected: Vec<f64> =
                (0..n).map(|j| distance[j].min(2.0 + costs[j] - duals[j])).collect();
            let mut tentative = Tentative { distance, from: vec![9; n], duals };
            let least = tentative.relax(7, 2.0, &costs);
            assert_eq!(tentative.distance, expected);
            assert_eq!(least, expected.iter().copied().fold(f64::INFINITY, f64::min));
            assert_eq!(tentative.from[0], 9, "a column that is done keeps its row");
            let first = expected.iter().position(|&d| d == least).unwrap();
            assert_eq!(tentative.nearest(least, &vec![0; n], 9), first);
            let last = expected.iter().rposition(|&d| d == least).unwrap();
            let row_of: Vec<usize> = (0..n).map(|j| if j == last { 9 } else { 0 }).collect();
            assert_eq!(tentative.nearest(least, &row_of, 9), last, "a free column wins");
        }
    }
}
