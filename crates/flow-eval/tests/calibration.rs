//! Calibration: posteriors in closed form, and the same ones too narrow, too wide and moved.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use common::{mean_and_std, normal, points};
use flow_eval::{EvalError, Ranks, Verdict, sbc, tarp};

const TRUTHS: usize = 500;
const DRAWS: usize = 99;
const DIM: usize = 3;

/// `theta ~ N(0, 1)` and `x ~ N(theta, 1)` in each dimension, so that `theta | x ~ N(x / 2, 1 /
/// 2)`: truths, and draws of the posterior with its spread scaled and its centre moved.
fn posteriors(scale: f32, shift: f32, seed: u64) -> (Vec<f32>, Vec<f32>) {
    let truths = normal(TRUTHS, DIM, 3 * seed);
    let noise = normal(TRUTHS, DIM, 3 * seed + 1);
    let z = normal(TRUTHS * DRAWS, DIM, 3 * seed + 2);
    let mut draws = Vec::new();
    for i in 0..TRUTHS {
        for k in 0..DRAWS {
            for d in 0..DIM {
                let x = truths[i * DIM + d] + noise[i * DIM + d];
                let spread = 0.5_f32.sqrt() * scale;
                draws.push(x / 2.0 + shift + spread * z[(i * DRAWS + k) * DIM + d]);
            }
        }
    }
    (truths, draws)
}

/// The verdict of both tests; of SBC that of the first parameter.
fn verdicts(scale: f32, shift: f32) -> [Verdict; 2] {
    let (truths, draws) = posteriors(scale, shift, 1);
    let (truths, draws) = (points(&truths, DIM), points(&draws, DIM));
    let ranks = sbc(truths, draws, 0).unwrap();
    assert_eq!(ranks.len(), DIM);
    [&ranks[0], &tarp(truths, draws, 0).unwrap()].map(|ranks| ranks.verdict(0.99, 0))
}

#[test]
fn the_exact_posterior_is_calibrated_and_scaled_ones_are_called_what_they_are() {
    assert_eq!(verdicts(1.0, 0.0), [Verdict::Calibrated; 2]);
    assert_eq!(verdicts(0.8, 0.0), [Verdict::TooNarrow; 2]);
    assert_eq!(verdicts(1.25, 0.0), [Verdict::TooWide; 2]);
    assert_eq!(verdicts(1.0, 0.3)[0], Verdict::Biased);
}

#[test]
fn deviations_are_at_their_floor_for_the_exact_posterior_alone() {
    let deviation = |scale| {
        let (truths, draws) = posteriors(scale, 0.0, 2);
        tarp(points(&truths, DIM), points(&draws, DIM), 0).unwrap().deviation("TARP", 0)
    };
    let exact = deviation(1.0);
    assert!(exact.value < 1.7 * exact.floor.unwrap(), "{exact}");
    assert!(exact.to_string().contains("standard errors (floor"), "{exact}");
    for scale in [0.8, 1.25] {
        let score = deviation(scale);
        assert!(1.7 * score.floor.unwrap() < score.value, "{scale}: {score}");
    }
}

#[test]
fn tarp_sees_parameters_that_hang_together_wrongly_and_sbc_does_not() {
    // The posterior has the right law for each parameter and the wrong correlation between them.
    let n = 2000;
    let z = normal(n, 2, 1);
    let truths: Vec<f32> = z.chunks(2).flat_map(|z| [z[0], 0.95 * z[0] + 0.3122 * z[1]]).collect();
    let draws = normal(n * DRAWS, 2, 2);
    let (truths, draws) = (points(&truths, 2), points(&draws, 2));
    let apart = sbc(truths, draws, 0).unwrap();
    assert!(apart.iter().all(|ranks| ranks.verdict(0.99, 0) == Verdict::Calibrated));
    assert_ne!(tarp(truths, draws, 0).unwrap().verdict(0.99, 0), Verdict::Calibrated);
}

#[test]
fn ranks_of_equal_numbers_are_uniform() {
    // A parameter of two values: without a coin every rank would be at an end.
    let coin = |n: usize, seed| -> Vec<f32> {
        normal(n, 1, seed).iter().map(|z| if *z < 0.0 { 0.0 } else { 1.0 }).collect()
    };
    let (truths, draws) = (coin(2000, 1), coin(2000 * 19, 2));
    let ranks = &sbc(points(&truths, 1), points(&draws, 1), 0).unwrap()[0];
    assert_eq!(ranks.verdict(0.99, 0), Verdict::Calibrated);
    let shares: Vec<f64> = ranks.histogram(5).iter().map(|&n| n as f64).collect();
    let (mean, std) = mean_and_std(&shares);
    // 400 in each bin with a standard deviation of 18.
    assert!((mean - 400.0).abs() < 1e-9 && std < 45.0, "{shares:?}");
}

#[test]
fn bands_narrow_with_more_observations_and_hold_the_middle() {
    let even = |n: usize| Ranks::new((0..n).map(|i| i % 100).collect(), 99).unwrap();
    let [few, many] = [even(100), even(10_000)].map(|ranks| ranks.bands(0.95, 0));
    assert!(few.hold() && many.hold());
    let width = |bands: &flow_eval::Bands| bands.high[49] - bands.low[49];
    // A tenth, up to the counts that are whole numbers.
    assert!((width(&few) / width(&many) / 10.0 - 1.0).abs() < 0.15);
    let middle = Ranks::new(vec![50; 100], 99).unwrap();
    assert!(!middle.bands(0.95, 0).hold());
}

#[test]
fn draws_that_fit_no_truths_are_named() {
    let (truths, draws) = (normal(3, 1, 1), normal(7, 1, 2));
    let error = sbc(points(&truths, 1), points(&draws, 1), 0).unwrap_err();
    assert_eq!(error.to_string(), "7 draws for 3 true values: give as many draws for each of them");
    assert_eq!(Ranks::new(vec![0, 5], 4), Err(EvalError::Rank { rank: 5, draws: 4 }));
    assert!(Ranks::new(vec![], 4).is_err());
}
