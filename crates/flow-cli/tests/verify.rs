//! `flow verify`: every golden number passes on the CPU, and can be asked for alone.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use common::Scene;
use serde_json::Value;

#[test]
fn every_golden_number_passes() {
    let scene = Scene::new();
    let checks: Vec<Value> = serde_json::from_str(&scene.ok("verify --json")).unwrap();
    assert!(checks.iter().all(|check| check["passed"] == true));
    for number in 1..=30 {
        let id = format!("G{number:02}");
        assert!(checks.iter().any(|check| check["id"] == *id), "{id} is not checked");
    }
    for on in ["host f64", "flex f32"] {
        assert!(checks.iter().any(|check| check["on"] == on), "nothing on {on}");
    }
}

#[test]
fn one_golden_number_is_checked_alone_and_shown() {
    let scene = Scene::new();
    let table = scene.ok("verify G18");
    assert!(table.contains("G18  DDIM is the Euler method"), "{table}");
    assert!(!table.contains("G17") && !table.contains("FAIL"), "{table}");
    assert!(table.contains("4 of 4 checks pass"), "{table}");
}

#[test]
fn unknown_numbers_and_devices_are_refused() {
    let scene = Scene::new();
    scene.refuses("verify G99", 2, &["`G99`", "G01", "G30"]);
    scene.refuses("verify --device tpu", 2, &["`tpu`", "flex"]);
}
