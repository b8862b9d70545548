//! A page gets the same answers as a caller of the library.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::tensor::Device;
use flow_model::{Classes, Model, ModelConfig, Registry, SampleChanges};
use flow_nn::Signature;
use flow_web::Desk;
use serde_json::{Value, json};

fn ask(desk: &mut Desk, path: &str, body: &Value) -> Result<Value, String> {
    let request = json!({ "path": path, "body": body }).to_string();
    let bytes = desk.answer(request.as_bytes()).map_err(|refused| refused.to_string())?;
    Ok(serde_json::from_slice(&bytes).unwrap())
}

fn rows(answer: &Value) -> Vec<f32> {
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.flat_map(|row| row.as_array().unwrap()).map(|x| x.as_f64().unwrap() as f32).collect()
}

/// A small network with random weights, with classes.
fn model() -> Model {
    let signature = Signature { classes: 3, ..Signature::of([2]) };
    let section = "kind = 'mlp'\nhidden = 16\ndepth = 2\ntime_features = 8\n\
                   fourier = { octaves = 2, wavelength = 8.0 }";
    let (registry, device) = (Registry::default(), Device::flex());
    let section: toml::Table = section.parse().unwrap();
    let network = registry.build(&section, &signature, 5, &device).unwrap();
    Model::new(&registry, ModelConfig::new(signature, section), network, &device).unwrap()
}

#[test]
fn samples_of_an_open_model_are_those_of_the_library_to_the_bit() {
    let (model, mut desk) = (model(), Desk::default());
    let card: Value =
        serde_json::from_slice(&desk.open(&model.to_file_bytes().unwrap()).unwrap()).unwrap();
    assert_eq!((&card["shape"], &card["classes"]), (&json!([2]), &json!(3)));
    assert_eq!(ask(&mut desk, "/v1/model", &json!({})).unwrap(), card);

    let changes =
        SampleChanges { solver: Some("heun2".into()), steps: Some(6), ..SampleChanges::default() };
    let (mut request, plan, _) = model.request_with(&changes, 8, 11).unwrap();
    request.classes = Classes::All(2);
    let expected = model.sample(&request, &*plan.sampler()).unwrap().rows;
    let mut body = json!({ "n": 8, "seed": 11, "solver": "heun2", "steps": 6, "class": 2 });
    let answer = ask(&mut desk, "/v1/sample", &body).unwrap();
    assert_eq!(rows(&answer), expected);
    // The control: another seed draws others.
    body["seed"] = json!(12);
    assert_ne!(rows(&ask(&mut desk, "/v1/sample", &body).unwrap()), expected);

    let x = json!({ "rows": [[0.1, -0.3]], "class": 1 });
    let found = ask(&mut desk, "/v1/log_prob", &x).unwrap();
    assert!(found["log_prob"][0].as_f64().unwrap().is_finite());
    let csv = json!({ "path": "/v1/sample", "accept": "text/csv", "body": { "n": 2 } });
    let csv = desk.answer(csv.to_string().as_bytes()).unwrap();
    assert!(String::from_utf8(csv).unwrap().starts_with("x0,x1,class\n"));
}

#[test]
fn a_network_that_the_page_does_not_have_is_named_with_who_has_it() {
    let mut bytes = model().to_file_bytes().unwrap();
    let kind = br#"\"mlp\""#;
    let at = bytes.windows(kind.len()).position(|window| window == kind).unwrap();
    bytes[at + 4] = b'q';
    let error = format!("{:?}", Desk::default().open(&bytes).unwrap_err());
    assert!(error.contains("`mlq`") && error.contains("`flow serve`"), "{error}");
}

#[test]
fn a_toy_learns_and_becomes_a_model() {
    let mut desk = Desk::default();
    let recipe = json!({ "set": "eight-gaussians", "hidden": 32, "depth": 2, "batch": 128,
                         "steps": 300, "seed": 3 });
    let begun = ask(&mut desk, "/v1/train", &recipe).unwrap();
    assert_eq!((&begun["step"], &begun["dim"]), (&json!(0), &json!(2)));
    let mut losses = Vec::new();
    while losses.len() < 300 {
        let state = ask(&mut desk, "/v1/train/steps", &json!({ "count": 77 })).unwrap();
        losses.extend(state["losses"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()));
        assert_eq!(state["step"], json!(losses.len()));
    }
    assert_eq!(losses.len(), 300, "the last call takes no more steps than are left");
    let mean = |some: &[f64]| some.iter().sum::<f64>() / some.len() as f64;
    let [first, last] = [mean(&losses[..10]), mean(&losses[290..])];
    assert!(last < 0.8 * first, "the loss went from {first} to {last}");

    let body = json!({ "n": 50, "seed": 1, "steps": 8, "solver": "midpoint" });
    let moment = ask(&mut desk, "/v1/train/sample", &body).unwrap();
    let data = ask(&mut desk, "/v1/train/data", &json!({ "count": 20 })).unwrap();
    assert_eq!(data.as_array().unwrap().len(), 20);
    let file = desk.answer(br#"{"path": "/v1/train/model"}"#).unwrap();
    desk.open(&file).unwrap();
    assert_eq!(rows(&ask(&mut desk, "/v1/sample", &body).unwrap()), rows(&moment));
}

#[test]
fn a_training_of_the_same_seed_has_the_same_losses() {
    let run = |seed: usize| {
        let mut desk = Desk::default();
        ask(&mut desk, "/v1/train", &json!({ "hidden": 8, "batch": 32, "seed": seed })).unwrap();
        ask(&mut desk, "/v1/train/steps", &json!({ "count": 5 })).unwrap()["losses"].clone()
    };
    assert_eq!(run(4), run(4));
    assert_ne!(run(4), run(5));
}

#[test]
fn what_cannot_be_is_refused_in_one_sentence() {
    let mut desk = Desk::default();
    for (path, body, sentence) in [
        ("/v1/train", json!({ "set": "moons" }), "there is no `moons`, known are"),
        ("/v1/train", json!({ "hidden": 4096 }), "`hidden` is 4096, it must lie in [1, 512]"),
        ("/v1/train", json!({ "batch": 0 }), "`batch` is 0"),
        ("/v1/train", json!({ "coupling": "none" }), "`coupling`: "),
        ("/v1/train", json!({ "coupling": "conditional" }), "`coupling`: points have no"),
        ("/v1/train", json!({ "learning_rate": -1 }), "learning_rate.peak is -1"),
        ("/v1/train", json!({ "width": 3 }), "unknown field `width`"),
        ("/v1/train/steps", json!({ "count": 1 }), "no training has begun yet"),
        ("/v1/train/sample", json!({}), "no training has begun yet"),
        ("/v1/impute", json!({ "rows": [] }), "no model is open yet"),
    ] {
        let refused = ask(&mut desk, path, &body).unwrap_err();
        assert!(refused.starts_with(sentence), "{path} {body}: {refused}");
    }
    ask(&mut desk, "/v1/train", &json!({ "hidden": 8, "batch": 16 })).unwrap();
    let many = ask(&mut desk, "/v1/train/steps", &json!({ "count": 1001 })).unwrap_err();
    assert!(many.contains("at most 1000"), "{many}");
    let wild = json!({ "hidden": 8, "batch": 16, "learning_rate": 1e30, "steps": 900 });
    ask(&mut desk, "/v1/train", &wild).unwrap();
    let failed = ask(&mut desk, "/v1/train/steps", &json!({ "count": 900 })).unwrap_err();
    assert!(failed.contains("loss"), "{failed}");
    let over = ask(&mut desk, "/v1/train/steps", &json!({ "count": 1 })).unwrap_err();
    assert_eq!(over, "the training has failed: begin another");
}
