//! Other programs compute from the files what the models do here.
//!
//! `python/tests/check_onnx.py` runs files of ONNX in onnxruntime and `python/tests/check_torch.py`
//! opens `.flow` files and folders for PyTorch there; without them a test says so and passes.
//! `FLOW_PYTHON` names another Python than `python3`.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it says what is left out")]

mod common;

use std::path::Path;
use std::process::Command;

use burn::tensor::{Device, Tensor, TensorData};
use common::{models, numbers};
use flow_model::{Against, Classes, Guidance, Model, SampleRequest};
use flow_nn::{Condition, Network, Signature, Time};
use flow_ode::{Method, Stepping};
use flow_sample::{FlowMap, Grid, Interval, Ode, Sampler, SamplerConfig};
use serde_json::{Map, Value, json};

/// Rows of a batch.
const BATCHES: [usize; 3] = [1, 4, 7];

fn tensor(values: &[f32], rows: usize) -> Tensor<2> {
    let shape = [rows, values.len() / rows];
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

/// What a batch of rows is told.
struct Told {
    classes: Option<Vec<usize>>,
    vectors: Option<Vec<f32>>,
    contexts: Option<Vec<f32>>,
    latents: Option<Vec<f32>>,
}

impl Told {
    fn of(signature: &Signature, n: usize) -> Self {
        let context: usize =
            if signature.context.is_empty() { 0 } else { signature.context.iter().product() };
        let rows = |size: usize| (0 < size).then(|| numbers(n * size, 1.0));
        Self {
            classes: (0 < signature.classes)
                .then(|| (0..n).map(|i| i % signature.classes).collect()),
            vectors: rows(signature.vector),
            contexts: rows(context),
            latents: rows(signature.latent),
        }
    }

    /// As inputs of a file.
    fn inputs(&self, signature: &Signature, n: usize) -> Map<String, Value> {
        let shape = |sides: &[usize]| -> Vec<usize> { [n].iter().chain(sides).copied().collect() };
        let parts = [
            ("vector", &self.vectors, shape(&[signature.vector])),
            ("context", &self.contexts, shape(&signature.context)),
            ("latent", &self.latents, shape(&[signature.latent])),
        ];
        let mut inputs = Map::new();
        for (name, part, shape) in parts {
            if let Some(part) = part {
                inputs.insert(name.into(), json!({ "shape": shape, "float32": part }));
            }
        }
        if let Some(classes) = &self.classes {
            inputs.insert("class".into(), json!({ "shape": [n], "int64": classes }));
        }
        inputs
    }

    fn condition(&self, n: usize) -> Condition {
        let device = Device::flex();
        let mut condition = match &self.classes {
            Some(classes) => Condition::classes(classes, &device),
            None => Condition::none(),
        };
        if let Some(vectors) = &self.vectors {
            condition = condition.with_vector(tensor(vectors, n));
        }
        if let Some(contexts) = &self.contexts {
            condition = condition.with_context(tensor(contexts, n));
        }
        if let Some(latents) = &self.latents {
            condition = condition.with_latent(tensor(latents, n));
        }
        condition
    }
}

/// The network at `n` rows, each at a time of its own, some of them with the condition hidden.
fn of_network(model: &Model, file: &str, n: usize) -> Value {
    let signature = model.signature();
    let told = Told::of(signature, n);
    let x = numbers(n * signature.size(), 2.0);
    let t: Vec<f32> = (0..n).map(|i| (i as f32 + 0.3) / n as f32).collect();
    let s: Vec<f32> = t.iter().map(|t| t + (1.0 - t) / 2.0).collect();
    let shape: Vec<usize> = [n].iter().chain(&signature.shape).copied().collect();
    let mut inputs = told.inputs(signature, n);
    inputs.insert("x".into(), json!({ "shape": shape, "float32": x }));
    inputs.insert("t".into(), json!({ "shape": [n], "float32": t }));
    let time = |t: &[f32]| Tensor::<1>::from_floats(t, &Device::flex());
    let mut times = Time::at(time(&t));
    if signature.two_times {
        inputs.insert("s".into(), json!({ "shape": [n], "float32": s }));
        times.s = Some(time(&s));
    }
    let mut condition = told.condition(n);
    if model.config().learned_without && (told.vectors.is_some() || told.contexts.is_some()) {
        let hidden: Vec<bool> = (0..n).map(|i| i % 3 == 1).collect();
        inputs.insert("hidden".into(), json!({ "shape": [n], "bool": hidden }));
        let flags = TensorData::new(hidden, [n]);
        condition = condition.with_hidden(Tensor::from_data(flags, &Device::flex()));
    }
    let y = model.network().forward(tensor(&x, n), times, &condition);
    let y: Vec<f32> = y.into_data().try_into_vec().unwrap();
    json!({ "file": file, "inputs": inputs, "output": { "shape": shape, "float32": y } })
}

/// `n` samples in `steps` steps, guided where the model can be.
fn of_sampler(model: &Model, solver: Method, file: &str, n: usize, steps: usize) -> Value {
    let signature = model.signature();
    let told = Told::of(signature, n);
    let starts = numbers(n * signature.size(), 1.5);
    let shape: Vec<usize> = [n].iter().chain(&signature.shape).copied().collect();
    let mut inputs = told.inputs(signature, n);
    inputs.insert("start".into(), json!({ "shape": shape, "float32": starts }));
    inputs.insert("steps".into(), json!({ "shape": [], "int64": [steps] }));
    let mut request = SampleRequest::new(n, 0);
    let can_hide = signature.classes + signature.vector + signature.context.len();
    if model.config().learned_without && 0 < can_hide {
        let [start, end] = model.config().sample.guidance_interval;
        let scale = if n == 1 { 1.0 } else { 2.5 };
        inputs.insert("guidance".into(), json!({ "shape": [], "float32": [scale] }));
        let interval = Interval { start, end };
        request.guidance = Some(Guidance { scale, interval, against: Against::Unconditional });
    }
    request.starts = Some(starts);
    if let Some(classes) = told.classes {
        request.classes = Classes::Each(classes);
    }
    (request.vectors, request.contexts, request.latents) =
        (told.vectors, told.contexts, told.latents);
    request.grid = Grid::Uniform { steps };
    let jumps = matches!(model.config().sample.sampler, SamplerConfig::FlowMap(_));
    let sampler: Box<dyn Sampler> = if jumps {
        Box::new(FlowMap::default())
    } else {
        Box::new(Ode::new(solver, Stepping::Count(steps)))
    };
    let samples = model.sample(&request, &*sampler).unwrap();
    json!({ "file": file, "inputs": inputs, "output": { "shape": shape, "float32": samples.rows } })
}

/// Whether Python has what a test needs, which is said if it has not.
fn has(python: &str, modules: &str) -> bool {
    let known = Command::new(python).args(["-c", &format!("import {modules}")]).output();
    let has = known.is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("{python} has no {modules}: nothing is compared with it, see FLOW_PYTHON");
    }
    has
}

fn python() -> String {
    std::env::var("FLOW_PYTHON").unwrap_or_else(|_| "python3".into())
}

/// Demands that a script accepts the cases of a folder, and not one that is off.
fn demand(script: &str, folder: &Path, cases: &[Value]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/tests").join(script);
    let check = |cases: &[Value]| {
        std::fs::write(folder.join("cases.json"), serde_json::to_vec(cases).unwrap()).unwrap();
        Command::new(python()).arg(&script).arg(folder).output().unwrap()
    };
    let output = check(cases);
    let (said, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    assert!(output.status.success(), "{said}{errors}");
    // The control: a number that is off by ten times the tolerance is noticed.
    let mut spoilt = cases[0].clone();
    let number = &mut spoilt["output"]["float32"][0];
    *number = json!(number.as_f64().unwrap() + 1e-3);
    assert!(!check(&[spoilt]).status.success());
}

#[test]
fn onnxruntime_answers_as_the_model_does() {
    if !has(&python(), "onnx, onnxruntime") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, bytes: Vec<u8>| std::fs::write(folder.path().join(file), bytes);
    let mut cases = Vec::new();
    for (name, model) in models() {
        let file = format!("{name}.onnx");
        write(&file, flow_onnx::network(&model).unwrap()).unwrap();
        cases.extend(BATCHES.map(|n| of_network(&model, &file, n)));
        let jumps = matches!(model.config().sample.sampler, SamplerConfig::FlowMap(_));
        let solvers = [Method::Euler, Method::Midpoint, Method::Dopri5];
        for &solver in if jumps { &solvers[..1] } else { &solvers } {
            let file = format!("{name}.{solver}.onnx");
            let asked = (!jumps).then_some(solver);
            write(&file, flow_onnx::sampler(&model, asked).unwrap()).unwrap();
            let of = |(n, steps)| of_sampler(&model, solver, &file, n, steps);
            cases.extend([(1, 1), (4, 3), (7, 5)].map(of));
        }
    }
    demand("check_onnx.py", folder.path(), &cases);
}

#[test]
fn torch_answers_as_the_model_does() {
    if !has(&python(), "torch, safetensors") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    for (name, model) in models() {
        let file = format!("{name}.flow");
        model.save(folder.path().join(&file)).unwrap();
        // Beside the file a folder, which needs nothing of this project.
        model.save_torch(folder.path().join(name)).unwrap();
        let of = |file| BATCHES.map(|n| of_network(&model, file, n));
        cases.extend(of(&file).into_iter().chain(of(name)));
    }
    demand("check_torch.py", folder.path(), &cases);
}
