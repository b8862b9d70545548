//! The instructions of x86 for bfloat16: which of them there are, and the loops of them.
//!
//! Those of AMX have no intrinsics in stable Rust, so they stand in assembly. The compiler uses no
//! tile by itself, so what [`Configured`] sets up stays as it is until it is dropped, and a block
//! reads nothing from a tile that it has not written before.
#![allow(unsafe_code, reason = "vectors and tiles are read and written by pointers")]
#![allow(clippy::cast_ptr_alignment, reason = "what is read so needs no alignment")]

use std::{
    arch::{
        asm,
        x86_64::{
            __cpuid_count, __m512, __m512bh, __m512i, _mm512_cvtne2ps_pbh, _mm512_dpbf16_ps,
            _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_storeu_epi16,
            _mm512_mask_storeu_epi32, _mm512_maskz_loadu_ps, _mm512_permutexvar_epi16,
            _mm512_set1_epi32, _mm512_setzero_ps, _mm512_store_si512, _mm512_storeu_ps,
        },
    },
    marker::PhantomData,
    mem::{MaybeUninit, transmute},
    sync::OnceLock,
};

use super::{
    SIDE,
    block::Block,
    pack::{Side, Tile},
};

/// Numbers of a result in a vector, half as many as rounded ones.
const LANES: usize = 16;

/// The instructions that multiply; a value is the proof that the CPU has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// `tdpbf16ps` of AMX, on tiles.
    Tiles,
    /// `vdpbf16ps` of AVX-512, on vectors.
    Dots,
}

impl Engine {
    /// What this CPU has and the system lets a process use, the fastest first.
    pub(crate) fn all() -> &'static [Self] {
        static FOUND: OnceLock<Vec<Engine>> = OnceLock::new();
        FOUND.get_or_init(|| {
            // Those of AVX-512 round for both.
            let vectors = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512bf16");
            let tiles = (vectors && tiles_are_allowed()).then_some(Self::Tiles);
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
        unsafe { interleave(even, odd, to) };
    }

    /// Rounds a line.
    ///
    /// # Panics
    /// If `to` is not as long as the line.
    pub(crate) fn round_line(self, from: &[f32], to: &mut [u16]) {
        assert!(to.len() == from.len(), "{} numbers of a line of {}", to.len(), from.len());
        // SAFETY: the engine is the proof that the CPU has these instructions.
        unsafe { round_line(from, to) };
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
                Side::Left => round_rows(from, pitch, tile),
                Side::Right => round_pairs(from, pitch, tile),
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
                Engine::Tiles => multiply_tiles(block, out, pitch, add),
                Engine::Dots => multiply_dots(block, out, pitch, add),
            }
        }
    }
}

/// Whether the CPU has tiles of bfloat16 and Linux lets this process use them, which it must be
/// asked for since their contents make the state of a thread larger by 8 KiB.
fn tiles_are_allowed() -> bool {
    const ARCH_PRCTL: isize = 158;
    const REQUEST: usize = 0x1023;
    const TILE_DATA: usize = 18;
    let flags = __cpuid_count(7, 0).edx;
    let (tiles, products) = (1 << 24, 1 << 22);
    if cfg!(not(target_os = "linux")) || flags & tiles == 0 || flags & products == 0 {
        return false;
    }
    let mut result = ARCH_PRCTL;
    // SAFETY: the call takes two numbers, reads and writes no memory of the process, and fails
    // without an effect where it is not known.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") result,
            in("rdi") REQUEST,
            in("rsi") TILE_DATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result == 0
}

/// Tiles of 16 rows of 64 bytes, on the thread that made this.
struct Configured(PhantomData<*const ()>);

impl Configured {
    /// # Safety
    /// The CPU must have tiles, and the process be allowed to use them.
    unsafe fn new() -> Self {
        /// Palette 1, that of tiles, and for each of eight the bytes of a row and the rows.
        #[repr(C, align(64))]
        struct Layout {
            palette: [u8; 16],
            bytes: [u16; 16],
            rows: [u8; 16],
        }
        let mut layout = Layout { palette: [0; 16], bytes: [0; 16], rows: [0; 16] };
        layout.palette[0] = 1;
        layout.bytes[..8].fill(64);
        layout.rows[..8].fill(16);
        // SAFETY: the instruction reads these 64 bytes; the caller promises that it exists.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const layout, options(nostack, readonly)) };
        Self(PhantomData)
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: it was made on this thread, where the instruction exists; nobody reads the tiles
        // afterwards.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// [`Ready::multiply`] on tiles: four of the result, which each step adds to.
///
/// # Safety
/// As there, on a CPU with tiles.
unsafe fn multiply_tiles(block: &Block<'_>, out: *mut f32, pitch: usize, add: bool) {
    const HALF: usize = SIDE / 2;
    let Block { left, right, steps, .. } = block;
    let bytes = |numbers: usize| numbers * size_of::<u16>();
    // What the loops below read, since there are more of them than registers.
    let operands: [usize; 10] = [
        out.expose_provenance(),
        out.wrapping_add(HALF * pitch).expose_provenance(),
        pitch * size_of::<f32>(),
        usize::from(add),
        left.numbers.as_ptr().expose_provenance(),
        bytes(left.row),
        bytes(HALF * left.row),
        right.numbers.as_ptr().expose_provenance(),
        bytes(right.row),
        steps.as_ptr_range().end.expose_provenance(),
    ];
    // SAFETY: each step reads 32 rows of 64 bytes on the left and 16 rows of 128 bytes on the
    // right, and the block at `out` is read if `add` and written: the caller promises that all of
    // them are there.
    unsafe {
        asm!(
            "mov {a}, [{operands}]",
            "mov {b}, [{operands} + 8]",
            "mov {c}, [{operands} + 16]",
            "cmp qword ptr [{operands} + 24], 0",
            "je 2f",
            "tileloadd tmm0, [{a} + {c}*1]",
            "tileloadd tmm1, [{a} + {c}*1 + 64]",
            "tileloadd tmm2, [{b} + {c}*1]",
            "tileloadd tmm3, [{b} + {c}*1 + 64]",
            "jmp 3f",
            "2:",
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "3:",
            "mov {a}, [{operands} + 32]",
            "mov {b}, [{operands} + 40]",
            "mov {c}, [{operands} + 48]",
            "mov {d}, [{operands} + 56]",
            "mov {e}, [{operands} + 64]",
            "4:",
            "mov {place}, [{step}]",
            "lea {place}, [{a} + {place}*2]",
            "tileloadd tmm4, [{place} + {b}*1]",
            "add {place}, {c}",
            "tileloadd tmm5, [{place} + {b}*1]",
            "mov {place}, [{step} + 8]",
            "lea {place}, [{d} + {place}*2]",
            "tileloadd tmm6, [{place} + {e}*1]",
            "tileloadd tmm7, [{place} + {e}*1 + 64]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {step}, 16",
            "cmp {step}, [{operands} + 72]",
            "jne 4b",
            "mov {a}, [{operands}]",
            "mov {b}, [{operands} + 8]",
            "mov {c}, [{operands} + 16]",
            "tilestored [{a} + {c}*1], tmm0",
            "tilestored [{a} + {c}*1 + 64], tmm1",
            "tilestored [{b} + {c}*1], tmm2",
            "tilestored [{b} + {c}*1 + 64], tmm3",
            operands = in(reg) operands.as_ptr(),
            step = inout(reg) steps.as_ptr() => _,
            place = out(reg) _,
            a = out(reg) _,
            b = out(reg) _,
            c = out(reg) _,
            d = out(reg) _,
            e = out(reg) _,
            options(nostack),
        );
    }
}

/// [`Ready::multiply`] on vectors: eight rows of the block at a time stay in registers.
///
/// # Safety
/// As there, on a CPU with these instructions.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn multiply_dots(block: &Block<'_>, out: *mut f32, pitch: usize, add: bool) {
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
fn round_rows(from: &[f32], pitch: usize, tile: &mut MaybeUninit<Tile>) {
    let tile = tile.as_mut_ptr().cast::<__m512i>();
    for line in 0..SIDE {
        let from = &from[line * pitch..][..SIDE];
        // SAFETY: a tile has 32 vectors, and is aligned as they are.
        unsafe { _mm512_store_si512(tile.add(line), rounded(from, &from[LANES..])) };
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn round_pairs(from: &[f32], pitch: usize, tile: &mut MaybeUninit<Tile>) {
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
fn interleave(even: &[f32], odd: &[f32], to: &mut [u16]) {
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
fn round_line(from: &[f32], to: &mut [u16]) {
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
