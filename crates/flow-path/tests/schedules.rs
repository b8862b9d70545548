//! Schedules against differences, their published constants and their own inverses.
#![allow(clippy::float_cmp, reason = "the ends and inverses compared are exact by construction")]

mod common;

use common::{all_schedules, assert_close, derivative};
use flow_path::{
    Coefficients, Cosine, Dual, FromFunctions, FromSde, Linear, Scaled, Schedule,
    VarianceExploding, VariancePreserving, VeBoundary,
};

/// Interior times, away from square-root ends where differences lose their order.
const TIMES: [f64; 7] = [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98];

#[test]
fn derivatives_match_central_differences() {
    // Fourth order with h = 1e-4: truncation below 1e-10 and rounding near 1e-12 of the values.
    for schedule in all_schedules() {
        for t in TIMES {
            let c = schedule.at(t);
            assert_close(c.d_alpha, derivative(|t| schedule.at(t).alpha, t, 1e-4), 1e-8);
            assert_close(c.d_sigma, derivative(|t| schedule.at(t).sigma, t, 1e-4), 1e-8);
        }
    }
}

#[test]
fn conditional_flow_moves_with_the_conditional_velocity() {
    let (x0, x1) = (-0.7, 1.3);
    for schedule in all_schedules() {
        for t in TIMES {
            let c = schedule.at(t);
            let flow = |t: f64| schedule.at(t).alpha * x1 + schedule.at(t).sigma * x0;
            assert_close(c.conditional_velocity(flow(t), x1), derivative(flow, t, 1e-4), 1e-7);
            assert_close(c.velocity(x0, x1), derivative(flow, t, 1e-4), 1e-7);
        }
    }
}

#[test]
fn a_velocity_of_the_wrong_sign_does_not_move_with_the_flow() {
    let flow = |t: f64| VariancePreserving::default().at(t).sigma;
    let c = VariancePreserving::default().at(0.5);
    assert!((-c.velocity(1.0, 0.0) - derivative(flow, 0.5, 1e-4)).abs() > 0.1);
}

#[test]
fn coefficients_are_finite_at_both_ends_of_the_span() {
    for schedule in all_schedules() {
        let (start, end) = schedule.span();
        for t in [start, end] {
            let c = schedule.at(t);
            let all = [c.alpha, c.sigma, c.d_alpha, c.d_sigma];
            let made_of_functions = format!("{schedule:?}").starts_with("FromFunctions");
            assert!(
                made_of_functions || all.iter().all(|x| x.is_finite()),
                "{schedule:?} at {t}: {c:?}"
            );
        }
    }
}

#[test]
fn the_signal_to_noise_ratio_grows_and_is_inverted() {
    for schedule in all_schedules() {
        let mut before = f64::NEG_INFINITY;
        for t in TIMES {
            let log_snr = schedule.at(t).log_snr();
            assert!(before < log_snr, "{schedule:?} at {t}");
            assert_close(schedule.time_at_log_snr(log_snr), t, 1e-12);
            let slope = derivative(|t| schedule.at(t).log_snr(), t, 1e-4);
            assert_close(schedule.at(t).d_log_snr(), slope, 1e-6);
            before = log_snr;
        }
        let (start, end) = schedule.span();
        assert_eq!(schedule.time_at_log_snr(f64::NEG_INFINITY), start, "{schedule:?}");
        assert_eq!(schedule.time_at_log_snr(f64::INFINITY), end, "{schedule:?}");
    }
}

#[test]
fn linear_and_cosine_are_exact_at_both_ends() {
    for schedule in [&Linear::default() as &dyn Schedule, &Cosine::default()] {
        let (noise, data) = (schedule.at(0.0), schedule.at(1.0));
        assert_eq!((noise.alpha, noise.sigma), (0.0, 1.0));
        assert_eq!((data.alpha, data.sigma), (1.0, 0.0));
    }
    assert_eq!(Linear { sigma_min: 0.1 }.at(1.0).sigma, 0.1);
}

#[test]
fn variance_is_preserved_where_the_name_says_so() {
    for t in TIMES {
        for schedule in [&VariancePreserving::default() as &dyn Schedule, &Cosine::default()] {
            let c = schedule.at(t);
            assert_close(c.alpha.powi(2) + c.sigma.powi(2), 1.0, 1e-14);
        }
    }
}

#[test]
fn variance_preserving_keeps_its_digits_next_to_the_data() {
    // T = 1.000995e-6, sigma = sqrt(T) (1 - T/4), and the noise factor of the velocity is near 50.
    let schedule = VariancePreserving::default();
    let t = schedule.span().1;
    let c = schedule.at(t);
    assert!((schedule.integrated_beta(t) / 1.000995e-6 - 1.0).abs() < 1e-10);
    assert!((c.sigma / 1.000497129e-3 - 1.0).abs() < 1e-8, "{}", c.sigma);
    assert!((c.d_sigma / -50.07 - 1.0).abs() < 1e-3, "{}", c.d_sigma);
}

#[test]
fn variance_exploding_names_both_ends() {
    let floor = VarianceExploding::default();
    let zero = VarianceExploding { boundary: VeBoundary::Zero, ..floor };
    assert_close(floor.at(1.0).sigma, 0.01, 1e-15);
    assert_eq!(zero.at(1.0).sigma, 0.0);
    assert_close(floor.prior_std(), 50.0, 1e-12);
    assert_close(zero.prior_std(), (50.0f64.powi(2) - 0.01f64.powi(2)).sqrt(), 1e-12);
}

#[test]
fn given_derivatives_are_used_as_given() {
    let schedule = FromFunctions::with_derivatives(|t| (t, 7.0), |t| (1.0 - t, -7.0))
        .with_prior_std(2.0)
        .with_span((0.1, 0.9));
    let c = Coefficients { alpha: 0.25, sigma: 0.75, d_alpha: 7.0, d_sigma: -7.0 };
    assert_eq!(schedule.at(0.25), c);
    assert_eq!((schedule.prior_std(), schedule.span()), (2.0, (0.1, 0.9)));
}

#[test]
fn dual_numbers_differentiate_every_operation() {
    let f =
        |t: Dual| ((t * 2.0 + 1.0).ln() * t.sin() - t.cos() / t.exp()).tanh() + t.powf(2.5).sqrt();
    let value = |t: f64| f(Dual::constant(t)).value;
    for t in [0.2, 0.7, 1.4] {
        assert_close(f(Dual::variable(t)).derivative, derivative(value, t, 1e-3), 1e-9);
    }
    assert_eq!((3.0 / -Dual::variable(2.0)).derivative, 0.75);
}

#[test]
fn a_scale_leaves_the_signal_to_noise_ratio() {
    let scaled =
        Scaled::new(Linear::default(), |t: Dual| ((1.0 - t) * (1.0 - t) + t * t).powf(-0.5));
    for t in TIMES {
        let c = scaled.at(t);
        // The linear schedule at unit norm is a variance-preserving one.
        assert_close(c.alpha.hypot(c.sigma), 1.0, 1e-14);
        assert_close(c.log_snr(), Linear::default().at(t).log_snr(), 1e-13);
        assert_close(c.d_sigma, derivative(|t| scaled.at(t).sigma, t, 1e-4), 1e-9);
    }
}

#[test]
fn the_noising_diffusion_of_the_variance_preserving_schedule_is_its_rate() {
    // f = -beta/2 and g^2 = beta.
    let schedule = VariancePreserving::default();
    for t in TIMES {
        let sde = schedule.at(t).noising_sde();
        assert_close(sde.drift, -0.5 * schedule.beta(t), 1e-12);
        assert_close(sde.diffusion_squared, schedule.beta(t), 1e-12);
    }
}

#[test]
fn the_noising_diffusion_is_finite_up_to_the_data_end_of_every_span() {
    // A schedule of functions has the whole interval as its span until it is told another.
    let told = |c: &flow_path::Coefficients| c.d_sigma.is_finite();
    for schedule in all_schedules() {
        let Some(end) = Some(schedule.at(schedule.span().1)).filter(told) else { continue };
        let sde = end.noising_sde();
        assert!(sde.drift.is_finite() && 0.0 <= sde.diffusion_squared, "{schedule:?}: {sde:?}");
        assert!(sde.diffusion_squared.is_finite(), "{schedule:?}: {sde:?}");
    }
    // At the end of its span the rate is within 1e-5 (beta_max - beta_min) of its limit.
    let vp = VariancePreserving::default();
    assert_close(vp.at(vp.span().1).noising_sde().diffusion_squared, vp.beta_min, 2.1e-4);
    // The control: beyond the span the limit is lost, where sigma' is finite it is not.
    assert!(vp.at(1.0).noising_sde().diffusion_squared.is_nan());
    assert_close(Linear::default().at(1.0).noising_sde().diffusion_squared, 0.0, 0.0);
}

#[test]
fn a_schedule_is_recovered_from_its_diffusion() {
    // Fourth-order quadrature with 512 steps leaves less than 1e-8 on these times.
    fn check<S: Schedule + Copy>(schedule: S) {
        let sde = move |s: f64| schedule.at(1.0 - s).noising_sde();
        let back =
            FromSde::new(move |s| sde(s).drift, move |s| sde(s.max(1e-12)).diffusion_squared);
        for t in [0.1, 0.3, 0.5, 0.9] {
            let (got, want) = (back.at(t), schedule.at(t));
            assert_close(got.alpha, want.alpha, 1e-8);
            assert_close(got.sigma, want.sigma, 1e-8);
            assert_close(got.d_alpha, want.d_alpha, 1e-7);
            assert_close(got.d_sigma, want.d_sigma, 1e-7);
        }
    }
    check(Linear::default());
    check(VariancePreserving::default());
}

#[test]
fn sigma_without_its_factor_alpha_is_not_recovered() {
    // Without the leading alpha, sigma at t = 0.5 would be 3.41292 in place of 0.95965.
    let c = VariancePreserving::default().at(0.5);
    assert_close(c.sigma, 0.95965420, 1e-8);
    assert_close(c.sigma / c.alpha, 3.41292, 1e-5);
}
