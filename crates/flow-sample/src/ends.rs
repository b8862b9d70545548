//! The ends of a path, which a sampler passes without a prediction.
//!
//! A predictor answers within its [`span`](crate::Predictor::span). Between pure noise and its
//! first time `x_t / sigma` stays as it is, up to the share of data `alpha / sigma` times the mean
//! of the data: less than what the flow itself makes of an error that is
//! [`LARGEST_AMPLIFICATION`](flow_path::LARGEST_AMPLIFICATION) times too large. From its last time
//! on the pair of data and noise predicted there is mixed anew, which is one step of DDIM and
//! leaves no noise that the schedule does not have.

use burn::tensor::Tensor;
use flow_path::{Coefficients, Schedule};

/// A state near pure noise at time `from`, at time `to`.
pub(crate) fn carry_noise(x: Tensor<2>, schedule: &dyn Schedule, from: f64, to: f64) -> Tensor<2> {
    match noise_scale(schedule, from, to) {
        1.0 => x,
        scale => x * scale,
    }
}

/// The quotient of the noise at two times, 1 for the same time.
pub(crate) fn noise_scale(schedule: &dyn Schedule, from: f64, to: f64) -> f64 {
    schedule.at(to).sigma / schedule.at(from).sigma
}

/// The pair of predicted data and of the noise that is left in `x`, mixed anew where the path has
/// the coefficients `to`, with the fraction `keep` of its noise: `alpha_s x_1 + sigma_s keep x_0`.
pub(crate) fn mix(
    x: Tensor<2>,
    data: Tensor<2>,
    (from, to): (&Coefficients, &Coefficients),
    keep: f64,
) -> Tensor<2> {
    let kept = to.sigma * keep / from.sigma;
    data * (to.alpha - from.alpha * kept) + x * kept
}

/// The first row that is not made of finite numbers, at the price of one read from the device.
pub(crate) fn first_row_not_finite(x: &Tensor<2>) -> Option<usize> {
    let shape = x.dims();
    let size: usize = shape[1..].iter().product();
    if shape[0] * size == 0 {
        return None;
    }
    // A product with 0 is 0, or else not a number.
    let sums = (x.clone() * 0.0).reshape([shape[0], size]).sum_dim(1).into_data();
    sums.iter::<f64>().position(|sum| sum != 0.0)
}
