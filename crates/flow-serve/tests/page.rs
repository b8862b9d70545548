//! The page in a browser, where Chromium is installed.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stderr, reason = "it says what is left out")]
#![allow(clippy::float_cmp, reason = "counts are whole numbers")]

mod common;

use std::process::Command;

use common::{Running, images, points, table};
use flow_serve::Settings;

/// The document after its program has run; nothing where there is no browser.
fn document(server: &Running) -> Option<String> {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--dump-dom", &format!("http://{}/", server.address)])
        .output();
    if output.is_err() {
        eprintln!("the page is not looked at: there is no program `chromium` here");
    }
    output.ok().map(|output| String::from_utf8(output.stdout).unwrap())
}

/// All of `parts` stand in the document.
fn holds(document: &str, parts: &[&str]) {
    for part in parts {
        assert!(document.contains(part), "no {part} in {document}");
    }
}

#[test]
fn the_page_has_a_form_for_the_conditions_and_draws() {
    let server = Running::new(table());
    let Some(page) = document(&server) else { return };
    holds(&page, &["<h1 id=\"name\">small</h1>", "300 samples, ", "network evaluations each"]);
    // The conditions of the table, the values of one of them, and the rows that were drawn.
    holds(
        &page,
        &["data-given=\"age\"", "data-given=\"clinic\"", "<option value=\"B\">B</option>"],
    );
    holds(&page, &["<th>weight</th>", "<th>colour</th>", "colour = green"]);
    assert_eq!(server.counter("flow_drawn_requests_total"), 1.0);

    let server = Running::new(images());
    let page = document(&server).unwrap();
    holds(&page, &["36 samples, ", "class-1</option>", "<dt>network</dt><dd>unet, "]);
    let server = Running::new(points());
    holds(&document(&server).unwrap(), &["300 samples, ", "id=\"play\""]);
}

#[test]
fn a_page_without_the_token_asks_for_it() {
    let settings = Settings { token: Some("secret".into()), ..Settings::default() };
    let server = Running::with(points(), settings);
    let Some(page) = document(&server) else { return };
    holds(&page, &["<form id=\"access\">", "<main hidden=\"\">"]);
    assert_eq!(server.counter_with("flow_drawn_requests_total", "secret"), 0.0);
}
