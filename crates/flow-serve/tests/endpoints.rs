//! Each endpoint gives the numbers of the library, in each form.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::collections::BTreeSet;

use common::{Running, bits, images, points, rows, table, with_classes};
use flow_datasets::table::Role;
use flow_datasets::{Holes, TableRows};
use flow_model::{
    AnswerMethod, Classes, DensityRequest, Model, Question, SampleChanges, SampleRequest, Trace,
};
use flow_ode::{Adaptive, Method, Tolerance};
use flow_sample::{Grid, Likelihood, Mask, ObservationNoise, Probe, Sampler, SamplerConfig};
use serde_json::{Value, json};

fn drawn(
    model: &Model,
    n: usize,
    seed: u64,
    steps: Option<usize>,
    class: Option<usize>,
) -> Vec<f32> {
    let changes = SampleChanges { steps, ..SampleChanges::default() };
    let (mut request, plan, _) = model.request_with(&changes, n, seed).unwrap();
    request.classes = class.map_or(Classes::InTurn, Classes::All);
    model.sample(&request, &*plan.sampler()).unwrap().rows
}

#[test]
fn samples_are_those_of_the_library_in_every_form() {
    for (model, class) in [(points(), None), (with_classes(), Some(1)), (images(), None)] {
        let server = Running::new(model.clone());
        // The model's own adaptive solver, and fixed steps.
        for steps in [None, Some(4)] {
            let expected = drawn(&model, 5, u64::MAX, steps, class);
            let mut ask = json!({ "n": 5, "seed": u64::MAX });
            if let Some(steps) = steps {
                ask["steps"] = json!(steps);
            }
            if let Some(class) = class {
                ask["class"] = json!(class);
            }
            let answer = server.post("/v1/sample", &ask).ok().json();
            assert_eq!(bits(&rows(&answer)), bits(&expected));
            let full: Vec<usize> = [5].iter().chain(model.shape()).copied().collect();
            assert_eq!(answer["shape"], json!(full));
            let npy = server.post_for("application/x-npy", "/v1/sample", &ask).ok();
            let file = npyz::NpyFile::new(&npy.body[..]).unwrap();
            assert_eq!(file.shape(), full.iter().map(|n| *n as u64).collect::<Vec<_>>());
            assert_eq!(bits(&file.into_vec::<f32>().unwrap()), bits(&expected));
            let csv = server.post_for("text/csv", "/v1/sample", &ask).ok().text();
            let told = model.signature().classes != 0;
            let cells: Vec<f32> = csv
                .lines()
                .skip(1)
                .flat_map(|line| line.split(',').take(model.signature().size()))
                .map(|cell| cell.parse().unwrap())
                .collect();
            assert_eq!(bits(&cells), bits(&expected));
            assert_eq!(csv.lines().next().unwrap().ends_with(",class"), told);
            let png = server.post_for("image/png", "/v1/sample", &ask).ok();
            assert!(png.body.starts_with(b"\x89PNG") && png.header("content-type") == "image/png");
        }
    }
}

#[test]
fn a_class_has_a_number_and_a_name() {
    let server = Running::new(with_classes());
    let ask = |class| rows(&server.post("/v1/sample", &class).ok().json());
    let number = ask(json!({ "n": 3, "steps": 2, "class": 2 }));
    assert_eq!(number, ask(json!({ "n": 3, "steps": 2, "class": "class-2" })));
    assert_eq!(number, ask(json!({ "n": 3, "steps": 2, "classes": [2, "class-2", 2] })));
    assert_ne!(number, ask(json!({ "n": 3, "steps": 2, "class": 0 })));
}

#[test]
fn kept_states_lead_from_the_noise_to_the_samples() {
    let model = points();
    let server = Running::new(model.clone());
    let starts = [[0.5, -1.0], [2.0, 0.25]];
    let ask = json!({ "n": 2, "steps": 8, "starts": starts, "keep": [0.0, 0.4, 1.0] });
    let answer = server.post("/v1/sample", &ask).ok().json();
    assert_eq!(answer["states"][0], json!(starts));
    assert_eq!(answer["states"][2], answer["rows"]);
    assert_eq!(answer["times"], json!([0.0, 0.4, 1.0]));
    let changes = SampleChanges { steps: Some(8), ..SampleChanges::default() };
    let (request, plan, _) = model.request_with(&changes, 2, 0).unwrap();
    let request = SampleRequest {
        starts: Some(starts.concat().iter().map(|x| *x as f32).collect()),
        keep: vec![0.4],
        ..request
    };
    let expected = model.sample(&request, &*plan.sampler()).unwrap();
    let state: Vec<Vec<f32>> = serde_json::from_value(answer["states"][1].clone()).unwrap();
    assert_eq!(state.concat(), expected.states[0]);
}

#[test]
fn densities_are_those_of_the_library() {
    let model = with_classes();
    let server = Running::new(model.clone());
    let request = DensityRequest {
        likelihood: Likelihood::new(
            Method::Dopri5,
            Adaptive::new(Tolerance { atol: 1e-5, rtol: 1e-5 }).into(),
        ),
        trace: Trace::Exact,
        probe: Probe::default(),
        seed: 0,
        batch: 256,
        latents: 100,
    };
    let values = [0.1_f32, -0.3, 1.5, 0.7];
    let rows = |range: std::ops::Range<usize>| flow_model::Rows {
        values: values[2 * range.start..2 * range.end].to_vec(),
        classes: Some(vec![1; range.len()]),
        ..flow_model::Rows::default()
    };
    let expected = model.log_prob(2, rows, &request).unwrap().nats;
    let ask = json!({ "rows": [[0.1, -0.3], [1.5, 0.7]], "class": 1 });
    // As text: serde_json reads numbers to the last digit but one.
    let answer = server.post("/v1/log_prob", &ask).ok().text();
    assert!(answer.contains(&format!("\"log_prob\":{}", json!(expected))), "{answer}");
    let npy = server.post_for("application/x-npy", "/v1/log_prob", &ask).ok();
    assert_eq!(npyz::NpyFile::new(&npy.body[..]).unwrap().into_vec::<f64>().unwrap(), expected);
    let probes = json!({ "rows": [[0.1, -0.3]], "class": 1, "probes": 8, "seed": 3 });
    let answer = server.post("/v1/log_prob", &probes).ok().json();
    assert!(answer["std_error"][0].as_f64().unwrap() > 0.0, "{answer}");
}

#[test]
fn a_model_of_a_table_speaks_of_its_columns() {
    let model = table();
    let server = Running::new(model.clone());
    let columns = TableRows::of(&model.config().rows).unwrap().unwrap();
    let ask = json!({ "n": 3, "steps": 4, "given": { "age": 33, "clinic": "B" } });
    let answer = server.post("/v1/sample", &ask).ok().json();
    assert_eq!(answer["columns"], json!(["age", "clinic", "weight", "colour"]));
    let given =
        columns.encoder.given(&[("age".into(), "33".into()), ("clinic".into(), "B".into())]);
    let vector = columns.conditions(&given.unwrap()).unwrap();
    let changes = SampleChanges { steps: Some(4), ..SampleChanges::default() };
    let (request, plan, _) = model.request_with(&changes, 3, 0).unwrap();
    let request = SampleRequest { vectors: Some(vector.repeat(3)), ..request };
    let numbers = model.sample(&request, &*plan.sampler()).unwrap().rows;
    let decoded = columns.encoder.decode(&numbers, None).unwrap();
    for row in 0..3 {
        let cells = &answer["rows"][row];
        assert_eq!([&cells[0], &cells[1]], [&json!(33), &json!("B")]);
        let weight: f64 = decoded.column("weight").unwrap().cell(row).unwrap().parse().unwrap();
        assert_eq!(cells[2], json!(weight));
        assert_eq!(cells[3], json!(decoded.column("colour").unwrap().cell(row).unwrap()));
    }
    let csv = server.post_for("text/csv", "/v1/sample", &ask).ok().text();
    assert!(csv.starts_with("age,clinic,weight,colour\n33,B,"), "{csv}");
    assert!(server.post_for("image/png", "/v1/sample", &ask).refused(406).contains("no picture"));
    let words = server.post_for("application/x-npy", "/v1/sample", &ask).refused(406);
    assert!(words.contains("words"), "{words}");

    // Conditions of several rows are taken in turn.
    let each =
        json!({ "n": 4, "given": [{ "age": 20, "clinic": "A" }, { "age": 50, "clinic": "B" }] });
    let answer = server.post("/v1/sample", &each).ok().json();
    let ages: Vec<_> =
        answer["rows"].as_array().unwrap().iter().map(|row| row[0].clone()).collect();
    assert_eq!(ages, [json!(20), json!(50), json!(20), json!(50)]);
}

#[test]
fn a_density_of_a_table_is_in_units_of_its_columns() {
    let model = table();
    let server = Running::new(model.clone());
    let columns = TableRows::of(&model.config().rows).unwrap().unwrap();
    let row = json!({ "age": 33, "clinic": "B", "weight": 61.9, "colour": "red" });
    let answer = server.post("/v1/log_prob", &json!({ "rows": [row] })).ok().json();
    let found = answer["log_prob"][0].as_f64().unwrap();
    // The density of the numbers, and the slope by which they are those of the table.
    let encoder = &columns.encoder;
    let span = encoder.spans(Role::Target).next().unwrap();
    assert_eq!((span.0.name.as_str(), span.1), ("weight", 0..1));
    let numbers: Vec<f32> = {
        let records = [("age", "33"), ("clinic", "B"), ("weight", "61.9"), ("colour", "red")];
        let cells = records.map(|(name, cell)| {
            let coded = encoder.columns().iter().find(|column| column.name == name).unwrap();
            flow_datasets::table::Column::of_cells(name, coded.ty, &[Some(cell.into())])
        });
        let table = flow_datasets::Table::new(cells.to_vec()).unwrap();
        encoder.encode(&table).unwrap().rows
    };
    let vector: Vec<f32> = {
        let given = encoder.given(&[("age".into(), "33".into()), ("clinic".into(), "B".into())]);
        columns.conditions(&given.unwrap()).unwrap()
    };
    let plain = json!({ "rows": [numbers.clone()], "vectors": [vector] });
    let plain = server.post("/v1/log_prob", &plain).ok().json();
    let expected = plain["log_prob"][0].as_f64().unwrap() + encoder.log_jacobian(&numbers, None)[0];
    assert!((found - expected).abs() < 1e-12, "{found}, {expected}");
}

#[test]
fn holes_are_filled_as_by_the_library() {
    let model = table();
    let server = Running::new(model.clone());
    let columns = TableRows::of(&model.config().rows).unwrap().unwrap();
    let known = json!({ "age": 33, "clinic": "B", "weight": 61.9, "colour": "red" });
    let hole = json!({ "age": 25, "clinic": "A", "weight": null, "colour": "blue" });
    let ask = json!({ "rows": [known, hole], "draws": 2, "steps": 8, "seed": 5 });
    let answer = server.post("/v1/impute", &ask).ok().json();
    assert_eq!(answer["columns"], json!(["draw", "age", "clinic", "weight", "colour"]));
    assert_eq!((&answer["holes"], &answer["draws"]), (&json!(1), &json!(2)));
    assert_eq!(answer["rows"][0], json!([1, 33, "B", 61.9, "red"]));
    assert_eq!(answer["rows"][2], json!([2, 33, "B", 61.9, "red"]));

    let encoder = &columns.encoder;
    let cells = [
        ("age", ["33", "25"].map(|cell| Some(cell.to_owned()))),
        ("clinic", ["B", "A"].map(|cell| Some(cell.to_owned()))),
        ("weight", [Some("61.9".to_owned()), None]),
        ("colour", ["red", "blue"].map(|cell| Some(cell.to_owned()))),
    ];
    let cells = cells.map(|(name, cells)| {
        let coded = encoder.columns().iter().find(|column| column.name == name).unwrap();
        flow_datasets::table::Column::of_cells(name, coded.ty, &cells)
    });
    let table = flow_datasets::Table::new(cells.to_vec()).unwrap();
    let holes = Holes::new(&columns, &table).unwrap();
    let sampler: SamplerConfig = "langevin".parse().unwrap();
    let sampler: Box<dyn Sampler> = sampler.build(Method::Midpoint);
    let (flags, vectors) = (holes.known(), holes.vectors().unwrap());
    let question = Question {
        operator: &Mask::new(&flags, encoder.width(), model.device()),
        observed: &holes.observed(),
        noise: ObservationNoise::Gaussian { std: 0.02 },
        method: AnswerMethod::default(),
        grid: &Grid::Uniform { steps: 8 },
        draws: 2,
        at_once: 16,
        seed: 5,
        classes: None,
        vectors: vectors.as_deref(),
    };
    let answers = model.answer(&question, &*sampler).unwrap();
    let filled = holes.filled(&answers.rows, 2).unwrap();
    for (row, of) in [(1, 1), (3, 3)] {
        let weight: f64 = filled.column("weight").unwrap().cell(of).unwrap().parse().unwrap();
        assert_eq!(answer["rows"][row][3], json!(weight));
    }
    let csv = server.post_for("text/csv", "/v1/impute", &ask).ok().text();
    assert_eq!(csv.lines().count(), 5);
}

#[test]
fn the_card_and_the_rest_say_what_there_is() {
    let server = Running::new(table());
    let card = server.get("/v1/model").ok().json();
    assert_eq!(card["name"], json!("small"));
    assert_eq!(card["given"][0]["kind"], json!("integer"));
    assert_eq!(card["given"][1]["values"], json!(["A", "B"]));
    assert_eq!(card["given"][0]["may_be_missing"], json!(false));
    assert_eq!(card["columns"][0]["name"], json!("weight"));
    assert_eq!(card["picture"], json!(false));
    assert_eq!(server.get("/healthz").ok().json(), json!({ "status": "ok" }));
    server.post("/v1/sample", &json!({})).refused(400);
    server.get("/nowhere").refused(404);
    let metrics = server.get("/metrics").ok().text();
    for line in [
        "flow_requests_total{path=\"/v1/sample\",status=\"400\"} 1",
        "flow_requests_total{path=\"other\",status=\"404\"} 1",
        "flow_request_seconds_count{path=\"/v1/sample\"} 1",
        "flow_waiting 0",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line}: {metrics}");
    }
    assert!(server.counter("process_resident_memory_bytes") > 1e6);

    for (path, kind) in [
        ("/", "text/html"),
        ("/page.css", "text/css"),
        ("/page.js", "text/java"),
        ("/server.js", "text/java"),
    ] {
        let page = server.get(path).ok();
        assert!(page.header("content-type").starts_with(kind), "{page:?}");
        assert!(page.header("content-security-policy").contains("default-src 'self'"));
        assert!(!page.text().contains("http://") && !page.text().contains("https://"), "{path}");
    }
}

/// The names that a sentence has in backquotes, behind the field that is not known.
fn expected(sentence: &str) -> BTreeSet<String> {
    sentence.split('`').skip(3).step_by(2).map(ToOwned::to_owned).collect()
}

fn names(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_description_is_that_of_the_server() {
    let server = Running::new(table());
    let api = server.get("/openapi.json").ok().json();
    assert_eq!(api["info"]["version"], json!(env!("CARGO_PKG_VERSION")));
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, what) in methods.as_object().unwrap() {
            let reply = server.send(&method.to_uppercase(), path, &[], b"");
            let described = &what["responses"][reply.status.to_string()]["content"];
            let media = reply.header("content-type").split(';').next().unwrap();
            assert!(described.get(media).is_some(), "{method} {path}: {reply:?}");
        }
    }
    let schemas = &api["components"]["schemas"];
    let settings = names(&serde_json::to_value(SampleChanges::default()).unwrap());
    let given = json!({ "age": 30, "clinic": "A" });
    let row = json!({ "age": 30, "clinic": "A", "weight": 61.9, "colour": "red" });
    for (path, asked, answered, more, ask) in [
        (
            "/v1/sample",
            "SampleRequest",
            "Samples",
            settings,
            json!({ "n": 1, "steps": 2, "given": given, "keep": [0.5] }),
        ),
        (
            "/v1/log_prob",
            "LogProbRequest",
            "LogProbs",
            BTreeSet::new(),
            json!({ "rows": [row], "probes": 2, "rtol": 0.1 }),
        ),
        (
            "/v1/impute",
            "ImputeRequest",
            "Imputed",
            BTreeSet::new(),
            json!({ "rows": [given], "steps": 2 }),
        ),
    ] {
        // The fields that are described are those that are taken, and those that are answered.
        let sentence = server.post(path, &json!({ "sed": 1 })).refused(400);
        let taken: BTreeSet<String> = expected(&sentence).union(&more).cloned().collect();
        assert_eq!(names(&schemas[asked]["properties"]), taken, "{sentence}");
        let answer = names(&server.post(path, &ask).ok().json());
        let described = names(&schemas[answered]["properties"]);
        assert!(answer.is_subset(&described), "{path}: {answer:?}");
        for name in schemas[answered]["required"].as_array().unwrap() {
            assert!(answer.contains(name.as_str().unwrap()), "{path}: no {name}");
        }
    }
}
