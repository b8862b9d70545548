//! Every number that a page may choose, in turn each awkward one: the answer holds numbers alone,
//! or the request is refused in one sentence, and the page goes on.
//!
//! Questions to a model are those of flow-api, whose tests ask for each number; here are those of a
//! training. No public function takes numbers by itself but `flow_place`, which JavaScript calls
//! and the tests of `border.rs` do.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use flow_testing::public;
use flow_web::Desk;
use serde_json::json;

/// Numbers of a training, with values that cost little.
const TRAINING: [(&str, &str); 6] = [
    ("seed", "1"),
    ("hidden", "8"),
    ("depth", "1"),
    ("batch", "16"),
    ("steps", "4"),
    ("learning_rate", "0.01"),
];

/// The answer to a request, whose numbers are all numbers; none where it is refused.
fn ask(desk: &mut Desk, path: &str, body: &str) -> Option<String> {
    let request = format!("{{\"path\": \"{path}\", \"body\": {body}}}");
    match desk.answer(request.as_bytes()) {
        Ok(bytes) => {
            let reply = String::from_utf8(bytes).unwrap();
            assert!(!reply.contains("null"), "{path} {body}: {reply}");
            Some(reply)
        }
        Err(refused) => {
            let sentence = refused.to_string();
            assert!(10 < sentence.len() && !sentence.contains('\n'), "{path} {body}: {sentence}");
            None
        }
    }
}

fn training(changed: &str, number: &str) -> String {
    let field = |&(name, usual): &(&str, &str)| {
        format!("\"{name}\": {}", if name == changed { number } else { usual })
    };
    format!("{{{}}}", TRAINING.iter().map(field).collect::<Vec<_>>().join(", "))
}

#[test]
fn every_number_of_a_training_may_be_awkward() {
    let mut begun = 0;
    for (name, _) in TRAINING {
        for number in flow_testing::awkward::JSON_NUMBERS {
            let mut desk = Desk::default();
            if ask(&mut desk, "/v1/train", &training(name, number)).is_none() {
                continue;
            }
            begun += 1;
            assert!(!["NaN", "Infinity", "1e400"].contains(&number), "{name} is {number}");
            // A rate that is too large ends the training with a sentence, after which it is over.
            ask(&mut desk, "/v1/train/steps", &json!({ "count": 3 }).to_string());
            ask(&mut desk, "/v1/train/sample", &json!({ "n": 2, "steps": 2 }).to_string());
            assert!(ask(&mut desk, "/v1/train/data", "{\"count\": 2}").is_some());
        }
    }
    assert!(20 < begun, "{begun} were begun");
}

#[test]
fn every_count_of_a_training_may_be_awkward() {
    let mut desk = Desk::default();
    ask(&mut desk, "/v1/train", &training("seed", "2")).unwrap();
    for path in ["/v1/train/steps", "/v1/train/data"] {
        for number in flow_testing::awkward::JSON_NUMBERS {
            let answered = ask(&mut desk, path, &format!("{{\"count\": {number}}}")).is_some();
            assert_eq!(answered, ["0", "1", "3"].contains(&number), "{path} of {number}");
        }
    }
}

#[test]
fn no_public_function_takes_numbers() {
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &[], &[]);
}
