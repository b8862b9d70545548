//! Questions and densities of awkward numbers.

use std::ops::Range;

use burn::tensor::Device;
use flow_model::{AnswerMethod, AnswerPlan, DensityRequest, Question, Rows, Trace};
use flow_nn::Signature;
use flow_ode::{Method, Stepping};
use flow_sample::{Likelihood, Mask, ObservationNoise, Probe, SamplerConfig};
use flow_testing::awkward::{self, SCALARS};

use super::common::{self, SPLIT};
use super::{COUNTS, all_finite, points, says, told};

pub(super) fn answers() {
    let (model, mask) = (points(), Mask::new(&[true, false], 2, &Device::flex()));
    let langevin: SamplerConfig = AnswerPlan::SAMPLER.parse().unwrap();
    let answer = |method, observed: f32, std, steps, draws| {
        let plan = AnswerPlan::new(method, &langevin, steps);
        let observed = [observed, f32::NAN];
        let question = plan.question(&mask, &observed, ObservationNoise::Gaussian { std }, draws);
        let answered = says(model.answer(&question, &*plan.sampler))?;
        assert!(all_finite(&answered.rows) && all_finite(&answered.mean), "{answered:?}");
        assert!(answered.misfit.iter().all(|x| x.is_finite()), "{answered:?}");
        Some(answered.rows.len())
    };
    let usual = AnswerMethod::default();
    assert_eq!(answer(usual, 0.5, 0.1, 4, 3), Some(6));
    for (name, x) in SCALARS {
        let positive = 0.0 < x && x.is_finite();
        assert!(answer(usual, x as f32, 0.1, 2, 2).is_none() || x.is_finite(), "seen: {name}");
        assert!(answer(usual, 0.5, x, 2, 2).is_none() || positive, "noise: {name}");
        for method in [AnswerMethod::Dps { scale: x }, AnswerMethod::Pigdm { data_std: x }] {
            assert!(answer(method, 0.5, 0.1, 2, 2).is_none() || positive, "{method:?}");
        }
    }
    for count in COUNTS {
        let mmps = AnswerMethod::Mmps { iterations: count };
        assert_eq!(answer(mmps, 0.5, 0.1, 2, 2).is_some(), (1..4).contains(&count), "{count}");
        assert_eq!(answer(usual, 0.5, 0.1, count, 2).is_some(), (1..4).contains(&count), "{count}");
        let drawn = answer(usual, 0.5, 0.1, 2, count);
        assert_eq!(drawn, (1..4).contains(&count).then_some(2 * count), "{count}");
    }
    // As many rows as are there, each of so many numbers.
    let plan = AnswerPlan::new(usual, &langevin, 2);
    for observed in [&[][..], &[0.5], &[0.5; 3]] {
        let noise = ObservationNoise::Gaussian { std: 0.1 };
        let question = plan.question(&mask, observed, noise, 2);
        assert!(says(model.answer(&Question { at_once: 0, ..question }, &*plan.sampler)).is_none());
    }
}

pub(super) fn typed_plans() {
    for steps in COUNTS {
        let plan = says(AnswerPlan::typed(AnswerPlan::METHOD, AnswerPlan::SAMPLER, steps));
        assert_eq!(plan.is_some(), (1..4).contains(&steps), "{steps}");
    }
}

/// The exact density of a row at a time, by two steps.
fn by_steps() -> DensityRequest {
    DensityRequest {
        likelihood: Likelihood::new(Method::Euler, Stepping::Count(2)),
        trace: Trace::Exact,
        probe: Probe::Gaussian,
        seed: 0,
        batch: 2,
        latents: 2,
    }
}

pub(super) fn densities() {
    let model = points();
    for set in awkward::rows(4, 2) {
        for (trace, batch) in
            [(Trace::Exact, 2), (Trace::Probes(1), 1), (Trace::Probes(3), usize::MAX)]
        {
            let rows = |range: Range<usize>| Rows {
                values: set.rows[2 * range.start..2 * range.end].to_vec(),
                ..Rows::default()
            };
            let n = set.rows.len() / 2;
            let request = DensityRequest { trace, batch, ..by_steps() };
            let found = says(model.log_prob(n, rows, &request));
            assert!(set.finite || found.is_none(), "{}", set.name);
            let Some(found) = found else { continue };
            let number = |nats: &f64| nats.is_finite() || *nats == f64::NEG_INFINITY;
            assert!(found.nats.len() == n && found.nats.iter().all(number), "{}", set.name);
            assert!(found.nfe.is_finite(), "{}: {}", set.name, found.nfe);
            assert!(found.probe_error.iter().all(|x| x.is_finite()), "{}", set.name);
        }
    }
    let ordinary =
        |range: Range<usize>| Rows { values: vec![0.5; 2 * range.len()], ..Rows::default() };
    let latent = common::model(SPLIT, &Signature { latent: 2, ..Signature::of([2]) }, 3);
    for count in COUNTS {
        let few = (1..4).contains(&count);
        let request = DensityRequest { trace: Trace::Probes(count), ..by_steps() };
        assert_eq!(says(model.log_prob(3, ordinary, &request)).is_some(), few, "{count} probes");
        let request = DensityRequest { batch: count, ..by_steps() };
        let found = says(model.log_prob(3, ordinary, &request));
        assert_eq!(found.is_some(), 0 < count, "{count} at once");
        let request = DensityRequest { latents: count, ..by_steps() };
        assert_eq!(says(latent.log_prob(3, ordinary, &request)).is_some(), few, "{count} latents");
    }
    for (name, x) in SCALARS {
        let rows = |range: Range<usize>| Rows {
            vectors: Some(vec![x as f32; 2 * range.len()]),
            classes: Some(vec![0; range.len()]),
            ..ordinary(range)
        };
        let found = says(told().log_prob(3, rows, &by_steps()));
        assert!(found.is_none() || x.is_finite(), "told {name}");
        assert!(found.is_none_or(|found| found.nats.iter().all(|x| x.is_finite())), "{name}");
    }
}

pub(super) fn densities_while() {
    let rows = |range: Range<usize>| Rows { values: vec![0.5; 2 * range.len()], ..Rows::default() };
    for n in [0, 1, 3] {
        let found = says(points().log_prob_while(n, rows, &by_steps(), &|| true)).unwrap();
        assert!(found.nats.len() == n && found.nfe.is_finite());
        let stopped = points().log_prob_while(n, rows, &by_steps(), &|| false);
        assert_eq!(stopped.is_ok(), n == 0, "{n}");
    }
}
