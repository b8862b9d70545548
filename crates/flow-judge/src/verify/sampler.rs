//! Golden numbers of samplers: one computation under several names.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use flow_ode::{Method, Stepping};
use flow_path::{Cosine, Exact, Gaussian, Prediction, Schedule, VariancePreserving};
use flow_sample::{
    Ancestral, Churn, Ddim, Grid, Ode, Predictor, Reparametrised, Rule, Sampler, Space, Way,
};

use super::fixture::{Arbitrary, Impulse, OT, largest, rescaled, two_modes};
use super::{Bench, Place, host};
use crate::error::JudgeError;

/// Weights of predictions by the fraction undone, from the published figure.
const CHURN_FIGURE: &str = include_str!("../../../flow-sample/tests/reference/churn_figure.json");

fn end(
    sampler: &dyn Sampler,
    field: &dyn Predictor,
    x0: Tensor<2>,
    way: &Way<'_>,
) -> Result<Tensor<2>, JudgeError> {
    Ok(sampler.sample(field, x0, way)?.x)
}

fn gap(a: Tensor<2>, b: Tensor<2>) -> f64 {
    largest(host(a - b))
}

fn start(place: &Place) -> Tensor<2> {
    place.rows(&[0.3, -0.7, 1.2, 0.4, -0.9, 0.1], 2)
}

/// A step along the data, the noise or the displacement, and the rotation of v, is DDIM.
pub(super) fn coordinates(bench: &mut Bench) -> Result<(), JudgeError> {
    let (t, s) = (0.3, 0.55);
    let way = Way::along(Grid::Given(vec![t, s]));
    let field = Arbitrary(VariancePreserving::default());
    let tolerances = (1e-12, 1e-5);
    for space in [Space::Data, Space::Noise, Space::Displacement] {
        bench.tensor(format!("{space:?} less DDIM").to_lowercase(), 0.0, tolerances, |place| {
            let straight = Reparametrised { space, rule: Rule::Euler };
            let ddim = end(&Ddim::default(), &field, start(place), &way)?;
            Ok(gap(end(&straight, &field, start(place), &way)?, ddim))
        })?;
    }
    bench.tensor("rotation of v less ddim", 0.0, tolerances, |place| {
        let angle = |t: f64| field.0.at(t).sigma.atan2(field.0.at(t).alpha);
        let turn = angle(s) - angle(t);
        let v = field.predict(Prediction::V, &start(place), t);
        let turned = start(place) * turn.cos() + v * turn.sin();
        Ok(gap(end(&Ddim::default(), &field, start(place), &way)?, turned))
    })
}

pub(super) fn ddim_is_euler(bench: &mut Bench) -> Result<(), JudgeError> {
    let difference = |place: &Place, schedule: &dyn Schedule| {
        let field = Arbitrary(schedule);
        let way = Way::steps(8);
        let ddim = end(&Ddim::default(), &field, start(place), &way)?;
        let euler = Ode::new(Method::Euler, Stepping::Count(8));
        Ok(gap(end(&euler, &field, start(place), &way)?, ddim))
    };
    bench.tensor("difference after 8 steps, linear", 0.0, (1e-12, 1e-5), |place| {
        difference(place, &OT)
    })?;
    bench.tensor("differs on the cosine schedule", 1.0, (0.0, 0.0), |place| {
        Ok(f64::from(u8::from(difference(place, &Cosine::default())? > 1e-2)))
    })
}

/// Where five steps from -2 at pure noise end, for data of this variance.
fn five_steps(
    place: &Place,
    sampler: &dyn Sampler,
    schedule: impl Schedule,
    variance: f64,
) -> Result<f64, JudgeError> {
    let field = Exact::new(Gaussian::new(vec![0.0], variance.sqrt()), schedule);
    Ok(host(end(sampler, &field, place.rows(&[-2.0], 1), &Way::steps(5))?)[0])
}

fn five_of_euler() -> Ode {
    Ode::new(Method::Euler, Stepping::Count(5))
}

pub(super) fn scaling(bench: &mut Bench) -> Result<(), JudgeError> {
    let tolerances = (1e-5, 2e-5);
    for k in 0..8 {
        let name = format!("DDIM, scaled {k}/7 of the way");
        bench.tensor(name, -0.73846, tolerances, |place| {
            five_steps(place, &Ddim::default(), rescaled(f64::from(k) / 7.0), 0.25)
        })?;
    }
    for (k, want) in [(0, -0.73846), (1, -0.77143), (3, -0.83128), (7, -0.93135)] {
        let name = format!("Euler, scaled {k}/7 of the way");
        bench.tensor(name, want, tolerances, |place| {
            five_steps(place, &five_of_euler(), rescaled(f64::from(k) / 7.0), 0.25)
        })?;
    }
    Ok(())
}

pub(super) fn straightness(bench: &mut Bench) -> Result<(), JudgeError> {
    let tolerances = (1e-5, 2e-5);
    for (variance, flow, diffusion) in [
        (0.01, -0.07197, 0.00248),
        (0.05, -0.26812, -0.27259),
        (0.1, -0.42764, -0.49712),
        (0.5, -1.07859, -1.39452),
        (1.0, -1.54100, -2.0),
    ] {
        bench.tensor(format!("linear, Euler, variance {variance}"), flow, tolerances, |place| {
            five_steps(place, &five_of_euler(), OT, variance)
        })?;
        bench.tensor(format!("vp, DDIM, variance {variance}"), flow, tolerances, |place| {
            five_steps(place, &Ddim::default(), rescaled(1.0), variance)
        })?;
        bench.tensor(
            format!("vp, Euler, variance {variance}"),
            diffusion,
            tolerances,
            |place| five_steps(place, &five_of_euler(), rescaled(1.0), variance),
        )?;
    }
    Ok(())
}

/// A draw from the posterior against DDIM to twice the log-SNR, noised back: mean and deviation.
pub(super) fn renoising(bench: &mut Bench) -> Result<(), JudgeError> {
    let field = Arbitrary(Cosine::default());
    let schedule = &field.0;
    let (t, step) = (0.4, 0.7);
    let later = |steps: f64| schedule.time_at_log_snr(schedule.at(t).log_snr() + steps * step);
    let (once, twice) = (later(1.0), later(2.0));
    let (to, far) = (schedule.at(once), schedule.at(twice));
    let back = to.alpha / far.alpha;
    let draw = |place: &Place, z: f64| {
        let noise = move |_: usize, x: &Tensor<2>| x.ones_like() * z;
        let way = Way::along(Grid::Given(vec![t, once])).with_noise(&noise);
        end(&Ancestral {}, &field, start(place), &way)
    };
    let tolerances = (1e-14, 1e-6);
    bench.tensor("mean less mean", 0.0, tolerances, |place| {
        let way = Way::along(Grid::Given(vec![t, twice]));
        Ok(gap(draw(place, 0.0)?, end(&Ddim::default(), &field, start(place), &way)? * back))
    })?;
    let std = (to.sigma.powi(2) - (back * far.sigma).powi(2)).sqrt();
    bench.tensor("standard deviation", std, tolerances, |place| {
        Ok(host(draw(place, 1.0)? - draw(place, 0.0)?)[0])
    })
}

pub(super) fn churn(bench: &mut Bench) -> Result<(), JudgeError> {
    let figure: BTreeMap<String, Vec<f64>> =
        serde_json::from_str(CHURN_FIGURE).expect("the figure is JSON");
    for (fraction, weights) in figure {
        let name = format!("weights of 100 steps, c = {fraction}, relative");
        let fraction = fraction.parse().expect("the keys of the figure are numbers");
        bench.tensor(name, 0.0, (2e-5, 1e-4), |place| {
            let steps = weights.len();
            let noise = |_: usize, x: &Tensor<2>| x.zeros_like();
            let way = Way::steps(steps).with_noise(&noise);
            let impulse = Impulse { schedule: Cosine::with_log_snr_bound(15.0), steps };
            let x0 = place.rows(&vec![0.0; steps], 1);
            let got = host(end(&Churn { fraction }, &impulse, x0, &way)?);
            Ok(largest(got.iter().zip(&weights).map(|(got, want)| got / want - 1.0)))
        })?;
    }
    Ok(())
}

pub(super) fn one_step(bench: &mut Bench) -> Result<(), JudgeError> {
    let euler = Ode::new(Method::Euler, Stepping::Count(1));
    for x0 in [-2.0, 0.1, 3.0] {
        bench.tensor(format!("from {x0}"), 0.0, (1e-12, 1e-6), |place| {
            Ok(host(end(&euler, &two_modes(0.25), place.rows(&[x0], 1), &Way::steps(1))?)[0])
        })?;
    }
    Ok(())
}
