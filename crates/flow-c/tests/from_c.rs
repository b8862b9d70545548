//! A program in C gets the numbers that the library in Rust gives.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(unsafe_code, reason = "functions of C are called")]

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::process::Command;

use burn::tensor::Device;
use flow_api::{Api, Form, Limits};
use flow_datasets::table::{Column, Type};
use flow_datasets::{Columns, Encoder, Overrides, ReadOptions, Table, TableRows};
use flow_import::{Family, Import};
use flow_model::{Model, ModelConfig, Registry};
use flow_nn::Signature;
use flow_ode::{Method, Stepping};
use flow_sample::Ode;
use flowmatching::{
    FlowModel, flow_ask, flow_close, flow_describe, flow_free, flow_last_error, flow_log_prob,
    flow_open, flow_row_size, flow_sample,
};
use serde_json::{Value, json};

const NETWORK: &str = r#"
    kind = "mlp"
    hidden = 16
    depth = 2
    time_features = 8
    fourier = { octaves = 0, wavelength = 8.0 }
"#;

fn model() -> Model {
    let (registry, device) = (Registry::default(), Device::flex());
    let config = ModelConfig::new(Signature::of([2]), NETWORK.parse().unwrap());
    let network = registry.build(&config.network, &config.signature, 3, &device).unwrap();
    Model::new(&registry, config, network, &device).unwrap()
}

fn saved(folder: &Path) -> PathBuf {
    let path = folder.join("m.flow");
    model().save(&path).unwrap();
    path
}

fn last_error() -> String {
    // SAFETY: the library returns text of its own.
    unsafe { CStr::from_ptr(flow_last_error()) }.to_str().unwrap().to_owned()
}

/// A network that none of ours is, as `flow import` leaves it.
#[test]
fn an_imported_model_is_opened_too() {
    let folder = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = here.join("../../docs/examples/torchcfm-moons.pt");
    let imported = Import::new(Family::TorchcfmMlp, file).run(&Device::flex()).unwrap();
    let path = folder.path().join("moons.flow");
    imported.model.save(&path).unwrap();
    let path = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the text ends in a zero byte, and the model is closed once.
    unsafe {
        let model = flow_open(path.as_ptr());
        assert!(!model.is_null(), "{}", last_error());
        assert_eq!(flow_row_size(model), 2);
        flow_close(model);
    }
}

#[test]
fn a_program_in_c_prints_the_samples_of_the_library() {
    let Ok(version) = Command::new("cc").arg("--version").output() else {
        eprintln!("there is no compiler of C here");
        return;
    };
    assert!(version.status.success());
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path());
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The shared library lies beside the test.
    let libraries = std::env::current_exe().unwrap().parent().unwrap().to_path_buf();
    if !libraries.join("libflowmatching.so").is_file() {
        eprintln!("there is no shared library at {}", libraries.display());
        return;
    }
    let build = |name: &str| {
        let program = folder.path().join(name);
        let built = Command::new("cc")
            .arg(here.join("examples").join(name).with_extension("c"))
            .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-I"])
            .arg(here.join("include"))
            .arg("-L")
            .arg(&libraries)
            .args(["-lflowmatching", "-o"])
            .arg(&program)
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        program
    };
    let of = |program: &Path, words: &[&str]| {
        let mut command = Command::new(program);
        command.args(words).env("LD_LIBRARY_PATH", &libraries).output().unwrap()
    };
    let (sample, ask) = (build("sample"), build("ask"));
    let run = |words: &[&str]| of(&sample, words);
    let output = run(&[path.to_str().unwrap(), "4", "7"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let sampler = Ode::new(Method::Dopri5, Stepping::Count(10));
    let model = model();
    let expected = model.sample(&model.request(4, 7).unwrap(), &sampler).unwrap().rows;
    let printed: Vec<f32> = text
        .lines()
        .flat_map(|line| line.split(' ').take(2).map(|x| x.parse::<f32>().unwrap()))
        .collect();
    assert_eq!(printed, expected);
    let request = json!({ "n": 4, "seed": 7, "steps": 10 });
    let asked = of(&ask, &[path.to_str().unwrap(), "sample", &request.to_string()]);
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let answer: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let rows: Vec<Vec<f32>> = serde_json::from_value(answer["rows"].clone()).unwrap();
    assert_eq!(rows.concat(), expected);
    let output = run(&["no/such.flow", "4", "7"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("no/such.flow"), "{error}");
}

#[test]
fn calls_that_cannot_be_met_say_why_and_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = CString::new(saved(folder.path()).to_str().unwrap()).unwrap();
    // SAFETY: pointers are null, of this model or of arrays with the lengths given.
    unsafe {
        assert!(flow_open(std::ptr::null()).is_null());
        assert_eq!(last_error(), "the path is null");
        assert!(flow_describe(std::ptr::null()).is_null());
        assert_eq!(flow_row_size(std::ptr::null()), 0);
        flow_close(std::ptr::null_mut());

        let model = flow_open(path.as_ptr());
        assert!(!model.is_null() && last_error().is_empty(), "{}", last_error());
        let description = CStr::from_ptr(flow_describe(model)).to_str().unwrap();
        assert!(ModelConfig::parse(description).is_ok());
        let mut rows = [7.0_f32; 6];
        for (n, class, length, part) in [
            (4, -1, 6, "need place for 8, there is place for 6"),
            (3, 0, 6, "the model knows no classes"),
            (3, -2, 6, "the class is negative"),
            (usize::MAX, -1, 6, "too many samples"),
            // More bytes than any array has, though as many numbers can be counted.
            (1 << 61, -1, usize::MAX, "too many samples"),
        ] {
            let failed = flow_sample(model, n, 0, class, 5, rows.as_mut_ptr(), length);
            assert!(failed == -1 && last_error().contains(part), "{}", last_error());
        }
        assert!(rows.iter().all(|x| x.to_bits() == 7.0_f32.to_bits()), "nothing is written");
        assert_eq!(flow_sample(model, 3, 0, -1, 5, rows.as_mut_ptr(), 6), 0);
        let mut nats = [f64::NAN; 3];
        assert_eq!(flow_log_prob(model, rows.as_ptr(), 3, -1, nats.as_mut_ptr()), 0);
        assert!(nats.iter().all(|x| x.is_finite()), "{nats:?}");
        for n in [usize::MAX, 1 << 62, 1 << 61, 1 << 60] {
            assert_eq!(flow_log_prob(model, rows.as_ptr(), n, -1, nats.as_mut_ptr()), -1);
            assert!(last_error().contains("too many rows"), "{}", last_error());
        }
        rows[2] = f32::NAN;
        let mut nats = [7.0; 3];
        assert_eq!(flow_log_prob(model, rows.as_ptr(), 3, -1, nats.as_mut_ptr()), -1);
        assert!(last_error().contains("sample 1"), "{}", last_error());
        assert_eq!(flow_sample(model, 0, 0, -1, 0, std::ptr::null_mut(), 0), 0);
        flow_close(model);
    }
}

/// A model of a table, whose rows are a weight given an age and a clinic.
fn table() -> Model {
    let cells = |make: &dyn Fn(usize) -> String| (0..40).map(|i| Some(make(i))).collect::<Vec<_>>();
    let table = Table::new(vec![
        Column::of_cells("age", Type::Integer {}, &cells(&|i| (20 + i % 37).to_string())),
        Column::of_cells("clinic", Type::Text {}, &cells(&|i| ["A", "B"][i % 2].to_owned())),
        Column::of_cells(
            "weight",
            Type::Real { decimals: Some(1) },
            &cells(&|i| format!("{:.1}", 50.0 + (i * 31 % 17) as f64 * 1.7)),
        ),
    ])
    .unwrap();
    let given = vec!["age".into(), "clinic".into()];
    let columns = Columns::guess(&table, &Overrides { given, ..Overrides::default() }).unwrap();
    let encoder = Encoder::fit(&table, &columns).unwrap();
    let rows = TableRows {
        masked: false,
        optional: Vec::new(),
        holes: Vec::new(),
        encoder,
        reading: ReadOptions::default(),
    };
    let signature = Signature { vector: rows.vector(), ..Signature::of([rows.encoder.width()]) };
    let (registry, device) = (Registry::default(), Device::flex());
    let mut config = ModelConfig::new(signature, NETWORK.parse().unwrap());
    config.rows = rows.kept();
    let network = registry.build(&config.network, &config.signature, 3, &device).unwrap();
    Model::new(&registry, config, network, &device).unwrap()
}

/// The answer of the library, or why there is none.
fn asked(model: *const FlowModel, what: &str, request: &Value) -> Result<Value, String> {
    let (what, request) = (CString::new(what).unwrap(), CString::new(request.to_string()).unwrap());
    // SAFETY: the model is open, and the texts end in a zero byte.
    unsafe {
        let answer = flow_ask(model, what.as_ptr(), request.as_ptr());
        if answer.is_null() {
            return Err(last_error());
        }
        let text = CStr::from_ptr(answer).to_str().unwrap().to_owned();
        flow_free(answer);
        Ok(serde_json::from_str(&text).unwrap())
    }
}

#[test]
fn a_model_of_a_table_is_asked_by_the_names_of_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.flow");
    table().save(&path).unwrap();
    let path = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the path ends in a zero byte.
    let model = unsafe { flow_open(path.as_ptr()) };
    assert!(!model.is_null(), "{}", last_error());
    let api = Api::new(table(), Limits::default()).unwrap();
    let of_rust = |what: &str, request: Value| -> Value {
        let Value::Object(request) = request else { panic!("no object: {request}") };
        let reply = match what {
            "sample" => api.sample(request, Form::Json),
            "log_prob" => api.log_prob(request, Form::Json),
            _ => api.impute(request, Form::Json),
        };
        serde_json::from_slice(&reply.unwrap().bytes).unwrap()
    };
    let given = json!({ "age": 41, "clinic": "B" });
    let row = json!({ "age": 41, "clinic": "B", "weight": 61.9 });
    let hole = json!({ "age": 41, "clinic": "B", "weight": null });
    for (what, request) in [
        ("sample", json!({ "n": 3, "seed": 5, "given": given, "solver": "rk4", "steps": 4 })),
        ("log_prob", json!({ "rows": [row] })),
        ("impute", json!({ "rows": [hole], "draws": 2, "steps": 4 })),
    ] {
        assert_eq!(asked(model, what, &request).unwrap(), of_rust(what, request), "{what}");
    }
    let card = asked(model, "model", &json!({})).unwrap();
    assert_eq!(card["given"][1]["values"], json!(["A", "B"]));
    for (what, request, part) in [
        ("sample", json!({ "n": 3 }), "condition vector"),
        ("sample", json!({ "sed": 3 }), "unknown field"),
        ("sample", json!({ "n": "ten" }), "`n`: expected a whole number, got \"ten\""),
        ("sample", json!([]), "must be a JSON object"),
        ("paint", json!({}), "there is no question `paint`"),
    ] {
        let error = asked(model, what, &request).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
    assert!(asked(std::ptr::null(), "model", &json!({})).unwrap_err().contains("model is null"));
    // SAFETY: null is taken, and the model is closed once.
    unsafe {
        assert!(flow_ask(model, std::ptr::null(), std::ptr::null()).is_null());
        assert_eq!(last_error(), "the question is null");
        flow_free(std::ptr::null_mut());
        flow_close(model);
    }
}
