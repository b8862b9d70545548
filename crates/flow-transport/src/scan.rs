//! Loops over a row of costs, compiled for the widest vectors that the CPU has.
//!
//! One copy each is for AVX-512, for AVX2 and for the baseline, among which the CPU decides; all
//! give the same numbers. Loops that only compare or add are left to the compiler. Those that keep
//! running minima name their registers: the compiler would hold the minima in memory, at twice the
//! time.
#![allow(
    clippy::inline_always,
    reason = "what is not inlined into a `WithSimd` is compiled for the baseline instruction set"
)]

use std::slice::from_ref;

use pulp::bytemuck::cast_slice;
use pulp::{Arch, Simd, WithSimd};

/// Distances that are compared before the first that reaches is looked for.
const CHUNK: usize = 32;

/// Adds `(x - y_j)^2` to each sum.
pub(crate) fn add_squared_differences(x: f32, y: &[f32], sums: &mut [f64]) {
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

/// The largest magnitude of numbers of which none is NaN.
pub(crate) fn largest_magnitude(values: &[f64]) -> f64 {
    Arch::new().dispatch(LargestMagnitude { values })
}

struct LargestMagnitude<'a> {
    values: &'a [f64],
}

impl WithSimd for LargestMagnitude<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let (values, rest) = S::as_simd_f64s(self.values);
        let mut lanes = [simd.splat_f64s(0.0); 4];
        let (fours, values) = values.as_chunks::<4>();
        for four in fours {
            for (lane, &value) in lanes.iter_mut().zip(four) {
                *lane = simd.max_f64s(*lane, simd.abs_f64s(value));
            }
        }
        let [a, b, c, d] = lanes;
        let mut largest = simd.max_f64s(simd.max_f64s(a, b), simd.max_f64s(c, d));
        for &value in values {
            largest = simd.max_f64s(largest, simd.abs_f64s(value));
        }
        rest.iter().fold(simd.reduce_max_f64s(largest), |largest, value| largest.max(value.abs()))
    }
}

/// Lowers each minimum over the rows so far to the cost in row `row`, and remembers the row.
pub(crate) fn lower_minima(row: usize, costs: &[f64], least: &mut [f64], cheapest: &mut [usize]) {
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
pub(crate) fn two_least(costs: &[f64], duals: &[f64]) -> (usize, f64, f64) {
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
    const NONE: Self = Self { at: usize::MAX, first: f64::INFINITY, second: f64::INFINITY };

    /// Among equals the lower index wins, whatever the order in which they come.
    fn with(self, at: usize, x: f64) -> Self {
        if x < self.first || (x <= self.first && at < self.at) {
            Self { at, first: x, second: self.first }
        } else {
            Self { second: self.second.min(x), ..self }
        }
    }
}

impl WithSimd for TwoLeast<'_> {
    type Output = (usize, f64, f64);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let (costs, costs_rest) = S::as_simd_f64s(self.costs);
        let (duals, duals_rest) = S::as_simd_f64s(self.duals);
        let mut first = simd.splat_f64s(f64::INFINITY);
        let mut second = first;
        let mut at = simd.splat_u64s(0);
        for ((chunk, &cost), &dual) in (0..).zip(costs).zip(duals) {
            let x = simd.sub_f64s(cost, dual);
            let lower = simd.less_than_f64s(x, first);
            second = simd.min_f64s(second, simd.max_f64s(first, x));
            first = simd.min_f64s(first, x);
            at = simd.select_u64s(lower, simd.splat_u64s(chunk), at);
        }
        let mut two = Two::NONE;
        let (first, at): (&[f64], &[u64]) =
            (cast_slice(from_ref(&first)), cast_slice(from_ref(&at)));
        for (lane, (&x, &chunk)) in first.iter().zip(at).enumerate() {
            two = two.with(S::F64_LANES * chunk as usize + lane, x);
        }
        two.second = two.second.min(simd.reduce_min_f64s(second));
        let start = costs.len() * S::F64_LANES;
        for (k, (cost, dual)) in costs_rest.iter().zip(duals_rest).enumerate() {
            two = two.with(start + k, cost - dual);
        }
        (two.at, two.first, two.second)
    }
}

/// The tentative distances of a search.
pub(crate) struct Tentative {
    /// Distance of each open column, infinite for those that are done.
    pub(crate) distance: Vec<f64>,
    /// The row through which it is reached.
    pub(crate) from: Vec<u64>,
    /// Dual of each open column, minus infinity for those that are done: nothing shortens their
    /// way.
    pub(crate) duals: Vec<f64>,
}

impl Tentative {
    /// Shortens ways to `offset + cost - dual` through `row`; returns the nearest column and its
    /// distance.
    ///
    /// Among equals it is the first that has no row, or else the first.
    pub(crate) fn relax(
        &mut self,
        row: usize,
        offset: f64,
        costs: &[f64],
        is_free: impl Fn(usize) -> bool,
    ) -> (usize, f64) {
        let least = Arch::new().dispatch(Relax { tentative: self, row, offset, costs });
        (self.nearest(least, is_free), least)
    }

    fn nearest(&self, least: f64, is_free: impl Fn(usize) -> bool) -> usize {
        let mut first = None;
        let mut start = 0;
        while let Some(column) = next_reaching(&self.distance, start, least) {
            if is_free(column) {
                return column;
            }
            first = first.or(Some(column));
            start = column + 1;
        }
        first.expect("the least distance is that of a column")
    }
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
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Self { tentative: Tentative { distance, from, duals }, row, offset, costs } = self;
        let (costs, costs_rest) = S::as_simd_f64s(costs);
        let (duals, duals_rest) = S::as_simd_f64s(duals);
        let (distance, distance_rest) = S::as_mut_simd_f64s(distance);
        let (from, from_rest) = S::as_mut_simd_u64s(from);
        let (offsets, rows) = (simd.splat_f64s(offset), simd.splat_u64s(row as u64));
        let mut least = simd.splat_f64s(f64::INFINITY);
        for (((&cost, &dual), distance), from) in costs.iter().zip(duals).zip(distance).zip(from) {
            let through = simd.sub_f64s(simd.add_f64s(offsets, cost), dual);
            let nearer = simd.less_than_f64s(through, *distance);
            *distance = simd.min_f64s(through, *distance);
            *from = simd.select_u64s(nearer, rows, *from);
            least = simd.min_f64s(least, *distance);
        }
        let mut least = simd.reduce_min_f64s(least);
        let rest = costs_rest.iter().zip(duals_rest).zip(distance_rest).zip(from_rest);
        for (((cost, dual), distance), from) in rest {
            let through = offset + cost - dual;
            if through < *distance {
                (*distance, *from) = (through, row as u64);
            }
            least = least.min(*distance);
        }
        least
    }
}

/// The first column from `start` on that is no farther than `least`.
fn next_reaching(distance: &[f64], start: usize, least: f64) -> Option<usize> {
    Arch::new().dispatch(Reaching { distance: &distance[start..], least }).map(|k| start + k)
}

struct Reaching<'a> {
    distance: &'a [f64],
    least: f64,
}

impl WithSimd for Reaching<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<usize> {
        let (chunks, _) = self.distance.as_chunks::<CHUNK>();
        let skipped = chunks.iter().position(|chunk| {
            chunk.iter().fold(0_u8, |found, &d| found | u8::from(d <= self.least)) != 0
        });
        let start = skipped.unwrap_or(chunks.len()) * CHUNK;
        self.distance[start..].iter().position(|&d| d <= self.least).map(|k| start + k)
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "numbers are copied and compared")]
mod tests {
    use super::*;
    use pulp::Scalar;

    const SIZES: [usize; 10] = [1, 2, 7, 8, 9, 16, 31, 32, 40, 97];

    /// With equals among them, as the modulus is small.
    fn numbers(n: usize, seed: usize) -> Vec<f64> {
        (0..n).map(|k| ((k * 7919 + seed * 104_729) % 37) as f64).collect()
    }

    #[test]
    fn the_two_least_are_those_of_a_sorted_row() {
        for n in SIZES {
            let (costs, duals) = (numbers(n, 1), numbers(n, 2));
            let x: Vec<f64> = costs.iter().zip(&duals).map(|(c, v)| c - v).collect();
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|&i, &j| x[i].total_cmp(&x[j]).then(i.cmp(&j)));
            let second = order.get(1).map_or(f64::INFINITY, |&j| x[j]);
            let expected = (order[0], x[order[0]], second);
            assert_eq!(two_least(&costs, &duals), expected, "{n} columns");
            let scalar = TwoLeast { costs: &costs, duals: &duals }.with_simd(Scalar);
            assert_eq!(scalar, expected, "{n} columns without vectors");
        }
    }

    #[test]
    fn the_largest_magnitude_is_found_anywhere() {
        for n in SIZES {
            for at in 0..n {
                let mut values: Vec<f64> = numbers(n, 6).iter().map(|x| x - 18.0).collect();
                values[at] = -40.0;
                assert_eq!(largest_magnitude(&values), 40.0, "{n} numbers, at {at}");
                let scalar = LargestMagnitude { values: &values }.with_simd(Scalar);
                assert_eq!(scalar, 40.0, "{n} numbers without vectors");
            }
        }
        assert_eq!(largest_magnitude(&[]), 0.0);
        assert_eq!(largest_magnitude(&[1.0, f64::INFINITY, 2.0]), f64::INFINITY);
    }

    #[test]
    fn relaxing_shortens_open_ways_alone() {
        for n in SIZES {
            let (costs, mut duals) = (numbers(n, 3), numbers(n, 4));
            let mut distance = numbers(n, 5);
            (duals[0], distance[0]) = (f64::NEG_INFINITY, f64::INFINITY);
            let through: Vec<f64> = (0..n).map(|j| 2.0 + costs[j] - duals[j]).collect();
            let expected: Vec<f64> = (0..n).map(|j| distance[j].min(through[j])).collect();
            let from: Vec<u64> =
                (0..n).map(|j| if through[j] < distance[j] { 7 } else { 9 }).collect();
            let least = expected.iter().copied().fold(f64::INFINITY, f64::min);
            let tentative =
                || Tentative { distance: distance.clone(), from: vec![9; n], duals: duals.clone() };
            let first = expected.iter().position(|&d| d == least).unwrap();
            let last = expected.iter().rposition(|&d| d == least).unwrap();
            for (free, nearest) in [(None, first), (Some(last), last)] {
                let mut tentative = tentative();
                let found = tentative.relax(7, 2.0, &costs, |column| Some(column) == free);
                assert_eq!(found, (nearest, least), "{n} columns");
                assert_eq!((&tentative.distance, &tentative.from), (&expected, &from));
            }
            let mut tentative = tentative();
            let relax = Relax { tentative: &mut tentative, row: 7, offset: 2.0, costs: &costs };
            assert_eq!(relax.with_simd(Scalar), least, "{n} columns without vectors");
            assert_eq!((&tentative.distance, &tentative.from), (&expected, &from));
        }
    }
}
