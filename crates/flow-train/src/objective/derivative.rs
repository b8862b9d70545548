//! Derivatives of a flow map by differences, for targets: two calls without a tape.

use burn::tensor::Tensor;
use flow_nn::Network;
use flow_path::PathError;
use flow_path::config::within;

use super::jump::{Jumps, column};

/// Half the width of a difference.
///
/// Rounding costs about `1e-7 / h` and the formula `h^2 / 6` third derivatives: on the closed form of
/// Gaussian data the error of both together is least between 2e-3 and 2e-2, where it is below 1e-4 of
/// the derivative, and a hundred times larger at 1e-5. A network that feels its time by sinusoids of
/// up to 1,000 radians has wiggles that the map does not have; differences of this width smooth out
/// what is faster than `1 / h`. The test `the_width_of_the_difference_is_where_the_error_is_least`
/// measures it.
pub(super) const WIDTH: f64 = 5e-3;

/// Refuses a width that is none.
pub(super) fn check_width(width: f64) -> Result<(), PathError> {
    within("width", width, 0.0 < width && width < 0.5, "(0, 0.5)")
}

/// `d/dt u(x + t v, t, s)`: along the velocity of the pair, with the end `s` fixed.
///
/// `(u(x + h v, t + h, s) - u(x - h v, t - h, s)) / 2h`, where neither time leaves `[0, s]`: what would
/// is moved to it, and the difference is then one to one side.
pub(super) fn along_the_start(network: &dyn Network, jumps: &Jumps, width: f64) -> Tensor<2> {
    let Jumps { x, t, s, velocity, .. } = jumps;
    let later = (t.clone() + width).min_pair(s.clone());
    let earlier = (t.clone() - width).clamp_min(0.0);
    let at = |time: &Tensor<1>| {
        let moved = x.clone() + column(time.clone() - t.clone()) * velocity.clone();
        jumps.ask(network, moved, time, s)
    };
    (at(&later) - at(&earlier)) / column(later - earlier)
}

/// `d/ds u(x, t, s)` at the end, where neither time leaves `[t, 1]`.
pub(super) fn along_the_end(network: &dyn Network, jumps: &Jumps, width: f64) -> Tensor<2> {
    let Jumps { x, t, s, .. } = jumps;
    let later = (s.clone() + width).clamp_max(1.0);
    let earlier = (s.clone() - width).max_pair(t.clone());
    let at = |time: &Tensor<1>| jumps.ask(network, x.clone(), t, time);
    (at(&later) - at(&earlier)) / column(later - earlier)
}
