//! Schedules and differences shared by the tests.
#![allow(dead_code, reason = "each test binary uses a part")]

use flow_path::{
    Cosine, Dual, FromFunctions, Linear, NicholDhariwal, Polynomial, Schedule, VarianceExploding,
    VariancePreserving, VeBoundary,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Every schedule that is shipped, and one made of functions.
pub(crate) fn all_schedules() -> Vec<Box<dyn Schedule>> {
    let zero = VarianceExploding { boundary: VeBoundary::Zero, ..Default::default() };
    vec![
        Box::new(Linear::default()),
        Box::new(Linear { sigma_min: 0.1 }),
        Box::new(VariancePreserving::default()),
        Box::new(VarianceExploding::default()),
        Box::new(zero),
        Box::new(Cosine::default()),
        Box::new(Cosine::with_log_snr_bound(15.0)),
        Box::new(NicholDhariwal::default()),
        Box::new(Polynomial { degree: 2.0 }),
        Box::new(FromFunctions::new(|t| t * t, |t: Dual| (1.0 - t * t * t).sqrt())),
    ]
}

/// Central difference of fourth order.
pub(crate) fn derivative(f: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    (8.0 * (f(x + h) - f(x - h)) - (f(x + 2.0 * h) - f(x - 2.0 * h))) / (12.0 * h)
}

/// `int_a^b f` by the composite Simpson rule.
pub(crate) fn integral(f: impl Fn(f64) -> f64, a: f64, b: f64, panels: usize) -> f64 {
    let h = (b - a) / panels as f64;
    let panel = |k: usize| {
        let x = a + k as f64 * h;
        f(x) + 4.0 * f(x + 0.5 * h) + f(x + h)
    };
    h / 6.0 * (0..panels).map(panel).sum::<f64>()
}

/// Passes when `got` is within `tolerance` of `want`, relative to the larger of `|want|` and one.
#[track_caller]
pub(crate) fn assert_close(got: f64, want: f64, tolerance: f64) {
    let error = (got - want).abs() / want.abs().max(1.0);
    assert!(error <= tolerance, "got {got}, want {want}: error {error:e} above {tolerance:e}");
}
