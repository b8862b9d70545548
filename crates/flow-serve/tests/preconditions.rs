//! Limits may be any numbers: they are refused, or a server with them answers.
//!
//! The numbers of a request are those of flow-api, whose tests ask for each awkward one; here the
//! limits of a server take all values that their types have.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::time::Duration;

use common::{Running, points};
use flow_serve::{Limits, Settings};
use flow_testing::{awkward, public};
use serde_json::json;

#[test]
fn times_are_seconds_up_to_a_day_or_refused() {
    for (what, x) in awkward::SCALARS.into_iter().chain([("a day", 86_400.0), ("more", 86_401.0)]) {
        match Limits::time_of(x) {
            Ok(time) => {
                assert!((0.0..=86_400.0).contains(&x), "{what}");
                assert!((time.as_secs_f64() - x).abs() < 1e-9, "{what}: {time:?}");
            }
            Err(error) => {
                assert!(!(0.0..=86_400.0).contains(&x), "{what}: {error}");
                assert_eq!(
                    error.to_string(),
                    format!("--timeout is {x}, give seconds up to 86400")
                );
                assert!(error.is_usage());
            }
        }
    }
}

/// Limits of one kind each, at both ends of their range.
fn limits(largest: bool) -> [Limits; 7] {
    let count = if largest { usize::MAX } else { 0 };
    let time = if largest { Duration::MAX } else { Duration::ZERO };
    let usual = Limits::default;
    [
        Limits { n: count, ..usual() },
        Limits { steps: count, ..usual() },
        Limits { body: count, ..usual() },
        Limits { queue: count, ..usual() },
        Limits { time, ..usual() },
        Limits { connections: count, ..usual() },
        Limits { patience: time, ..usual() },
    ]
}

#[test]
fn limits_that_nothing_can_meet_are_refused_by_their_name() {
    let address = "127.0.0.1:80".parse().unwrap();
    let check = |limits| Settings { limits, token: None }.check(address);
    for limits in limits(false) {
        let error = check(limits.clone()).unwrap_err().to_string();
        assert!(error.ends_with(" is 0, give at least 1"), "{limits:?}: {error}");
    }
    for limits in limits(true) {
        check(limits).unwrap();
    }
}

#[test]
fn a_server_with_the_largest_limits_answers() {
    for limits in limits(true) {
        let server = Running::with(points(), Settings { limits: limits.clone(), token: None });
        let reply = server.post("/v1/sample", &json!({ "n": 2, "seed": 1, "steps": 2 }));
        assert_eq!(reply.status, 200, "{limits:?}: {}", reply.text());
        // More than memory holds is refused whatever the limit.
        for n in [1_u64 << 40, u64::MAX] {
            let many = server.post("/v1/sample", &json!({ "n": n, "seed": 1, "steps": 2 }));
            assert!(10 < many.refused(400).len(), "{limits:?}");
        }
    }
}

#[test]
fn every_public_function_that_takes_numbers_has_a_test() {
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &["Limits::time_of"], &[]);
}
