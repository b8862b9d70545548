//! Rows that a model cannot score are refused, and whoever asks may stop.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::{Device, Tensor};
use common::{MLP, SPLIT, model};
use flow_model::{DensityRequest, Model, ModelError, Rows, Trace};
use flow_nn::{Condition, Signature};
use flow_ode::{Adaptive, Method, Tolerance};
use flow_sample::{Likelihood, Probe};

fn request(tolerance: f64) -> DensityRequest {
    let tolerance = Tolerance { atol: tolerance, rtol: tolerance };
    DensityRequest {
        likelihood: Likelihood::new(Method::Dopri5, Adaptive::new(tolerance).into()),
        trace: Trace::Exact,
        probe: Probe::default(),
        seed: 0,
        batch: 256,
        latents: 2,
    }
}

fn scored(model: &Model, rows: &Rows) -> Result<Vec<f64>, ModelError> {
    Ok(model.log_prob(2, |_| rows.clone(), &request(1e-2))?.nats)
}

#[test]
fn rows_are_told_what_the_model_reads() {
    let points = Signature::of([2]);
    let plain = model(MLP, &points, 1);
    let vector = model(MLP, &Signature { vector: 3, ..points.clone() }, 2);
    let classes = model(MLP, &Signature { classes: 3, ..points.clone() }, 3);
    let rows = Rows { values: vec![0.1, 0.2, -0.3, 0.4], ..Rows::default() };
    let vectors = |n: usize| Rows { vectors: Some(vec![0.5; n]), ..rows.clone() };
    let of = |classes: &[usize]| Rows { classes: Some(classes.to_vec()), ..rows.clone() };
    assert_eq!(scored(&plain, &rows).unwrap().len(), 2);
    assert_eq!(scored(&vector, &vectors(6)).unwrap().len(), 2);
    assert_eq!(scored(&classes, &of(&[0, 2])).unwrap().len(), 2);
    for (model, rows, part) in [
        (&vector, rows.clone(), "reads a condition vector of 3 numbers"),
        (&vector, vectors(5), "2 samples need a condition vector of 3 numbers each, got 5"),
        (&vector, vectors(4), "got 4 numbers"),
        (&classes, of(&[1]), "2 samples need a class"),
        (&classes, of(&[1, 3]), "class 3 is asked for"),
        (&plain, Rows { values: vec![0.0; 3], ..Rows::default() }, "need a row of 2 numbers"),
    ] {
        let error = scored(model, &rows).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains(part), "{part}: {error}");
    }
}

#[test]
fn a_request_for_densities_has_numbers_to_work_with() {
    let latent = model(SPLIT, &Signature { latent: 2, ..Signature::of([2]) }, 1);
    let rows = Rows { values: vec![0.1, 0.2], ..Rows::default() };
    let one = request(1e-2);
    for (request, key) in [
        (DensityRequest { batch: 0, ..one.clone() }, "batch is 0"),
        (DensityRequest { latents: 0, ..one.clone() }, "latents is 0"),
        (DensityRequest { trace: Trace::Probes(0), ..one.clone() }, "probes is 0"),
    ] {
        let error = latent.log_prob(1, |_| rows.clone(), &request).unwrap_err();
        assert!(error.to_string().starts_with(key), "{error}");
    }
    latent.log_prob(1, |_| rows.clone(), &one).unwrap();
}

#[test]
fn a_velocity_is_told_what_the_model_reads() {
    let device = Device::flex();
    let points = Signature::of([2]);
    let vector = model(MLP, &Signature { vector: 3, ..points.clone() }, 2);
    let classes = model(MLP, &Signature { classes: 3, ..points }, 3);
    let rows = [0.1, 0.2, -0.3, 0.4];
    let told = |n| Condition::none().with_vector(Tensor::ones([n, 3], &device));
    let of = |class: &[usize]| Condition::classes(class, &device);
    assert_eq!(vector.velocity(&rows, 0.5, told(2)).unwrap().len(), 4);
    // The last is the null class.
    assert_eq!(classes.velocity(&rows, 0.5, of(&[2, 3])).unwrap().len(), 4);
    for (model, rows, condition, part) in [
        (&vector, &rows[..], Condition::none(), "reads a condition vector of 3"),
        (&vector, &rows[..], told(1), "2 samples need a condition vector of 3 numbers each, got 3"),
        (&vector, &rows[..3], told(1), "need a row of 2 numbers each, got 3"),
        (&classes, &rows[..], of(&[1]), "2 samples need a class"),
        (&classes, &rows[..], of(&[1, 4]), "class 4 is asked for"),
    ] {
        let error = model.velocity(rows, 0.5, condition).unwrap_err();
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[test]
fn a_density_is_given_up_before_the_next_evaluation() {
    let plain = model(MLP, &Signature::of([2]), 1);
    let rows = Rows { values: vec![0.1, 0.2, -0.3, 0.4], ..Rows::default() };
    let asked = AtomicUsize::new(0);
    let go_on = || asked.fetch_add(1, Ordering::Relaxed) < 20;
    let stopped = plain.log_prob_while(2, |_| rows.clone(), &request(1e-12), &go_on);
    assert!(matches!(stopped, Err(ModelError::Stopped)));
    assert_eq!(asked.into_inner(), 21);
}
