//! Requests that wait are drawn by one network call, and each gets its own numbers.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "counts are whole numbers")]

mod common;

use common::{Client, JSON, Running, images, model, points, table, with_classes};
use flow_model::Model;
use flow_nn::Signature;
use serde_json::{Value, json};

/// Answers of requests that all wait behind a slow one, and of the same requests one at a time.
fn both(model: Model, asks: &[Value]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>, f64) {
    let server = Running::new(model);
    let alone = asks.iter().map(|ask| server.post("/v1/sample", ask).ok().body).collect();
    let mut slow = asks[0].clone();
    slow["n"] = json!(10_000);
    slow["steps"] = json!(999);
    slow.as_object_mut().unwrap().remove("starts");
    let before = server.counter("flow_batches_total");
    let mut first = Client::new(server.address);
    first.write("POST", "/v1/sample", &[JSON], slow.to_string().as_bytes());
    server.wait_for("flow_batches_total", |batches| before + 1.0 <= batches);
    let mut clients: Vec<Client> = asks.iter().map(|_| Client::new(server.address)).collect();
    for (client, ask) in clients.iter_mut().zip(asks) {
        client.write("POST", "/v1/sample", &[JSON], ask.to_string().as_bytes());
    }
    server.wait_for("flow_waiting", |waiting| asks.len() as f64 <= waiting);
    drop(first);
    let together = clients.iter_mut().map(|client| client.read().ok().body).collect();
    (together, alone, server.counter("flow_batches_total") - before - 1.0)
}

#[test]
fn each_request_gets_the_bits_that_it_gets_alone() {
    let wide = r#"
        kind = "mlp"
        hidden = 256
        depth = 3
        time_features = 64
        fourier = { octaves = 2, wavelength = 8.0 }
    "#;
    let split = r#"
        kind = "split-mlp"
        features = 16
        band = { lowest = 0.1, highest = 10.0 }
        hidden = 32
        depth = 2
    "#;
    let transformer = r#"
        kind = "dit"
        hidden = 32
        depth = 2
        heads = 2
        patch = 2
    "#;
    let latent = Signature { latent: 2, ..Signature::of([2]) };
    let classed = Signature { classes: 2, ..Signature::of([1, 8, 8]) };
    let models = [
        ("points", points()),
        ("classes", with_classes()),
        ("wide", model(wide, &Signature::of([5]))),
        ("latent", model(split, &latent)),
        ("images", images()),
        ("transformer", model(transformer, &classed)),
    ];
    for (name, model) in models {
        // One row, a whole vector of rows, one more, and many.
        for way in [
            json!({ "steps": 3, "solver": "rk4" }),
            json!({ "steps": 4, "sampler": "ddim,eta=1", "keep": [0.25, 1.0] }),
            json!({ "steps": 3, "sampler": "sde", "grid": "log-snr,min=-6,max=6" }),
        ] {
            let asks: Vec<Value> = [1, 1, 2, 16, 17, 33, 64, 1]
                .into_iter()
                .enumerate()
                .map(|(seed, n)| {
                    let mut ask = way.clone();
                    ask["n"] = json!(n);
                    ask["seed"] = json!(seed / 2);
                    if model.signature().classes != 0 && seed % 2 == 0 {
                        ask["class"] = json!(1);
                    }
                    ask
                })
                .collect();
            let (together, alone, batches) = both(model.clone(), &asks);
            assert_eq!(batches, 1.0, "{name}, {way}: all are drawn together");
            for ((a, b), ask) in together.iter().zip(&alone).zip(&asks) {
                assert!(a == b, "{name}, {ask}");
            }
            // A control: another seed is another answer.
            assert_ne!(alone[0], alone[7], "{name}, {way}");
        }
    }
}

#[test]
fn what_each_is_told_stays_its_own() {
    let given = [("A", 20), ("B", 50), ("A", 31)];
    let asks = given.map(|(clinic, age)| {
        json!({ "n": 3, "steps": 3, "solver": "rk4", "given": { "clinic": clinic, "age": age } })
    });
    let (together, alone, batches) = both(table(), &asks);
    assert_eq!((together, batches), (alone, 1.0));
    let starts = json!({ "n": 2, "steps": 3, "solver": "rk4", "starts": [[0.5, 1.0], [2.0, 3.0]] });
    let asks = [json!({ "n": 4, "steps": 3, "solver": "rk4" }), starts];
    let (together, alone, batches) = both(points(), &asks);
    assert_eq!((together, batches), (alone, 1.0));
}

#[test]
fn other_settings_and_adaptive_solvers_are_drawn_apart() {
    let asks = [
        json!({ "n": 2, "steps": 3, "solver": "rk4" }),
        json!({ "n": 2, "steps": 4, "solver": "rk4" }),
        json!({ "n": 2, "solver": "dopri5", "rtol": 1e-3 }),
        json!({ "n": 2, "solver": "dopri5", "rtol": 1e-3, "seed": 1 }),
        json!({ "n": 400, "steps": 3, "solver": "rk4" }),
        json!({ "n": 400, "steps": 3, "solver": "rk4", "seed": 1 }),
    ];
    let (together, alone, batches) = both(points(), &asks);
    assert_eq!(together, alone);
    // 2 and 400 rows, 400 rows more, and three alone: a batch has 500 rows at most.
    assert_eq!(batches, 5.0);
}
