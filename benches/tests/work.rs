//! The program that races PyTorch answers as the driver of the race expects.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

#[test]
fn each_line_of_input_is_answered_with_a_time() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_flow-bench-work"))
        .args(["coupling-64", "--threads", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(b"3\n2\n").unwrap();
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);

    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [facts, three, two] = &lines[..] else { panic!("expected three lines, got {text}") };
    assert_eq!(facts["work"], "coupling-64");
    assert_eq!(facts["parameters"], 0);
    assert_eq!(facts["products"], 0.0);
    assert_eq!(facts["threads"], 1);
    assert_eq!(three["times"], 3);
    assert_eq!(two["times"], 2);
    for line in [three, two] {
        let seconds = line["seconds"].as_f64().unwrap();
        // A pairing of 64 points takes tens of microseconds, and a second on no machine.
        assert!(0.0 < seconds && seconds < 1.0, "{line}");
    }
}

#[test]
fn unknown_work_is_refused_with_the_known_names() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_flow-bench-work")).arg("unet-train-9").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("unet-train-8"), "{message}");
}
