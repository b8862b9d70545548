//! Runs the real binary in a temporary folder.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder to run commands in; no command sees the user's data or cache.
pub(crate) struct Scene(TempDir);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// `flow` with these words, which hold no spaces.
    pub(crate) fn flow(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
        command.args(words.split_whitespace());
        self.prepare(&mut command);
        command
    }

    /// Lets a command run in this folder.
    pub(crate) fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.0.path())
            .env_remove("FLOW_DATA")
            .env("XDG_CACHE_HOME", self.path("cache"));
    }

    pub(crate) fn run(&self, words: &str) -> Said {
        self.flow(words).output().unwrap().into()
    }

    /// Runs what must succeed and returns its standard output.
    pub(crate) fn ok(&self, words: &str) -> String {
        let said = self.run(words);
        assert_eq!(said.code, Some(0), "flow {words}: {}", said.stderr);
        said.stdout
    }

    /// Trains the smallest recipe, without scores and pictures.
    pub(crate) fn train(&self, folder: &str, more: &str) {
        self.ok(&format!("train debug --no-eval --out {folder} {more}"));
    }

    /// The bytes of 200 samples of a run: they depend on all of its averaged weights.
    pub(crate) fn samples(&self, run: &str) -> Vec<u8> {
        let file = format!("{run}.samples.npy");
        self.ok(&format!("sample {run} -n 200 --solver rk4 --steps 10 --out {file}"));
        fs::read(self.path(&file)).unwrap()
    }

    /// Every file and folder, by its path from here.
    pub(crate) fn files(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut folders = vec![self.0.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                found.insert(path.strip_prefix(self.0.path()).unwrap().to_path_buf());
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        found
    }

    /// Runs what must fail: with this exit code, one sentence that holds each of `names`, and no
    /// file that was not there before.
    pub(crate) fn refuses(&self, words: &str, code: i32, names: &[&str]) {
        let before = self.files();
        let said = self.run(words);
        assert_eq!(said.code, Some(code), "flow {words}: {said:?}");
        assert_eq!(said.stderr.lines().count(), 1, "flow {words}: {}", said.stderr);
        said.names(names);
        assert_eq!(self.files(), before, "flow {words}");
    }
}

impl Said {
    /// Its last line is an error that holds each of `names`, and nothing panicked.
    pub(crate) fn names(&self, names: &[&str]) {
        let last = self.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: "), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        for name in names {
            assert!(last.contains(name), "expected `{name}` in: {last}");
        }
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        Self { code: output.status.code(), stdout, stderr }
    }
}

/// Steps of the checkpoints of a run, in order.
pub(crate) fn checkpoints(run: &Path) -> Vec<usize> {
    let Ok(entries) = fs::read_dir(run.join("checkpoints")) else { return Vec::new() };
    let mut steps: Vec<usize> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix("step-")?.parse().ok())
        .collect();
    steps.sort_unstable();
    steps
}

/// The lines of `metrics.jsonl` of one kind.
pub(crate) fn metrics(run: &Path, kind: &str) -> Vec<Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == kind).collect()
}

/// Shape and values of a `.npy` file.
pub(crate) fn npy<T: npyz::Deserialize>(path: &Path) -> (Vec<u64>, Vec<T>) {
    let file = npyz::NpyFile::new(fs::File::open(path).unwrap()).unwrap();
    (file.shape().to_vec(), file.into_vec().unwrap())
}
