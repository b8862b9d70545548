//! What a block of a result, 32 rows and columns, is the sum of.

use super::SIDE;

/// Rounded numbers with tiles in them, whose rows lie `row` apart: 32 rows of 32 numbers on the
/// left, 16 rows of 64 on the right.
#[derive(Clone, Copy)]
pub(crate) struct Tiles<'a> {
    pub(crate) numbers: &'a [u16],
    pub(crate) row: usize,
}

impl Tiles<'_> {
    /// Whether a tile of so many rows of so many numbers lies inside, wherever one of `places` is.
    fn hold(&self, places: impl Iterator<Item = usize>, rows: usize, len: usize) -> bool {
        let last = places.fold(0, usize::max);
        last + (rows - 1) * self.row + len <= self.numbers.len()
    }
}

/// The sum over `steps` of products of a tile on the left and one on the right, which begin there.
pub(crate) struct Block<'a> {
    pub(crate) left: Tiles<'a>,
    pub(crate) right: Tiles<'a>,
    pub(crate) steps: &'a [[usize; 2]],
    /// Rows and columns that are wanted.
    pub(crate) size: [usize; 2],
}

impl Block<'_> {
    /// Whether all tiles lie in their numbers, of which there is one on either side at least.
    pub(super) fn is_sound(&self) -> bool {
        let Self { left, right, steps, .. } = self;
        !steps.is_empty()
            && left.hold(steps.iter().map(|step| step[0]), SIDE, SIDE)
            && right.hold(steps.iter().map(|step| step[1]), SIDE / 2, 2 * SIDE)
    }
}
