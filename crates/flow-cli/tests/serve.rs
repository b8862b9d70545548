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
    scene.refuses("serve no.flow", 2, &["no run and no model", "no.flow"]);
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
}
