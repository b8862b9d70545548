//! Small models, a server of one on a free port, and a client that says what came over the wire.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use flow_datasets::table::{Column, Type};
use flow_datasets::{Columns, Encoder, Overrides, ReadOptions, Table, TableRows};
use flow_model::{Model, ModelConfig, Registry};
use flow_nn::Signature;
use flow_serve::{Server, Settings};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

pub(crate) const MLP: &str = r#"
    kind = "mlp"
    hidden = 32
    depth = 2
    time_features = 8
    fourier = { octaves = 1, wavelength = 8.0 }
"#;
pub(crate) const UNET: &str = r#"
    kind = "unet"
    channels = 8
    multipliers = [1, 2]
    blocks = 1
    attention = [4]
    head_channels = 8
    groups = 4
"#;

/// Fresh U-Nets answer zero: all weights are moved a little.
struct Stir;

impl ModuleMapper for Stir {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|p| {
            let shape = p.dims();
            let n: usize = shape.iter().product();
            let values: Vec<f32> =
                (0..n).map(|i| ((i * 7919) % 1000) as f32 / 5000.0 - 0.1).collect();
            p + Tensor::from_data(TensorData::new(values, shape), &Device::flex())
        })
    }
}

pub(crate) fn model(section: &str, signature: &Signature) -> Model {
    with_rows(section, signature, toml::Table::new())
}

fn with_rows(section: &str, signature: &Signature, rows: toml::Table) -> Model {
    let (registry, device) = (Registry::default(), Device::flex());
    let mut config = ModelConfig::new(signature.clone(), section.parse().unwrap());
    config.name = "small".into();
    config.learned_without = true;
    config.class_names = (0..signature.classes).map(|i| format!("class-{i}")).collect();
    config.rows = rows;
    let network = registry.build(&config.network, signature, 3, &device).unwrap();
    Model::new(&registry, config, network.map(&mut Stir), &device).unwrap()
}

pub(crate) fn points() -> Model {
    model(MLP, &Signature::of([2]))
}

pub(crate) fn with_classes() -> Model {
    model(MLP, &Signature { classes: 3, ..Signature::of([2]) })
}

pub(crate) fn images() -> Model {
    model(UNET, &Signature { classes: 2, ..Signature::of([1, 8, 8]) })
}

/// A table of a weight and a colour, given an age and a clinic.
pub(crate) fn table() -> Model {
    let cells = |make: &dyn Fn(usize) -> String| (0..40).map(|i| Some(make(i))).collect::<Vec<_>>();
    let word = |i: usize, of: &[&str]| of[i % of.len()].to_owned();
    let table = Table::new(vec![
        Column::of_cells("age", Type::Integer {}, &cells(&|i| (20 + i % 37).to_string())),
        Column::of_cells("clinic", Type::Text {}, &cells(&|i| word(i, &["A", "B"]))),
        Column::of_cells(
            "weight",
            Type::Real { decimals: Some(1) },
            &cells(&|i| format!("{:.1}", 50.0 + (i * 31 % 17) as f64 * 1.7)),
        ),
        Column::of_cells(
            "colour",
            Type::Text {},
            &cells(&|i| word(i / 3, &["blue", "green", "red"])),
        ),
    ]);
    let overrides =
        Overrides { given: vec!["age".into(), "clinic".into()], ..Overrides::default() };
    let table = table.unwrap();
    let encoder = Encoder::fit(&table, &Columns::guess(&table, &overrides).unwrap()).unwrap();
    let rows = TableRows {
        masked: false,
        optional: Vec::new(),
        holes: Vec::new(),
        encoder,
        reading: ReadOptions::default(),
    };
    let signature = Signature { vector: rows.vector(), ..Signature::of([rows.encoder.width()]) };
    with_rows(MLP, &signature, rows.kept())
}

/// A server that ends with this value.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Running {
    pub(crate) fn new(model: Model) -> Self {
        Self::with(model, Settings::default())
    }

    pub(crate) fn with(model: Model, settings: Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let server = Server::new(model, settings).unwrap();
        let listen = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = runtime.block_on(listen).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(server.serve(listener, std::future::pending()));
        Self { address, runtime: Some(runtime) }
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Reply {
        Client::new(self.address).send(method, path, headers, body)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[JSON], body.to_string().as_bytes())
    }

    /// The answer in another form than JSON.
    pub(crate) fn post_for(&self, accept: &str, path: &str, body: &Value) -> Reply {
        let accept = format!("Accept: {accept}");
        self.send("POST", path, &[JSON, &accept], body.to_string().as_bytes())
    }

    /// A counter of `/metrics`.
    pub(crate) fn counter(&self, name: &str) -> f64 {
        self.counter_with(name, "")
    }

    /// The same of a server that asks for a token.
    pub(crate) fn counter_with(&self, name: &str, token: &str) -> f64 {
        let token = format!("Authorization: Bearer {token}");
        let text = self.send("GET", "/metrics", &[&token], b"").ok().text();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    /// Waits until a counter is as it should be.
    pub(crate) fn wait_for(&self, name: &str, good: impl Fn(f64) -> bool) {
        let until = Instant::now() + Duration::from_mins(1);
        while !good(self.counter(name)) {
            assert!(Instant::now() < until, "{name} is {}", self.counter(name));
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) const JSON: &str = "Content-Type: application/json";

/// A connection that is kept.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Sends a request and does not wait.
    pub(crate) fn write(&mut self, method: &str, path: &str, headers: &[&str], body: &[u8]) {
        self.write_for("localhost", method, path, headers, body);
    }

    /// The same for a host by its name.
    pub(crate) fn write_for(
        &mut self,
        host: &str,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &[u8],
    ) {
        let length = format!("Content-Length: {}", body.len());
        let host = format!("Host: {host}");
        self.write_plain(method, path, &[headers, &[&length, &host]].concat(), body);
    }

    /// Sends a request whose headers say all that there is to say of it.
    pub(crate) fn write_plain(&mut self, method: &str, path: &str, headers: &[&str], body: &[u8]) {
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        for header in headers {
            text.extend([header, "\r\n"]);
        }
        let bytes = [text.as_bytes(), b"\r\n", body].concat();
        // A server that refuses a body may have closed the way for it.
        let _ = self.stream.get_mut().write_all(&bytes);
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &[u8],
    ) -> Reply {
        self.write(method, path, headers, body);
        self.read()
    }

    pub(crate) fn read(&mut self) -> Reply {
        let mut line = || {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let status = line();
        let status = status.split(' ').nth(1).unwrap_or_else(|| panic!("no status: {status}"));
        let status = status.parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = line();
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
        self.stream.read_exact(&mut body).unwrap();
        Reply { status, headers, body }
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// What was asked for; the sentence of an error is printed.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.text());
        self
    }

    /// The sentence of an error with this status.
    pub(crate) fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/json");
        let error = &self.json()["error"];
        assert_eq!(error["status"], json!(status));
        error["message"].as_str().unwrap().to_owned()
    }
}

/// The numbers of `rows` of an answer, flat.
pub(crate) fn rows(answer: &Value) -> Vec<f32> {
    let rows = answer["rows"].as_array().unwrap();
    let numbers = rows.iter().flat_map(|row| row.as_array().unwrap());
    numbers.map(|x| serde_json::from_value(x.clone()).unwrap()).collect()
}

pub(crate) fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}
