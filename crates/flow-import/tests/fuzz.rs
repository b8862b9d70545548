//! Damaged configurations beside whole weights: each is refused or read, soon, and with no more
//! memory than the weights are worth.
//!
//! Damaged weights are flow-pickle's: it reads them. A few hundred inputs of each kind;
//! `FLOW_FUZZ_INPUTS=1000000` or `cargo xtask torture --inputs 1000000` tries a million.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use burn::tensor::Device;
use common::{config, reference};
use flow_import::{Family, Import};
use flow_testing::fuzz::fuzz_files;
use flow_testing::memory::Watch;

#[global_allocator]
static WATCH: Watch = Watch;

#[test]
fn fuzz_configurations_of_other_programs() {
    for (family, file) in [
        (Family::Sit, "sit_step"),
        (Family::DiffusersDit, "diffusers_dit"),
        (Family::DiffusersUnet2d, "diffusers_unet2d_class"),
        (Family::TorchcfmUnet, "torchcfm_unet32_attn"),
    ] {
        let weights = reference(&format!("{file}.safetensors"));
        let right = vec![std::fs::read(config(file)).unwrap()];
        let name = format!("--config of {}", family.name());
        fuzz_files(&name, &right, "config.json", |damaged| {
            Import::new(family, &weights).with_config(damaged).run(&Device::flex()).is_ok()
        });
    }
}
