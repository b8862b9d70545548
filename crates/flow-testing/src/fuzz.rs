//! Damaged inputs for readers, and bounds on what a reader may do with them.
//!
//! A file may come from a disk that failed, from another program or from a stranger. Whatever it
//! holds, a reader ends soon, asks for memory in proportion and answers with a value or an error:
//! it neither panics nor aborts. [`fuzz`] tries a reader on many damaged copies of good files.
//!
//! The number of inputs is small in an ordinary test run; `FLOW_FUZZ_INPUTS` sets another, as
//! `cargo xtask torture` does.

use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::memory::Watch;

/// Inputs of a reader in an ordinary test run.
const FEW: usize = 300;

/// How long a reader may take for one input of some kilobytes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of memory that a reader may ask for beyond what it held before.
const MEMORY: usize = 1 << 30;

/// What became of the inputs of a reader.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What was read.
    pub name: String,
    /// Inputs tried.
    pub tried: usize,
    /// Inputs that the reader took for good, damage and all: some damage harms nothing.
    pub accepted: usize,
    /// Most memory that one input asked for, in bytes; zero unless [`Watch`] is the allocator.
    pub memory: usize,
    /// Longest time for one input.
    pub time: Duration,
    /// Inputs at which the reader panicked, took too long or asked for too much.
    pub failures: Vec<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "fuzz {:24} tried {:8} accepted {:8} failed {} most memory {:.1} MiB longest {:.1} ms",
            self.name,
            self.tried,
            self.accepted,
            self.failures.len(),
            self.memory as f64 / f64::from(1 << 20),
            1e3 * self.time.as_secs_f64()
        )
    }
}

/// Tries a reader of files, prints what became of it and removes the files: `read` gets the path of
/// each damaged copy, whose name is `file`.
///
/// # Panics
/// As [`fuzz`] does, and if no file can be written.
#[expect(clippy::print_stdout, reason = "the table of `cargo xtask torture`")]
pub fn fuzz_files(name: &str, corpus: &[Vec<u8>], file: &str, read: impl Fn(&Path) -> bool) {
    let folder = tempfile::tempdir().expect("a folder for the damaged copies");
    let path = folder.path().join(file);
    let outcome = fuzz(name, corpus, |bytes| {
        fs::write(&path, bytes).expect("a damaged copy can be written");
        read(&path)
    });
    println!("{outcome}");
}

/// Tries `read` on damaged copies of the files of `corpus`; it says whether it took an input for
/// good.
///
/// The damage is drawn from a fixed seed, so that a failure can be repeated by its number.
///
/// # Panics
/// With the first failures, if the reader panicked, took over 10 seconds or asked for over 1 GiB.
pub fn fuzz(name: &str, corpus: &[Vec<u8>], read: impl Fn(&[u8]) -> bool) -> Outcome {
    assert!(!corpus.is_empty(), "expected at least one good file to damage");
    let number = std::env::var("FLOW_FUZZ_INPUTS").ok();
    let number = number.map_or(FEW, |text| text.parse().expect("FLOW_FUZZ_INPUTS is a number"));
    let mut outcome = Outcome { name: name.to_string(), ..Outcome::default() };
    for number in 0..number {
        let bytes = damaged(corpus, number as u64);
        let (before, start) = (Watch::begin(), Instant::now());
        let answer = catch_unwind(AssertUnwindSafe(|| read(&bytes)));
        let (memory, time) = (Watch::peak_since(before), start.elapsed());
        let failure = match answer {
            Err(_) => Some("panicked".to_string()),
            Ok(_) if PATIENCE < time => Some(format!("took {time:.1?}")),
            Ok(_) if MEMORY < memory => Some(format!("asked for {memory} bytes")),
            Ok(accepted) => {
                outcome.accepted += usize::from(accepted);
                None
            }
        };
        if let Some(what) = failure {
            let head = &bytes[..bytes.len().min(64)];
            outcome
                .failures
                .push(format!("input {number} {what}: {} bytes, {head:02x?}", bytes.len()));
        }
        outcome.tried += 1;
        outcome.memory = outcome.memory.max(memory);
        outcome.time = outcome.time.max(time);
    }
    let first = &outcome.failures[..outcome.failures.len().min(3)];
    assert!(first.is_empty(), "{outcome}\n{}", first.join("\n"));
    outcome
}

/// The damaged copy of this number: the files of the corpus in turn, each changed in one to four
/// places.
#[must_use]
pub fn damaged(corpus: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(number);
    let mut bytes = corpus[number as usize % corpus.len()].clone();
    for _ in 0..rng.usize(1..5) {
        let at = rng.usize(0..=bytes.len());
        let end = (at + rng.usize(0..32)).min(bytes.len());
        match rng.u8(0..9) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(0..8),
            2 if at < bytes.len() => bytes[at] = rng.u8(..),
            3 => overwrite(&mut bytes, at, &extreme(&mut rng)),
            4 => drop(bytes.drain(at..end)),
            5 => {
                let piece = bytes[at..end].to_vec();
                let place = rng.usize(0..=bytes.len());
                bytes.splice(place..place, piece);
            }
            6 => {
                let other = &corpus[rng.usize(0..corpus.len())];
                let cut = rng.usize(0..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[cut..]);
            }
            7 => digits(&mut bytes, &mut rng),
            _ => {
                let noise: Vec<u8> = (0..rng.usize(1..16)).map(|_| rng.u8(..)).collect();
                bytes.splice(at..at, noise);
            }
        }
    }
    bytes
}

/// Bytes that stand for a size at the edge of its type, in either order.
fn extreme(rng: &mut fastrand::Rng) -> Vec<u8> {
    let value =
        [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0xffff_ffff, 1 << 32, 1 << 62, u64::MAX >> 1, u64::MAX];
    let value = value[rng.usize(0..value.len())];
    let bytes = if rng.bool() { value.to_le_bytes() } else { value.to_be_bytes() };
    let width = [1, 2, 4, 8][rng.usize(0..4)];
    if rng.bool() { bytes[..width].to_vec() } else { bytes[8 - width..].to_vec() }
}

/// Puts a huge, negative or wrong number where digits stand, for formats of text.
fn digits(bytes: &mut Vec<u8>, rng: &mut fastrand::Rng) {
    let places: Vec<usize> = (0..bytes.len()).filter(|&i| bytes[i].is_ascii_digit()).collect();
    if places.is_empty() {
        return;
    }
    let start = places[rng.usize(0..places.len())];
    let length = bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
    let texts =
        ["0", "-1", "1e308", "NaN", "4294967296", "9223372036854775807", "18446744073709551616"];
    let text = texts[rng.usize(0..texts.len())];
    bytes.splice(start..start + length, text.bytes());
}

fn overwrite(bytes: &mut Vec<u8>, at: usize, with: &[u8]) {
    let end = (at + with.len()).min(bytes.len());
    bytes.splice(at..end, with.iter().copied());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_drawn_from_its_number() {
        let corpus = vec![b"shape: [2, 3]".to_vec(), vec![7; 40]];
        assert_eq!(damaged(&corpus, 5), damaged(&corpus, 5));
        let distinct = (0..200).filter(|&n| damaged(&corpus, n) != corpus[n as usize % 2]).count();
        assert!(180 < distinct, "{distinct} of 200 copies are damaged");
    }

    #[test]
    #[should_panic(expected = "panicked")]
    fn a_reader_that_panics_is_found() {
        fuzz("planted", &[vec![1, 2, 3, 4]], |bytes| {
            assert!(bytes.len() < 6, "planted");
            true
        });
    }

    #[test]
    fn a_good_reader_passes() {
        let outcome =
            fuzz("utf-8", &[b"good".to_vec()], |bytes| std::str::from_utf8(bytes).is_ok());
        assert!(0 < outcome.accepted && outcome.accepted < outcome.tried, "{outcome}");
    }
}
