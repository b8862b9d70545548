//! Normal noise on the host, drawn in parallel.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

/// Numbers drawn from one stream.
const BLOCK: usize = 1 << 12;

/// Fills `out` with independent draws from the standard normal distribution.
///
/// Block `i` of 4,096 numbers comes from stream `i` of a ChaCha generator seeded with `key`, so
/// that the result depends on the key alone: not on the number of threads, nor, for the numbers
/// that two lengths share, on the length. Keys that differ in one bit give unrelated numbers.
///
/// # Reference
/// Bernstein (2008), "ChaCha, a variant of Salsa20"; Marsaglia & Tsang (2000), "The Ziggurat Method
/// for Generating Random Variables".
pub fn fill_normal(out: &mut [f32], key: u64) {
    out.par_chunks_mut(BLOCK).enumerate().for_each(|(i, block)| {
        let mut rng = ChaCha8Rng::seed_from_u64(key);
        rng.set_stream(i as u64);
        for x in block {
            *x = StandardNormal.sample(&mut rng);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(len: usize, key: u64) -> Vec<f32> {
        let mut out = vec![0.0; len];
        fill_normal(&mut out, key);
        out
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let on = |threads: usize| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap()
                .install(|| normal(5 * BLOCK + 3, 7))
        };
        assert_eq!(on(1), on(2));
    }

    #[test]
    fn a_longer_fill_begins_with_the_shorter_one() {
        assert_eq!(normal(3 * BLOCK, 7)[..BLOCK + 9], normal(BLOCK + 9, 7));
    }

    #[test]
    fn keys_and_blocks_differ() {
        let numbers = normal(2 * BLOCK, 7);
        assert_ne!(numbers[..BLOCK], numbers[BLOCK..]);
        assert_ne!(numbers, normal(2 * BLOCK, 6));
    }

    #[test]
    fn moments_are_those_of_the_standard_normal() {
        let n = 1 << 20;
        let numbers = normal(n, 42);
        let moment = |power: i32| {
            let sum: f64 = numbers.iter().map(|&x| f64::from(x).powi(power)).sum();
            sum / n as f64
        };
        // Five standard errors: sqrt(Var(x^p) / n) with variances 1, 2 and 96.
        for (power, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (4, 3.0, 96.0)] {
            let bound = 5.0 * f64::sqrt(variance / n as f64);
            let error = (moment(power) - expected).abs();
            assert!(error < bound, "moment {power} is off by {error}, bound {bound}");
        }
    }
}
