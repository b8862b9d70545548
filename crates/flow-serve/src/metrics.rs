//! Counters of the server, in the format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the buckets of times, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0];

/// Counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    times: Mutex<BTreeMap<&'static str, Times>>,
    batches: AtomicU64,
    drawn: AtomicU64,
    rows: AtomicU64,
    computing: AtomicU64,
}

/// How long requests took.
#[derive(Clone, Debug, Default)]
struct Times {
    /// Requests up to the end of each bucket and above the end of the one before.
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

impl Metrics {
    /// A request that was answered.
    pub(crate) fn request(&self, path: &'static str, status: u16, time: Duration) {
        let seconds = time.as_secs_f64();
        *lock(&self.requests).entry((path, status)).or_default() += 1;
        let mut times = lock(&self.times);
        let times = times.entry(path).or_default();
        if let Some(at) = BUCKETS.iter().position(|end| seconds <= *end) {
            times.buckets[at] += 1;
        }
        times.count += 1;
        times.sum += seconds;
    }

    /// Requests that are drawn together, and their rows.
    pub(crate) fn batch(&self, requests: usize, rows: usize) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.drawn.fetch_add(requests as u64, Ordering::Relaxed);
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Time that the network took.
    pub(crate) fn computed(&self, time: Duration) {
        self.computing.fetch_add(time.as_micros() as u64, Ordering::Relaxed);
    }

    /// Everything in Prometheus's text format.
    pub(crate) fn text(&self, waiting: usize) -> String {
        let mut text = String::new();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        head(&mut text, "flow_requests_total", "counter", "Requests by path and status.");
        for ((path, status), n) in &*lock(&self.requests) {
            let _ =
                writeln!(text, "flow_requests_total{{path=\"{path}\",status=\"{status}\"}} {n}");
        }
        head(&mut text, "flow_request_seconds", "histogram", "Time from request to answer.");
        for (path, times) in &*lock(&self.times) {
            times.write(&mut text, path);
        }
        let computing = count(&self.computing) as f64 / 1e6;
        let resident = resident().unwrap_or(0);
        for (name, kind, about, value) in [
            ("flow_batches_total", "counter", "Network solves.", count(&self.batches) as f64),
            (
                "flow_drawn_requests_total",
                "counter",
                "Requests for samples that were drawn, several in one solve.",
                count(&self.drawn) as f64,
            ),
            ("flow_rows_total", "counter", "Samples that were drawn.", count(&self.rows) as f64),
            ("flow_computing_seconds_total", "counter", "Time of the network.", computing),
            ("flow_waiting", "gauge", "Requests that wait for the network.", waiting as f64),
            (
                "process_resident_memory_bytes",
                "gauge",
                "Memory of the process, 0 where the system does not say.",
                resident as f64,
            ),
        ] {
            head(&mut text, name, kind, about);
            let _ = writeln!(text, "{name} {value}");
        }
        text
    }
}

impl Times {
    fn write(&self, text: &mut String, path: &str) {
        let mut below = 0;
        for (end, n) in BUCKETS.iter().zip(self.buckets) {
            below += n;
            let _ = writeln!(
                text,
                "flow_request_seconds_bucket{{path=\"{path}\",le=\"{end}\"}} {below}"
            );
        }
        let Self { count, sum, .. } = self;
        let _ = writeln!(
            text,
            "flow_request_seconds_bucket{{path=\"{path}\",le=\"+Inf\"}} {count}\n\
             flow_request_seconds_sum{{path=\"{path}\"}} {sum}\n\
             flow_request_seconds_count{{path=\"{path}\"}} {count}"
        );
    }
}

fn head(text: &mut String, name: &str, kind: &str, about: &str) {
    let _ = writeln!(text, "# HELP {name} {about}\n# TYPE {name} {kind}");
}

fn lock<T>(counted: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing panics while it holds a lock.
    counted.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of memory that the process holds, where Linux says so.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
