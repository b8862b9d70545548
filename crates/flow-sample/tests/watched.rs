//! A watcher sees each step of a sampler, changes no bit, and may end the walk.
#![allow(clippy::float_cmp, reason = "what is not computed anew is equal to the last bit")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use burn::tensor::{Device, Tensor};
use flow_ode::{Adaptive, Method, Tolerance};
use flow_path::{Exact, Linear, Mixture, Prediction};
use flow_sample::{
    Ddim, Ode, Predictor, Sampler, SamplerConfig, Threshold, Thresholded, Visit, Way, prior,
};

const STEPS: usize = 6;

fn field() -> Exact<Mixture, Linear> {
    Exact::new(Mixture::ring(3, 2.0, 0.3), Linear { sigma_min: 0.0 })
}

fn start() -> Tensor<2> {
    prior(3, 0..20, 2, &field(), &Device::flex())
}

fn host(x: &Tensor<2>) -> Vec<f64> {
    x.clone().into_data().convert::<f64>().try_into_vec().unwrap()
}

/// Every sampler with its name.
fn samplers() -> Vec<(&'static str, Box<dyn Sampler>)> {
    // This field is no flow map: jumps are watched in `flow_maps.rs`.
    let walks = SamplerConfig::choices().into_iter().filter(|choice| choice.name != "flow-map");
    let named = walks.map(|choice| {
        let config: SamplerConfig = choice.typed.parse().unwrap();
        (choice.name, config.build(Method::Heun2))
    });
    let adaptive = Adaptive::new(Tolerance { atol: 1e-3, rtol: 1e-3 });
    let adaptive = Ode::new(Method::Dopri5, adaptive.into());
    named.chain([("adaptive", Box::new(adaptive) as Box<dyn Sampler>)]).collect()
}

#[test]
fn watching_changes_no_bit_and_no_count() {
    for (name, sampler) in samplers() {
        let alone = sampler.sample(&field(), start(), &Way::steps(STEPS)).unwrap();
        let seen = Cell::new(0);
        let watch = |visit: Visit<'_>| {
            assert_eq!(visit.step, seen.get(), "{name}");
            seen.set(visit.step + 1);
            ControlFlow::Continue(())
        };
        let way = Way::steps(STEPS).watched_by(&watch);
        let watched = sampler.sample(&field(), start(), &way).unwrap();
        assert_eq!(host(&watched.x), host(&alone.x), "{name}");
        assert_eq!((watched.nfe, watched.stopped), (alone.nfe, None), "{name}");
        assert!(0 < seen.get() && (name == "adaptive" || seen.get() == STEPS), "{name}");
    }
}

#[test]
fn a_visit_shows_the_time_the_state_and_the_data_predicted_there() {
    for (name, sampler) in samplers() {
        let times = RefCell::new(Vec::new());
        let watch = |visit: Visit<'_>| {
            let want = Predictor::predict(&field(), Prediction::Data, visit.x, visit.t);
            for (got, want) in host(&visit.data()).into_iter().zip(host(&want)) {
                // The data are read off another prediction, which divides by as little as 1/6.
                assert!((got - want).abs() < 1e-4, "{name} at {}: {got} is not {want}", visit.t);
            }
            times.borrow_mut().push(visit.t);
            ControlFlow::Continue(())
        };
        sampler.sample(&field(), start(), &Way::steps(STEPS).watched_by(&watch)).unwrap();
        let times = times.into_inner();
        assert!(times[0] == 0.0 && times.windows(2).all(|t| t[0] < t[1]), "{name}: {times:?}");
        assert!(*times.last().unwrap() < 1.0, "{name}: the end is the sample");
    }
}

#[test]
fn a_walk_that_is_ended_returns_the_data_predicted_there() {
    for (name, sampler) in samplers() {
        let last = RefCell::new(None);
        let watch = |visit: Visit<'_>| {
            last.replace(Some((visit.t, visit.data())));
            if visit.step == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let keep = [0.0, 1.0];
        let way = Way::steps(STEPS).keeping(&keep).watched_by(&watch);
        let ended = sampler.sample(&field(), start(), &way).unwrap();
        let (t, data) = last.into_inner().unwrap();
        assert_eq!(ended.stopped, Some(t), "{name}");
        for (got, want) in host(&ended.x).into_iter().zip(host(&data)) {
            assert!((got - want).abs() < 1e-6, "{name}: {got} is not {want}");
        }
        assert_eq!(host(&ended.states[1]), host(&ended.x), "{name}");
        assert_eq!(host(&ended.states[0]), host(&start()), "{name}");
        let whole = sampler.sample(&field(), start(), &Way::steps(STEPS)).unwrap();
        // A look at the data costs the solver of an ODE an evaluation each, three here and one more
        // for the end.
        assert!(ended.nfe < whole.nfe + 4, "{name}: {} of {}", ended.nfe, whole.nfe);
        assert_ne!(host(&ended.x), host(&whole.x), "{name}");
    }
}

#[test]
fn a_grid_keeps_its_states_and_the_lines_between_them() {
    for (name, sampler) in samplers() {
        if ["ode", "adaptive", "karras-churn", "unipc"].contains(&name) {
            continue; // an interpolant of its own; states that are asked elsewhere than they stand
        }
        let seen = RefCell::new(Vec::new());
        let watch = |visit: Visit<'_>| {
            seen.borrow_mut().push(visit.x.clone());
            ControlFlow::Continue(())
        };
        let keep = [-1.0, 0.0, 1.0 / 12.0, 1.0 / 6.0, 1.0, 2.0];
        let way = Way::steps(STEPS).keeping(&keep).watched_by(&watch);
        let sampled = sampler.sample(&field(), start(), &way).unwrap();
        let (seen, states) = (seen.into_inner(), sampled.states);
        assert_eq!(states.len(), keep.len(), "{name}");
        for (state, want) in [(0, &seen[0]), (1, &seen[0]), (3, &seen[1]), (5, &sampled.x)] {
            assert_eq!(host(&states[state]), host(want), "{name}, state {state}");
        }
        assert_eq!(host(&states[4]), host(&sampled.x), "{name}");
        let middle = (seen[0].clone() + seen[1].clone()) * 0.5;
        for (got, want) in host(&states[2]).into_iter().zip(host(&middle)) {
            assert!((got - want).abs() < 1e-6, "{name}: {got} is not {want}");
        }
    }
}

#[test]
fn samples_of_thresholded_data_stay_in_their_range() {
    // The ring has a radius of 2: the control leaves the range.
    let largest = |predictor: &dyn Predictor, sampler: &dyn Sampler| {
        let x = sampler.sample(predictor, start(), &Way::steps(STEPS)).unwrap().x;
        host(&x).into_iter().fold(0.0, |worst: f64, x| worst.max(x.abs()))
    };
    let held = Thresholded { predictor: field(), threshold: Threshold::Static };
    for (name, sampler) in samplers() {
        assert!(1.5 < largest(&field(), &*sampler), "{name}");
        if !["ode", "adaptive", "edm", "karras-churn", "sde"].contains(&name) {
            let largest = largest(&held, &*sampler);
            assert!(largest <= 1.0 + 1e-5, "{name}: {largest}");
        }
    }
}

#[test]
fn thresholded_data_leave_the_rest_of_the_state_to_the_noise() {
    let held = Thresholded { predictor: field(), threshold: Threshold::Static };
    let (x, t) = (start(), 0.4);
    let c = held.schedule().at(t);
    let data = held.predict(Prediction::Data, &x, t);
    let noise = held.predict(Prediction::Noise, &x, t);
    for (got, want) in host(&(data * c.alpha + noise * c.sigma)).into_iter().zip(host(&x)) {
        assert!((got - want).abs() < 1e-5, "{got} is not {want}");
    }
}

#[test]
fn dynamic_thresholds_divide_a_row_by_its_quantile() {
    let data = Tensor::<2>::from_data(
        [[0.5, -0.9, 0.1, 0.2], [4.0, -2.0, 1.0, 0.5], [0.0, -8.0, 0.4, 2.0]],
        &Device::flex(),
    );
    // Three of four numbers may not be saturated: the third by size is 0.5, 2 and 2.
    let held = host(&Threshold::Dynamic { quantile: 0.75 }.apply(data.clone()));
    let want = [0.5, -0.9, 0.1, 0.2, 1.0, -1.0, 0.5, 0.25, 0.0, -1.0, 0.2, 1.0];
    for (got, want) in held.iter().zip(want) {
        assert!((got - want).abs() < 1e-6, "{held:?}");
    }
    let held = host(&Threshold::Static.apply(data));
    assert_eq!(held[4..8], [1.0, -1.0, 1.0, 0.5]);
}

#[test]
fn a_watcher_can_stop_when_the_prediction_has_settled() {
    let before = RefCell::new(None::<Vec<f64>>);
    let watch = |visit: Visit<'_>| {
        let now = host(&visit.data());
        let moved = before.borrow().as_ref().map_or(f64::MAX, |before| {
            before.iter().zip(&now).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        });
        before.replace(Some(now));
        if moved < 0.02 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let way = Way::steps(200).watched_by(&watch);
    let stopped = Ddim::default().sample(&field(), start(), &way).unwrap();
    let whole = Ddim::default().sample(&field(), start(), &Way::steps(200)).unwrap();
    let t = stopped.stopped.unwrap();
    assert!(stopped.nfe < 200 && t < 1.0, "{} evaluations, {t}", stopped.nfe);
    for (got, want) in host(&stopped.x).into_iter().zip(host(&whole.x)) {
        assert!((got - want).abs() < 1.5, "{got} is not near {want}");
    }
}
