//! Samples follow from seed and number alone, guidance is its formula, and requests are looked at.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Device;
use common::{MLP, SPLIT, UNET, config, model, models, network};
use flow_model::{
    Against, Classes, Guidance, Model, ModelConfig, ModelError, Registry, SampleRequest,
};
use flow_nn::Signature;
use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_sample::{Ddim, FlowMap, Interval, Ode, Sampler};

fn euler() -> Ode {
    Ode::new(Method::Euler, Stepping::Count(1))
}

fn rows(model: &Model, request: &SampleRequest<'_>) -> Vec<f32> {
    model.sample(request, &euler()).unwrap().rows
}

#[test]
fn a_sample_depends_on_its_seed_and_number_alone() {
    for (name, model) in models() {
        let size = model.signature().size();
        let all = rows(&model, &SampleRequest::new(7, 3));
        let parts = rows(&model, &SampleRequest { batch: 2, ..SampleRequest::new(7, 3) });
        let fewer = rows(&model, &SampleRequest::new(4, 3));
        // Products of other sizes sum in another order: a few roundings of numbers near 1.
        let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(near(&all, &parts) && near(&all, &fewer), "{name}");
        assert_eq!(all.len(), 7 * size);
        assert_ne!(all, rows(&model, &SampleRequest::new(7, 4)), "{name}");
    }
}

/// Seeds, classes and sizes of their own in one call; the noise of a sampler that draws some; what
/// is no sample of any, by a watcher that says no.
#[test]
fn requests_that_are_drawn_together_get_what_each_gets_alone() {
    let samplers: [Box<dyn Sampler>; 2] =
        [Box::new(Ode::new(Method::Midpoint, Stepping::Count(2))), Box::new(Ddim { eta: 1.0 })];
    for (name, model) in models() {
        for sampler in &samplers {
            let of = |n, seed| SampleRequest { keep: vec![0.5], ..SampleRequest::new(n, seed) };
            let classes = match model.signature().classes {
                0 => Classes::InTurn,
                _ => Classes::All(1),
            };
            let asked =
                [of(1, 5), SampleRequest { classes, ..of(4, 9) }, of(37, 5), of(1, 6), of(0, 1)];
            for batch in [500, 3] {
                let asked = asked.clone().map(|request| SampleRequest { batch, ..request });
                let together = model.sample_together(&asked, &**sampler, &|| true).unwrap();
                for (request, found) in asked.iter().zip(&together) {
                    let alone = model.sample(request, &**sampler).unwrap();
                    let near = |a: &[f32], b: &[f32]| {
                        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(*a, *b))
                    };
                    assert!(near(&found.rows, &alone.rows), "{name}, {sampler:?}");
                    assert!(near(&found.states[0], &alone.states[0]), "{name}, {sampler:?}");
                    assert_eq!(found.classes, alone.classes, "{name}");
                }
                assert_ne!(together[0].rows, together[3].rows, "{name}");
            }
            let stopped = model.sample_together(&asked, &**sampler, &|| false);
            assert!(matches!(stopped, Err(ModelError::Stopped)), "{name}");
        }
    }
    // In the middle of a walk as well.
    let (_, model) = models().remove(0);
    let steps = AtomicUsize::new(0);
    let go_on = || steps.fetch_add(1, Ordering::Relaxed) < 3;
    let way = Ode::new(Method::Euler, Stepping::Count(1_000));
    let stopped = model.sample_together(&[SampleRequest::new(2, 0)], &way, &go_on);
    assert!(matches!(stopped, Err(ModelError::Stopped)) && steps.into_inner() < 10);
}

/// The reason why a server draws them one request after the other: the steps follow from the error
/// of all rows, so that a request would get other numbers than its seed gives alone.
#[test]
fn rows_of_strangers_change_what_an_adaptive_solver_gives() {
    let (_, model) = models().remove(0);
    let asked = [SampleRequest::new(3, 5), SampleRequest::new(40, 9)];
    let off = |sampler: &dyn Sampler| {
        let together = model.sample_together(&asked, sampler, &|| true).unwrap().remove(0);
        let alone = model.sample(&asked[0], sampler).unwrap();
        let differences = together.rows.iter().zip(&alone.rows).map(|(a, b)| (a - b).abs());
        differences.fold(0.0, f32::max)
    };
    let tolerance = Tolerance { atol: 1e-2, rtol: 1e-2 };
    let adaptive = off(&Ode::new(Method::Dopri5, Adaptive::new(tolerance).into()));
    // The control moves by roundings alone.
    let fixed = off(&Ode::new(Method::Dopri5, Stepping::Count(4)));
    assert!(0.0 < adaptive && fixed < 1e-4, "{adaptive} and {fixed}");
}

/// Without the kernels of flow-kernels, products of other sizes sum in another order: a few
/// roundings of numbers near 1. With them a sample has the same bits, which flow-serve tests.
fn near(a: f32, b: f32) -> bool {
    (a - b).abs() < 1e-4
}

/// One Euler step is affine in the velocity, so guidance of velocities is guidance of samples.
#[test]
fn guidance_moves_away_from_any_other_model() {
    let points = Signature::of([2]);
    let told = Signature { classes: 3, ..points.clone() };
    let (model, weaker) = (model(MLP, &told, 1), model(SPLIT, &points, 2));
    let against = |against| {
        let guidance = Guidance { scale: 2.5, interval: Interval::default(), against };
        SampleRequest { guidance: Some(guidance), ..SampleRequest::new(6, 1) }
    };
    let with = rows(&model, &SampleRequest::new(6, 1));
    let null =
        rows(&model, &SampleRequest { classes: Classes::All(0), ..SampleRequest::new(6, 1) });
    assert_ne!(with, null, "the class is listened to");
    let without = rows(&weaker, &SampleRequest::new(6, 1));
    let guided = rows(&model, &against(Against::Model(&weaker)));
    for ((guided, with), without) in guided.iter().zip(&with).zip(&without) {
        assert!((guided - (without + 2.5 * (with - without))).abs() < 1e-4);
    }
    assert_ne!(rows(&model, &against(Against::Unconditional)), with);
}

#[test]
fn requests_that_do_not_fit_are_refused() {
    let points = Signature::of([2]);
    let plain = model(MLP, &points, 1);
    let classed = model(MLP, &Signature { classes: 3, ..points.clone() }, 1);
    let vector = model(MLP, &Signature { vector: 2, ..points.clone() }, 1);
    let image = model(UNET, &Signature::of([1, 8, 8]), 1);
    let refused = |model: &Model, request: SampleRequest<'_>| {
        let error = model.sample(&request, &euler()).unwrap_err();
        assert!(error.is_usage(), "{error}");
        error
    };
    let new = || SampleRequest::new(4, 0);
    let of = |classes| SampleRequest { classes, ..new() };
    assert!(matches!(refused(&plain, of(Classes::All(0))), ModelError::NoClasses));
    let error = refused(&classed, of(Classes::All(3)));
    assert!(matches!(error, ModelError::NoSuchClass { class: 3, last: 2, .. }));
    assert!(matches!(
        refused(&classed, of(Classes::Each(vec![0, 1]))),
        ModelError::Rows { what: "class", n: 4, got: 2, .. }
    ));
    assert!(matches!(refused(&vector, new()), ModelError::Missing { size: 2, .. }));
    let given = SampleRequest { vectors: Some(vec![0.0; 8]), ..new() };
    assert!(matches!(refused(&plain, given.clone()), ModelError::NotAsked { .. }));
    vector.sample(&given, &euler()).unwrap();
    let short = SampleRequest { starts: Some(vec![0.0; 7]), ..new() };
    assert!(matches!(refused(&plain, short), ModelError::Rows { what: "start", got: 7, .. }));
    let guided = |against| {
        let guidance = Guidance { scale: 2.0, interval: Interval::default(), against };
        SampleRequest { guidance: Some(guidance), ..new() }
    };
    assert!(matches!(
        refused(&plain, guided(Against::Model(&image))),
        ModelError::GuideRows { .. }
    ));
    assert!(matches!(
        refused(&plain, guided(Against::Model(&classed))),
        ModelError::GuideCondition { what: "classes", .. }
    ));
}

#[test]
fn a_hidden_vector_does_not_count_and_a_shown_one_does() {
    let model = model(MLP, &Signature { vector: 2, ..Signature::of([2]) }, 1);
    let told = |vector: f32, scale| {
        let guidance =
            Guidance { scale, interval: Interval::default(), against: Against::Unconditional };
        let request = SampleRequest::new(3, 0);
        let vectors = Some(vec![vector; 6]);
        rows(&model, &SampleRequest { vectors, guidance: Some(guidance), ..request })
    };
    // Strength 0 is the prediction without the condition, 1 the one with it.
    assert_eq!(told(0.3, 0.0), told(-2.0, 0.0));
    assert_ne!(told(0.3, 1.0), told(-2.0, 1.0));
}

#[test]
fn a_description_of_an_impossible_path_is_refused_before_anything_is_asked() {
    let signature = Signature::of([2]);
    let table: toml::Table = config(MLP, &signature).text().parse().unwrap();
    for (schedule, words) in [
        ("{ kind = \"linear\", sigma_min = inf }", "schedule.sigma_min"),
        ("{ kind = \"linear\", sigma_min = nan }", "schedule.sigma_min"),
        ("{ kind = \"linear\", sigma_min = -1.0 }", "schedule.sigma_min"),
        ("{ kind = \"vp\", beta_min = 0.1, beta_max = -5.0 }", "schedule.beta_max"),
        ("{ kind = \"ve\", sigma_min = 0.0, sigma_max = 50.0 }", "schedule.sigma_min"),
    ] {
        let mut table = table.clone();
        let line: toml::Table = format!("schedule = {schedule}").parse().unwrap();
        table.extend(line);
        let text = table.to_string();
        let refused = match ModelConfig::parse(&text) {
            Ok(config) => {
                let network = network(MLP, &signature, 1);
                Model::new(&Registry::default(), config, network, &Device::flex()).unwrap_err()
            }
            Err(error) => error,
        };
        assert!(refused.to_string().contains(words), "{schedule}: {refused}");
    }
    let stray =
        ModelConfig { about: "one\nnetwork     a lie\u{1b}[2J".into(), ..config(MLP, &signature) };
    let network = network(MLP, &signature, 1);
    let model = Model::new(&Registry::default(), stray, network, &Device::flex()).unwrap();
    let card = model.card().to_string();
    assert!(!card.contains("\nnetwork     a lie") && !card.contains('\u{1b}'), "{card}");
}

#[test]
fn a_model_that_learned_no_velocity_jumps_and_is_not_solved() {
    let signature = Signature { two_times: true, ..Signature::of([2]) };
    let jumps = ModelConfig { learned_velocity: false, ..config(MLP, &signature) };
    assert_eq!(ModelConfig::parse(&jumps.text()).unwrap(), jumps);
    assert!(jumps.text().contains("learned_velocity = false"), "{}", jumps.text());
    assert!(!config(MLP, &signature).text().contains("learned_velocity"), "the usual is left out");

    let (registry, device) = (Registry::default(), Device::flex());
    let jumps = Model::new(&registry, jumps, network(MLP, &signature, 1), &device).unwrap();
    let asked = SampleRequest::new(3, 1);
    assert_eq!(jumps.sample(&asked, &FlowMap {}).unwrap().rows.len(), 6);
    let refused = |result: Result<_, ModelError>| {
        let error = result.map(drop).unwrap_err();
        assert!(matches!(error, ModelError::NoVelocity) && error.is_usage(), "{error}");
        assert!(error.to_string().contains("flow-map with 1 step"), "{error}");
    };
    refused(jumps.sample(&asked, &euler()));
    refused(jumps.sample(&asked, &Ddim::default()));
    refused(jumps.push(&asked, &[0.0, 1.0], Method::Euler, &Stepping::Count(1)));

    // As a guide it is followed too.
    let whole = model(MLP, &Signature::of([2]), 1);
    let (scale, interval) = (2.0, Interval::default());
    let guidance = Some(Guidance { scale, interval, against: Against::Model(&jumps) });
    refused(whole.sample(&SampleRequest { guidance, ..asked }, &euler()));
}
