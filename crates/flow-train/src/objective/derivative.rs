//! Derivatives of a flow map by differences, for targets: two calls without a tape.

use burn::tensor::Tensor;
use flow_nn::Network;
use flow_path::PathError;
use flow_path::config::within;

use super::jump::{Jumps, column};

/// Half the width of a difference.
///
/// Rounding costs about `1e-7 / h` and the formula `h^2 / 6` third derivatives: on the closed form
/// of Gaussian data the error of both together is least between 2e-3 and 5e-3, where it is 4e-5 of
/// the derivative; it is a hundred times larger at 1e-5 and three hundred times at 0.1. The test
/// `the_width_of_the_difference_is_where_the_error_is_least` measures it.
pub(super) const WIDTH: f64 = 5e-3;

/// Radians that the times of a network may span at most, if a loss differentiates it by them.
///
/// A wiggle of `w` radians per unit of time is `w` times as large in the derivative, and its error
/// comes back in the target. On two moons `MeanFlow` with an MLP of 64 numbers a layer has losses
/// up to 18,000 at 1,000 radians and up to 30 at 100; at 20 they stay below 6 and end where those
/// of 6 do.
pub const LARGEST_TIME_SCALE: u32 = 20;

/// Radians that suit those losses.
pub const SMOOTH_TIME_SCALE: u32 = 6;

/// Refuses a width that is none.
pub(super) fn check_width(width: f64) -> Result<(), PathError> {
    within("width", width, 0.0 < width && width < 0.5, "(0, 0.5)")
}

/// `d/dt u(x + t v, t, s)`: along the velocity of the pair, with the end `s` fixed.
///
/// `(u(x + h v, t + h, s) - u(x - h v, t - h, s)) / 2h`, where neither time leaves `[0, s]`: what
/// would is moved to it, and the difference is then one to one side.
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

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, TensorData};
    use flow_nn::{Condition, Signature, Time};

    use super::super::jump::with_targets;
    use super::*;
    use crate::objective::Batch;

    /// Standard deviation of the data.
    const STD: f64 = 0.5;

    /// `u(x, t, s)` of data `N(0, S^2)` on the straight path, with `V(t) = t^2 S^2 + (1 - t)^2`.
    struct Gaussian(Signature);

    impl Network for Gaussian {
        fn signature(&self) -> &Signature {
            &self.0
        }

        fn forward(&self, x: Tensor<2>, time: Time, _: &Condition) -> Tensor<2> {
            let (t, s) = (column(time.t), column(time.s.expect("a flow map has two times")));
            let square = 1.0 + STD * STD;
            let variance = |t: &Tensor<2>| t.clone().square() * square - t.clone() * 2.0 + 1.0;
            let (from, to) = (variance(&t), variance(&s));
            x * ((t + s) * square - 2.0) / (from.clone() * ((to / from).sqrt() + 1.0))
        }
    }

    type Along = fn(&dyn Network, &Jumps, f64) -> Tensor<2>;

    /// Root mean square error of a derivative, relative to its own size, at times within (0, 1).
    fn error(along: Along, width: f64, precision: DType) -> f64 {
        let network = Gaussian(Signature { two_times: true, ..Signature::of([1]) });
        let rows: Vec<[f64; 3]> = (0..200)
            .map(|i| {
                let part = |a: f64| (f64::from(i) * a).fract();
                let t = 0.12 + 0.4 * part(0.618);
                [3.0 * part(0.414) - 1.5, t, t + 0.12 + (0.76 - t) * part(0.732)]
            })
            .collect();
        let batch = |precision| {
            let options = (&Device::flex(), precision);
            let values = |k: usize| rows.iter().map(|row| row[k]).collect::<Vec<_>>();
            let of = |k| Tensor::<1>::from_data(TensorData::new(values(k), [200]), options);
            let (x, t, s) = (column(of(0)), of(1), of(2));
            let target =
                network.forward(x.clone(), Time::from_to(t.clone(), t.clone()), &Condition::none());
            Batch {
                x0: x.clone(),
                x1: x.clone(),
                x_t: x,
                time: Time::from_to(t, s),
                jumps: 200,
                target,
                weight: None,
                known: None,
                condition: Condition::none(),
                noise: None,
            }
        };
        let found = with_targets(batch(precision), |jumps| along(&network, jumps, width)).target;
        // To rounding in double precision: differences of differences, Richardson's of order 4.
        let fine = with_targets(batch(DType::F64), |jumps| {
            let of = |width: f64| along(&network, jumps, width);
            (of(1e-3) * 4.0 - of(2e-3)) / 3.0
        });
        let host = |x: Tensor<2>| x.into_data().iter::<f64>().collect::<Vec<_>>();
        let (found, fine) = (host(found), host(fine.target));
        let square = |x: f64| x * x;
        let off: f64 = found.iter().zip(&fine).map(|(a, b)| square(a - b)).sum();
        (off / fine.iter().map(|&x| square(x)).sum::<f64>()).sqrt()
    }

    #[test]
    fn differences_within_the_span_are_of_order_two() {
        for along in [along_the_start as Along, along_the_end] {
            let order = (error(along, 0.04, DType::F64) / error(along, 0.02, DType::F64)).log2();
            assert!((order - 2.0).abs() < 0.1, "order {order}");
        }
    }

    #[test]
    fn the_derivative_along_the_path_is_that_of_the_identity() {
        // u = v + (s - t) du/dt, with errors of width^2 / 6 third derivatives.
        let network = Gaussian(Signature { two_times: true, ..Signature::of([1]) });
        let options = (&Device::flex(), DType::F64);
        let one = |value: f64| Tensor::<1>::from_data([value], options);
        let (x, t, s) = (column(one(0.7)), one(0.3), one(0.8));
        let u = |s: &Tensor<1>| {
            let time = Time::from_to(t.clone(), s.clone());
            network.forward(x.clone(), time, &Condition::none()).into_scalar::<f64>()
        };
        let want = (u(&s) - u(&t)) / 0.5;
        let batch = Batch {
            x0: x.clone(),
            x1: x.clone(),
            x_t: x.clone(),
            time: Time::from_to(t.clone(), s.clone()),
            jumps: 1,
            target: x.clone() * (u(&t) / 0.7),
            weight: None,
            known: None,
            condition: Condition::none(),
            noise: None,
        };
        let rate = with_targets(batch, |jumps| along_the_start(&network, jumps, 1e-3)).target;
        let rate = rate.into_scalar::<f64>();
        assert!((rate - want).abs() < 1e-4, "{rate} is not {want}");
    }

    #[test]
    fn the_width_of_the_difference_is_where_the_error_is_least() {
        let widths = [1e-5, 1e-4, 1e-3, 2e-3, WIDTH, 1e-2, 2e-2, 5e-2, 1e-1];
        for along in [along_the_start as Along, along_the_end] {
            let errors = widths.map(|width| error(along, width, DType::F32));
            let least = errors.into_iter().fold(f64::INFINITY, f64::min);
            let own = errors[4];
            // Neighbours differ by rounding, which is not smooth.
            assert!(own < 3.0 * least && own < 2e-4, "{errors:?} at {widths:?}");
            assert!(errors[0] > 30.0 * own && errors[8] > 30.0 * own, "{errors:?}");
        }
    }
}
