//! Random bytes for the crate getrandom: the identities of Burn's parameters, the order of hash
//! tables.
//!
//! Every number of a sample or a training follows from a seed, and nothing here is a secret, so a
//! counter through a mixing function is enough: what matters is that two calls differ.

#![allow(unsafe_code, reason = "getrandom asks for a function of this name")]

use std::sync::atomic::{AtomicU64, Ordering};

use getrandom::Error;

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// The next number of Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators",
/// with the constants of SplitMix64.
fn next() -> u64 {
    let z = COUNTER.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Fills `length` bytes from `place` on.
///
/// # Safety
/// As getrandom promises, they are its own to write.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(place: *mut u8, length: usize) -> Result<(), Error> {
    // SAFETY: the caller keeps the contract above; the bytes are written before they are read.
    let bytes = unsafe {
        place.write_bytes(0, length);
        std::slice::from_raw_parts_mut(place, length)
    };
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&next().to_le_bytes()[..chunk.len()]);
    }
    Ok(())
}
