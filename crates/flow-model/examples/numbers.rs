//! Writes samples as raw 32-bit numbers, for a program that reads them from a pipe:
//! `cargo run --release -p flow-model --example numbers m.flow 64 1 8 > samples.f32`

use std::error::Error;
use std::io::Write;

use burn::tensor::Device;
use flow_model::{Asked, Model, SampleConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [path, n, seed, steps] = words.as_slice() else {
        return Err("usage: numbers MODEL N SEED STEPS".into());
    };
    let model = Model::open(path, &Device::flex())?;
    let mut request = model.request(n.parse()?, seed.parse()?)?;
    let settings = SampleConfig { steps: steps.parse()?, ..model.config().sample.clone() };
    let plan = settings.plan(Asked { steps: true, ..Asked::default() })?;
    if let Some(grid) = plan.grid() {
        request.grid = grid.clone();
    }
    let samples = model.sample(&request, &*plan.sampler())?;
    let bytes: Vec<u8> = samples.rows.iter().flat_map(|x| x.to_le_bytes()).collect();
    Ok(std::io::stdout().write_all(&bytes)?)
}
