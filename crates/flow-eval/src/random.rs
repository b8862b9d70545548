//! Random numbers by name: one independent stream for each (seed, purpose, index).

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a stream is for. The numbers are part of every seeded score: never change them.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Projection = 1,
    Subset = 2,
    Bootstrap = 3,
}

/// The stream of a seed for the `index`-th use of a purpose, whatever thread asks for it.
pub(crate) fn stream(seed: u64, purpose: Purpose, index: usize) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&(index as u64).to_le_bytes());
    ChaCha8Rng::from_seed(key)
}
