//! Every public function of the crate meets awkward numbers: a finite answer, a documented special
//! value, an error or a documented panic, never a silent NaN.
#![allow(clippy::float_cmp, reason = "special values are exact")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
mod questions;

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, Tensor, TensorData};
use common::{dopri5, rk4};
use flow_ode::{Method, Stepping};
use flow_path::stream::Purpose;
use flow_path::{Exact, Gaussian, Linear, Prediction, Schedule, Source, VariancePreserving};
use flow_sample::{
    Dequantise, Diffusion, Divergence, ExactTrace, Grid, GridConfig, Hutchinson, Interval,
    LastStep, Noise, Ode, Predictor, Probe, Sampler, SamplerConfig, Sde, Seeded, Way, latent_grid,
    latents, latents_of, lengths, log_mean_exp, normal_rows, prior, push, starts, starts_of,
};
use flow_testing::awkward::{Rows, SCALARS, rows};
use flow_testing::public;

type Check = fn();

const TABLE: [(&str, Check); 31] = [
    ("push", carried),
    ("Dequantise::bits_per_dim", bits_per_dim),
    ("log_mean_exp", log_mean_exps),
    ("Interval::holds", interval),
    ("Diffusion::squared", diffusion),
    ("GridConfig::build", built_grids),
    ("Way::steps", counted_steps),
    ("Way::keeping", asked_times),
    ("Seeded::starting_at", numbered_noise),
    ("Hutchinson::new", probes),
    ("Hutchinson::draw", drawn_probes),
    ("Likelihood::log_prob", densities),
    ("normal_rows", normal),
    ("prior", priors),
    ("starts", priors),
    ("starts_of", priors),
    ("latents", latent),
    ("latents_of", latent),
    ("lengths", drawn_lengths),
    ("Threshold::apply", questions::thresholds),
    ("Mask::new", questions::masks),
    ("Pool::new", questions::pools),
    ("Blur::new", questions::blurs),
    ("Dense::new", questions::matrices),
    ("Sparse::new", questions::entries),
    ("Sparse::sums", questions::sums),
    ("adjoint_gap", questions::gaps),
    ("Observation::new", questions::observations),
    ("Measurement::new", questions::measurements),
    ("Draws::answer", questions::draws),
    ("Draws::check", questions::checked_draws),
];

#[test]
fn every_public_function_meets_awkward_numbers() {
    let names: Vec<&str> = TABLE.iter().map(|(name, _)| *name).chain(["latent_grid"]).collect();
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &names, &[]);
    for (name, check) in TABLE {
        assert!(catch_unwind(check).is_ok(), "{name}");
    }
    for side in [0, 1, 7] {
        assert!(latent_grid(side).iter().all(|z| z.is_finite()));
    }
}

/// Whether a call panics, as its documentation says.
fn panics(call: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(call)).is_err()
}

fn field() -> Exact<Gaussian, Linear> {
    Exact::new(Gaussian::new(vec![0.5, -0.2], 0.5), Linear::default())
}

fn tensor(set: &Rows) -> Tensor<2> {
    let data = TensorData::new(set.rows.clone(), [set.rows.len() / 2, 2]);
    Tensor::from_data(data, &Device::flex())
}

fn finite(x: &Tensor<2>) -> bool {
    x.clone().into_data().iter::<f64>().all(f64::is_finite)
}

fn bits_per_dim() {
    for (name, nats) in SCALARS {
        let bits = Dequantise { levels: 256 }.bits_per_dim(nats, 3);
        assert_eq!(bits.is_finite(), nats.is_finite(), "{name}");
        assert_eq!(bits.is_nan(), nats.is_nan(), "{name}");
    }
    assert!(panics(|| drop(Dequantise { levels: 1 }.offset().to_string())));
}

fn log_mean_exps() {
    assert!(log_mean_exp(&[]).is_nan());
    for (name, log) in SCALARS {
        // One number is its own mean, and a finite one beside it hides neither NaN nor infinity.
        let alone = log_mean_exp(&[log]);
        assert!(alone == log || log.is_nan() && alone.is_nan(), "{name}: {alone}");
        let pair = log_mean_exp(&[0.0, log]);
        assert_eq!(pair.is_finite(), log.is_finite() || log == f64::NEG_INFINITY, "{name}: {pair}");
        assert_eq!(pair.is_nan(), log.is_nan(), "{name}: {pair}");
    }
}

fn interval() {
    let whole = Interval::default();
    for (_, t) in SCALARS {
        assert_eq!(whole.holds(t), (0.0..=1.0).contains(&t));
    }
}

fn starts_of_three() -> Tensor<2> {
    prior(1, 0..3, 2, &field(), &Device::flex())
}

fn carried() {
    let stepping = Stepping::Count(3);
    for (name, value) in SCALARS {
        for times in [vec![value, 0.5], vec![0.5, value], vec![0.25, 0.5, value], vec![value]] {
            let pushed = push(&field(), starts_of_three(), &times, Method::Euler, &stepping);
            let within = times.iter().all(|t| (0.0..=1.0).contains(t)) && 1 < times.len();
            assert!(within || pushed.is_err(), "{name}");
            if let Ok(pushed) = pushed {
                assert!(finite(&pushed.x) && pushed.states.len() == times.len() - 1, "{name}");
            }
        }
    }
    for set in rows(3, 2) {
        match push(&field(), tensor(&set), &[0.25, 0.75], Method::Euler, &stepping) {
            Ok(pushed) => assert!(set.finite && finite(&pushed.x), "{}", set.name),
            // The largest numbers may leave the range on the way.
            Err(_) => {
                assert!(!set.finite || set.rows.iter().any(|x| 1e30 < x.abs()), "{}", set.name);
            }
        }
    }
}

fn diffusion() {
    let middle = Linear::default().at(0.5);
    let forms = [
        Diffusion::Zero,
        Diffusion::Constant,
        Diffusion::Sigma,
        Diffusion::Linear,
        Diffusion::Ddpm,
    ];
    for (name, value) in SCALARS {
        for form in forms {
            assert!(form.squared(value, &middle).is_finite() || !value.is_finite(), "{name}");
            let g2 = value * form.squared(0.5, &middle);
            let sde = Sde { diffusion: form, scale: value, last: LastStep::Denoise };
            let sampled = sde.sample(&field(), starts_of_three(), &Way::steps(3));
            let refused = !g2.is_finite() || g2 < 0.0;
            assert!(sampled.is_err() || !refused, "{name} in {form:?}");
            assert!(sampled.is_err() || finite(&sampled.unwrap().x), "{name} in {form:?}");
        }
    }
}

fn built_grids() {
    for choice in GridConfig::choices() {
        let config: GridConfig = choice.typed.parse().unwrap();
        for (name, shift) in SCALARS {
            for steps in [0, 1, 5] {
                let built = config.build(steps, shift);
                let positive = 0.0 < shift && shift.is_finite();
                assert_eq!(built.is_ok(), positive, "{} shifted by {name}", choice.name);
                // A shift so strong that times become one is refused by the grid itself.
                let Ok(Ok(times)) = built.map(|grid| grid.times(&field())) else { continue };
                assert!(times.windows(2).all(|t| t[0] < t[1]), "{}: {times:?}", choice.name);
            }
        }
    }
}

fn counted_steps() {
    let euler = Ode::on_grid(Method::Euler);
    for steps in [0, 1, 7] {
        let sampled = euler.sample(&field(), starts_of_three(), &Way::steps(steps));
        assert_eq!(sampled.is_ok(), 0 < steps);
        assert!(sampled.is_err() || sampled.unwrap().nfe == steps);
    }
}

/// The numbers of a grid are its fields, so that its times have no place in the table.
#[test]
fn times_of_a_grid_of_awkward_numbers_rise_or_are_refused() {
    let vp = Exact::new(Gaussian::new(vec![0.5, -0.2], 0.5), VariancePreserving::default());
    for (name, value) in SCALARS {
        for steps in [0, 1, 2, 5] {
            for grid in [
                Grid::Uniform { steps },
                Grid::Given(vec![0.0, value, 1.0]),
                Grid::Given(vec![value, 0.5]),
                Grid::LogSnr { steps, min: value, max: 5.0 },
                Grid::LogSnr { steps, min: -5.0, max: value },
                Grid::Karras { steps, rho: value, min: 0.01, max: 80.0 },
                Grid::Karras { steps, rho: 7.0, min: value, max: 80.0 },
                Grid::Karras { steps, rho: 7.0, min: 0.01, max: value },
            ] {
                let found = [grid.times(&field()), grid.times(&vp)];
                for times in found.into_iter().flatten() {
                    let rises = times.windows(2).all(|t| t[0] < t[1]);
                    assert!(rises && 2 <= times.len(), "{grid:?} with {name}: {times:?}");
                    assert!(times.iter().all(|t| (0.0..=1.0).contains(t)), "{grid:?} with {name}");
                }
            }
        }
    }
    assert!(Grid::Given(Vec::new()).times(&field()).is_err());
}

fn asked_times() {
    let ode = Ode::new(Method::Rk4, Stepping::Count(4));
    for (name, t) in SCALARS {
        // A time that is none may be an error; all others are moved into the span.
        let sampled = ode.sample(&field(), starts_of_three(), &Way::steps(4).keeping(&[t]));
        assert_eq!(sampled.is_ok(), !t.is_nan(), "{name}");
        if let Ok(sampled) = sampled {
            assert!(sampled.states.iter().all(finite), "{name}");
        }
    }
}

fn numbered_noise() {
    let like = Tensor::<2>::zeros([3, 2], &Device::flex());
    for first in [0, 1, (1 << 32) - 3] {
        assert!(finite(&Seeded::new(1).starting_at(first).draw(0, &like)));
    }
    for first in [(1 << 32) - 2, usize::MAX] {
        assert!(panics(|| drop(Seeded::new(1).starting_at(first).draw(0, &like))), "{first}");
    }
}

fn probes() {
    assert!(panics(|| drop(Hutchinson::new(Vec::new()))));
    let ordinary = rows(4, 2).remove(0);
    for set in rows(4, 2) {
        if set.rows.len() != ordinary.rows.len() {
            continue;
        }
        let divergence = Hutchinson::new(vec![tensor(&set)]);
        let found = rk4(4).log_prob(&field(), tensor(&ordinary), &divergence);
        assert!(
            found.is_err() || found.unwrap().nats.iter().all(|x| x.is_finite()),
            "{}",
            set.name
        );
    }
}

fn drawn_probes() {
    let device = Device::flex();
    let draw = |probes, range| Hutchinson::draw(Probe::Gaussian, probes, 1, range, 2, &device);
    assert!(panics(|| drop(draw(0, 0..3))));
    for range in [0..0, 0..1, 5..9] {
        let x = prior(1, range.clone(), 2, &field(), &device);
        let (v, estimates) = draw(2, range.clone()).evaluate(&field(), &x, 0.5);
        assert!(finite(&v) && finite(&estimates));
        assert_eq!(estimates.dims(), [range.len(), 2]);
    }
}

fn densities() {
    for set in rows(4, 2) {
        for likelihood in [rk4(8), dopri5(1e-4)] {
            for chunk in [0, 1, 2, 99] {
                let found = likelihood.log_prob(&field(), tensor(&set), &ExactTrace { chunk });
                assert!(set.finite || found.is_err(), "{}", set.name);
                let Ok(found) = found else { continue };
                assert_eq!(found.nats.len(), set.rows.len() / 2, "{}", set.name);
                // Minus infinity is a density, the others are not.
                let number = |nats: &f64| nats.is_finite() || *nats == f64::NEG_INFINITY;
                assert!(found.nats.iter().all(number) && finite(&found.x0), "{}", set.name);
            }
        }
        // A row that is not finite does not touch the others.
        let (v, trace) = ExactTrace { chunk: 1 }.evaluate(&field(), &tensor(&set), 0.5);
        if set.name.starts_with("one ") && !set.rows.is_empty() {
            let rows = v.dims()[0];
            assert!(finite(&v.narrow(0, 0, rows.max(2) - 1)) && finite(&trace), "{}", set.name);
        }
    }
}

fn normal() {
    assert!(normal_rows(1, Purpose::Noise, 0..0, 3).is_empty());
    assert!(normal_rows(1, Purpose::Noise, 0..4, 0).is_empty());
    assert!(normal_rows(u64::MAX, Purpose::Noise, 3..5, 3).iter().all(|z| z.is_finite()));
}

fn priors() {
    let device = Device::flex();
    for range in [0..0, 0..1, usize::MAX - 2..usize::MAX] {
        let made: [Tensor<2>; 3] = [
            prior(1, range.clone(), 2, &field(), &device),
            starts(1, range.clone(), 2, &Source::Normal, &field(), &device),
            starts_of(Purpose::Reflow, 1, range.clone(), 2, &Source::Normal, &field(), &device),
        ];
        for x in made {
            assert!(x.dims() == [range.len(), 2] && finite(&x));
        }
    }
}

fn latent() {
    let device = Device::flex();
    for (range, size) in [(0..0, 2), (0..3, 0), (0..1, 4)] {
        let made = [
            latents(1, range.clone(), size, &device),
            latents_of(Purpose::ReflowLatent, 1, range.clone(), size, &device),
        ];
        for z in made {
            assert!(z.dims() == [range.len(), size] && finite(&z));
        }
    }
}

fn drawn_lengths() {
    assert!(lengths(1, 0..0, &[1]).is_empty());
    assert_eq!(lengths(1, 5..8, &[0, 0, u64::MAX]), [3; 3]);
    for counts in [&[][..], &[0, 0]] {
        assert!(panics(|| drop(lengths(1, 0..3, counts))));
    }
}

/// What implements a trait has no function of its own in the table.
#[test]
fn every_sampler_answers_awkward_starts_with_numbers_or_an_error() {
    let choices = SamplerConfig::choices();
    let named = choices.iter().map(|choice| {
        let config: SamplerConfig = choice.typed.parse().unwrap();
        (choice.name, config.build(Method::Rk4))
    });
    let counted = Ode::new(Method::Euler, Stepping::Count(5));
    for (name, sampler) in named.chain([("counted", Box::new(counted) as Box<dyn Sampler>)]) {
        for set in rows(4, 2) {
            match sampler.sample(&field(), tensor(&set), &Way::steps(5)) {
                Ok(sampled) => {
                    assert!(set.finite && finite(&sampled.x), "{name}, {}", set.name);
                    assert_eq!(sampled.x.dims(), [set.rows.len() / 2, 2]);
                }
                Err(error) => {
                    let huge = set.rows.iter().any(|x| 1e30 < x.abs());
                    assert!(!set.finite || huge, "{name}, {}: {error}", set.name);
                }
            }
        }
    }
}

/// A prediction is asked for at times within the span alone, so that none divides by zero.
#[test]
fn predictions_within_the_span_are_finite() {
    let x = prior(1, 0..3, 2, &field(), &Device::flex());
    for what in [Prediction::Velocity, Prediction::Data, Prediction::Noise, Prediction::V] {
        for t in [0.0, 0.5, 1.0] {
            assert!(finite(&Predictor::predict(&field(), what, &x, t)), "{what:?} at {t}");
        }
    }
}
