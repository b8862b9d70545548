//! A program in C gets the numbers that the library in Rust gives.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(unsafe_code, reason = "functions of C are called")]

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::process::Command;

use burn::tensor::Device;
use flow_import::{Family, Import};
use flow_model::{Model, ModelConfig, Registry};
use flow_nn::Signature;
use flow_ode::{Method, Stepping};
use flow_sample::Ode;
use flowmatching::{
    flow_close, flow_describe, flow_last_error, flow_log_prob, flow_open, flow_row_size,
    flow_sample,
};

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
    let program = folder.path().join("sample");
    let built = Command::new("cc")
        .arg(here.join("examples/sample.c"))
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(here.join("include"))
        .arg("-L")
        .arg(&libraries)
        .args(["-lflowmatching", "-o"])
        .arg(&program)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let run = |words: &[&str]| {
        let mut command = Command::new(&program);
        command.args(words).env("LD_LIBRARY_PATH", &libraries).output().unwrap()
    };
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
        ] {
            let failed = flow_sample(model, n, 0, class, 5, rows.as_mut_ptr(), length);
            assert!(failed == -1 && last_error().contains(part), "{}", last_error());
        }
        assert!(rows.iter().all(|x| x.to_bits() == 7.0_f32.to_bits()), "nothing is written");
        assert_eq!(flow_sample(model, 3, 0, -1, 5, rows.as_mut_ptr(), 6), 0);
        let mut nats = [f64::NAN; 3];
        assert_eq!(flow_log_prob(model, rows.as_ptr(), 3, -1, nats.as_mut_ptr()), 0);
        assert!(nats.iter().all(|x| x.is_finite()), "{nats:?}");
        rows[2] = f32::NAN;
        let mut nats = [7.0; 3];
        assert_eq!(flow_log_prob(model, rows.as_ptr(), 3, -1, nats.as_mut_ptr()), -1);
        assert!(last_error().contains("sample 1"), "{}", last_error());
        assert_eq!(flow_sample(model, 0, 0, -1, 0, std::ptr::null_mut(), 0), 0);
        flow_close(model);
    }
}
