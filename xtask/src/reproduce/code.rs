//! What of the repository a training or a score depends on, as far as it can be known: the code,
//! without comments and tests, and the version of Burn.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};

/// Where the code of training is.
pub(super) const TRAINING: &[&str] = &[
    "crates/flow-kernels/src",
    "crates/flow-nn/src",
    "crates/flow-path/src",
    "crates/flow-run/src/batches.rs",
    "crates/flow-run/src/data.rs",
    "crates/flow-run/src/matching.rs",
    "crates/flow-run/src/network.rs",
    "crates/flow-run/src/reflow.rs",
    "crates/flow-run/src/training.rs",
    "crates/flow-train/src",
    "crates/flow-transport/src",
    "datasets/src",
];

/// Where the code of sampling and scoring is.
pub(super) const SCORING: &[&str] = &[
    "crates/flow-eval/src",
    "crates/flow-judge/src",
    "crates/flow-model/src",
    "crates/flow-ode/src",
    "crates/flow-run/src/description.rs",
    "crates/flow-run/src/model.rs",
    "crates/flow-run/src/request.rs",
    "crates/flow-run/src/sampling.rs",
    "crates/flow-sample/src",
];

/// A name of the code in these files and folders, the same as long as no line of it changes.
///
/// # Errors
/// If one of them does not exist, as after a move, or cannot be read.
pub(super) fn version(root: &Path, places: &[&str]) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    for place in places {
        let path = root.join(place);
        ensure!(
            path.exists(),
            "{place} does not exist: write where it is now into xtask/src/reproduce/code.rs"
        );
        for file in sources(&path)? {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            for line in code(&text) {
                hash.update(line);
                hash.update("\n");
            }
        }
    }
    let lock = fs::read_to_string(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    for (name, version) in lock.lines().zip(lock.lines().skip(1)) {
        if name.starts_with("name = \"burn") {
            hash.update(name);
            hash.update(version);
        }
    }
    Ok(short(hash))
}

/// The beginning of a hash as letters and digits: two of a thousand names agree once in 10^8.
pub(super) fn short(hash: Sha256) -> String {
    format!("{:x}", hash.finalize()).chars().take(12).collect()
}

/// The Rust files of a place, in an order that does not depend on the disk.
fn sources(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut inside = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("cannot read {}", path.display()))?;
    inside.sort();
    let mut files = Vec::new();
    for path in inside {
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

/// Lines that do something: no comments, no tests, no indentation.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let end = text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_of(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/a.rs"), text).unwrap();
        fs::write(folder.path().join("Cargo.lock"), "name = \"burn\"\nversion = \"1\"\n").unwrap();
        version(folder.path(), &["src"]).unwrap()
    }

    #[test]
    fn words_and_tests_are_no_code() {
        let plain = version_of("fn a() {}\n");
        assert_eq!(plain, version_of("//! Words.\n\n    fn a() {}\n    // More.\n"));
        assert_eq!(plain, version_of("fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n"));
        assert_ne!(plain, version_of("fn a() { b() }\n"));
    }

    #[test]
    fn the_places_exist() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let [training, scoring] = [TRAINING, SCORING].map(|all| version(root, all).unwrap());
        assert_ne!(training, scoring);
        let error = version(root, &["crates/gone"]).unwrap_err().to_string();
        assert!(error.contains("crates/gone") && error.contains("code.rs"), "{error}");
    }
}
