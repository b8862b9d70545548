//! The instructions of x86 for bfloat16, and which of them there are.
#![allow(unsafe_code, reason = "instructions are used that not every CPU has")]

mod tiles;
mod vectors;

use std::{mem::MaybeUninit, sync::OnceLock};

use super::{
    block::Block,
    pack::{Side, Tile},
};
use tiles::Configured;

/// The instructions that multiply; a value is the proof that the CPU has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// `tdpbf16ps` of AMX, on tiles.
    Tiles,
    /// `vdpbf16ps` of AVX-512, on vectors.
    Dots,
}

#[expect(clippy::unused_self, reason = "who has an engine has its instructions")]
impl Engine {
    /// What this CPU has and the system lets a process use, the fastest first.
    pub(crate) fn all() -> &'static [Self] {
        static FOUND: OnceLock<Vec<Engine>> = OnceLock::new();
        FOUND.get_or_init(|| {
            // Those of AVX-512 round for both.
            let vectors = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512bf16");
            let tiles = (vectors && tiles::are_allowed()).then_some(Self::Tiles);
            tiles.into_iter().chain(vectors.then_some(Self::Dots)).collect()
        })
    }

    /// Makes this thread ready to multiply.
    pub(crate) fn prepare(self) -> Ready {
        // SAFETY: the engine is the proof that tiles are there and allowed.
        let configured = (self == Self::Tiles).then(|| unsafe { Configured::new() });
        Ready { engine: self, _configured: configured }
    }

    /// Rounds two lines to pairs of neighbours, the second filled up with zeros.
    ///
    /// # Panics
    /// If `to` is not twice as long as the first line.
    pub(crate) fn interleave(self, even: &[f32], odd: &[f32], to: &mut [u16]) {
        assert!(to.len() == 2 * even.len(), "{} numbers of two lines of {}", to.len(), even.len());
        // SAFETY: the engine is the proof that the CPU has these instructions.
        unsafe { vectors::interleave(even, odd, to) };
    }

    /// Rounds a line.
    ///
    /// # Panics
    /// If `to` is not as long as the line.
    pub(crate) fn round_line(self, from: &[f32], to: &mut [u16]) {
        assert!(to.len() == from.len(), "{} numbers of a line of {}", to.len(), from.len());
        // SAFETY: the engine is the proof that the CPU has these instructions.
        unsafe { vectors::round_line(from, to) };
    }

    /// Rounds the numbers of a tile, which lie in 32 rows `pitch` apart: of terms for the left
    /// side, of lines for the right one.
    pub(crate) fn round(
        self,
        side: Side,
        from: &[f32],
        pitch: usize,
        tile: &mut MaybeUninit<Tile>,
    ) {
        // SAFETY: the engine is the proof that the CPU has these instructions.
        unsafe {
            match side {
                Side::Left => vectors::round_rows(from, pitch, tile),
                Side::Right => vectors::round_pairs(from, pitch, tile),
            }
        }
    }
}

/// The proof that its thread is ready to multiply.
pub(crate) struct Ready {
    engine: Engine,
    _configured: Option<Configured>,
}

impl Ready {
    /// Adds a block to the 32 x 32 numbers at `out`, whose rows lie `pitch` apart, or writes it
    /// there, whatever part of it is wanted.
    ///
    /// # Safety
    /// These numbers must be memory that may be written, and initialised if `add`; the tiles of the
    /// block must lie in their numbers.
    pub(super) unsafe fn multiply(
        &self,
        block: &Block<'_>,
        out: *mut f32,
        pitch: usize,
        add: bool,
    ) {
        // SAFETY: the engine is the proof that the CPU has these instructions, and this that tiles
        // are configured; the rest is the caller's promise.
        unsafe {
            match self.engine {
                Engine::Tiles => tiles::multiply(block, out, pitch, add),
                Engine::Dots => vectors::multiply(block, out, pitch, add),
            }
        }
    }
}
