//! Damaged models: each is refused or opened, soon, and with no more memory than it is worth.
//!
//! A few hundred inputs of each kind; `FLOW_FUZZ_INPUTS=1000000` or `cargo xtask torture --inputs
//! 1000000` tries a million.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stdout, reason = "the table of `cargo xtask torture`")]

mod common;

use burn::tensor::Device;
use common::{DIT, MLP, SPLIT, UNET, model};
use flow_model::{Model, ModelConfig, Registry};
use flow_nn::Signature;
use flow_testing::fuzz::fuzz;
use flow_testing::memory::Watch;

#[global_allocator]
static WATCH: Watch = Watch;

/// Files of small models of every kind.
fn files() -> Vec<Vec<u8>> {
    let points = Signature { classes: 2, ..Signature::of([2]) };
    let models = [
        model(&MLP.replace("16", "4"), &points, 1),
        model(&SPLIT.replace("16", "4"), &Signature { latent: 2, ..Signature::of([2]) }, 2),
        model(UNET, &Signature::of([1, 8, 8]), 3),
        model(DIT, &Signature { vector: 2, ..Signature::of([1, 4, 4]) }, 4),
    ];
    models.iter().map(|model| model.to_file_bytes().unwrap()).collect()
}

/// The bytes of the header of a file, without the eight that say how long it is.
fn header(bytes: &[u8]) -> &[u8] {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    &bytes[8..8 + length]
}

/// Opens a file and looks at what it says of itself.
fn opens(bytes: &[u8]) -> bool {
    Model::from_file_bytes(&Registry::default(), bytes, &Device::flex()).is_ok_and(|model| {
        // What was opened can be written and says the same again.
        let again = ModelConfig::parse(&model.config().text()).unwrap();
        assert_eq!(again, *model.config());
        true
    })
}

#[test]
fn fuzz_files_of_models() {
    println!("{}", fuzz("model files", &files(), opens));
}

#[test]
fn fuzz_headers_of_models() {
    let files = files();
    let corpus: Vec<Vec<u8>> = files.iter().map(|bytes| header(bytes).to_vec()).collect();
    // A damaged header before weights that are whole, under its own length.
    let tensors: Vec<&[u8]> = files.iter().map(|bytes| &bytes[8 + header(bytes).len()..]).collect();
    let outcome = fuzz("model headers", &corpus, |damaged| {
        let length = (damaged.len() as u64).to_le_bytes();
        tensors.iter().any(|tensors| opens(&[&length, damaged, tensors].concat()))
    });
    println!("{outcome}");
}

#[test]
fn fuzz_descriptions_of_models() {
    let files = files();
    let text = |bytes: &Vec<u8>| {
        let model = Model::from_file_bytes(&Registry::default(), bytes, &Device::flex()).unwrap();
        model.config().text().into_bytes()
    };
    let corpus: Vec<Vec<u8>> = files.iter().map(text).collect();
    let (registry, device) = (Registry::default(), Device::flex());
    let outcome = fuzz("model.toml", &corpus, |damaged| {
        let text = String::from_utf8_lossy(damaged);
        files.iter().any(|weights| Model::from_bytes(&registry, &text, weights, &device).is_ok())
    });
    println!("{outcome}");
}
