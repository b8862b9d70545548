//! Laws of time: densities, draws, shifts, and other conventions.
#![allow(clippy::float_cmp, reason = "the ends and inverses compared are exact by construction")]

mod common;

use common::{assert_close, derivative, integral, rng};
use flow_path::{
    Beta, CosMap, Cosine, EdmLogNormal, FromDiffusionTime, Linear, LogitNormal, Mode, PathError,
    PowerLaw, Schedule, Shifted, Stratified, TimeSampler, TimeShift, UShaped, Uniform,
    VariancePreserving, from_diffusion_time, from_diffusion_velocity, from_discrete_step,
    to_diffusion_time, to_discrete_step,
};

fn laws() -> Vec<Box<dyn TimeSampler>> {
    let shift = TimeShift::new(3.0).expect("a positive factor");
    vec![
        Box::new(Uniform),
        Box::new(Stratified),
        Box::new(LogitNormal::default()),
        Box::new(LogitNormal { mean: 0.5, std: 0.7 }),
        Box::new(Mode { scale: 1.29 }),
        Box::new(Mode { scale: -0.8 }),
        Box::new(CosMap),
        Box::new(UShaped { sharpness: 4.0 }),
        Box::new(Beta::new(2.5, 1.5).expect("positive exponents")),
        Box::new(PowerLaw { exponent: 1.0 }),
        Box::new(PowerLaw { exponent: 2.5 }),
        Box::new(EdmLogNormal::new(Linear::default())),
        Box::new(EdmLogNormal::new(Cosine::default())),
        Box::new(Shifted { law: LogitNormal::default(), shift }),
    ]
}

#[test]
fn densities_integrate_to_one() {
    for law in laws() {
        let mass = integral(|t| law.density(t), 1e-9, 1.0 - 1e-9, 4000);
        assert_close(mass, 1.0, 1e-6);
    }
}

#[test]
fn draws_follow_their_density() {
    // Kolmogorov-Smirnov with 20,000 draws: sqrt(n) D exceeds 2.2 once in 8,000 seeds.
    let n = 20_000;
    for law in laws() {
        let mut times: Vec<f64> = law.sample(n, &mut rng(7)).iter().collect();
        assert!(times.iter().all(|t| (0.0..=1.0).contains(t)), "{law:?}");
        times.sort_by(f64::total_cmp);
        let (mut cdf, mut from, mut distance) = (0.0, 1e-9, 0.0f64);
        for (k, &t) in times.iter().enumerate() {
            cdf += integral(|t| law.density(t), from, t.clamp(1e-9, 1.0 - 1e-9), 1);
            from = t.clamp(1e-9, 1.0 - 1e-9);
            distance = distance.max((cdf - (k as f64 + 0.5) / n as f64).abs());
        }
        let statistic = distance * (n as f64).sqrt();
        assert!(statistic < 2.2, "{law:?}: {statistic}");
    }
}

#[test]
fn a_law_is_not_mistaken_for_its_mirror_image() {
    let data_heavy = LogitNormal { mean: 0.5, std: 0.7 };
    let mean = data_heavy.sample(4000, &mut rng(1)).iter().sum::<f64>() / 4000.0;
    assert!(mean > 0.55, "{mean}");
}

#[test]
fn stratified_times_fill_every_interval() {
    let times = Stratified.sample(64, &mut rng(2));
    for (k, t) in times.iter().enumerate() {
        assert_eq!((t * 64.0).floor() as usize, k);
    }
}

#[test]
fn cosmap_gives_the_linear_schedule_the_ratios_of_the_cosine_one() {
    // Density of lambda: p(t) / lambda'(t), against that of uniform time on the cosine schedule.
    for t in [0.1, 0.4, 0.8] {
        let linear = Linear::default().at(t);
        let cosine = Cosine::default();
        let other = cosine.at(cosine.time_at_log_snr(linear.log_snr()));
        assert_close(CosMap.density(t) / linear.d_log_snr(), 1.0 / other.d_log_snr(), 1e-12);
    }
}

#[test]
fn shifts_form_a_group() {
    let (a, b) = (TimeShift::new(3.0).unwrap(), TimeShift::new(0.4).unwrap());
    for t in [0.0, 0.2, 0.7, 1.0] {
        assert_close(a.apply(b.apply(t)), a.after(b).apply(t), 1e-15);
        assert_close(a.inverse().apply(a.apply(t)), t, 1e-15);
        assert_close(TimeShift::new(1.0).unwrap().apply(t), t, 1e-15);
    }
    assert_close(a.slope(0.3), derivative(|t| a.apply(t), 0.3, 1e-4), 1e-9);
}

#[test]
fn a_shift_moves_the_linear_log_ratio_by_a_constant() {
    let shift = TimeShift::new(3.0).unwrap();
    for t in [0.1, 0.5, 0.9] {
        let moved =
            Linear::default().at(shift.apply(t)).log_snr() - Linear::default().at(t).log_snr();
        assert_close(moved, -2.0 * f64::ln(3.0), 1e-13);
    }
}

#[test]
fn a_shift_written_from_the_noise_end_is_the_published_one() {
    // With s = 1 - t: s -> factor s / (1 + (factor - 1) s).
    let (shift, s) = (TimeShift::for_dimensions(64 * 9, 64), 0.3);
    assert_close(shift.factor(), 3.0, 1e-15);
    assert_close(1.0 - shift.apply(1.0 - s), 3.0 * s / (1.0 + 2.0 * s), 1e-15);
}

#[test]
fn the_exponential_shift_is_the_shift_by_an_exponential() {
    // With s = 1 - t, from the noise end: s -> e^mu / (e^mu + 1/s - 1). The other sign is a
    // control.
    let exponential = |mu: f64, s: f64| mu.exp() / (mu.exp() + (1.0 / s - 1.0));
    for (mu, s) in [(1.15_f64, 0.2), (0.5, 0.7), (-0.3, 0.4)] {
        let shift = TimeShift::new(mu.exp()).unwrap();
        assert_close(1.0 - shift.apply(1.0 - s), exponential(mu, s), 1e-15);
        assert!((1.0 - shift.apply(1.0 - s) - exponential(-mu, s)).abs() > 0.05);
    }
}

#[test]
fn parameters_outside_their_domain_are_named() {
    let error = TimeShift::new(0.0).unwrap_err();
    assert_eq!(error.to_string(), "factor is 0: it must lie in [1e-100, 1e100]");
    assert!(matches!(Beta::new(1.0, -2.0), Err(PathError::Parameter { name: "noise", .. })));
}

#[test]
fn diffusion_time_turns_both_time_and_velocity() {
    assert_eq!(from_diffusion_time(to_diffusion_time(0.25)), 0.25);
    // The variance-preserving schedule written in its own time, read back in ours.
    let ours = VariancePreserving::default();
    let back = FromDiffusionTime(FromDiffusionTime(ours));
    assert_eq!(back.at(0.25), ours.at(0.25));
    let theirs = FromDiffusionTime(ours).at(0.75);
    assert_eq!(
        from_diffusion_velocity(theirs.velocity(0.3, 0.8)),
        ours.at(0.25).velocity(0.3, 0.8)
    );
}

#[test]
fn discrete_steps_round_trip() {
    assert_eq!(from_discrete_step(999, 1000), 0.0);
    for step in [0, 1, 500, 999] {
        assert_eq!(to_discrete_step(from_discrete_step(step, 1000), 1000), step);
    }
    assert_eq!(to_discrete_step(1.0, 1000), 0);
}

#[test]
fn the_sharpest_u_is_drawn_within_the_interval() {
    // E|2 t - 1| = coth(s) - 1/s; its standard error over 100,000 draws is about 1 / (316 s).
    for sharpness in [20.0, 700.0, 701.0, 800.0, 1e5] {
        let law = UShaped { sharpness };
        let times = law.sample(100_000, &mut rng(3));
        assert!(times.iter().all(|t| 0.0 < t && t < 1.0), "{sharpness}");
        let mean = times.iter().map(|t| (2.0 * t - 1.0).abs()).sum::<f64>() / 1e5;
        assert!((mean - (1.0 - 1.0 / sharpness)).abs() < 0.016 / sharpness, "{sharpness}: {mean}");
        let late = times.iter().filter(|t| 0.5 < *t).count();
        // Binomial with standard deviation 158: off by 800 once in a million seeds.
        assert!(late.abs_diff(50_000) < 800, "{sharpness}: {late}");
    }
    // Both forms of the density, one after the other.
    for t in [0.0, 1e-3, 0.01, 0.999, 1.0] {
        let [below, above] =
            [700.0, 700.0 + 1e-9].map(|sharpness| UShaped { sharpness }.density(t));
        assert!((below / above - 1.0).abs() < 1e-8, "at {t}: {below} and {above}");
    }
    assert_eq!(UShaped { sharpness: 0.0 }.density(0.3), 1.0);
}

#[test]
fn wide_laws_draw_no_end_and_have_no_density_there() {
    // Of the logit-normal of standard deviation 30 a ninth of all draws round to 1.
    let wide = LogitNormal { mean: 0.0, std: 30.0 };
    let times = wide.sample(10_000, &mut rng(4));
    assert!(times.iter().all(|t| 0.0 < t && t < 1.0));
    assert!(1000 < times.iter().filter(|t| 1.0 - t < 1e-15).count());
    for std in [1.0, 10.0, 30.0] {
        let law = LogitNormal { mean: 0.0, std };
        assert_eq!((law.density(0.0), law.density(1.0)), (0.0, 0.0));
    }
    let beta = Beta::new(0.01, 0.01).expect("small exponents");
    assert!(beta.sample(10_000, &mut rng(4)).iter().all(|t| 0.0 < t && t < 1.0));
    // Stirling's series is good to 1e-10.
    assert_close(Beta::new(1.0, 1.0).expect("uniform").density(0.0), 1.0, 1e-10);
    let edm = EdmLogNormal::new(Linear::default());
    assert_eq!((edm.density(0.0), edm.density(1.0)), (0.0, 0.0));
}

#[test]
#[should_panic(expected = "sharpness is NaN: it must lie in [0, inf)")]
fn a_law_refuses_a_parameter_that_is_no_number() {
    let _ = UShaped { sharpness: f64::NAN }.sample(1, &mut rng(0));
}

#[test]
fn a_power_law_is_a_beta_law_and_its_draws_are_powers_of_uniform_ones() {
    let (law, beta) = (PowerLaw { exponent: 3.0 }, Beta::new(4.0, 1.0).unwrap());
    for t in [0.1, 0.5, 0.9] {
        assert_close(law.density(t), beta.density(t), 1e-9);
    }
    let uniform = Uniform.sample(9, &mut rng(4));
    let drawn = law.sample(9, &mut rng(4));
    for (u, t) in uniform.iter().zip(drawn.iter()) {
        assert_close(t, u.powf(0.25), 1e-15);
    }
}
