//! Questions that a model cannot answer are refused before anything is computed.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use burn::tensor::Device;
use common::{MLP, SPLIT, model};
use flow_model::{AnswerMethod, ModelError, Question};
use flow_nn::Signature;
use flow_sample::{Ddim, Grid, Mask, ObservationNoise};

#[test]
fn a_question_tells_a_model_what_it_knows() {
    let device = Device::flex();
    let points = Signature::of([2]);
    let operator = Mask::new(&[true, false], 2, &device);
    let grid = Grid::Uniform { steps: 3 };
    let question = Question {
        operator: &operator,
        observed: &[0.5, f32::NAN],
        noise: ObservationNoise::Gaussian { std: 0.1 },
        method: AnswerMethod::default(),
        grid: &grid,
        draws: 2,
        at_once: 2,
        seed: 0,
        classes: None,
        vectors: None,
    };
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
