//! Numbers outside the range of an option are refused, for every option.

mod common;

use common::Scene;

/// No numbers, or none that an option takes.
const ODD: [&str; 7] = ["nan", "inf", "-inf", "-1", "1e300", LARGE, "many"];

/// 2^64, which a fraction may be, but no count and no seed.
const LARGE: &str = "18446744073709551616";

#[test]
fn every_option_refuses_what_is_no_number_for_it() {
    let scene = Scene::new();
    scene.train("run", "");
    for (verb, options) in [
        ("train debug --dry-run", &["--seed", "--threads"][..]),
        (
            "sample run --solver dopri5 --out x.npy",
            &[
                "--number",
                "--seed",
                "--class",
                "--batch",
                "--steps",
                "--shift",
                "--rtol",
                "--atol",
                "--guidance",
                "--threads",
            ],
        ),
        ("eval run", &["--number", "--seed"]),
        (
            "likelihood run",
            &[
                "--number",
                "--seed",
                "--probes",
                "--importance",
                "--latents",
                "--batch",
                "--steps",
                "--rtol",
                "--atol",
            ],
        ),
        ("verify", &["--threads"]),
    ] {
        for option in options {
            for value in ODD {
                let fraction = ["--shift", "--rtol", "--atol", "--guidance"].contains(option);
                if fraction && value == LARGE {
                    continue;
                }
                let before = scene.files();
                let said = scene.run(&format!("{verb} {option}={value}"));
                let line = said.stderr.lines().next().unwrap_or_default();
                assert_eq!(said.code, Some(2), "{verb} {option}={value}: {said:?}");
                let name = option.trim_start_matches('-');
                assert!(line.starts_with("error: ") && line.contains(name), "{option}: {said:?}");
                assert_eq!(scene.files(), before, "{verb} {option}={value}");
            }
        }
    }
}

#[test]
fn intervals_and_large_counts_are_looked_at() {
    let scene = Scene::new();
    scene.train("run", "");
    let largest = "900000000000000";
    for (words, name) in [
        ("sample run --guidance-interval nan,1", "finite number"),
        ("sample run --guidance-interval 0,inf", "finite number"),
        ("sample run --guidance-interval 1,0", "forward in time"),
        ("sample run --guidance-interval 1", "START,END"),
        (&format!("sample run --number {largest}"), "--number: the file takes 7.2 PB"),
        (&format!("sample run --number {largest} --out x.png"), "--number: the picture takes"),
        (&format!("sample run --number {largest} --batch {largest}"), "--batch: a batch takes"),
        (&format!("sample run --solver euler --steps {largest}"), "at most 1000000"),
        (&format!("sample run --sampler ddim --grid karras --steps {largest}"), "at most 1000000"),
        (&format!("sample run --threads {largest}"), "at most 1024"),
        (&format!("eval run --number {largest}"), "-n: to hold the samples and the data takes"),
    ] {
        let said = scene.run(words);
        assert_eq!(said.code, Some(2), "{words}: {said:?}");
        let line = said.stderr.lines().next().unwrap_or_default();
        assert!(line.contains(name), "{words}: {said:?}");
    }
    // What can be counted can be typed as it is said.
    scene.ok("sample run -n 1e1 --batch 1e3 --out x.npy");
}
