//! Transposition: rows become the lanes of vectors, and back.

use std::mem::MaybeUninit;

use super::simd::{Simd, WithSimd, dispatch};

/// Rows and columns of a tile.
const TILE: usize = 16;

/// A place for a number, initialised or not.
pub(crate) trait Slot: Copy {
    fn holding(x: f32) -> Self;
}

impl Slot for f32 {
    #[inline(always)]
    fn holding(x: f32) -> Self {
        x
    }
}

impl Slot for MaybeUninit<f32> {
    #[inline(always)]
    fn holding(x: f32) -> Self {
        Self::new(x)
    }
}

/// Rows of `len` numbers, `pitch` apart.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) count: usize,
    pub(crate) len: usize,
    pub(crate) pitch: usize,
}

impl Rows {
    /// Rows that follow each other without a gap.
    pub(crate) fn dense(count: usize, len: usize) -> Self {
        Self { count, len, pitch: len }
    }
}

/// Writes rows as `[len, lanes]`, with zeros in the lanes that have no row.
pub(crate) fn gather_lanes<T: Slot>(from: &[f32], rows: Rows, lanes: usize, to: &mut [T]) {
    let Rows { count, len, pitch } = rows;
    assert!(
        count <= lanes && to.len() == len * lanes,
        "{count} rows of {len} numbers do not fill [{len}, {lanes}]"
    );
    if count < lanes {
        for lane in to.chunks_exact_mut(lanes) {
            lane[count..].fill(T::holding(0.0));
        }
    }
    let table =
        Transpose { from, from_pitch: pitch, rows: count, columns: len, to, to_pitch: lanes };
    dispatch(table);
}

/// Undoes [`gather_lanes`].
pub(crate) fn scatter_lanes<T: Slot>(from: &[f32], lanes: usize, to: &mut [T], rows: Rows) {
    let Rows { count, len, pitch } = rows;
    assert!(
        count <= lanes && from.len() == len * lanes,
        "[{len}, {lanes}] does not hold {count} rows of {len} numbers"
    );
    let table =
        Transpose { from, from_pitch: lanes, rows: len, columns: count, to, to_pitch: pitch };
    dispatch(table);
}

/// `to[c, r] = from[r, c]`.
struct Transpose<'a, T> {
    from: &'a [f32],
    from_pitch: usize,
    rows: usize,
    columns: usize,
    to: &'a mut [T],
    to_pitch: usize,
}

impl<T: Slot> WithSimd for Transpose<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { from, from_pitch, rows, columns, to, to_pitch } = self;
        for row in (0..rows).step_by(TILE) {
            for column in (0..columns).step_by(TILE) {
                let from = &from[row * from_pitch + column..];
                let to = &mut to[column * to_pitch + row..];
                let (height, width) = (TILE.min(rows - row), TILE.min(columns - column));
                let whole = height == TILE && width == TILE;
                if whole && whole_tile(simd, from, from_pitch, to, to_pitch) {
                    continue;
                }
                for (r, from) in from.chunks(from_pitch).take(height).enumerate() {
                    for (c, &x) in from[..width].iter().enumerate() {
                        to[c * to_pitch + r] = T::holding(x);
                    }
                }
            }
        }
    }
}

/// Transposes a tile in registers, if the instruction set has a shuffle of two whole vectors.
///
/// Interleaving row `i` with row `i + 8` four times moves every element to its mirror image.
#[inline(always)]
fn whole_tile<S: Simd, T: Slot>(
    simd: S,
    from: &[f32],
    from_pitch: usize,
    to: &mut [T],
    to_pitch: usize,
) -> bool {
    #[cfg(target_arch = "x86_64")]
    if let Some(v4) = (&simd as &dyn std::any::Any).downcast_ref::<pulp::x86::V4>() {
        let pick = |half: i32| {
            let lanes: [i32; TILE] =
                std::array::from_fn(|i| (i as i32 / 2) + half + (i as i32 % 2) * 16);
            pulp::cast::<_, pulp::i32x16>(lanes)
        };
        let (low, high) = (pick(0), pick(8));
        let interleave = |a: pulp::f32x16, b: pulp::f32x16, lanes: pulp::i32x16| -> pulp::f32x16 {
            let [a, b] = [a, b].map(pulp::cast);
            pulp::cast(v4.avx512f._mm512_permutex2var_ps(a, pulp::cast(lanes), b))
        };
        let mut tile = [pulp::cast::<_, pulp::f32x16>([0.0_f32; TILE]); TILE];
        for (r, row) in tile.iter_mut().enumerate() {
            let from = from[r * from_pitch..].first_chunk::<TILE>().expect("the tile is whole");
            *row = pulp::cast(*from);
        }
        for _ in 0..4 {
            let rows = tile;
            for i in 0..TILE / 2 {
                tile[2 * i] = interleave(rows[i], rows[i + TILE / 2], low);
                tile[2 * i + 1] = interleave(rows[i], rows[i + TILE / 2], high);
            }
        }
        for (c, column) in tile.into_iter().enumerate() {
            let column: [f32; TILE] = pulp::cast(column);
            to[c * to_pitch..][..TILE].copy_from_slice(&column.map(T::holding));
        }
        return true;
    }
    let _ = (simd, from, from_pitch, to, to_pitch);
    false
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "numbers are copied")]
mod tests {
    use super::*;

    #[test]
    fn rows_become_lanes_and_come_back() {
        for (count, len, lanes) in [(16, 48, 16), (5, 7, 8), (1, 1, 1), (20, 37, 32), (32, 16, 32)]
        {
            let rows: Vec<f32> = (0..count * len).map(|i| i as f32).collect();
            let shape = Rows::dense(count, len);
            let mut gathered = vec![f32::NAN; len * lanes];
            gather_lanes(&rows, shape, lanes, &mut gathered);
            for (i, lane) in gathered.chunks(lanes).enumerate() {
                for (r, &x) in lane.iter().enumerate() {
                    let expected = if r < count { (r * len + i) as f32 } else { 0.0 };
                    assert_eq!(x, expected, "element {i} of row {r} of {count} x {len}");
                }
            }
            let mut back = vec![f32::NAN; count * len];
            scatter_lanes(&gathered, lanes, &mut back, shape);
            assert_eq!(back, rows, "{count} x {len} in {lanes} lanes");
        }
    }
}
