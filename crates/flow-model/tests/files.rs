//! A model that is written and opened is the same model, and nothing else opens.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use burn::tensor::Device;
use common::{MLP, config, model, models};
use flow_model::{Model, ModelConfig, ModelError, Registry, SampleRequest};
use flow_nn::Signature;
use flow_ode::{Method, Stepping};
use flow_sample::Ode;

fn drawn(model: &Model) -> Vec<u32> {
    let sampler = Ode::new(Method::Midpoint, Stepping::Count(3));
    let samples = model.sample(&SampleRequest::new(5, 7), &sampler).unwrap();
    samples.rows.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn a_file_and_a_folder_give_back_the_model_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    for (name, model) in models() {
        let expected = drawn(&model);
        for place in ["m.flow", "m.safetensors", "m"] {
            let path = folder.path().join(place);
            model.save(&path).unwrap();
            let opened = Model::open(&path, &Device::flex()).unwrap();
            assert_eq!(opened.config(), model.config(), "{name}, {place}");
            assert_eq!(drawn(&opened), expected, "{name}, {place}");
            // Over what is there already.
            opened.save(&path).unwrap();
            assert_eq!(drawn(&Model::open(&path, &Device::flex()).unwrap()), expected);
        }
    }
}

#[test]
fn a_folder_for_pytorch_has_its_names_and_its_layout() {
    let place = tempfile::tempdir().unwrap();
    let arrays = |file: &std::path::Path| {
        let bytes = std::fs::read(file).unwrap();
        let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let numbers = |bytes: &[u8]| -> Vec<f32> {
            bytes.chunks(4).map(|x| f32::from_le_bytes(x.try_into().unwrap())).collect()
        };
        let array = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
            (name, (view.shape().to_vec(), numbers(view.data())))
        };
        read.tensors().into_iter().map(array).collect::<std::collections::BTreeMap<_, _>>()
    };
    for (name, model) in models() {
        let (file, folder) = (place.path().join("m.flow"), place.path().join("m"));
        model.save(&file).unwrap();
        model.save_torch(&folder).unwrap();
        let (ours, theirs) = (arrays(&file), arrays(&folder.join("weights.safetensors")));
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (array, (shape, numbers)) in ours {
            let called = array
                .replace("gamma", "weight")
                .replace("beta", "bias")
                .replace("class.table", "classes.table");
            let (got, there) = &theirs[&called];
            match *shape {
                [rows, columns] if !array.ends_with("table.weight") => {
                    assert_eq!(got, &[columns, rows], "{name}, {array}");
                    let at = |i: usize| numbers[i % rows * columns + i / rows];
                    let turned: Vec<f32> = (0..rows * columns).map(at).collect();
                    assert!(there == &turned, "{name}, {array}");
                }
                _ => assert!((got, there) == (&shape, &numbers), "{name}, {array}"),
            }
        }
        let config = std::fs::read_to_string(folder.join("config.json")).unwrap();
        let config: ModelConfig = serde_json::from_str(&config).unwrap();
        assert_eq!(&config, model.config(), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_can_be_read_by_those_who_may_read_others() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let [path, other] = ["m.flow", "other"].map(|name| folder.path().join(name));
    model(MLP, &Signature::of([2]), 1).save(&path).unwrap();
    std::fs::write(&other, "as any file").unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(path), mode(other));
}

#[test]
fn the_same_model_makes_the_same_bytes() {
    let points = Signature::of([2]);
    let [a, b] = [1, 1].map(|seed| model(MLP, &points, seed).to_file_bytes().unwrap());
    assert!(a == b);
    assert!(a != model(MLP, &points, 2).to_file_bytes().unwrap());
}

#[test]
fn no_damaged_file_opens_as_a_model() {
    let (registry, device) = (Registry::default(), Device::flex());
    let bytes = model(MLP, &Signature::of([2]), 1).to_file_bytes().unwrap();
    let open = |bytes: &[u8]| Model::from_file_bytes(&registry, bytes, &device);
    open(&bytes).unwrap();
    // Each byte of the header and some of the weights, changed one at a time.
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let places = (0..header).chain((header..bytes.len()).step_by(97));
    let mut opened = Vec::new();
    for at in places {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        if let Ok(model) = open(&damaged) {
            // A letter of a name or a line about the model says nothing that can be checked.
            assert!(at < header, "weights changed at byte {at} open");
            opened.push((at, model.config().clone()));
        }
    }
    for length in (0..bytes.len()).step_by(61) {
        assert!(open(&bytes[..length]).is_err(), "{length} of {} bytes open", bytes.len());
    }
    let base = ModelConfig::new(Signature::of([2]), MLP.parse().unwrap());
    assert!(opened.iter().all(|(_, config)| config.signature == base.signature));
}

#[test]
fn what_does_not_fit_is_named() {
    let (registry, device) = (Registry::default(), Device::flex());
    let points = Signature::of([2]);
    let made = model(MLP, &points, 1);
    let bytes = made.to_file_bytes().unwrap();
    let open = |config: &ModelConfig| {
        Model::from_bytes(&registry, &config.text(), &bytes, &device).unwrap_err().to_string()
    };
    let base = made.config().clone();
    let wider = MLP.replace("hidden = 16", "hidden = 17");
    for (config, part) in [
        (ModelConfig { format: 99, ..base.clone() }, "the model has format 99"),
        (config(&wider, &points), "has the shape"),
        (
            config(MLP, &Signature { classes: 3, ..points.clone() }),
            "there is no class.table.weight",
        ),
        (config(&MLP.replace("mlp", "cnn"), &points), "there is no network.kind `cnn`"),
        (config(&MLP.replace("hidden", "hiden"), &points), "hiden"),
        (ModelConfig { source: "rings".into(), ..base.clone() }, "start from `rings`"),
    ] {
        let error = open(&config);
        assert!(error.contains(part), "{error}");
    }
    let error = ModelConfig::parse("format = 1").unwrap_err().to_string();
    assert!(error.contains("signature"), "{error}");
    let missing = Model::open("no/such.flow", &device).unwrap_err();
    assert!(matches!(missing, ModelError::Io { .. }));
    // Weights alone are no model.
    let folder = tempfile::tempdir().unwrap();
    made.save(folder.path()).unwrap();
    let weights = folder.path().join("weights.safetensors");
    let error = Model::open(&weights, &device).unwrap_err().to_string();
    assert!(error.contains("weights alone"), "{error}");
}
