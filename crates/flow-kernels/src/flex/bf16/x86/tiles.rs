//! Tiles: the instructions of AMX.
//!
//! They have no intrinsics in stable Rust, so they stand in assembly. The compiler uses no tile by
//! itself, so what [`Configured`] sets up stays as it is until it is dropped, and a block reads
//! nothing from a tile that it has not written before.
#![allow(unsafe_code, reason = "tiles are read and written by pointers, in assembly")]

use std::{
    arch::{asm, x86_64::__cpuid_count},
    marker::PhantomData,
};

use super::super::{SIDE, block::Block};

/// Whether the CPU has tiles of bfloat16 and Linux lets this process use them, which it must be
/// asked for since their contents make the state of a thread larger by 8 KiB.
pub(super) fn are_allowed() -> bool {
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
pub(super) struct Configured(PhantomData<*const ()>);

impl Configured {
    /// # Safety
    /// The CPU must have tiles, and the process be allowed to use them.
    pub(super) unsafe fn new() -> Self {
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

/// [`super::Ready::multiply`] on tiles: four of the result, which each step adds to.
///
/// # Safety
/// As there, on a CPU with tiles.
pub(super) unsafe fn multiply(block: &Block<'_>, out: *mut f32, pitch: usize, add: bool) {
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
            out("tmm0") _,
            out("tmm1") _,
            out("tmm2") _,
            out("tmm3") _,
            out("tmm4") _,
            out("tmm5") _,
            out("tmm6") _,
            out("tmm7") _,
            options(nostack),
        );
    }
}
