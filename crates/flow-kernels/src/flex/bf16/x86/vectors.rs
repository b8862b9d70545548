//! Vectors: the instructions of AVX-512, which round for tiles too.
#![allow(unsafe_code, reason = "vectors are read and written by pointers")]
#![allow(clippy::cast_ptr_alignment, reason = "what is read so needs no alignment")]

use std::{
    arch::x86_64::{
        __m512, __m512bh, __m512i, _mm512_cvtne2ps_pbh, _mm512_dpbf16_ps, _mm512_loadu_ps,
        _mm512_loadu_si512, _mm512_mask_storeu_epi16, _mm512_mask_storeu_epi32,
        _mm512_maskz_loadu_ps, _mm512_permutexvar_epi16, _mm512_set1_epi32, _mm512_setzero_ps,
        _mm512_store_si512, _mm512_storeu_ps,
    },
    mem::{MaybeUninit, transmute},
};

use super::super::{SIDE, block::Block, pack::Tile};

/// Numbers of a result in a vector, half as many as rounded ones.
const LANES: usize = 16;

/// [`super::Ready::multiply`] on vectors: eight rows of the block at a time stay in registers.
///
/// # Safety
/// As there, on a CPU with these instructions.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn multiply(block: &Block<'_>, out: *mut f32, pitch: usize, add: bool) {
    const ROWS: usize = 8;
    let Block { left, right, steps, .. } = block;
    for first in (0..SIDE).step_by(ROWS) {
        // SAFETY: rows of the block, which the caller promises.
        let row = |r: usize| unsafe { out.add((first + r) * pitch) };
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        if add {
            for (r, sums) in sums.iter_mut().enumerate() {
                for (c, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: a row has two vectors.
                    *sum = unsafe { _mm512_loadu_ps(row(r).add(c * LANES)) };
                }
            }
        }
        for &[at_left, at_right] in *steps {
            let left = left.numbers[at_left + first * left.row..].as_ptr();
            let right_row = right.row;
            let right = right.numbers[at_right..].as_ptr();
            for pair in 0..SIDE / 2 {
                // SAFETY: the caller promises that these numbers are inside.
                let b = unsafe {
                    let row = right.add(pair * right_row);
                    [vector(row), vector(row.add(2 * LANES))]
                };
                for (r, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: likewise; the layouts agree.
                    let a = unsafe {
                        let pair = left.add(r * block.left.row + 2 * pair).cast::<i32>();
                        transmute::<__m512i, __m512bh>(_mm512_set1_epi32(pair.read_unaligned()))
                    };
                    for (sum, b) in sums.iter_mut().zip(b) {
                        *sum = _mm512_dpbf16_ps(*sum, a, b);
                    }
                }
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            for (c, sum) in sums.into_iter().enumerate() {
                // SAFETY: a row has two vectors.
                unsafe { _mm512_storeu_ps(row(r).add(c * LANES), sum) };
            }
        }
    }
}

/// Thirty-two rounded numbers.
///
/// # Safety
/// So many must lie there.
#[target_feature(enable = "avx512f")]
unsafe fn vector(numbers: *const u16) -> __m512bh {
    // SAFETY: the caller's promise; the layouts agree.
    unsafe { transmute::<__m512i, __m512bh>(_mm512_loadu_si512(numbers.cast())) }
}

/// Sixteen numbers of each of two rows, rounded, those of the second behind those of the first.
#[target_feature(enable = "avx512f,avx512bf16")]
fn rounded(first: &[f32], second: &[f32]) -> __m512i {
    let (first, second) = (&first[..LANES], &second[..LANES]);
    // SAFETY: each has so many; the layouts agree.
    unsafe {
        let (first, second) = (_mm512_loadu_ps(first.as_ptr()), _mm512_loadu_ps(second.as_ptr()));
        transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(second, first))
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn round_rows(from: &[f32], pitch: usize, tile: &mut MaybeUninit<Tile>) {
    let tile = tile.as_mut_ptr().cast::<__m512i>();
    for line in 0..SIDE {
        let from = &from[line * pitch..][..SIDE];
        // SAFETY: a tile has 32 vectors, and is aligned as they are.
        unsafe { _mm512_store_si512(tile.add(line), rounded(from, &from[LANES..])) };
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn round_pairs(from: &[f32], pitch: usize, tile: &mut MaybeUninit<Tile>) {
    let places = pairs();
    let tile = tile.as_mut_ptr().cast::<__m512i>();
    for pair in 0..SIDE / 2 {
        let even = &from[2 * pair * pitch..][..SIDE];
        let odd = &from[(2 * pair + 1) * pitch..][..SIDE];
        for half in 0..2 {
            let halves = rounded(&even[half * LANES..], &odd[half * LANES..]);
            let pairs = _mm512_permutexvar_epi16(places, halves);
            // SAFETY: a tile has 32 vectors, and is aligned as they are.
            unsafe { _mm512_store_si512(tile.add(2 * pair + half), pairs) };
        }
    }
}

/// The places of the numbers of two halves of a vector as pairs: 0, 16, 1, 17, ..
#[target_feature(enable = "avx512f")]
fn pairs() -> __m512i {
    let places: [u16; SIDE] = std::array::from_fn(|i| (i / 2 + i % 2 * LANES) as u16);
    // SAFETY: they are a vector.
    unsafe { _mm512_loadu_si512(places.as_ptr().cast()) }
}

/// The first numbers of a line, 16 at most, with zeros behind them.
#[target_feature(enable = "avx512f")]
fn beginning(line: &[f32]) -> __m512 {
    let mask = (1_u32 << line.len().min(LANES)).wrapping_sub(1) as u16;
    // SAFETY: what lies behind the line is not read.
    unsafe { _mm512_maskz_loadu_ps(mask, line.as_ptr()) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn interleave(even: &[f32], odd: &[f32], to: &mut [u16]) {
    let places = pairs();
    for (i, to) in to.chunks_mut(2 * LANES).enumerate() {
        let (even, odd) = (&even[i * LANES..], &odd[(i * LANES).min(odd.len())..]);
        let halves = _mm512_cvtne2ps_pbh(beginning(odd), beginning(even));
        let mask = (1_u32 << (to.len() / 2)).wrapping_sub(1) as u16;
        // SAFETY: the layouts agree; what lies behind `to` is not written.
        unsafe {
            let halves = transmute::<__m512bh, __m512i>(halves);
            let pairs = _mm512_permutexvar_epi16(places, halves);
            _mm512_mask_storeu_epi32(to.as_mut_ptr().cast(), mask, pairs);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn round_line(from: &[f32], to: &mut [u16]) {
    for (from, to) in from.chunks(SIDE).zip(to.chunks_mut(SIDE)) {
        let behind = &from[from.len().min(LANES)..];
        let rounded = _mm512_cvtne2ps_pbh(beginning(behind), beginning(from));
        let mask = (1_u64 << to.len()).wrapping_sub(1) as u32;
        // SAFETY: the layouts agree; what lies behind `to` is not written.
        unsafe {
            let rounded = transmute::<__m512bh, __m512i>(rounded);
            _mm512_mask_storeu_epi16(to.as_mut_ptr().cast(), mask, rounded);
        }
    }
}
