//! A request that cannot be met gets one sentence with the right status, and has no other effect.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "counts are whole numbers")]

mod common;

use std::time::{Duration, Instant};

use common::{Client, JSON, Running, points, table, with_classes};
use flow_serve::{Limits, ServeError, Settings};
use serde_json::{Value, json};

fn limited(limits: Limits) -> Settings {
    Settings { limits, token: None }
}

/// What takes seconds: all rows that are allowed, by many steps.
fn slow() -> Value {
    json!({ "n": 10_000, "steps": 1_000, "solver": "rk4" })
}

#[test]
fn a_wrong_request_is_refused_with_a_sentence_that_names_the_fault() {
    let plain = Running::new(points());
    let classed = Running::new(with_classes());
    let tabled = Running::new(table());
    let sample = "/v1/sample";
    let one = json!({ "age": 30, "clinic": "A" });
    let asked = |method: &str, sampler: &str, steps: usize| json!({ "rows": [one], "method": method, "sampler": sampler, "steps": steps });
    for (server, path, body, part) in [
        (&plain, sample, json!([]), "must be a JSON object"),
        (&plain, sample, json!({ "n": 0 }), "0 rows"),
        (&plain, sample, json!({ "n": 10_001 }), "at most 10000"),
        (&plain, sample, json!({ "n": -1 }), "-1"),
        (&plain, sample, json!({ "n": 1.5 }), "1.5"),
        (&plain, sample, json!({ "seed": "x" }), "`seed`: expected a whole number, got \"x\""),
        (&plain, sample, json!({ "keep": ["x"] }), "`keep`: expected a number, got \"x\""),
        (&plain, sample, json!({ "steps": 2.5 }), "`steps`: expected a whole number, got 2.5"),
        (&plain, sample, json!({ "sed": 1 }), "unknown field `sed`"),
        (&plain, sample, json!({ "steps": 0 }), "steps is 0"),
        (&plain, sample, json!({ "steps": 1_001 }), "at most 1000"),
        (&plain, sample, json!({ "solver": "eular" }), "eular"),
        (&plain, sample, json!({ "solver": "rodas5p" }), "takes no samples"),
        (&plain, sample, json!({ "sampler": "dimm" }), "dimm"),
        (&plain, sample, json!({ "sampler": "ddim", "rtol": 1e-3 }), "belong to the sampler ode"),
        (&plain, sample, json!({ "rtol": -1.0 }), "sample.rtol is -1"),
        (&plain, sample, json!({ "grid": "given,times=[0.5,0.2]" }), "times"),
        (&plain, sample, json!({ "guidance": 2.0 }), "told nothing"),
        (&plain, sample, json!({ "class": 0 }), "knows no classes"),
        (&plain, sample, json!({ "vectors": [[1.0]] }), "the model takes 0"),
        (&plain, sample, json!({ "given": one }), "models that are told columns"),
        (&plain, sample, json!({ "starts": [[1.0, 2.0]] }), "16 samples need a start"),
        (&plain, sample, json!({ "n": 1, "starts": [[1.0]] }), "row 0 of `starts` has 1 number,"),
        (&plain, sample, json!({ "n": 1, "starts": [[1e39, 0.0]] }), "too large"),
        (&plain, sample, json!({ "keep": [0.5, 0.2] }), "growing times"),
        (&plain, sample, json!({ "keep": [1.5] }), "from 0 to 1"),
        (&plain, sample, json!({ "keep": vec![0.5; 257] }), "at most 256"),
        (&plain, sample, json!({ "n": 10_000, "keep": vec![0.5; 250] }), "numbers of an answer"),
        (&classed, sample, json!({ "class": 3 }), "classes 0 to 2 (class-0, class-1, class-2)"),
        (&classed, sample, json!({ "class": "cat" }), "no class `cat`"),
        (&classed, sample, json!({ "class": [1] }), "a class is a whole number"),
        (&classed, sample, json!({ "class": 1, "classes": [1] }), "not both"),
        (&classed, sample, json!({ "n": 2, "classes": [1] }), "2 samples need a class"),
        (&tabled, sample, json!({}), "condition vector"),
        (&tabled, sample, json!({ "given": [] }), "no row"),
        (&tabled, sample, json!({ "given": { "age": 3 } }), "lacks `clinic`"),
        (&tabled, sample, json!({ "given": { "age": "old", "clinic": "A" } }), "old"),
        (&tabled, sample, json!({ "given": { "age": 3, "clinic": "Z" } }), "Z"),
        (&tabled, sample, json!({ "given": { "age": [3], "clinic": "A" } }), "a list"),
        (&tabled, sample, json!({ "given": { "weight": 3 } }), "`weight`, which is none"),
        (&plain, "/v1/log_prob", json!({}), "missing field `rows`"),
        (&plain, "/v1/log_prob", json!({ "rows": [] }), "0 rows"),
        (&plain, "/v1/log_prob", json!({ "rows": [[1.0]] }), "has 1 number,"),
        (&plain, "/v1/log_prob", json!({ "rows": [one] }), "of no table"),
        (&plain, "/v1/log_prob", json!({ "rows": 3 }), "`rows` is a list"),
        (&plain, "/v1/log_prob", json!({ "rows": [[1.0, 2.0]], "rtol": 0.0 }), "`rtol` is 0"),
        (&plain, "/v1/log_prob", json!({ "rows": [[1.0, 2.0]], "probes": 0 }), "`probes` is 0"),
        (&plain, "/v1/log_prob", json!({ "rows": [[1.0, 2.0]], "class": 0 }), "no classes"),
        (&classed, "/v1/log_prob", json!({ "rows": [[1.0, 2.0]] }), "say of which `class`"),
        (&classed, "/v1/log_prob", json!({ "rows": [[1.0, 2.0]], "class": 9 }), "0 to 2"),
        (&tabled, "/v1/log_prob", json!({ "rows": [one] }), "lacks a value"),
        (&plain, "/v1/impute", json!({ "rows": [one] }), "of no table"),
        (&tabled, "/v1/impute", json!({ "rows": [] }), "0 rows"),
        (&tabled, "/v1/impute", json!({ "rows": [one], "draws": 0 }), "0 rows"),
        (&tabled, "/v1/impute", json!({ "rows": [one], "draws": 20_000 }), "at most 10000"),
        (&tabled, "/v1/impute", json!({ "rows": [one], "method": "magic" }), "`method`"),
        (&tabled, "/v1/impute", json!({ "rows": [one], "sampler": "magic" }), "`sampler`"),
        (&tabled, "/v1/impute", json!({ "rows": [one], "noise": 0.0 }), "noise"),
        (&tabled, "/v1/impute", json!({ "rows": [one], "steps": 0 }), "`steps` is 0"),
        (&tabled, "/v1/impute", asked("mmps,iterations=100000000", "ddim", 2), "in [1, 1000]"),
        (&tabled, "/v1/impute", asked("mmps", "langevin,corrections=1000000000", 2), "[0, 1000]"),
        (&tabled, "/v1/impute", asked("mmps", "langevin,ratio=7", 2), "ratio is 7"),
        // 200 steps of 501 predictions, each of 10 evaluations.
        (
            &tabled,
            "/v1/impute",
            asked("mmps,iterations=10", "langevin,corrections=500", 200),
            "1002000 evaluations of the network are asked for each answer, at most 100000",
        ),
        (
            &plain,
            sample,
            json!({ "sampler": "langevin,corrections=1000", "steps": 1_000 }),
            "1001000 evaluations",
        ),
    ] {
        let sentence = server.post(path, &body).refused(400);
        assert!(sentence.contains(part), "{path} {body}: {sentence}");
        assert!(!sentence.contains('\n'), "{sentence}");
    }
    let broken = plain.send("POST", sample, &[JSON], b"{\"n\": ").refused(400);
    assert!(broken.contains("no JSON"), "{broken}");
    for twice in [&br#"{"n": 3, "n": 4}"#[..], br#"{"rows": [{"age": 1, "age": 2}]}"#] {
        let said = plain.send("POST", sample, &[JSON], twice).refused(400);
        assert!(said.contains("twice in one object"), "{said}");
    }
    let deep = "[".repeat(100_000);
    plain.send("POST", sample, &[JSON], deep.as_bytes()).refused(400);
    // A control: the same servers answer what is right.
    plain.post(sample, &json!({})).ok();
    tabled.post(sample, &json!({ "given": one })).ok();
}

#[test]
fn paths_methods_types_and_sizes_have_their_own_status() {
    let limits = Limits { body: 1_000, ..Limits::default() };
    let server = Running::with(points(), limited(limits));
    server.get("/v2/sample").refused(404);
    let reply = server.get("/v1/sample");
    reply.refused(405);
    assert_eq!(reply.header("allow"), "POST");
    server.send("DELETE", "/v1/model", &[], b"").refused(405);
    let text = server.send("POST", "/v1/sample", &["Content-Type: text/plain"], b"{}");
    assert!(text.refused(415).contains("application/json"));
    server.send("POST", "/v1/sample", &[], b"{}").refused(415);
    let html = server.post_for("text/html", "/v1/sample", &json!({})).refused(406);
    assert!(html.contains("application/x-npy"), "{html}");
    server.post_for("image/png", "/v1/log_prob", &json!({ "rows": [[0, 0]] })).refused(406);
    let large = json!({ "starts": vec![[0.0, 0.0]; 200] });
    assert!(server.post("/v1/sample", &large).refused(413).contains("1000 bytes"));
    // The same without a length that says so beforehand.
    let mut client = Client::new(server.address);
    let head = ["Host: localhost", JSON, "Transfer-Encoding: chunked"];
    let body = format!("800\r\n{}\r\n0\r\n\r\n", " ".repeat(0x800));
    client.write_plain("POST", "/v1/sample", &head, body.as_bytes());
    client.read().refused(413);
}

#[test]
fn a_token_is_asked_for_where_the_model_is_and_nowhere_else() {
    let settings = Settings { token: Some("se-cret".into()), ..Settings::default() };
    let server = Running::with(points(), settings);
    for headers in [&[][..], &["Authorization: Bearer secret"], &["Authorization: Bearer "]] {
        for path in ["/v1/model", "/v1/nothing", "/metrics"] {
            let reply = server.send("GET", path, headers, b"");
            assert!(reply.refused(401).contains("token"));
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
        server.send("POST", "/v1/sample", &[&[JSON], headers].concat(), b"{}").refused(401);
    }
    let token = "Authorization: Bearer se-cret";
    server.send("GET", "/v1/model", &[token], b"").ok();
    server.send("POST", "/v1/sample", &[JSON, token], b"{}").ok();
    for path in ["/", "/page.css", "/page.js", "/healthz", "/openapi.json"] {
        server.get(path).ok();
    }
}

#[test]
fn a_server_that_others_reach_needs_a_token() {
    let check = |address: &str, token: Option<&str>| {
        let token = token.map(ToOwned::to_owned);
        let settings = Settings { token, ..Settings::default() };
        settings.check(address.parse().unwrap())
    };
    for address in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        check(address, None).unwrap();
    }
    for address in ["0.0.0.0:80", "[::]:80", "192.168.1.4:80", "[::ffff:10.0.0.1]:80"] {
        let error = check(address, None).unwrap_err();
        assert!(matches!(error, ServeError::Open { .. }) && error.is_usage(), "{address}");
        check(address, Some("t")).unwrap();
    }
    for token in ["", "two words", "ünïcode", "line\n"] {
        assert!(matches!(check("127.0.0.1:80", Some(token)), Err(ServeError::Token)), "{token}");
    }
    let limits = Limits { queue: 0, ..Limits::default() };
    let error = limited(limits).check("127.0.0.1:80".parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "max-queue is 0, give at least 1");
}

#[test]
fn a_request_that_takes_too_long_is_given_up() {
    let one = json!({ "age": 30, "clinic": "A" });
    let known = json!({ "age": 30, "clinic": "A", "weight": 61.9, "colour": "red" });
    // Many steps; many draws of many steps; many evaluations in each of a few steps; and an
    // adaptive solver that comes to no end.
    for (path, ask) in [
        ("/v1/sample", json!({ "given": one, "n": 10_000, "steps": 1_000, "solver": "rk4" })),
        ("/v1/impute", json!({ "rows": [one], "draws": 10_000, "steps": 300 })),
        (
            "/v1/impute",
            json!({ "rows": [one], "draws": 100, "steps": 50, "method": "mmps,iterations=1000" }),
        ),
        ("/v1/log_prob", json!({ "rows": vec![known; 256], "rtol": 1e-12, "atol": 1e-12 })),
    ] {
        let limits = Limits { time: Duration::from_millis(300), ..Limits::default() };
        let server = Running::with(table(), limited(limits));
        let started = Instant::now();
        let late = server.post(path, &ask).refused(504);
        assert!(late.contains("fewer rows"), "{late}");
        assert!(started.elapsed() < Duration::from_secs(5), "{ask}: {:?}", started.elapsed());
        // The network is free again: the computation has stopped.
        server.wait_for("flow_computing_seconds_total", |seconds| 0.0 < seconds);
        server.post("/v1/sample", &json!({ "given": one, "n": 2, "steps": 2 })).ok();
        assert!(server.counter("flow_computing_seconds_total") < 5.0, "{ask}");
    }
}

/// A page of another site may let its own name point to this machine.
#[test]
fn a_server_without_a_token_answers_to_no_other_name() {
    let asked = |server: &Running, host: &str| {
        let mut client = Client::new(server.address);
        client.write_for(host, "GET", "/v1/model", &["Authorization: Bearer secret"], b"");
        client.read()
    };
    let open = Running::new(points());
    for host in ["localhost", "localhost:80", "a.localhost", "127.0.0.1:9", "[::1]:80", "LOCALHOST"]
    {
        asked(&open, host).ok();
    }
    for host in ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.nip.io"] {
        let sentence = asked(&open, host).refused(421);
        assert!(sentence.contains("no token"), "{sentence}");
    }
    // Whoever carries a token has been given it.
    let settings = Settings { token: Some("secret".into()), ..Settings::default() };
    asked(&Running::with(points(), settings), "models.example").ok();
}

#[test]
fn more_than_the_queue_holds_is_refused_at_once() {
    let limits = Limits { queue: 2, ..Limits::default() };
    let server = Running::with(points(), limited(limits));
    let mut clients = [Client::new(server.address), Client::new(server.address)];
    for client in &mut clients {
        client.write("POST", "/v1/sample", &[JSON], slow().to_string().as_bytes());
    }
    server.wait_for("flow_waiting", |waiting| 1.0 <= waiting);
    let reply = server.post("/v1/sample", &json!({}));
    assert!(reply.refused(429).contains("2 requests are waiting"));
    assert_eq!(reply.header("retry-after"), "1");
    // What needs no network is answered all the same, and once they have left, all is.
    server.get("/healthz").ok();
    drop(clients);
    let until = Instant::now() + Duration::from_secs(30);
    while server.post("/v1/sample", &json!({ "n": 1, "steps": 1 })).status == 429 {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_request_whose_client_has_left_is_dropped() {
    let server = Running::new(points());
    let mut leaving = Client::new(server.address);
    leaving.write("POST", "/v1/sample", &[JSON], slow().to_string().as_bytes());
    server.wait_for("flow_batches_total", |batches| 1.0 <= batches);
    // One that waits behind it, of other settings, and leaves as well.
    let mut waiting = Client::new(server.address);
    waiting.write("POST", "/v1/sample", &[JSON], slow().to_string().as_bytes());
    server.wait_for("flow_waiting", |waiting| 1.0 <= waiting);
    drop((leaving, waiting));
    server.post("/v1/sample", &json!({ "n": 2, "steps": 2 })).ok();
    // The second was never begun.
    assert_eq!(server.counter("flow_batches_total"), 2.0);
    assert!(server.counter("flow_computing_seconds_total") < 10.0);
}

#[test]
fn samples_that_are_no_numbers_are_an_error_of_their_request_alone() {
    let server = Running::new(points());
    let far = json!({ "n": 1, "steps": 1, "solver": "euler", "starts": [[3.4e38, -3.4e38]] });
    let near = json!({ "n": 1, "steps": 1, "solver": "euler", "starts": [[0.5, 0.5]] });
    let alone = server.post("/v1/sample", &near).ok().json();
    // Both wait behind a slow one, so that they are drawn together.
    let mut slow_one = Client::new(server.address);
    slow_one.write("POST", "/v1/sample", &[JSON], slow().to_string().as_bytes());
    server.wait_for("flow_batches_total", |batches| 2.0 <= batches);
    let mut both = [Client::new(server.address), Client::new(server.address)];
    for (client, ask) in both.iter_mut().zip([&far, &near]) {
        client.write("POST", "/v1/sample", &[JSON], ask.to_string().as_bytes());
    }
    server.wait_for("flow_waiting", |waiting| 2.0 <= waiting);
    drop(slow_one);
    let [far, near] = both.map(|mut client| client.read());
    assert!(far.refused(400).contains("not finite"), "{far:?}");
    assert_eq!(near.ok().json(), alone);
}
