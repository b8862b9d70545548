//! Loss weights over log signal-to-noise ratios: identities between published recipes.

mod common;

use std::f64::consts::FRAC_PI_2;

use common::{assert_close, integral};
use flow_path::{
    Coefficients, Cosine, EdmLogNormal, Linear, LogitNormal, LossWeight, Prediction, Schedule,
    TimeSampler, Uniform, VariancePreserving, Weighting,
};

const TIMES: [f64; 5] = [0.05, 0.3, 0.5, 0.8, 0.97];

fn implied(prediction: Prediction, schedule: &dyn Schedule, law: &dyn TimeSampler, t: f64) -> f64 {
    LossWeight::Unit.implied_weighting(prediction, &schedule.at(t), law.density(t))
}

#[test]
fn published_recipes_have_their_published_weightings() {
    let (linear, cosine) = (Linear::default(), Cosine::default());
    let logit = LogitNormal { mean: -0.3, std: 0.8 };
    let edm = EdmLogNormal::new(linear);
    for t in TIMES {
        let at =
            |schedule: &dyn Schedule, weighting: Weighting| weighting.at(schedule.at(t).log_snr());
        let got = implied(Prediction::Velocity, &linear, &Uniform, t);
        assert_close(got, at(&linear, Weighting::FlowMatching), 1e-12);
        let got = implied(Prediction::V, &cosine, &Uniform, t);
        assert_close(got, at(&cosine, Weighting::VCosine), 1e-12);
        let got = implied(Prediction::Noise, &cosine, &Uniform, t);
        assert_close(got, at(&cosine, Weighting::NoiseCosine), 1e-12);
        let got = implied(Prediction::Velocity, &linear, &logit, t);
        assert_close(got, at(&linear, Weighting::LogitNormal { mean: -0.3, std: 0.8 }), 1e-12);
        let sigma_data = 0.5;
        let got = implied(Prediction::Edm { sigma_data }, &linear, &edm, t);
        let want = Weighting::Edm { mean: -1.2, std: 1.2, sigma_data };
        assert_close(got, at(&linear, want), 1e-12);
    }
}

#[test]
fn flow_matching_is_v_prediction_on_the_cosine_schedule() {
    for log_snr in [-12.0, -3.0, 0.0, 2.5, 11.0] {
        let ratio = Weighting::FlowMatching.at(log_snr) / Weighting::VCosine.at(log_snr);
        assert_close(ratio, FRAC_PI_2, 1e-14);
    }
}

#[test]
fn edm_on_any_schedule_has_the_weighting_of_edm() {
    let (sigma_data, weighting) = (0.5, Weighting::Edm { mean: -1.2, std: 1.2, sigma_data: 0.5 });
    for schedule in [&Cosine::default() as &dyn Schedule, &VariancePreserving::default()] {
        let law = EdmLogNormal::new(schedule);
        for t in TIMES {
            let got = implied(Prediction::Edm { sigma_data }, schedule, &law, t);
            assert_close(got, weighting.at(schedule.at(t).log_snr()), 1e-12);
        }
    }
}

#[test]
fn a_weighting_is_realised_by_any_prediction_and_law() {
    let logit = LogitNormal::default();
    for weighting in
        [Weighting::Likelihood, Weighting::FlowMatching, Weighting::Sigmoid { bias: -1.0 }]
    {
        for prediction in [Prediction::Velocity, Prediction::Data, Prediction::Score, Prediction::V]
        {
            for t in TIMES {
                let (c, density) = (Cosine::default().at(t), logit.density(t));
                let got = LossWeight::LogSnr(weighting).implied_weighting(prediction, &c, density);
                assert_close(got, weighting.at(c.log_snr()), 1e-12);
            }
        }
    }
}

#[test]
fn score_losses_are_noise_losses_with_known_factors() {
    // Per squared noise error: score matching 1, ScoreFlow beta/sigma^2, flow matching beta^2/(4
    // sigma^2).
    let schedule = VariancePreserving::default();
    for t in TIMES {
        let (c, beta) = (schedule.at(t), schedule.beta(t));
        let to_score = Prediction::Noise.error_factor(Prediction::Score, &c);
        let weigh = |weight: LossWeight| weight.at(Prediction::Score, &c, 1.0) * to_score;
        assert_close(weigh(LossWeight::Variance), 1.0, 1e-12);
        assert_close(weigh(LossWeight::Diffusion), beta / c.sigma.powi(2), 1e-12);
        let to_velocity = Prediction::Noise.error_factor(Prediction::Velocity, &c);
        assert_close(to_velocity, (0.5 * beta / c.sigma).powi(2), 1e-12);
    }
}

#[test]
fn score_flow_has_the_weighting_of_the_likelihood() {
    // w is constant (twice the lower bound's one half) on every schedule.
    for schedule in [&Linear::default() as &dyn Schedule, &VariancePreserving::default()] {
        for t in TIMES {
            let w =
                LossWeight::Diffusion.implied_weighting(Prediction::Score, &schedule.at(t), 1.0);
            assert_close(w, 1.0, 1e-12);
        }
    }
}

/// Mean and variance of the weighted loss over uniform time between two log ratios.
fn loss_moments(schedule: &dyn Schedule, error: fn(f64) -> f64) -> (f64, f64) {
    let (start, end) = (schedule.time_at_log_snr(-6.0), schedule.time_at_log_snr(6.0));
    let density = 1.0 / (end - start);
    let loss = |t: f64| {
        let c: Coefficients = schedule.at(t);
        let weight = LossWeight::LogSnr(Weighting::Sigmoid { bias: 0.0 });
        weight.at(Prediction::Noise, &c, density) * error(c.log_snr())
    };
    let mean = integral(|t| density * loss(t), start, end, 20_000);
    (mean, integral(|t| density * (loss(t) - mean).powi(2), start, end, 20_000))
}

#[test]
fn the_loss_does_not_depend_on_the_schedule_and_its_variance_does() {
    let error = |log_snr: f64| 1.0 / (1.0 + (-0.7 * log_snr).exp());
    let schedules: [&dyn Schedule; 3] =
        [&Linear::default(), &Cosine::default(), &VariancePreserving::default()];
    let moments = schedules.map(|schedule| loss_moments(schedule, error));
    for (mean, _) in moments {
        assert_close(mean, moments[0].0, 1e-6);
    }
    assert!((moments[0].1 / moments[2].1 - 1.0).abs() > 0.1, "{moments:?}");
}
