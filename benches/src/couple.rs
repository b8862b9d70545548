//! Minibatch optimal transport of points in the plane.

use std::hint::black_box;

use flow_path::stream::{Purpose, Streams};
use flow_path::{Coupling, ExactOt, Given};

use crate::{Work, noise};

/// The cheapest pairing of `n` points with `n` others, distances included.
///
/// # Panics
/// When run, if `n` is 0.
#[must_use]
pub fn exact(n: usize) -> Work {
    let (x0, x1) = (noise::numbers(2 * n, 1), noise::numbers(2 * n, 2));
    let mut rng = Streams::new(0).rng(0, Purpose::Coupling);
    Work::new(move || {
        let pairing = ExactOt.pair(&x0, &x1, Given::default(), 2, &mut rng);
        black_box(pairing.expect("n finite points on both sides can be paired"));
    })
}
