//! Operands as tiles of rounded numbers.
#![allow(unsafe_code, reason = "tiles are not zeroed before they are written")]

use std::mem::MaybeUninit;

use super::{
    super::{
        gemm::Matrix,
        transpose::{Rows, gather_lanes},
    },
    Engine, SIDE,
};

/// 32 lines (rows of a left operand, columns of a right one) of 32 terms, 2 KiB.
///
/// On the left these are 32 rows of terms. On the right they are 16 rows, the `p`-th of which holds
/// the terms `2 p` and `2 p + 1` of all lines, those of a line side by side.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Tile(pub(crate) [u16; SIDE * SIDE]);

/// Which operand of a product a tile is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

impl Side {
    /// From one row of a tile to the next.
    pub(crate) fn row(self) -> usize {
        match self {
            Self::Left => SIDE,
            Self::Right => 2 * SIDE,
        }
    }
}

/// Writes tiles side by side: of `m`, whose rows are the lines of the operand, from the row `line`
/// and the term `term` on, filled up with zeros.
pub(crate) fn pack(
    engine: Engine,
    side: Side,
    m: Matrix<'_>,
    [line, term]: [usize; 2],
    tiles: &mut [MaybeUninit<Tile>],
) {
    for (term, tile) in (term..).step_by(SIDE).zip(tiles) {
        pack_tile(engine, side, m, [line, term], tile);
    }
}

/// Numbers lie in memory with the terms of a line side by side, as tiles on the left want them, or
/// with the lines of a term, as those on the right do: what lies otherwise is transposed.
fn pack_tile(
    engine: Engine,
    side: Side,
    m: Matrix<'_>,
    [line, term]: [usize; 2],
    tile: &mut MaybeUninit<Tile>,
) {
    let (lines, terms) = (SIDE.min(m.rows - line), SIDE.min(m.columns - term));
    let from = &m.data[line * m.row_stride + term * m.column_stride..];
    let by_lines = m.column_stride == 1;
    let (pitch, count, len) =
        if by_lines { (m.row_stride, lines, terms) } else { (m.column_stride, terms, lines) };
    // One row alone may have any pitch.
    let pitch = pitch.max(len);
    let fits = by_lines == (side == Side::Left);
    if fits && [count, len] == [SIDE; 2] {
        return engine.round(side, from, pitch, tile);
    }
    let mut whole = [0.0; SIDE * SIDE];
    if fits {
        for (to, from) in whole.chunks_mut(SIDE).zip(from.chunks(pitch)).take(count) {
            to[..len].copy_from_slice(&from[..len]);
        }
    } else {
        gather_lanes(from, Rows { count, len, pitch }, SIDE, &mut whole[..len * SIDE]);
    }
    engine.round(side, &whole, SIDE, tile);
}

/// The numbers of written tiles.
///
/// # Safety
/// All of them must be written.
pub(crate) unsafe fn numbers(tiles: &[MaybeUninit<Tile>]) -> &[u16] {
    let len = tiles.len() * SIDE * SIDE;
    // SAFETY: tiles are numbers without gaps, and the caller promises that all are written.
    unsafe { std::slice::from_raw_parts(tiles.as_ptr().cast(), len) }
}
