//! Where there are no instructions for bfloat16 that this crate knows.
#![allow(unsafe_code, reason = "the signatures are those of the other file")]

use std::mem::MaybeUninit;

use super::{
    block::Block,
    pack::{Side, Tile},
};

/// There is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {}

impl Engine {
    pub(crate) fn all() -> &'static [Self] {
        &[]
    }

    pub(crate) fn prepare(self) -> Ready {
        match self {}
    }

    pub(crate) fn interleave(self, _: &[f32], _: &[f32], _: &mut [u16]) {
        match self {}
    }

    pub(crate) fn round_line(self, _: &[f32], _: &mut [u16]) {
        match self {}
    }

    pub(crate) fn round(self, _: Side, _: &[f32], _: usize, _: &mut MaybeUninit<Tile>) {
        match self {}
    }
}

/// There is none.
pub(crate) struct Ready(Engine);

impl Ready {
    pub(super) unsafe fn multiply(&self, _: &Block<'_>, _: *mut f32, _: usize, _: bool) {
        match self.0 {}
    }
}
