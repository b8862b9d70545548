//! Published and derived numbers of the paths and of exact marginal fields.

mod common;

use std::f64::consts::{FRAC_PI_2, LN_2};

use burn::prelude::*;
use common::{assert_close, integral};
use flow_path::{
    Exact, ExactField, FiniteData, Gaussian, Linear, Mixture, Prediction, Schedule, Target, Times,
    VarianceExploding, VariancePreserving,
};

const OT: Linear = Linear { sigma_min: 0.0 };

fn two_modes(std: f64) -> Mixture {
    Mixture::uniform(vec![Gaussian::new(vec![-1.0], std), Gaussian::new(vec![1.0], std)])
}

#[test]
fn linear_conditional_velocity() {
    let at = |sigma_min| Linear { sigma_min }.at(0.3).conditional_velocity(0.5, 2.0);
    assert_close(at(0.1), 2.1232876712328767, 1e-14);
    assert_close(at(0.0), 2.142857142857143, 1e-14);
}

#[test]
fn variance_preserving_conditional_velocity() {
    let at = |t| VariancePreserving::default().at(t).conditional_velocity(0.5, 2.0);
    assert_close(at(0.3), 1.16681172911, 1e-11);
    assert_close(at(0.5), 2.85279279796, 1e-11);
    assert_close(at(0.9), 14.5620193419, 1e-11);
}

#[test]
fn variance_preserving_constants() {
    let schedule = VariancePreserving::default();
    assert_close(schedule.integrated_beta(0.0), 10.05, 1e-14);
    assert_close(schedule.at(0.0).alpha, 0.00657158649, 1e-11);
    assert_close(schedule.at(0.0).sigma, 0.99997840689, 1e-11);
    let c = schedule.at(0.74104);
    assert_close(c.alpha, c.sigma, 1e-4);
}

#[test]
fn variance_exploding_conditional_velocity() {
    let c = VarianceExploding::default().at(0.5);
    assert_close(c.sigma, 0.5f64.sqrt(), 1e-14);
    assert_close(c.conditional_velocity(0.5, 2.0), 1.5 * 5000.0f64.ln(), 1e-14);
}

#[test]
fn gaussian_marginal_velocity_and_divergence() {
    let gaussian = || Gaussian::new(vec![1.5], 0.5);
    let field = Exact::new(gaussian(), OT);
    assert_close(field.velocity(&[0.5], 0.3)[0], 1.4390243902439, 1e-13);
    assert_close(field.divergence(&[0.5], 0.3), -1.2195121951219, 1e-13);
    let blurred = Exact::new(gaussian(), Linear { sigma_min: 0.1 });
    assert_close(blurred.velocity(&[0.5], 0.3)[0], 1.4476053295, 1e-10);
    assert_close(blurred.divergence(&[0.5], 0.3), -1.0478934102, 1e-10);
}

#[test]
fn single_precision_on_the_device_has_the_same_numbers() {
    fn velocity(field: &Exact<impl Target, Linear>, x: f32, t: f64) -> f64 {
        let x = Tensor::<2>::from_floats([[x]], &Device::flex());
        let velocity = field.predict(Prediction::Velocity, x, &Times::constant(t, 1));
        f64::from(velocity.into_scalar::<f32>())
    }
    let gaussian = Exact::new(Gaussian::new(vec![1.5], 0.5), OT);
    assert_close(velocity(&gaussian, 0.5, 0.3), 1.4390243902439, 1e-6);
    let points = Exact::new(FiniteData::new(vec![-1.0, 1.0], 1), OT);
    assert_close(velocity(&points, 0.3, 0.5), 0.474099133996, 1e-6);
    let modes = Exact::new(two_modes(0.25), OT);
    assert_close(velocity(&modes, 0.3, 0.75), 1.8854487655, 1e-5);
}

#[test]
fn divergence_of_the_gaussian_flow_integrates_to_its_stretch() {
    // ln(S_1 / S_0) = -ln 2 for data of standard deviation 1/2.
    let field = Exact::new(Gaussian::new(vec![1.5], 0.5), OT);
    assert_close(integral(|t| field.divergence(&[0.0], t), 0.0, 1.0, 200), -LN_2, 1e-9);
}

#[test]
fn two_points_have_a_hyperbolic_tangent_denoiser() {
    let field = Exact::new(FiniteData::new(vec![-1.0, 1.0], 1), OT);
    assert_close(field.posterior_mean(&[0.3], 0.5)[0], 0.537049566998, 1e-12);
    assert_close(field.velocity(&[0.3], 0.5)[0], 0.474099133996, 1e-12);
}

#[test]
fn two_mode_velocity_over_time() {
    let field = Exact::new(two_modes(0.25), OT);
    let want = [
        (0.0, -0.3),
        (0.25, -0.2146489902),
        (0.5, 0.4333376980),
        (0.75, 1.8854487655),
        (0.95, 0.8964452099),
    ];
    for (t, velocity) in want {
        assert_close(field.velocity(&[0.3], t)[0], velocity, 1e-10);
    }
}

#[test]
fn velocity_spread_between_two_modes() {
    let field = Exact::new(two_modes(0.25), OT);
    let std = |t: f64| field.marginal(&[0.0], t).velocity_variance.sqrt();
    assert_close(std(0.5), 1.94384843, 1e-8);
    assert_close(std(0.75), 2.68208874, 1e-8);
}

/// Least conditional flow-matching loss: the velocity variance averaged over points and times.
fn floor(field: &impl ExactField) -> f64 {
    let at_time = |t: f64| {
        integral(
            |x| {
                let m = field.marginal(&[x], t);
                m.log_density.exp() * m.velocity_variance
            },
            -9.0,
            9.0,
            500,
        )
    };
    integral(at_time, 0.0, 1.0, 200)
}

#[test]
fn loss_floor_of_gaussian_data_is_half_pi_times_its_std() {
    for std in [1.0, 0.5] {
        let floor = floor(&Exact::new(Gaussian::new(vec![0.7], std), OT));
        assert_close(floor, std * FRAC_PI_2, 1e-6);
    }
    let blurred = Exact::new(Gaussian::new(vec![0.7], 1.0), Linear { sigma_min: 0.1 });
    assert_close(floor(&blurred), 1.471128, 1e-6);
}

#[test]
fn loss_floor_of_two_modes() {
    assert_close(floor(&Exact::new(two_modes(0.1414), OT)), 1.23195, 1e-5);
    assert_close(floor(&Exact::new(two_modes(0.25), OT)), 1.38523, 1e-5);
    // Told the mode, a network pays for one Gaussian only.
    let known = floor(&Exact::new(Gaussian::new(vec![1.0], 0.25), OT));
    assert_close(known, 0.25 * FRAC_PI_2, 1e-6);
}

#[test]
fn one_euler_step_from_noise_gives_the_mean_of_the_data() {
    let field = Exact::new(two_modes(0.25), OT);
    for x0 in [-2.0, 0.1, 3.0] {
        assert_close(x0 + field.velocity(&[x0], 0.0)[0], 0.0, 1e-12);
    }
}

#[test]
fn one_euler_step_reaches_a_single_point_up_to_its_blur() {
    let (x0, x1, sigma_min) = (-0.4, 2.0, 0.1);
    let c = Linear { sigma_min }.at(0.0);
    assert_close(x0 + c.conditional_velocity(x0, x1), x1 + sigma_min * x0, 1e-15);
}

#[test]
fn kinetic_energy_of_the_linear_path_is_the_wasserstein_distance() {
    // |x_1|^2 + d (1 - sigma_min)^2 in expectation over x_0, by quadrature over its density (d = 1).
    let (x1, sigma_min) = (2.0, 0.1);
    let energy = |schedule: &dyn Schedule, t: f64| {
        let c = schedule.at(t);
        let density = |x0: f64| (-0.5 * x0 * x0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        integral(|x0| density(x0) * c.velocity(x0, x1).powi(2), -9.0, 9.0, 400)
    };
    let linear = integral(|t| energy(&Linear { sigma_min }, t), 0.0, 1.0, 20);
    assert_close(linear, x1 * x1 + (1.0 - sigma_min).powi(2), 1e-10);
    // The diffusion path to the same blur is longer.
    let diffusion = VariancePreserving::default();
    let end = diffusion.time_at_log_snr(-2.0 * f64::ln(sigma_min));
    assert!(integral(|t| energy(&diffusion, t), 0.0, end, 400) > 1.5 * linear);
}

#[test]
fn diffusion_paths_overshoot_and_straight_ones_do_not() {
    // With x_0 = c x_1 the factor of x_1 is alpha + c sigma: sqrt(1 + c^2) at most, or max(1, c).
    let c = 0.75;
    let largest = |schedule: &dyn Schedule| {
        let factor = |k: u32| {
            let at = schedule.at(f64::from(k) / 10_000.0);
            at.alpha + c * at.sigma
        };
        (0..10_000).map(factor).fold(0.0, f64::max)
    };
    assert_close(largest(&VariancePreserving::default()), 1.25, 1e-6);
    assert!(largest(&OT) <= 1.0);
}

#[test]
fn probability_flow_of_the_diffusion_is_the_conditional_velocity() {
    // w = f x - g^2/2 score in diffusion time, hence minus that in ours.
    for schedule in [
        &VariancePreserving::default() as &dyn Schedule,
        &VarianceExploding::default(),
        &Linear { sigma_min: 0.1 },
    ] {
        for (t, x, x1) in [(0.2, 0.5, 2.0), (0.6, -1.0, 0.3), (0.95, 0.4, 0.5)] {
            let c = schedule.at(t);
            let (sde, score) = (c.noising_sde(), -(x - c.alpha * x1) / c.sigma.powi(2));
            let flow = sde.drift * x - 0.5 * sde.diffusion_squared * score;
            assert_close(-flow, c.conditional_velocity(x, x1), 1e-12);
        }
    }
}
