//! Questions that a model cannot answer are refused before anything is computed.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Device;
use common::{MLP, SPLIT, model};
use flow_model::{AnswerMethod, AnswerPlan, Model, ModelError, Question};
use flow_nn::Signature;
use flow_sample::{Ddim, Grid, Langevin, Mask, ObservationNoise, Sampler};

fn points() -> Model {
    model(MLP, &Signature::of([2]), 1)
}

/// What is asked in most tests: the first of two numbers was seen.
fn question<'a>(operator: &'a Mask, grid: &'a Grid) -> Question<'a> {
    Question {
        operator,
        observed: &[0.5, f32::NAN],
        noise: ObservationNoise::Gaussian { std: 0.1 },
        method: AnswerMethod::default(),
        grid,
        draws: 2,
        at_once: 2,
        seed: 0,
        classes: None,
        vectors: None,
    }
}

#[test]
fn a_question_tells_a_model_what_it_knows() {
    let device = Device::flex();
    let points = Signature::of([2]);
    let operator = Mask::new(&[true, false], 2, &device);
    let grid = Grid::Uniform { steps: 3 };
    let question = question(&operator, &grid);
    let sampler = Ddim::default();
    let plain = model(MLP, &points, 1);
    let answered = plain.answer(&question, &sampler).unwrap();
    assert_eq!((answered.rows.len(), answered.misfit.len()), (4, 2));
    let classes = model(MLP, &Signature { classes: 3, ..points.clone() }, 2);
    let latent = model(SPLIT, &Signature { latent: 2, ..points.clone() }, 3);
    let vector = model(MLP, &Signature { vector: 2, ..points }, 4);
    classes.answer(&Question { classes: Some(&[2]), ..question }, &sampler).unwrap();
    // It has learned to do without its class.
    classes.answer(&question, &sampler).unwrap();
    vector.answer(&Question { vectors: Some(&[0.0, 1.0]), ..question }, &sampler).unwrap();

    let refusal = |model: &flow_model::Model, question: Question<'_>| {
        let error = model.answer(&question, &sampler).unwrap_err();
        assert!(error.is_usage(), "{error}");
        error
    };
    // The null class is no class, and a class beyond it none of the table.
    for class in [3, 4] {
        let asked = [class];
        let error = refusal(&classes, Question { classes: Some(&asked), ..question });
        assert!(matches!(error, ModelError::NoSuchClass { last: 2, .. }), "{error}");
    }
    let error = refusal(&classes, Question { classes: Some(&[0, 1]), ..question });
    assert!(matches!(error, ModelError::Rows { what: "class", n: 1, .. }), "{error}");
    let error = refusal(&plain, Question { classes: Some(&[0]), ..question });
    assert!(matches!(error, ModelError::NoClasses), "{error}");
    let error = refusal(&latent, question);
    assert!(matches!(error, ModelError::CannotAnswer { what: "latent" }), "{error}");
    let error = refusal(&vector, question);
    assert!(matches!(error, ModelError::Missing { size: 2, .. }), "{error}");
    let error = refusal(&vector, Question { vectors: Some(&[0.0]), ..question });
    assert!(matches!(error, ModelError::Rows { got: 1, .. }), "{error}");
    let error = refusal(&plain, Question { vectors: Some(&[0.0]), ..question });
    assert!(matches!(error, ModelError::NotAsked { .. }), "{error}");
    let error = refusal(&plain, Question { observed: &[0.5], ..question });
    assert!(matches!(error, ModelError::Observation { .. }), "{error}");
}

/// A value of a question that cannot be met is named, before memory is taken or the network is
/// asked.
#[test]
fn a_question_has_bounds() {
    let device = Device::flex();
    let (first, none) = (Mask::new(&[true, false], 2, &device), Mask::new(&[false; 2], 2, &device));
    let (grid, long) = (Grid::Uniform { steps: 3 }, Grid::Uniform { steps: 100_000_000_000 });
    let (plain, question) = (points(), question(&first, &grid));
    let noise = |std| ObservationNoise::Gaussian { std };
    let iterations = |iterations| AnswerMethod::Mmps { iterations };
    let far = Langevin { corrections: 1_000_000_000, ..Langevin::default() };
    let (ddim, far): (&dyn Sampler, &dyn Sampler) = (&Ddim::default(), &far);
    for (question, sampler, part) in [
        (Question { method: iterations(0), ..question }, ddim, "iterations is 0, it must lie in"),
        (Question { method: iterations(1_001), ..question }, ddim, "must lie in [1, 1000]"),
        (Question { method: AnswerMethod::Dps { scale: -1.0 }, ..question }, ddim, "scale is -1"),
        (Question { draws: 0, ..question }, ddim, "number of draws is 0"),
        // 2^28 numbers of rows of two.
        (Question { draws: 100_000_000_000, ..question }, ddim, "at most 134217728 of rows of 2"),
        (
            Question { at_once: usize::MAX, draws: usize::MAX, ..question },
            ddim,
            "at most 134217728",
        ),
        (Question { grid: &long, ..question }, ddim, "number of steps is 100000000000"),
        (question, far, "corrections is 1000000000: it must lie in [0, 1000]"),
        (Question { noise: noise(1e30), ..question }, ddim, "must lie in [1e-12, 1e12]"),
        (Question { noise: noise(1e-30), ..question }, ddim, "must lie in [1e-12, 1e12]"),
        (Question { operator: &none, ..question }, ddim, "nothing of a sample is seen"),
    ] {
        let error = plain.answer(&question, sampler).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains(part), "{part}: {error}");
    }
    for typed in ["mmps,iterations=1000000000", "mmps,iterations=0", "dps,scale=0"] {
        let error = AnswerPlan::typed(typed, AnswerPlan::SAMPLER, 4).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains("it must"), "{error}");
    }
}

/// One step of a method whose pull is stiff lands nowhere: that is no answer, whatever the noise.
#[test]
fn an_answer_worse_than_noise_is_none() {
    let device = Device::flex();
    let operator = Mask::new(&[true, false], 2, &device);
    let grid = Grid::Uniform { steps: 1 };
    let method = AnswerMethod::Dps { scale: 1.0 };
    for std in [0.01, 0.05] {
        let noise = ObservationNoise::Gaussian { std };
        let question = Question { method, noise, ..question(&operator, &grid) };
        let error = points().answer(&question, &Ddim::default()).unwrap_err();
        assert!(matches!(error, ModelError::Astray { .. }) && !error.is_usage(), "{error}");
        // A control: a method that knows how far the data may be explains what was seen.
        let question = Question { method: AnswerMethod::default(), ..question };
        points().answer(&question, &Ddim::default()).unwrap();
    }
}

#[test]
fn an_answer_is_given_up_before_the_next_evaluation() {
    let device = Device::flex();
    let operator = Mask::new(&[true, false], 2, &device);
    let grid = Grid::Uniform { steps: 300 };
    let method = AnswerMethod::Mmps { iterations: 100 };
    let question = Question { method, draws: 1_000, ..question(&operator, &grid) };
    let asked = AtomicUsize::new(0);
    let go_on = || asked.fetch_add(1, Ordering::Relaxed) < 50;
    let stopped = points().answer_while(&question, &Langevin::default(), &go_on);
    assert!(matches!(stopped, Err(ModelError::Stopped)));
    // Once it has said no it is asked no more.
    assert_eq!(asked.into_inner(), 51);
}

/// Counts of mean `gain (z + offset)` are explained by `z = y / gain - offset`.
#[test]
fn counts_are_an_observation_too() {
    let device = Device::flex();
    let operator = Mask::new(&[true, false], 2, &device);
    let grid = Grid::Uniform { steps: 3 };
    for (gain, seen) in [(20.0, 0.5), (10.0, 2.0)] {
        let noise = ObservationNoise::Poisson { gain, offset: 1.0 };
        let question =
            Question { observed: &[30.0, f32::NAN], noise, ..question(&operator, &grid) };
        let replaced = Question { method: AnswerMethod::Replacement, ..question };
        let answered = points().answer(&replaced, &Ddim::default()).unwrap();
        for row in answered.rows.chunks(2) {
            assert!((row[0] - seen).abs() < 1e-4, "{row:?}");
        }
        assert!(answered.misfit.iter().all(|misfit| *misfit < 1e-2), "{:?}", answered.misfit);
        points().answer(&question, &Ddim::default()).unwrap();
    }
    let noise = ObservationNoise::Poisson { gain: 0.0, offset: 1.0 };
    let none = Question { noise, ..question(&operator, &grid) };
    let error = points().answer(&none, &Ddim::default()).unwrap_err();
    assert!(error.to_string().starts_with("gain of the observation is 0"), "{error}");
}
