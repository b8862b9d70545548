//! The algebra between predictions: round trips, targets, error factors and endpoint policy.

mod common;

use burn::prelude::*;
use burn::tensor::TensorData;
use common::{all_schedules, assert_close};
use flow_path::{
    Coefficients, Cosine, LARGEST_AMPLIFICATION, Linear, NicholDhariwal, Polynomial, Prediction,
    Schedule, Times, VarianceExploding, VariancePreserving,
};

const ALL: [Prediction; 8] = [
    Prediction::Velocity,
    Prediction::Data,
    Prediction::Noise,
    Prediction::Score,
    Prediction::V,
    Prediction::Displacement,
    Prediction::Edm { sigma_data: 1.0 },
    Prediction::Edm { sigma_data: 0.5 },
];

fn three_schedules() -> [Box<dyn Schedule>; 3] {
    [
        Box::new(Linear::default()),
        Box::new(VariancePreserving::default()),
        Box::new(VarianceExploding::default()),
    ]
}

fn value(prediction: Prediction, x0: f64, x1: f64, c: &Coefficients) -> f64 {
    let (p, q) = prediction.factors(c);
    p * x1 + q * x0
}

#[test]
fn every_prediction_converts_to_every_other_and_back() {
    let (x0, x1) = (-0.8, 1.7);
    for schedule in three_schedules() {
        for t in [0.1, 0.37, 0.5, 0.9] {
            let c = schedule.at(t);
            let x_t = c.alpha * x1 + c.sigma * x0;
            for from in ALL {
                for to in ALL {
                    let given = value(from, x0, x1, &c);
                    let (a, b) = from.convert(to, &c);
                    let got = a * given + b * x_t;
                    assert_close(got, value(to, x0, x1, &c), 1e-10);
                    let (a, b) = to.convert(from, &c);
                    assert_close(a * got + b * x_t, given, 1e-10);
                }
            }
        }
    }
}

#[test]
fn tensors_convert_in_single_precision() {
    let device = Device::flex();
    let (x0, x1) = ([-0.8, 0.3, 1.1, -0.2], [1.7, -0.6, 0.4, 0.9]);
    let upload = |x: [f64; 4]| Tensor::<2>::from_data(TensorData::new(x.to_vec(), [4, 1]), &device);
    let t = Times::new(vec![0.2, 0.4, 0.6, 0.8]);
    for schedule in
        [&Linear::default() as &dyn Schedule, &VariancePreserving::default(), &Cosine::default()]
    {
        let x_t = t.column(&upload(x1), |t| schedule.at(t).alpha) * upload(x1)
            + t.column(&upload(x0), |t| schedule.at(t).sigma) * upload(x0);
        for from in ALL {
            for to in ALL {
                let given = from.target(upload(x0), upload(x1), schedule, &t);
                let got = from.convert_batch(to, given.clone(), x_t.clone(), schedule, &t);
                let want = to.target(upload(x0), upload(x1), schedule, &t);
                let error: f32 = (got.clone() - want).abs().max().into_scalar();
                assert!(error < 1e-4, "{from:?} to {to:?}: {error}");
                let same_time = from.convert_tensor(
                    to,
                    given.clone().narrow(0, 1, 1),
                    x_t.clone().narrow(0, 1, 1),
                    &schedule.at(0.4),
                );
                let error: f32 = (got.narrow(0, 1, 1) - same_time).abs().max().into_scalar();
                assert!(error < 1e-5, "{from:?} to {to:?} at one time: {error}");
            }
        }
    }
}

#[test]
fn the_published_conversions_are_recovered() {
    // x1 = (sigma u - sigma' x)/D, x0 = (alpha' x - alpha u)/D, score = (alpha u - alpha' x)/(sigma
    // D).
    for schedule in three_schedules() {
        let c = schedule.at(0.3);
        let d = c.det();
        let close = |got: (f64, f64), want: (f64, f64)| {
            assert_close(got.0, want.0, 1e-13);
            assert_close(got.1, want.1, 1e-13);
        };
        let velocity = Prediction::Velocity;
        close(velocity.convert(Prediction::Data, &c), (c.sigma / d, -c.d_sigma / d));
        close(velocity.convert(Prediction::Noise, &c), (-c.alpha / d, c.d_alpha / d));
        let score = (c.alpha / (c.sigma * d), -c.d_alpha / (c.sigma * d));
        close(velocity.convert(Prediction::Score, &c), score);
    }
    // Linear: x1 = x + (1 - t) u and x0 = x - t u.
    let c = Linear::default().at(0.3);
    assert_eq!(Prediction::Velocity.convert(Prediction::Data, &c), (0.7, 1.0));
    assert_eq!(Prediction::Velocity.convert(Prediction::Noise, &c), (-0.3, 1.0));
}

#[test]
fn a_score_of_the_wrong_sign_does_not_give_the_velocity() {
    let c = VariancePreserving::default().at(0.5);
    let (x0, x1) = (0.4, -1.2);
    let x_t = c.alpha * x1 + c.sigma * x0;
    let (a, b) = Prediction::Score.convert(Prediction::Velocity, &c);
    let score = -x0 / c.sigma;
    assert_close(a * score + b * x_t, c.velocity(x0, x1), 1e-12);
    assert!((a * -score + b * x_t - c.velocity(x0, x1)).abs() > 0.1);
}

#[test]
fn the_velocity_of_the_diffusion_is_half_its_rate_times_point_plus_score() {
    // u = (beta/2)(x + score).
    let schedule = VariancePreserving::default();
    let (a, b) = Prediction::Score.convert(Prediction::Velocity, &schedule.at(0.5));
    assert_close(a, 0.5 * schedule.beta(0.5), 1e-12);
    assert_close(b, 0.5 * schedule.beta(0.5), 1e-12);
}

#[test]
fn edm_of_unit_data_is_minus_v_on_a_variance_preserving_schedule() {
    let c = Cosine::default().at(0.3);
    let (p, q) = Prediction::Edm { sigma_data: 1.0 }.factors(&c);
    let (v_p, v_q) = Prediction::V.factors(&c);
    assert_close(p, -v_p, 1e-14);
    assert_close(q, -v_q, 1e-14);
}

#[test]
fn edm_is_the_preconditioned_denoiser() {
    // D(x) = c_skip x + c_out F at x = x_t / alpha and noise level sigma / alpha.
    let (sigma_data, x0, x1) = (0.5, 0.9, -0.4);
    for schedule in three_schedules() {
        let c = schedule.at(0.6);
        let (level, noisy) = (c.sigma / c.alpha, x1 + c.sigma / c.alpha * x0);
        let total = level * level + sigma_data * sigma_data;
        let (skip, out) = (sigma_data * sigma_data / total, level * sigma_data / total.sqrt());
        let f = value(Prediction::Edm { sigma_data }, x0, x1, &c);
        assert_close(skip * noisy + out * f, x1, 1e-12);
        // c_in gives the input unit variance.
        let scale = Prediction::Edm { sigma_data }.input_scale(&schedule, 0.6);
        assert_close(scale * c.alpha * noisy, noisy / total.sqrt(), 1e-12);
    }
}

/// Data and noise of unit size make `x_t` of the size `hypot(alpha, sigma)`, which is 50 where the
/// noise of `ve` is largest.
#[test]
fn networks_are_shown_states_of_unit_size_where_the_noise_outgrows_the_data() {
    let (ve, linear) = (VarianceExploding::default(), Linear { sigma_min: 0.0 });
    for t in [0.0, 0.3, 0.9, 1.0] {
        let c = ve.at(t);
        for prediction in [Prediction::Noise, Prediction::Data, Prediction::Velocity] {
            assert_close(prediction.input_scale(&ve, t) * c.alpha.hypot(c.sigma), 1.0, 1e-12);
            assert_close(prediction.input_scale(&linear, t), 1.0, 0.0);
        }
    }
    assert!(Prediction::Noise.input_scale(&ve, 0.0) < 0.021);
}

#[test]
fn squared_errors_differ_by_their_published_factors() {
    // |dx|^2 = e^-lambda |de|^2; |dv|^2 = alpha^2 (1 + e^-lambda)^2 |de|^2;
    // |du|^2 = (1 + e^{-lambda/2})^2 |de|^2; velocity (D / alpha)^2.
    for schedule in three_schedules() {
        for t in [0.2, 0.5, 0.8] {
            let c = schedule.at(t);
            let level = (-0.5 * c.log_snr()).exp();
            let factor = |to| Prediction::Noise.error_factor(to, &c);
            assert_close(factor(Prediction::Data), level * level, 1e-12);
            assert_close(factor(Prediction::V), (c.alpha * (1.0 + level * level)).powi(2), 1e-12);
            assert_close(factor(Prediction::Displacement), (1.0 + level).powi(2), 1e-12);
            assert_close(factor(Prediction::Velocity), (c.det() / c.alpha).powi(2), 1e-12);
            assert_close(factor(Prediction::Score), c.sigma.powi(-2), 1e-12);
        }
    }
}

#[test]
fn conversions_are_finite_over_the_span_of_a_prediction() {
    for schedule in all_schedules() {
        for from in ALL {
            let (start, end) = from.span(&*schedule);
            for t in [start, end] {
                for to in [Prediction::Velocity, Prediction::Data, Prediction::Noise] {
                    let c = schedule.at(t);
                    let (a, b) = from.convert(to, &c);
                    // The velocity itself is infinite where a user's schedule says so.
                    let finite = c.d_alpha.is_finite() && c.d_sigma.is_finite();
                    assert!(
                        !finite || (a.is_finite() && b.is_finite()),
                        "{from:?} {to:?} {schedule:?} {t}"
                    );
                }
            }
        }
    }
}

#[test]
fn only_predictions_that_lose_the_pair_give_up_an_end() {
    let linear = Linear::default();
    let polynomial = Polynomial { degree: 2.0 };
    let whole = (0.0, 1.0);
    for prediction in [Prediction::V, Prediction::Displacement, Prediction::Edm { sigma_data: 0.5 }]
    {
        assert_eq!(prediction.span(&linear), whole);
        assert_eq!(prediction.span(&polynomial), whole);
    }
    assert_eq!(Prediction::Velocity.span(&linear), whole);
    // 1 / alpha = 100 sqrt(alpha^2 + sigma^2) at alpha = 0.0101, and the same for sigma.
    let cut = 0.010102;
    let near = |got: (f64, f64), want: (f64, f64)| {
        assert!((got.0 - want.0).abs() < 1e-5 && (got.1 - want.1).abs() < 1e-5, "{got:?} {want:?}");
    };
    near(Prediction::Data.span(&linear), (0.0, 1.0 - cut));
    near(Prediction::Noise.span(&linear), (cut, 1.0));
    near(Prediction::Score.span(&linear), (cut, 1.0 - cut));
    // Blurred data keeps its noise, and the diffusion some of its data, of which it loses little
    // per unit time.
    assert_eq!(Prediction::Data.span(&Linear { sigma_min: 0.02 }), whole);
    let vp = VariancePreserving::default();
    assert_eq!(Prediction::Noise.span(&vp), vp.span());
    assert_eq!(Prediction::Data.span(&VarianceExploding::default()), whole);
    // alpha = t^2 grows by 2 / t per unit time: the path stands still at its start, and a velocity
    // gives no pair.
    near(Prediction::Noise.span(&polynomial), (0.02, 1.0));
    near(Prediction::Velocity.span(&polynomial), (0.02, 1.0));
    // sigma falls as a square root, by 1 / (2 s) of itself per unit time.
    let nd = NicholDhariwal::default();
    let (start, end) = Prediction::Score.span(&nd);
    assert!((0.009..0.011).contains(&start) && (0.004..0.01).contains(&(1.0 - end)));
    assert_eq!(Prediction::Velocity.span(&nd), nd.span());
}

/// Errors of the velocity in units of the point, for each unit of error in the prediction.
#[test]
fn errors_are_amplified_by_at_most_a_hundred_within_the_span() {
    let schedules: [Box<dyn Schedule>; 5] = [
        Box::new(Linear::default()),
        Box::new(Cosine::default()),
        Box::new(VariancePreserving::default()),
        Box::new(NicholDhariwal::default()),
        Box::new(Polynomial { degree: 3.0 }),
    ];
    for schedule in schedules {
        for prediction in [Prediction::Noise, Prediction::Data, Prediction::Score] {
            let (start, end) = prediction.span(&*schedule);
            for k in 0..=1000 {
                let t = start + (end - start) * f64::from(k) / 1000.0;
                let c = schedule.at(t);
                let size = c.alpha.hypot(c.sigma);
                // A score is the noise over sigma, and learned as well as that.
                let unit = if prediction == Prediction::Score { c.sigma.recip() } else { 1.0 };
                // The schedule's own speed is unbounded at the data end of a diffusion.
                let most = LARGEST_AMPLIFICATION.max(2.0 * c.det() / (size * size));
                let factor = prediction.convert(Prediction::Velocity, &c).0.abs() * unit / size;
                assert!(factor <= 1.01 * most, "{prediction:?} on {schedule:?} at {t}: {factor}");
            }
        }
    }
}

#[test]
fn noise_is_ill_conditioned_at_the_noise_end_and_data_at_the_data_end() {
    let gain = |from: Prediction, to, t| from.convert(to, &Linear::default().at(t)).0.abs();
    assert!(gain(Prediction::Noise, Prediction::Data, 0.01) > 90.0);
    assert!(gain(Prediction::Data, Prediction::Noise, 0.99) > 90.0);
    for t in [0.01, 0.5, 0.99] {
        assert!(gain(Prediction::V, Prediction::Data, t) <= 1.5);
        assert!(gain(Prediction::V, Prediction::Noise, t) <= 1.5);
    }
}
