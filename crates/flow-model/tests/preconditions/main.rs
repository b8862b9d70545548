//! Every public function that takes numbers meets awkward ones: finite numbers come back, a special
//! value that the documentation names, or an error or a panic that says what to do.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod asked;
#[path = "../common/mod.rs"]
mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, Tensor, TensorData};
use common::{DIT, MLP, config, model, network};
use flow_model::{
    Classes, DATA, Guidance, Model, ModelConfig, ModelError, Registry, SampleChanges,
    SampleRequest, Samples, check_steps,
};
use flow_nn::{Condition, Signature};
use flow_ode::{Method, Stepping};
use flow_sample::{Grid, Interval, Sampler, SamplerConfig};
use flow_testing::awkward::{self, SCALARS};
use flow_testing::public;

/// Counts that a caller may ask for.
const COUNTS: [usize; 5] = [0, 1, 3, 1 << 40, usize::MAX];

const TABLE: [(&str, fn()); 16] = [
    ("AnswerPlan::new", asked::answers),
    ("AnswerPlan::question", asked::answers),
    ("AnswerPlan::typed", asked::typed_plans),
    ("Model::classes_of", classes),
    ("Model::lengths_of", lengths),
    ("Model::log_prob", asked::densities),
    ("Model::log_prob_while", asked::densities_while),
    ("Model::push", carried),
    ("Model::request", requests),
    ("Model::request_with", changed_requests),
    ("Model::sample_batch", batches),
    ("Model::starts", starts),
    ("Model::velocity", velocities),
    ("SampleRequest::new", requests),
    ("Samples::none", no_samples),
    ("check_steps", steps),
];

#[test]
fn every_public_function_meets_awkward_numbers() {
    let names: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &names, &[]);
    for (name, check) in TABLE {
        assert!(catch_unwind(check).is_ok(), "{name}");
    }
}

/// The text of a panic, if a call ends in one.
fn panic_of<T>(call: impl FnOnce() -> T) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(call)).err()?;
    let text = panic.downcast_ref::<String>().map(String::as_str);
    Some(text.or(panic.downcast_ref().copied()).unwrap_or_default().to_owned())
}

/// An error that says something to whoever reads it.
fn says<T>(outcome: Result<T, ModelError>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(15 < error.to_string().len(), "{error}");
            None
        }
    }
}

fn all_finite(rows: &[f32]) -> bool {
    rows.iter().all(|x| x.is_finite())
}

fn points() -> Model {
    model(MLP, &Signature::of([2]), 1)
}

fn told() -> Model {
    model(MLP, &Signature { classes: 3, vector: 2, ..Signature::of([2]) }, 2)
}

/// A model of sequences of up to four elements.
fn sequences() -> Model {
    let signature = Signature { lengths: true, ..Signature::of([4, 2]) };
    let config = ModelConfig { lengths: vec![1, 0, 2, 1], ..config(DIT, &signature) };
    let network = network(DIT, &signature, 3);
    Model::new(&Registry::default(), config, network, &Device::flex()).unwrap()
}

/// A model whose paths start from data.
fn of_data() -> Model {
    let signature = Signature::of([2]);
    let config = ModelConfig { source: DATA.into(), ..config(MLP, &signature) };
    let network = network(MLP, &signature, 4);
    Model::new(&Registry::default(), config, network, &Device::flex()).unwrap()
}

fn classes() {
    let (model, none) = (told(), points());
    let of = |classes: &Classes, range| says(model.classes_of(classes, range)).flatten();
    for range in [0..0, 0..1, 5..8, usize::MAX - 2..usize::MAX] {
        let n = range.len();
        assert_eq!(of(&Classes::InTurn, range.clone()).unwrap().len(), n);
        assert_eq!(of(&Classes::All(2), range.clone()), Some(vec![2; n]));
        assert_eq!(of(&Classes::All(usize::MAX), range.clone()).is_some(), n == 0);
        assert_eq!(of(&Classes::Each(vec![1, 0]), range.clone()).is_some(), range.end <= 2);
        assert_eq!(says(none.classes_of(&Classes::InTurn, range)), Some(None));
    }
    for n in [1 << 60, usize::MAX] {
        assert!(of(&Classes::InTurn, 0..n).is_none() && of(&Classes::All(0), 0..n).is_none());
        assert!(of(&Classes::Each(vec![0; 3]), 0..n).is_none());
    }
}

fn lengths() {
    let model = sequences();
    let mut request = SampleRequest::new(3, 0);
    for range in [0..0, 0..3, usize::MAX - 2..usize::MAX] {
        let drawn = model.lengths_of(&request, range.clone()).unwrap();
        assert!(drawn.len() == range.len() && drawn.iter().all(|n| [1, 3, 4].contains(n)));
        assert_eq!(points().lengths_of(&request, range), None);
    }
    request.lengths = Some(vec![4, 1, 2]);
    assert_eq!(model.lengths_of(&request, 1..3), Some(vec![1, 2]));
    for range in [0..4, 3..usize::MAX] {
        let text = panic_of(|| model.lengths_of(&request, range)).unwrap();
        assert!(text.contains("3 lengths are none of"), "{text}");
    }
    for given in [vec![0, 1, 1], vec![5, 1, 1], vec![1; 2], vec![usize::MAX; 3]] {
        let request = SampleRequest { lengths: Some(given), ..SampleRequest::new(3, 0) };
        assert!(says(model.check(&request)).is_none());
    }
}

fn carried() {
    let (model, steps) = (points(), Stepping::Count(2));
    let push = |starts: Vec<f32>, batch, times: &[f64]| {
        let mut request = SampleRequest::new(starts.len() / 2, 0);
        (request.starts, request.batch) = (Some(starts), batch);
        says(model.push(&request, times, Method::Euler, &steps))
    };
    for (name, t) in SCALARS {
        for times in [vec![t, 0.5], vec![0.5, t], vec![0.25, 0.5, t], vec![t]] {
            let within = times.iter().all(|t| (0.0..=1.0).contains(t)) && 1 < times.len();
            let found = push(vec![0.5; 4], 1, &times);
            assert!(within || found.is_none(), "{name}");
            assert!(found.is_none_or(|found| all_finite(&found.rows)), "{name}");
        }
    }
    for set in awkward::rows(3, 2) {
        for batch in COUNTS {
            let found = push(set.rows.clone(), batch, &[0.0, 1.0]);
            assert!(set.finite || found.is_none(), "{}", set.name);
            let Some(found) = found else { continue };
            assert!(found.rows.len() == set.rows.len() && all_finite(&found.rows), "{}", set.name);
            assert!(found.nfe.is_finite(), "{}", set.name);
        }
    }
}

fn requests() {
    let model = points();
    let sampler = model.sampler().unwrap();
    for n in COUNTS {
        let request = SampleRequest::new(n, u64::MAX);
        assert_eq!((request.n, model.request(n, 0).unwrap().n), (n, n));
        assert_eq!(says(model.check(&request)).is_some(), n < 4, "{n}");
        assert!(n < 4 || says(model.sample(&request, &*sampler)).is_none(), "{n}");
        if n < 4 {
            let drawn = model.sample(&request, &*sampler).unwrap();
            assert!(drawn.rows.len() == 2 * n && all_finite(&drawn.rows) && drawn.nfe.is_finite());
        }
    }
}

/// Samples as some changes draw them.
fn drawn(model: &Model, changes: &SampleChanges) -> Option<Samples> {
    let (request, plan, _) = says(model.request_with(changes, 2, 0))?;
    let classes = Classes::InTurn;
    let vectors = (0 < model.vector()).then(|| vec![0.5; 4]);
    let found =
        says(model.sample(&SampleRequest { classes, vectors, ..request }, &*plan.sampler()))?;
    assert!(all_finite(&found.rows), "{changes:?}");
    Some(found)
}

fn changed_requests() {
    let model = told();
    let three =
        SampleChanges { solver: Some("euler".into()), steps: Some(3), ..SampleChanges::default() };
    assert!(drawn(&model, &three).is_some());
    for n in COUNTS {
        assert_eq!(model.request_with(&three, n, 0).unwrap().0.n, n);
        let changes = SampleChanges { steps: Some(n), ..three.clone() };
        let few = (1..4).contains(&n);
        assert_eq!(says(model.request_with(&changes, 2, 0)).is_some(), few, "{n} steps");
    }
    for (name, x) in SCALARS {
        let adaptive = SampleChanges { solver: Some("dopri5".into()), ..SampleChanges::default() };
        for changes in [
            SampleChanges { shift: Some(x), ..three.clone() },
            SampleChanges { guidance: Some(x), ..three.clone() },
            SampleChanges {
                guidance: Some(2.0),
                guidance_interval: Some([x, 0.5]),
                ..three.clone()
            },
            SampleChanges {
                guidance: Some(2.0),
                guidance_interval: Some([0.5, x]),
                ..three.clone()
            },
            SampleChanges { rtol: Some(x), ..adaptive.clone() },
            SampleChanges { atol: Some(x), ..adaptive.clone() },
        ] {
            let found = drawn(&model, &changes);
            assert!(found.is_none() || x.is_finite(), "{name}: {changes:?}");
        }
        for sampler in ["sde,scale=", "unipc,order=", "ddim,eta="] {
            let sampler = Some(format!("{sampler}{x}"));
            let steps = Some(3);
            let found =
                drawn(&model, &SampleChanges { sampler, steps, ..SampleChanges::default() });
            assert!(found.is_none() || x.is_finite(), "{name}");
        }
    }
}

fn batches() {
    let (model, weaker) = (told(), points());
    // Of fixed steps: one that adapts spends long on a field of 1e38 before it gives up.
    let sampler = SamplerConfig::default().build(Method::Euler);
    let request = |n| SampleRequest { vectors: Some(vec![0.5; 2 * n]), ..SampleRequest::new(n, 0) };
    let draw = |request: &SampleRequest<'_>, sampler: &dyn Sampler, range| {
        let found = says(model.sample_batch(request, sampler, range))?;
        assert!(all_finite(&found.rows) && found.states.iter().all(|state| all_finite(state)));
        Some(found)
    };
    assert_eq!(draw(&request(3), &*sampler, 1..3).unwrap().rows.len(), 4);
    let backwards = std::ops::Range { start: 2, end: 1 };
    for range in [0..0, backwards, 0..4, 3..4, 0..usize::MAX] {
        let text = panic_of(|| draw(&request(3), &*sampler, range)).unwrap();
        assert!(text.contains("expected samples among 3, got"), "{text}");
    }
    // More samples than the noise of a seed has.
    let many = SampleRequest::new(usize::MAX, 0);
    let last = usize::MAX - 2..usize::MAX - 1;
    assert!(says(weaker.sample_batch(&many, &*sampler, last)).is_none());
    for (name, x) in SCALARS {
        let interval = Interval { start: 0.0, end: 1.0 };
        for (scale, interval) in [
            (x, interval),
            (2.0, Interval { start: x, end: 1.0 }),
            (2.0, Interval { start: 0.0, end: x }),
        ] {
            let against = flow_model::Against::Unconditional;
            let guidance = Some(Guidance { scale, interval, against });
            let found = draw(&SampleRequest { guidance, ..request(3) }, &*sampler, 0..3);
            assert!(found.is_none() || scale.is_finite(), "{name}");
        }
        draw(&SampleRequest { keep: vec![x], ..request(3) }, &*sampler, 0..3);
        for times in [vec![x, 1.0], vec![0.0, x], vec![0.0, x, 1.0]] {
            draw(&SampleRequest { grid: Grid::Given(times), ..request(3) }, &*sampler, 0..3);
        }
    }
    for set in awkward::rows(3, 2) {
        let n = set.rows.len() / 2;
        let given = Some(set.rows.clone());
        for request in [
            SampleRequest { vectors: given.clone(), ..request(n) },
            SampleRequest { starts: given.clone(), ..request(n) },
        ] {
            if n == 0 {
                assert!(says(model.sample(&request, &*sampler)).unwrap().rows.is_empty());
                continue;
            }
            let found = draw(&request, &*sampler, 0..n);
            assert!(set.finite || found.is_none(), "{}", set.name);
        }
        // What is told is looked at before anything is drawn.
        let request = SampleRequest { vectors: given, ..request(n) };
        assert_eq!(says(model.check(&request)).is_some(), set.finite, "{}", set.name);
    }
}

fn starts() {
    let model = points();
    for range in [0..0, 0..3, usize::MAX - 2..usize::MAX] {
        let found = model.starts(u64::MAX, range.clone());
        assert!(found.len() == 2 * range.len() && all_finite(&found), "{range:?}");
    }
    let text = panic_of(|| of_data().starts(0, 0..3)).unwrap();
    assert!(text.contains("expected the start of every path"), "{text}");
}

fn velocities() {
    let model = points();
    for set in awkward::rows(3, 2) {
        for t in [0.0, 0.5, 1.0] {
            let found = says(model.velocity(&set.rows, t, Condition::none()));
            assert!(set.finite || found.is_none(), "{}", set.name);
            let length = found.as_ref().map_or(set.rows.len(), Vec::len);
            assert!(length == set.rows.len(), "{}", set.name);
            assert!(found.is_none_or(|found| all_finite(&found)), "{}", set.name);
        }
    }
    for (name, x) in SCALARS {
        let found = says(model.velocity(&[0.5; 4], x, Condition::none()));
        assert!(found.is_some() || !(0.0..=1.0).contains(&x), "{name}");
        assert!(found.is_none_or(|found| x.is_finite() && all_finite(&found)), "{name}");
        let vector = TensorData::new(vec![x as f32; 4], [2, 2]);
        let vector = Tensor::<2>::from_data(vector, &Device::flex());
        let condition = Condition::classes(&[0, 1], &Device::flex()).with_vector(vector);
        let found = says(told().velocity(&[0.5; 4], 0.5, condition));
        assert!(found.is_none_or(|found| x.is_finite() && all_finite(&found)), "{name}");
    }
    let nan = model.velocity(&[0.0, 0.0, 1.0, f32::NAN], 0.5, Condition::none()).unwrap_err();
    assert_eq!(nan.to_string(), "the row of sample 1 holds NaN: mend it or leave the sample out");
}

fn no_samples() {
    for times in [0, 1, 3] {
        let none = Samples::none(told().signature(), times);
        assert!(none.states.len() == times && none.rows.is_empty() && none.nfe == 0.0);
    }
}

fn steps() {
    for count in COUNTS.into_iter().chain([1_000_000, 1_000_001]) {
        let checked = check_steps("steps", count);
        assert_eq!(checked.is_ok(), (1..=1_000_000).contains(&count), "{count}");
        assert!(checked.is_ok() || checked.unwrap_err().to_string().starts_with("steps is "));
    }
}
