//! Clients that say nothing, or read nothing, keep nobody waiting for long.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use common::{Client, JSON, Running, points};
use flow_serve::{Limits, Server, Settings};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_millis(300);

fn patient(connections: usize, patience: Duration) -> Settings {
    let limits = Limits { connections, patience, ..Limits::default() };
    Settings { limits, token: None }
}

/// A connection on which this is all that is said.
fn saying(address: SocketAddr, words: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(words.as_bytes()).unwrap();
    stream
}

/// Whether the server closes a connection within some time.
fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    stream.set_read_timeout(Some(within)).unwrap();
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => true,
        Err(error) => {
            assert!([ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()));
            false
        }
    }
}

#[test]
fn a_connection_without_a_header_is_closed() {
    let server = Running::with(points(), patient(512, PATIENCE));
    for words in ["", "GET /healthz HTTP/1.1\r\nHost: local", "POST /v1/sample HTTP/1.1\r\n"] {
        let mut all: Vec<_> = (0..10).map(|_| saying(server.address, words)).collect();
        assert!(all.iter_mut().all(|one| is_closed(one, Duration::from_secs(10))), "{words}");
    }
    // One that has been answered and asks nothing more, and one whose body does not come.
    let answered = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert!(is_closed(&mut saying(server.address, answered), Duration::from_secs(10)));
    let head = "POST /v1/sample HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let mut half = saying(server.address, &format!("{head}Content-Length: 100\r\n\r\n{{"));
    assert!(is_closed(&mut half, Duration::from_secs(10)));
    // A control: by default there is more time than that.
    let server = Running::new(points());
    assert!(!is_closed(&mut saying(server.address, ""), 3 * PATIENCE));
    server.get("/healthz").ok();
}

#[test]
fn more_connections_than_there_may_be_wait_for_their_turn() {
    let server = Running::with(points(), patient(2, PATIENCE));
    let started = Instant::now();
    let _idle = [saying(server.address, ""), saying(server.address, "")];
    server.get("/healthz").ok();
    let waited = started.elapsed();
    assert!(PATIENCE / 2 < waited && waited < Duration::from_secs(10), "{waited:?}");
}

/// A server that is told to stop by a word.
struct Stopped {
    address: SocketAddr,
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Stopped {
    fn new(settings: Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listen = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = runtime.block_on(listen).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, told) = oneshot::channel::<()>();
        let server = Server::new(points(), settings).unwrap();
        let serving = runtime.spawn(server.serve(listener, async {
            let _ = told.await;
        }));
        Self { address, runtime, stop, serving }
    }

    fn wait_for(&self, name: &str) {
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            let text = Client::new(self.address).send("GET", "/metrics", &[], b"").ok().text();
            let mut lines = text.lines().filter_map(|line| line.strip_prefix(name));
            if lines.next().is_some_and(|value| value.trim() == "1") {
                return;
            }
            assert!(Instant::now() < until, "{text}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Tells it to stop, and how long that took.
    fn stop(self) -> Duration {
        let started = Instant::now();
        self.stop.send(()).unwrap();
        let ended = async { tokio::time::timeout(Duration::from_secs(30), self.serving).await };
        self.runtime.block_on(ended).unwrap().unwrap();
        started.elapsed()
    }
}

fn posted(address: SocketAddr, ask: &Value) -> Client {
    let mut client = Client::new(address);
    client.write("POST", "/v1/sample", &[JSON], ask.to_string().as_bytes());
    client
}

/// An answer of some 20 MB, more than the buffers of a connection hold.
#[test]
fn an_answer_that_nobody_reads_is_given_up() {
    let server = Stopped::new(patient(512, PATIENCE));
    let times: Vec<f64> = (0..200).map(|k| f64::from(k) / 200.0).collect();
    let ask = json!({ "n": 5_000, "steps": 1, "solver": "euler", "keep": times });
    let _silent = posted(server.address, &ask);
    server.wait_for("flow_request_seconds_count{path=\"/v1/sample\"}");
    let took = server.stop();
    assert!(took < Duration::from_secs(10), "{took:?}");
}

/// The same of two clients where one is taken at once: the second is refused until the first has
/// read its answer, whose bytes would else pile up.
#[test]
fn an_answer_keeps_its_place_until_it_is_read() {
    let limits = Limits { queue: 1, ..Limits::default() };
    let server = Stopped::new(Settings { limits, ..Settings::default() });
    let times: Vec<f64> = (0..200).map(|k| f64::from(k) / 200.0).collect();
    let ask = json!({ "n": 5_000, "steps": 1, "solver": "euler", "keep": times });
    let mut first = posted(server.address, &ask);
    server.wait_for("flow_request_seconds_count{path=\"/v1/sample\"}");
    let small = json!({ "n": 2, "steps": 2 });
    posted(server.address, &small).read().refused(429);
    assert_eq!(first.read().ok().json()["shape"], json!([5_000, 2]));
    let until = Instant::now() + Duration::from_mins(1);
    while posted(server.address, &small).read().status == 429 {
        assert!(Instant::now() < until, "the place is never free again");
        std::thread::sleep(Duration::from_millis(2));
    }
    server.stop();
}

#[test]
fn what_has_come_is_answered_before_a_server_stops() {
    let server = Stopped::new(Settings::default());
    let ask = json!({ "n": 1_000, "steps": 500, "solver": "rk4" });
    let mut client = posted(server.address, &ask);
    server.wait_for("flow_batches_total");
    let took = server.stop();
    assert_eq!(client.read().ok().json()["shape"], json!([1_000, 2]));
    assert!(took < Duration::from_secs(30), "{took:?}");
}
