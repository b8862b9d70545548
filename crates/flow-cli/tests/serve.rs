//! `flow serve`: the numbers of `flow sample`, a graceful end, and no open door.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use common::Scene;

#[cfg(not(feature = "serve"))]
#[test]
fn without_its_feature_the_verb_says_how_to_get_it() {
    Scene::new().refuses("serve m.flow", 2, &["--features serve"]);
}

#[cfg(feature = "serve")]
#[test]
fn what_cannot_be_served_is_refused_before_anything_is_opened() {
    let scene = Scene::new();
    scene.refuses("serve no.flow", 2, &["no run and no model no.flow"]);
    scene.refuses("serve no.flow --host 0.0.0.0", 2, &["0.0.0.0", "token"]);
    scene.refuses("serve no.flow --max-n 0", 2, &["max-n is 0"]);
    scene.refuses("serve no.flow --timeout -1", 2, &["timeout"]);
    scene.refuses("serve no.flow --token=", 2, &["token"]);
}

#[cfg(all(unix, feature = "serve"))]
mod served {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::process::{Child, Command, Stdio};

    use super::common::Scene;

    struct Served(Child);

    impl Served {
        /// Starts a server and waits for the address that it prints.
        fn new(scene: &Scene, words: &str) -> (Self, String) {
            let mut child = scene.flow(words).stdout(Stdio::piped()).spawn().unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
            let address = line.trim().strip_prefix("http://").unwrap().to_owned();
            (Self(child), address)
        }
    }

    impl Drop for Served {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// The body of the answer to a request for samples as an npy file.
    fn npy(address: &str, body: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /v1/sample HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: \
             application/x-npy\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n\
             {body}"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        let start = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        answer.split_off(start)
    }

    #[test]
    fn a_served_model_gives_the_bytes_of_flow_sample_and_stops_when_told() {
        let scene = Scene::new();
        scene.train("run", "");
        scene.ok("export run --out m.flow");
        for (model, words, body) in [
            ("run", "-n 5 --seed 3", "{\"n\": 5, \"seed\": 3}"),
            ("m.flow", "-n 5 --seed 3", "{\"n\": 5, \"seed\": 3}"),
            (
                "m.flow",
                "-n 64 --seed 9 --solver rk4 --steps 7",
                "{\"n\": 64, \"seed\": 9, \"solver\": \"rk4\", \"steps\": 7}",
            ),
        ] {
            let (mut served, address) = Served::new(&scene, &format!("serve {model} --port 0"));
            scene.ok(&format!("sample {model} {words} --out x.npy"));
            let expected = std::fs::read(scene.path("x.npy")).unwrap();
            assert!(npy(&address, body) == expected, "{model} {words}");
            let pid = served.0.id().to_string();
            assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
            assert_eq!(served.0.wait().unwrap().code(), Some(0));
        }
    }

    /// Trains in a second or two.
    const DIGITS: &str = "train digits --no-eval --out digits --set network.channels=8 --set \
                          network.head_channels=8 --set network.groups=4 --set \
                          network.multipliers=[1] --set network.attention=[] --set train.batch=8 \
                          --set train.images=64 --set train.checkpoint_every=64";
    const PEOPLE: &str = "train table --data people.csv --given clinic,age --no-eval --out people \
                          --set network.hidden=16 --set network.depth=1 --set train.images=5120 \
                          --set train.checkpoint_every=5120 --set sample.steps=4";

    /// The commands of a page, one line each, without those that are named long and without
    /// measurements by Python.
    fn commands(page: &str) -> Vec<String> {
        let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
        let lines = blocks.flat_map(|block| {
            let whole = block.replace("\\\n", " ");
            whole.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        lines.filter(|line| !line.contains("# long") && !line.starts_with("python3 ")).collect()
    }

    #[test]
    fn every_command_of_the_page_works() {
        if Command::new("curl").arg("--version").output().is_err() {
            eprintln!("the commands are not run: there is no program `curl` here");
            return;
        }
        let scene = Scene::new();
        scene.ok(DIGITS);
        scene.ok("export digits --out digits.flow");
        let row = |i: usize| {
            format!("{},{},{:.2}\n", ["A", "B"][i % 2], 20 + i * 7 % 60, 1.5 + i as f64 / 400.0)
        };
        let rows: Vec<String> = (0..200).map(row).collect();
        scene.write("people.csv", format!("clinic,age,height\n{}", rows.concat()));
        scene.ok(PEOPLE);
        scene.ok("export people --out people.flow");
        // Ports of the page, and those that the servers have got.
        let mut servers: Vec<(String, Served, String)> = Vec::new();
        let page = include_str!("../../../docs/serve.md");
        let mut answers = 0;
        for command in commands(page) {
            if let Some(words) = command.strip_prefix("flow ") {
                let mut words: Vec<&str> = words.split_whitespace().collect();
                let port = words.iter().position(|word| *word == "--port").map(|at| {
                    words.remove(at);
                    words.remove(at).to_owned()
                });
                let words = format!("{} --port 0", words.join(" "));
                let (served, address) = Served::new(&scene, &words);
                let address = address.replace("0.0.0.0", "127.0.0.1");
                servers.push((port.unwrap_or_else(|| "8080".into()), served, address));
                continue;
            }
            assert!(command.starts_with("curl "), "{command}");
            let mut line = command.clone();
            for (port, _, address) in &servers {
                line = line.replace(&format!("localhost:{port}"), address);
            }
            let mut shell = Command::new("sh");
            scene.prepare(&mut shell);
            let output = shell.args(["-c", &line]).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{command}: {text}");
            let refused = text.starts_with("{\"error\"");
            assert_eq!(refused, command.contains("eular"), "{command}: {text}");
            answers += 1;
        }
        assert_eq!((servers.len(), answers), (3, 13));
        for (file, start) in [("digits.png", "\u{89}PNG"), ("digits.npy", "\u{93}NUMPY")] {
            let bytes = std::fs::read(scene.path(file)).unwrap();
            let start: Vec<u8> = start.chars().map(|c| c as u8).collect();
            assert!(bytes.starts_with(&start), "{file}");
        }
        let csv = std::fs::read_to_string(scene.path("digits.csv")).unwrap();
        assert_eq!(csv.lines().count(), 65);
    }
}
