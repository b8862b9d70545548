//! Random numbers by name: one independent stream for each (seed, purpose, index).
//!
//! Those who train and sample take their streams from flow-path, whose keys are built alike. The
//! last eight bytes keep the two apart: they are zero there and name this crate here, so that no
//! projection of a score is made of the noise of a sample with the same seed.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Bytes 24 to 32 of every key of this crate.
const CRATE: [u8; 8] = *b"floweval";

/// What a stream is for. The numbers are part of every seeded score: never change them.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Projection = 1,
    Subset = 2,
    Bootstrap = 3,
    Jackknife = 4,
    Median = 5,
    Classifier = 6,
    Calibration = 7,
    Bands = 8,
}

/// The stream of a seed for the `index`-th use of a purpose, whatever thread asks for it.
pub(crate) fn stream(seed: u64, purpose: Purpose, index: usize) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&(index as u64).to_le_bytes());
    key[24..].copy_from_slice(&CRATE);
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stream_of_a_score_is_one_of_training_or_sampling() {
        // The key of flow-path's `Streams::rng` is seed, index, purpose, and eight zeros.
        for purpose in [Purpose::Projection, Purpose::Subset, Purpose::Bootstrap] {
            for index in 0..20 {
                assert_eq!(stream(1, purpose, index).get_seed()[24..], *b"floweval");
            }
        }
        assert_ne!(CRATE, [0; 8]);
    }
}
