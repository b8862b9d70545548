//! Every public function with awkward numbers: infinities, NaN, zeros and empty shapes.
//!
//! A network has no errors once it is built: wrong shapes panic with both shapes, what is not
//! finite comes out as not finite in its own row alone, and what is finite stays so unless it
//! overflows.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod condition;
mod embedding;
mod network;

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Bool, Device, Tensor, TensorData};
use flow_nn::DitConfig;
use flow_testing::{awkward, public};

type Row = (&'static str, fn());

const TABLE: [Row; 49] = [
    ("ClassEmbedding::forward", embedding::classes),
    ("ClassEmbedding::new", embedding::class_sizes),
    ("Classifier::features", network::features),
    ("Classifier::logits", network::logits),
    ("Condition::classes", condition::conditions),
    ("Condition::within", condition::within),
    ("Condition::narrow", condition::narrowed),
    ("Condition::repeat", condition::repeated),
    ("Condition::with_context", condition::with_contexts),
    ("Condition::with_hidden", condition::with_flags),
    ("Condition::with_latent", condition::with_latents),
    ("Condition::with_lengths", condition::with_lengths),
    ("Condition::with_number", condition::with_numbers),
    ("Condition::with_vector", condition::with_vectors),
    ("CoordinateEncoder::forward", embedding::coordinates),
    ("CoordinateEncoder::new", embedding::bands),
    ("DiagonalGaussian::from_output", network::gaussians),
    ("DiagonalGaussian::sample", network::draws),
    ("DitConfig::b", || network::preset(DitConfig::b)),
    ("DitConfig::l", || network::preset(DitConfig::l)),
    ("DitConfig::s", || network::preset(DitConfig::s)),
    ("DitConfig::xl", || network::preset(DitConfig::xl)),
    ("Footprint::attention", network::counted_layers),
    ("Footprint::classes", network::counted_layers),
    ("Footprint::conv", network::counted_layers),
    ("Footprint::linear", network::counted_layers),
    ("Footprint::norm", network::counted_layers),
    ("Footprint::stack", network::counted_layers),
    ("Footprint::time", network::counted_layers),
    ("FourierFeatures::forward", embedding::fourier),
    ("FourierFeatures::width", embedding::widths),
    ("ImageEncoderConfig::footprint", network::footprints),
    ("ImageEncoderConfig::init", network::image_encoders),
    ("LatentEmbedding::forward", embedding::latents),
    ("LatentEmbedding::new", embedding::latent_sizes),
    ("PointEncoderConfig::footprint", network::point_footprints),
    ("PointEncoderConfig::init", network::point_encoders),
    ("Signature::of", condition::signatures),
    ("Strengths::hold", condition::strengths),
    ("Strengths::told", condition::told_strengths),
    ("Time::at", condition::velocities_times),
    ("Time::expand", condition::expanded_times),
    ("Time::from_to", condition::map_times),
    ("TimeEmbedding::forward", embedding::times),
    ("TimeEmbedding::new", embedding::time_sizes),
    ("TimeEmbedding::scaled", embedding::time_sizes),
    ("TimeEmbedding::starting_at_zero", embedding::durations),
    ("TimeEmbedding::within", embedding::time_bands),
    ("VectorEmbedding::new", embedding::vectors),
];

const EXEMPT: [(&str, &str); 8] = [
    (
        "Inception::features",
        "needs 24 million weights; its shapes are asserted at once, and convolutions keep its \
         numbers",
    ),
    ("dyn::attention", NAMED),
    ("dyn::attention_of_pixels", NAMED),
    ("dyn::fixed", NAMED),
    ("dyn::param", NAMED),
    ("dyn::plus", NAMED),
    ("dyn::sinusoids", NAMED),
    ("dyn::times", NAMED),
];

const NAMED: &str = "names an operation and computes nothing: tests/graph.rs compares what a graph \
                     computes with the network";

#[test]
fn every_function_keeps_its_promise_for_awkward_numbers() {
    let names = TABLE.map(|(name, _)| name);
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &names, &EXEMPT);
    let broken = TABLE.into_iter().filter(|(_, run)| catch_unwind(run).is_err());
    let broken: Vec<_> = broken.map(|(name, _)| name).collect();
    assert!(broken.is_empty(), "see above: {broken:?}");
}

fn panics(words: &str, f: impl FnOnce()) {
    let panic = catch_unwind(AssertUnwindSafe(f)).expect_err(words);
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap();
    assert!(text.contains(words), "{text}");
}

fn matrix(rows: &[f32], dim: usize) -> Tensor<2> {
    let data = TensorData::new(rows.to_vec(), [rows.len() / dim, dim]);
    Tensor::from_data(data, &Device::flex())
}

fn read<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec().unwrap()
}

/// The rows of a result that hold a number that is not finite.
fn broken(values: &[f32], rows: usize) -> Vec<bool> {
    let each = values.len().checked_div(rows).unwrap_or(0);
    values.chunks(each.max(1)).map(|row| row.iter().any(|x| !x.is_finite())).collect()
}

/// Checks an operation whose rows are independent; `largest` is the size up to which it does not
/// overflow.
fn by_rows(name: &str, dim: usize, largest: f32, op: impl Fn(Tensor<2>) -> Vec<f32>) {
    for set in awkward::rows(6, dim) {
        let n = set.rows.len() / dim;
        let (got, expected) = (broken(&op(matrix(&set.rows, dim)), n), broken(&set.rows, n));
        assert_eq!(got.len(), n, "{name} of {}: rows", set.name);
        let size = set.rows.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        for (row, (got, expected)) in got.into_iter().zip(expected).enumerate() {
            let fits = got == expected || (got && largest < size);
            assert!(fits, "{name} of {}: row {row} is finite: {}", set.name, !got);
        }
    }
}

fn column(values: &[f32]) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), &Device::flex())
}

fn flags(hidden: &[bool]) -> Tensor<1, Bool> {
    Tensor::from_data(TensorData::new(hidden.to_vec(), [hidden.len()]), &Device::flex())
}
