//! Ten thousand random bodies: each is answered, as JSON, and none by a failure.
//!
//! `FLOW_FUZZ_INPUTS=1000000` or `cargo xtask torture --inputs 1000000` sends a million.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stdout, reason = "the table of `cargo xtask torture`")]

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::{Client, JSON, Running, table, with_classes};
use fastrand::Rng;
use flow_serve::{Limits, Settings};
use flow_testing::fuzz::Outcome;
use serde_json::{Value, json};

/// Bodies that are right, to be damaged.
fn right() -> Vec<(&'static str, Value)> {
    let row = json!({ "age": 30, "clinic": "A", "weight": null, "colour": "red" });
    let given = json!({ "age": 30, "clinic": "A" });
    vec![
        ("/v1/sample", json!({ "n": 2, "seed": 1, "steps": 2, "class": 1, "keep": [0.5] })),
        (
            "/v1/sample",
            json!({ "n": 2, "solver": "euler", "classes": [0, "class-1"], "shift": 2.0 }),
        ),
        ("/v1/sample", json!({ "n": 1, "sampler": "sde", "grid": "karras,rho=7", "steps": 3 })),
        ("/v1/sample", json!({ "guidance": 1.5, "guidance_interval": [0.1, 0.9], "steps": 2 })),
        ("/v1/sample", json!({ "n": 1, "starts": [[0.1, 0.2]], "schedule": "vp", "steps": 2 })),
        ("/v1/sample", json!({ "n": 2, "given": given, "steps": 2 })),
        ("/v1/sample", json!({ "given": [given, given], "rtol": 1e-2, "atol": 1e-2 })),
        ("/v1/log_prob", json!({ "rows": [[0.1, 0.2]], "class": 1, "rtol": 0.1, "probes": 1 })),
        ("/v1/log_prob", json!({ "rows": [row], "rtol": 0.1, "atol": 0.1, "seed": 2 })),
        ("/v1/impute", json!({ "rows": [row], "draws": 1, "steps": 2, "noise": 0.1 })),
        ("/v1/impute", json!({ "rows": [row], "method": "dps,scale=1", "sampler": "ddim" })),
    ]
}

/// Values that are rarely valid.
fn odd(rng: &mut Rng) -> Value {
    match rng.u8(0..16) {
        0 => json!(null),
        1 => json!(-1),
        2 => json!(0),
        3 => json!(u64::MAX),
        4 => json!(1e308),
        5 => json!(-1e-320),
        6 => json!(""),
        7 => json!("é\u{0}\u{feff}"),
        8 => json!([]),
        9 => json!({}),
        10 => json!([[]]),
        11 => json!(true),
        12 => json!("euler,steps=1e9"),
        13 => json!([[1e300, 0.0]]),
        14 => json!(vec![rng.f64(); 3]),
        _ => json!(rng.f64()),
    }
}

/// Changes, adds or removes some value within.
fn damage(value: &mut Value, rng: &mut Rng) {
    let inner: Option<&mut Value> = match value {
        Value::Object(object) if !object.is_empty() => {
            let key = object.keys().nth(rng.usize(0..object.len())).unwrap().clone();
            match rng.u8(0..8) {
                0 => {
                    object.remove(&key);
                    return;
                }
                1 => {
                    object.insert(format!("{key}x"), odd(rng));
                    return;
                }
                _ => object.get_mut(&key),
            }
        }
        Value::Array(all) if !all.is_empty() && rng.bool() => {
            let at = rng.usize(0..all.len());
            all.get_mut(at)
        }
        _ => None,
    };
    match inner {
        Some(inner) => damage(inner, rng),
        None => *value = odd(rng),
    }
}

/// A body: a right one with other values, other bytes, or cut, or bytes alone.
fn body(right: &Value, rng: &mut Rng) -> Vec<u8> {
    let mut value = right.clone();
    for _ in 0..rng.usize(0..3) {
        damage(&mut value, rng);
    }
    let mut bytes = value.to_string().into_bytes();
    match rng.u8(0..8) {
        0 => {
            let at = rng.usize(0..bytes.len());
            bytes[at] = rng.u8(..);
        }
        1 => bytes.truncate(rng.usize(0..bytes.len())),
        2 => bytes = (0..rng.usize(0..64)).map(|_| rng.u8(..)).collect(),
        _ => {}
    }
    bytes
}

#[test]
fn fuzz_bodies_of_requests() {
    let number = std::env::var("FLOW_FUZZ_INPUTS").ok();
    let number = number.map_or(10_000, |text| text.parse().expect("FLOW_FUZZ_INPUTS is a number"));
    // Large requests are refused, so that right ones cost little.
    let limits = Limits { n: 16, steps: 8, time: Duration::from_secs(20), ..Limits::default() };
    let servers = [with_classes(), table()]
        .map(|model| Running::with(model, Settings { limits: limits.clone(), token: None }));
    let mut clients = servers.each_ref().map(|server| Client::new(server.address));
    let (right, mut rng, mut counts) = (right(), Rng::with_seed(20), BTreeMap::new());
    let mut longest = Duration::ZERO;
    for i in 0..number {
        let (path, right) = &right[i % right.len()];
        let body = body(right, &mut rng);
        let client = &mut clients[rng.usize(0..2)];
        let asked = Instant::now();
        let reply = client.send("POST", path, &[JSON], &body);
        longest = longest.max(asked.elapsed());
        *counts.entry(reply.status).or_insert(0) += 1;
        let shown = String::from_utf8_lossy(&body);
        assert!([200, 400].contains(&reply.status), "{path} {shown}: {}", reply.text());
        if reply.status == 400 {
            let sentence = reply.refused(400);
            assert!(!sentence.is_empty() && !sentence.contains('\n'), "{shown}: {sentence}");
        } else {
            reply.json();
        }
    }
    // Both kinds were met: a control of the bodies.
    assert!(counts.values().all(|n| number / 20 < *n) && counts.len() == 2, "{counts:?}");
    let outcome = Outcome {
        name: "bodies of requests".into(),
        tried: number,
        accepted: counts[&200],
        time: longest,
        ..Outcome::default()
    };
    println!("{outcome}");
}
