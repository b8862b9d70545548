//! Agreement with scipy, POT, scikit-learn, scikit-image and prdc.
//!
//! The numbers and the versions are in `reference/scores.json`, made by `reference/make.py`. Both
//! sides compute in f64 from the same f32 inputs, so they agree to rounding: 1e-12 relative, less
//! where a matrix root or a cancellation costs digits.

mod common;

use std::sync::LazyLock;

use common::{assert_close, points};
use flow_eval::{
    Kernel, Moments, Points, covariance_sqrt, density_coverage, energy_distance, frechet,
    frechet_between, inception_score, mmd, parzen_log_likelihood, precision_recall, psnr, ssim,
    wasserstein_1d, wasserstein_assignment,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    a: Vec<f32>,
    b: Vec<f32>,
    paired: Vec<f32>,
    bandwidths: Vec<f64>,
    wasserstein_1: f64,
    wasserstein_2: f64,
    assignment: f64,
    energy: f64,
    mmd_gaussian: f64,
    mmd_cubic: f64,
    frechet: f64,
    wide_a: Vec<f32>,
    wide_b: Vec<f32>,
    wide_frechet: f64,
    wide_covariance: Vec<f64>,
    wide_root: Vec<f64>,
    precision: f64,
    recall: f64,
    density: f64,
    coverage: f64,
    probabilities: Vec<f32>,
    inception: f64,
    image: Vec<f32>,
    noisy: Vec<f32>,
    psnr: f64,
    ssim: f64,
    parzen: f64,
}

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    serde_json::from_str(include_str!("reference/scores.json"))
        .expect("the file is in the repository")
});

fn a() -> Points<'static> {
    points(&REFERENCE.a, 3)
}

fn b() -> Points<'static> {
    points(&REFERENCE.b, 3)
}

fn first_column(points: Points<'_>) -> Vec<f32> {
    points.rows().map(|row| row[0]).collect()
}

#[test]
fn wasserstein_on_the_line_agrees_with_scipy_and_pot() {
    let (x, y) = (first_column(a()), first_column(b()));
    assert_close(wasserstein_1d(&x, &y, 1.0).unwrap().value, REFERENCE.wasserstein_1, 1e-12);
    assert_close(wasserstein_1d(&x, &y, 2.0).unwrap().value, REFERENCE.wasserstein_2, 1e-12);
}

#[test]
fn wasserstein_by_assignment_agrees_with_pot() {
    let score = wasserstein_assignment(a(), points(&REFERENCE.paired, 3)).unwrap();
    assert_close(score.value, REFERENCE.assignment, 1e-12);
}

#[test]
fn energy_distance_agrees_with_scipy() {
    assert_close(energy_distance(a(), b()).unwrap().value, REFERENCE.energy, 1e-12);
}

#[test]
fn mmd_agrees_with_scikit_learn() {
    let gaussian = Kernel::Gaussian { bandwidths: REFERENCE.bandwidths.clone() };
    assert_close(mmd(a(), b(), &gaussian).unwrap().value, REFERENCE.mmd_gaussian, 1e-13);
    let cubic = Kernel::Polynomial { degree: 3 };
    assert_close(mmd(a(), b(), &cubic).unwrap().value, REFERENCE.mmd_cubic, 1e-12);
}

#[test]
fn frechet_distance_agrees_with_scipy() {
    assert_close(frechet(a(), b()).unwrap().value, REFERENCE.frechet, 1e-10);
    let wide = [&REFERENCE.wide_a, &REFERENCE.wide_b].map(|x| Moments::of(points(x, 24)));
    let score = frechet_between(&wide[0], &wide[1]).unwrap();
    assert_close(score.value, REFERENCE.wide_frechet, 1e-8);
}

#[test]
fn the_root_of_a_covariance_agrees_with_scipy() {
    let root = covariance_sqrt(&REFERENCE.wide_covariance, 24).unwrap();
    for (got, expected) in root.iter().zip(&REFERENCE.wide_root) {
        assert_close(*got, *expected, 1e-10);
    }
}

#[test]
fn covariance_agrees_with_numpy() {
    let covariance = Moments::of(points(&REFERENCE.wide_a, 24)).covariance().unwrap();
    for (got, expected) in covariance.iter().zip(&REFERENCE.wide_covariance) {
        assert_close(*got, *expected, 1e-13);
    }
}

#[test]
fn precision_recall_density_and_coverage_agree_with_prdc() {
    let support = precision_recall(a(), b(), 5).unwrap();
    assert_close(support.precision.value, REFERENCE.precision, 1e-12);
    assert_close(support.recall.value, REFERENCE.recall, 1e-12);
    let support = density_coverage(a(), b(), 5).unwrap();
    assert_close(support.density.value, REFERENCE.density, 1e-12);
    assert_close(support.coverage.value, REFERENCE.coverage, 1e-12);
}

#[test]
fn inception_score_agrees_with_scipy() {
    let score = inception_score(points(&REFERENCE.probabilities, 4)).unwrap();
    assert_close(score.value, REFERENCE.inception, 1e-12);
}

#[test]
fn psnr_and_ssim_agree_with_scikit_image() {
    let [image, noisy] = [&REFERENCE.image, &REFERENCE.noisy].map(|x| points(x, 2 * 14 * 17));
    assert_close(psnr(image, noisy, 2.0).unwrap().value, REFERENCE.psnr, 1e-10);
    assert_close(ssim(image, noisy, [2, 14, 17], 2.0).unwrap().value, REFERENCE.ssim, 1e-10);
}

#[test]
fn parzen_log_likelihood_agrees_with_scikit_learn() {
    let score = parzen_log_likelihood(a(), b(), 0.4).unwrap();
    // scikit-learn's tree stops at its own relative tolerance of 1e-8.
    assert_close(score.value, REFERENCE.parzen, 1e-7);
}
