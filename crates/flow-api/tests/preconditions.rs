//! Every number of a request, in turn each awkward one: the answer holds numbers alone, or the
//! request is refused in one sentence.
//!
//! No public function of the crate takes numbers by itself: all of them come in JSON, which has
//! neither NaN nor infinity. A test keeps that so.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::tensor::Device;
use flow_api::{Api, Form, Limits, Refused, Reply, object};
use flow_datasets::table::{Column, Type};
use flow_datasets::{Columns, Encoder, Overrides, ReadOptions, Table, TableRows};
use flow_model::{Model, ModelConfig, Registry};
use flow_nn::Signature;
use flow_testing::{awkward, public};
use serde_json::{Map, Value, json};

const MLP: &str = "kind = 'mlp'\nhidden = 8\ndepth = 1\ntime_features = 4\n\
                   fourier = { octaves = 1, wavelength = 8.0 }";
const SPLIT: &str = "kind = 'split-mlp'\nfeatures = 4\nhidden = 8\ndepth = 1\nlatent_hidden = 8\n\
                     latent_depth = 1\nband = { lowest = 0.1, highest = 10.0 }";
const UNET: &str = "kind = 'unet'\nchannels = 4\nmultipliers = [1]\nblocks = 1\nattention = []\n\
                    head_channels = 4\ngroups = 2";
const DIT: &str = "kind = 'dit'\nhidden = 8\ndepth = 1\nheads = 2";

/// Small, so that what is right costs little.
const LIMITS: Limits = Limits { n: 16, steps: 32, evaluations: 1_000, numbers: 4_096 };

fn api(section: &str, signature: Signature, rows: toml::Table) -> Api {
    let (registry, device) = (Registry::default(), Device::flex());
    let mut config = ModelConfig::new(signature.clone(), section.parse().unwrap());
    (config.learned_without, config.rows) = (true, rows);
    if signature.lengths {
        config.lengths = vec![1; signature.shape[0]];
    }
    let network = registry.build(&config.network, &signature, 3, &device).unwrap();
    Api::new(Model::new(&registry, config, network, &device).unwrap(), LIMITS).unwrap()
}

fn plain(section: &str, signature: Signature) -> Api {
    api(section, signature, toml::Table::new())
}

/// A table of a weight and a colour, given an age.
fn table() -> Api {
    let cells = |make: &dyn Fn(usize) -> String| (0..40).map(|i| Some(make(i))).collect::<Vec<_>>();
    let colours = ["blue", "green", "red"];
    let weight = |i: usize| format!("{:.1}", 50.0 + (i * 31 % 17) as f64 * 1.7);
    let table = Table::new(vec![
        Column::of_cells("age", Type::Integer {}, &cells(&|i| (20 + i % 37).to_string())),
        Column::of_cells("weight", Type::Real { decimals: Some(1) }, &cells(&weight)),
        Column::of_cells("colour", Type::Text {}, &cells(&|i| colours[i / 3 % 3].to_owned())),
    ])
    .unwrap();
    let overrides = Overrides { given: vec!["age".into()], ..Overrides::default() };
    let encoder = Encoder::fit(&table, &Columns::guess(&table, &overrides).unwrap()).unwrap();
    let (optional, holes, reading) = (Vec::new(), Vec::new(), ReadOptions::default());
    let rows = TableRows { masked: false, optional, holes, encoder, reading };
    let signature = Signature { vector: rows.vector(), ..Signature::of([rows.encoder.width()]) };
    api(MLP, signature, rows.kept())
}

type Call = fn(&Api, Map<String, Value>, Form) -> Result<Reply, Refused>;

/// A model with a request to it in which each number may be another one.
struct Asked {
    what: &'static str,
    api: Api,
    call: Call,
    body: Value,
}

/// Requests that have, together, every field with a number.
fn requests() -> Vec<Asked> {
    let of = |what, api, call: Call, body| Asked { what, api, call, body };
    let classes = || plain(MLP, Signature { classes: 3, ..Signature::of([2]) });
    let vector = || plain(MLP, Signature { vector: 2, ..Signature::of([2]) });
    let latent = || plain(SPLIT, Signature { latent: 2, ..Signature::of([2]) });
    let context = Signature { context: vec![1, 4, 4], ..Signature::of([1, 4, 4]) };
    let sequences = Signature { lengths: true, ..Signature::of([4, 2]) };
    let row = json!({ "age": 30, "weight": 61.9, "colour": "red" });
    let hole = json!({ "age": 30, "weight": 61.9 });
    let pixels = vec![vec![0.25; 16]; 2];
    let points = json!({ "n": 2, "seed": 1, "steps": 2, "class": 1, "keep": [0.25, 0.5],
                         "starts": [[0.1, 0.2], [0.3, 0.4]], "guidance": 1.5,
                         "guidance_interval": [0.1, 0.9], "shift": 2.0 });
    let tolerances =
        json!({ "classes": [0, 1], "n": 2, "solver": "dopri5", "rtol": 0.01, "atol": 0.01 });
    let densities = json!({ "rows": [[0.1, 0.2]], "class": 1, "rtol": 0.1, "atol": 0.1, "seed": 2,
                            "probes": 1 });
    let of_vectors =
        json!({ "rows": [[0.1, 0.2]], "vectors": [[0.5, 0.25]], "rtol": 0.1, "atol": 0.1 });
    let of_table = json!({ "rows": [row], "rtol": 0.1, "atol": 0.1 });
    let holes = json!({ "rows": [hole], "draws": 2, "seed": 3, "steps": 2, "noise": 0.1 });
    let told = |key: &str, value: Value| json!({ "n": 1, "steps": 2, key: value });
    let two = json!([[0.5, 0.25]]);
    vec![
        of("points", classes(), Api::sample, points),
        of("tolerances", classes(), Api::sample, tolerances),
        of("vectors", vector(), Api::sample, told("vectors", two.clone())),
        of("latents", latent(), Api::sample, told("latents", two)),
        of("lengths", plain(DIT, sequences), Api::sample, told("lengths", json!([3]))),
        of("given", table(), Api::sample, told("given", json!({ "age": 30 }))),
        of("pixels", plain(UNET, context), Api::sample, json!({ "n": 2, "contexts": pixels })),
        of("densities", classes(), Api::log_prob, densities),
        of("densities of vectors", vector(), Api::log_prob, of_vectors),
        of("densities of a table", table(), Api::log_prob, of_table),
        of("holes", table(), Api::impute, holes),
    ]
}

/// Where the numbers of a request stand.
fn numbers(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Number(_) => vec![at.to_owned()],
        Value::Array(all) => {
            all.iter().enumerate().flat_map(|(i, one)| numbers(one, &format!("{at}/{i}"))).collect()
        }
        Value::Object(all) => {
            all.iter().flat_map(|(key, one)| numbers(one, &format!("{at}/{key}"))).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a request was answered: with numbers alone, or not, and with one sentence then.
fn is_answered(asked: &Asked, text: &str, form: Form) -> bool {
    let what = format!("{} of {text}", asked.what);
    let reply = object(text.as_bytes()).and_then(|body| (asked.call)(&asked.api, body, form));
    let reply = match reply {
        Ok(reply) => String::from_utf8(reply.bytes).unwrap(),
        Err(Refused::Failed(sentence)) => panic!("{what} failed: {sentence}"),
        Err(refused) => {
            let sentence = refused.to_string();
            assert!(10 < sentence.len() && !sentence.contains('\n'), "{what}: {sentence}");
            return false;
        }
    };
    // What is no number is `null` in JSON and a word elsewhere.
    for word in ["null", "NaN", "inf"] {
        assert!(!reply.contains(word), "{what}: {reply}");
    }
    true
}

#[test]
fn every_number_of_a_request_may_be_awkward() {
    for asked in requests() {
        let whole = asked.body.to_string();
        for form in [Form::Json, Form::Csv] {
            let states = asked.body.get("keep").is_some() && form == Form::Csv;
            assert!(states || is_answered(&asked, &whole, form), "{} is refused", asked.what);
        }
        for place in numbers(&asked.body, "") {
            for number in flow_testing::awkward::JSON_NUMBERS {
                let mut body = asked.body.clone();
                *body.pointer_mut(&place).unwrap() = json!("PLACE");
                let text = body.to_string().replacen("\"PLACE\"", number, 1);
                let answered = is_answered(&asked, &text, Form::Json);
                let is_json = !["NaN", "Infinity", "1e400"].contains(&number);
                assert!(is_json || !answered, "{} of {text}", asked.what);
            }
        }
    }
}

#[test]
fn awkward_rows_are_answered_or_refused() {
    for asked in requests() {
        for key in ["rows", "starts"] {
            let Some(Value::Array(rows)) = asked.body.get(key) else { continue };
            if !rows[0].is_array() {
                continue;
            }
            for set in awkward::rows(2, 2) {
                let mut body = asked.body.clone();
                // What is not finite is `null`.
                body[key] = set.rows.chunks(2).map(|row| json!(row)).collect();
                let answered = is_answered(&asked, &body.to_string(), Form::Json);
                assert!(set.finite || !answered, "{} of {}", asked.what, set.name);
                assert!(set.name != "no row" || !answered, "{}", asked.what);
            }
        }
    }
}

#[test]
fn no_public_function_takes_numbers() {
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &[], &[]);
}
