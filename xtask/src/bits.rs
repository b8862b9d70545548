//! `cargo xtask bits`: whether a change leaves the numbers of a seed as they are, bit for bit.
//!
//! `--record` trains and samples small runs of several kinds and keeps their losses and the hashes
//! of their samples; without it the runs are made again and compared. Floating-point numbers differ
//! between processors, so a record holds for the machine that made it and lies in the build folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::output::print;
use crate::{cargo, reproduce};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Keep the numbers of this commit, for later comparison.
    #[arg(long)]
    record: bool,
    /// Where they are kept; without it, `bits.json` in the build folder.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// A small run: what trains it in 20 steps, and how its samples are drawn.
struct Case {
    name: &'static str,
    train: &'static str,
    sample: &'static str,
}

const SOLVED: &str = "--solver rk4 --steps 4";
const SMALL: &str = "--set network.channels=8 --set network.head_channels=8 --set network.groups=4 \
                     --set train.batch=32 --set train.images=640 --set train.checkpoint_every=320";

const CASES: [Case; 7] = [
    Case { name: "mlp", train: "debug --set train.images=5120", sample: SOLVED },
    Case { name: "split-mlp", train: "rf-1d --set train.images=20000", sample: SOLVED },
    Case { name: "latent", train: "vrfm-1d --set train.images=20000", sample: SOLVED },
    Case { name: "classes", train: "digits", sample: SOLVED },
    Case { name: "latent-image", train: "vrfm-digits", sample: SOLVED },
    Case {
        name: "transport",
        train: "debug --set train.images=5120 --set path.coupling=\"ot\"",
        sample: SOLVED,
    },
    Case {
        name: "edm",
        train: "debug --set train.images=5120 --set path.prediction=v",
        sample: "--sampler edm --grid karras --steps 8",
    },
];

/// The numbers of one run.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Bits {
    /// The loss of each step, as the log has it: it depends on every weight before it.
    losses: Vec<String>,
    /// SHA-256 of 64 samples, which depend on the averaged weights.
    samples: String,
}

/// Records or compares.
///
/// # Errors
/// If a run fails, or there is no record to compare with.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let file = match &args.file {
        Some(file) => file.clone(),
        None => cargo::target_dir("bits.json")?,
    };
    let flow = reproduce::build()?;
    let scratch = tempfile::tempdir().context("cannot make a folder for the runs")?;
    let made = |case: &Case| Ok((case.name.to_owned(), made(case, &flow, scratch.path())?));
    let bits = CASES.iter().map(made).collect::<anyhow::Result<BTreeMap<String, Bits>>>()?;
    if args.record {
        let text = serde_json::to_string_pretty(&bits).context("plain values are valid JSON")?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        print(&format!("recorded {} runs in {}", bits.len(), file.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = fs::read(&file).with_context(|| {
        format!("cannot read {}: record it first, with --record", file.display())
    })?;
    let known: BTreeMap<String, Bits> = serde_json::from_slice(&text)
        .with_context(|| format!("{} is no record of bits", file.display()))?;
    let lines = compare(&known, &bits);
    lines.iter().try_for_each(|(line, _)| print(line))?;
    let same = lines.iter().all(|(_, same)| *same);
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Trains a case and draws its samples.
fn made(case: &Case, flow: &Path, scratch: &Path) -> anyhow::Result<Bits> {
    let folder = scratch.join(case.name);
    let small = if case.train.contains("digits") { SMALL } else { "" };
    let run = folder.to_string_lossy().into_owned();
    say(flow, &format!("train {} {small} --no-eval --threads 1 --out {run}", case.train))?;
    let npy = scratch.join(format!("{}.npy", case.name));
    let sampled = format!("sample {run} -n 64 {} --threads 1 --out {}", case.sample, npy.display());
    say(flow, &sampled)?;
    let log = folder.join("metrics.jsonl");
    let log = fs::read_to_string(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let bytes = fs::read(&npy).with_context(|| format!("cannot read {}", npy.display()))?;
    let samples = format!("{:x}", Sha256::digest(bytes));
    Ok(Bits { losses: losses(&log), samples })
}

fn say(flow: &Path, words: &str) -> anyhow::Result<()> {
    let mut command = Command::new(flow);
    let output = command.args(words.split_whitespace()).output();
    let output = output.with_context(|| format!("cannot start {}", flow.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`flow {words}` failed: {}", said.trim());
    Ok(())
}

fn losses(log: &str) -> Vec<String> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["kind"] == "train").map(|line| line["loss"].to_string()).collect()
}

/// A line for each case, and whether it is the same.
fn compare(known: &BTreeMap<String, Bits>, bits: &BTreeMap<String, Bits>) -> Vec<(String, bool)> {
    let line = |(name, now): (&String, &Bits)| {
        let Some(then) = known.get(name) else { return (format!("{name:14} not recorded"), false) };
        if then == now {
            return (format!("{name:14} same bits"), true);
        }
        let first = then.losses.iter().zip(&now.losses).position(|(a, b)| a != b);
        let first = first.or((then.losses.len() != now.losses.len()).then_some(now.losses.len()));
        let what = match first {
            Some(at) => format!("losses move from step {} on", at + 1),
            None => "samples move, losses do not".to_owned(),
        };
        (format!("{name:14} {what}"), false)
    };
    bits.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(losses: &[&str], samples: &str) -> BTreeMap<String, Bits> {
        let losses = losses.iter().map(ToString::to_string).collect();
        BTreeMap::from([("a".to_owned(), Bits { losses, samples: samples.to_owned() })])
    }

    #[test]
    fn what_moved_is_named() {
        let known = of(&["1.0", "0.5"], "x");
        assert_eq!(
            compare(&known, &of(&["1.0", "0.5"], "x")),
            [("a              same bits".into(), true)]
        );
        let said = |now| compare(&known, &now)[0].0.clone();
        assert!(said(of(&["1.0", "0.4"], "x")).ends_with("losses move from step 2 on"));
        assert!(said(of(&["1.0", "0.5"], "y")).ends_with("samples move, losses do not"));
    }

    #[test]
    fn losses_are_kept_as_the_log_has_them() {
        let log = "{\"kind\":\"train\",\"loss\":0.25}\n{\"kind\":\"validation\",\"loss\":1}\n";
        assert_eq!(losses(log), ["0.25"]);
    }
}
