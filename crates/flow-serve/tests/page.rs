//! The page in a browser, where Chromium is installed.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stderr, reason = "it says what is left out")]
#![allow(clippy::float_cmp, reason = "counts are whole numbers")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use common::{Client, Running, images, points, table};
use flow_serve::Settings;
use serde_json::{Value, json};

/// Names of the browser.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The document after its program has run; nothing where there is no browser.
fn document(address: SocketAddr) -> Option<String> {
    let profile = tempfile::tempdir().unwrap();
    let look = |browser: &&str| {
        Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(["--dump-dom", &format!("http://{address}/")])
            .output()
            .ok()
    };
    let output = BROWSERS.iter().find_map(look);
    if output.is_none() {
        eprintln!("the page is not looked at: there is no program `chromium` here");
    }
    output.map(|output| String::from_utf8(output.stdout).unwrap())
}

/// The address of a server that passes all requests on to another one, and has its page run
/// `page/operate.js` besides.
fn operated(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || pass(&stream, server));
        }
    });
    address
}

/// Answers one request, and ends the connection.
fn pass(mut stream: &TcpStream, server: SocketAddr) {
    let mut reader = BufReader::new(stream);
    let mut head: Vec<String> = Vec::new();
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            // A browser opens connections that it may need and does not.
            Ok(0) | Err(_) => return,
            Ok(_) if line.trim_end().is_empty() => break,
            Ok(_) => head.push(line.trim_end().to_owned()),
        }
    }
    let header = |name: &str| {
        let mut all = head.iter().filter_map(|line| line.split_once(": "));
        all.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let mut words = head[0].split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let (media, body) = if path == "/operate.js" {
        ("text/javascript".to_owned(), include_bytes!("page/operate.js").to_vec())
    } else {
        let names = ["content-type", "accept"];
        let told = names.iter().filter_map(|name| Some(format!("{name}: {}", header(name)?)));
        let told: Vec<String> = told.collect();
        let told: Vec<&str> = told.iter().map(String::as_str).collect();
        let reply = Client::new(server).send(method, path, &told, &body).ok();
        let media = reply.header("content-type").to_owned();
        let script = "<script src=\"/operate.js\" defer></script></head>";
        let page = path == "/";
        (media, if page { reply.text().replace("</head>", script).into() } else { reply.body })
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {length}\r\nConnection: \
         close\r\n\r\n"
    );
    // The browser may have gone.
    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
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
    let Some(page) = document(server.address) else { return };
    holds(&page, &["<h1 id=\"name\">small</h1>", "300 samples, ", "network evaluations each"]);
    // The conditions of the table, the values of one of them, and the rows that were drawn.
    holds(
        &page,
        &["data-given=\"age\"", "data-given=\"clinic\"", "<option value=\"B\">B</option>"],
    );
    holds(&page, &["<th>weight</th>", "<th>colour</th>", "colour = green"]);
    assert_eq!(server.counter("flow_drawn_requests_total"), 1.0);

    let server = Running::new(images());
    let page = document(server.address).unwrap();
    holds(&page, &["36 samples, ", "class-1</option>", "<dt>network</dt><dd>unet, "]);
    let server = Running::new(points());
    holds(&document(server.address).unwrap(), &["300 samples, ", "id=\"play\""]);
}

#[test]
fn a_page_without_the_token_asks_for_it() {
    let settings = Settings { token: Some("secret".into()), ..Settings::default() };
    let server = Running::with(points(), settings);
    let Some(page) = document(server.address) else { return };
    holds(&page, &["<form id=\"access\">", "<main hidden=\"\">"]);
    assert_eq!(server.counter_with("flow_drawn_requests_total", "secret"), 0.0);
}

/// The same rows with every number in double precision: a browser writes 56 for 56.0.
fn plain(rows: &Value) -> Value {
    match rows {
        Value::Array(all) => all.iter().map(plain).collect(),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

#[test]
fn what_a_person_does_on_the_page_is_asked_for_and_shown() {
    let server = Running::new(table());
    let Some(page) = document(operated(server.address)) else { return };
    let (_, said) = page.split_once("<pre id=\"said\">").unwrap_or_else(|| panic!("{page}"));
    let (said, _) = said.split_once("</pre>").unwrap();
    let said: Value = serde_json::from_str(said).unwrap();
    assert_eq!(said.get("error"), None, "{said}");

    let given = json!({ "age": 41, "clinic": "B" });
    let body = json!({ "n": 7, "seed": 5, "solver": "rk4", "given": given });
    assert_eq!(said["form"]["body"], body);
    let mut body = body;
    body["steps"] = json!(3);
    assert_eq!(said["steps"]["body"], body);
    assert_eq!(said["shown"], "3");
    body["seed"] = json!(6);
    assert_eq!(said["another"]["body"], body);
    for part in ["form", "steps", "another"] {
        // What is shown is what anybody gets who asks for it.
        let answer = server.post("/v1/sample", &said[part]["body"]).ok().json();
        assert_eq!(plain(&said[part]["rows"]), plain(&answer["rows"]), "{part}");
        assert_eq!(said[part]["lines"], 7, "{part}");
        let status = said[part]["status"].as_str().unwrap();
        assert!(status.starts_with("7 samples, "), "{status}");
    }
    assert_ne!(said["steps"]["rows"], said["another"]["rows"], "another seed draws others");
    let status = said["steps"]["status"].as_str().unwrap();
    // Three steps of four, and the slope at the end, for the frames of the last step.
    assert!(status.contains(" 13 network evaluations each"), "{status}");

    // The slider of t moves the picture, and back again.
    assert_eq!(
        (&said["t"], &said["moved"], &said["back"]),
        (&json!("0.00"), &json!(true), &json!(true))
    );
    assert_eq!(said["waits"], false, "an empty field is asked for by the browser");
    // Four draws by the page and three by this test.
    assert_eq!(server.counter("flow_drawn_requests_total"), 7.0);
}
