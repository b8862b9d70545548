//! `environment.json`: on which machine and with which versions and data a run was made, and how it
//! was made longer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use flow_datasets::Images;
use flow_train::Identity;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::array::ArrayRows;
use crate::data::Data;
use crate::error::{RunError, usage};
use crate::files::{read_text, write_text};
use crate::model_file::ModelFile;
use crate::snapshots::Snapshots;
use crate::table::TableRows;

/// The data of a run, as far as networks and checkpoints depend on them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Shape of one row.
    pub shape: Vec<usize>,
    /// Number of classes; 0 for data without classes.
    pub classes: usize,
    /// Names of the classes in the order of their labels; missing in older runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// How the rows of a table become numbers; missing for other data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Value>,
    /// What the rows of an array look like in its file; missing for other data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<Value>,
    /// How the columns beside the rows of an array become conditions; missing for other data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Value>,
    /// Of data to data, when the snapshots were seen; missing for other data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<Value>,
    /// SHA-256 of everything that was read from files, by which changed data are noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Shape {
    /// What the rows of a file are, for a model to keep under keys of their own.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn rows(&self) -> Result<toml::Table, RunError> {
        fn read<T: serde::de::DeserializeOwned>(
            key: &str,
            value: Option<&Value>,
        ) -> Result<Option<T>, RunError> {
            let read = value.map(|value| serde_json::from_value(value.clone())).transpose();
            read.map_err(|error| usage!("environment.json holds no {key}: {error}"))
        }
        let mut rows = toml::Table::new();
        let table = read("table", self.table.as_ref())?;
        rows.extend(table.as_ref().map(TableRows::kept).unwrap_or_default());
        let array = read("array", self.array.as_ref())?;
        rows.extend(array.as_ref().map(ArrayRows::kept).unwrap_or_default());
        let given = read("given", self.given.as_ref())?;
        rows.extend(given.as_ref().map(TableRows::kept_as_given).unwrap_or_default());
        let snapshots = read("snapshots", self.snapshots.as_ref())?;
        rows.extend(snapshots.as_ref().map(Snapshots::kept).unwrap_or_default());
        Ok(rows)
    }

    /// The shape of data that are open.
    #[must_use]
    pub fn of(data: &Data) -> Self {
        let sha256 = match data {
            Data::Toy(_) => None,
            Data::Images { train, test } => Some(digest([train, test])),
            Data::Table(table) => Some(table.sha256().to_owned()),
            Data::Array(array) => Some(array.sha256().to_owned()),
        };
        let class_names = data.class_names().to_vec();
        let table = data.table().map(|table| json!(table.rows));
        let array = data.array().map(|array| json!(array.rows));
        let given = data.array().and_then(|array| array.given.as_ref());
        let given = given.map(|given| json!(given.rows));
        let snapshots = data.snapshots().map(|snapshots| json!(snapshots));
        let (shape, classes) = (data.shape(), data.classes());
        Self { shape, classes, class_names, table, array, given, snapshots, sha256 }
    }
}

/// SHA-256 of all rows and labels of both parts.
fn digest(parts: [&Images; 2]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        // With the lengths, the bytes of two fields cannot be taken for those of one.
        let sizes = [
            part.channels,
            part.height,
            part.width,
            part.classes(),
            part.max_value.into(),
            part.pixels.len(),
            part.labels.len(),
        ];
        for size in sizes {
            digest.update((size as u64).to_le_bytes());
        }
        digest.update(&part.pixels);
        digest.update(&part.labels);
    }
    format!("{:x}", digest.finalize())
}

/// A model that a run depends on, as it was: its step and weights, and of one that made pairs its
/// way of sampling.
pub(crate) type Known = BTreeMap<String, Value>;

/// A part of a training that was made longer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Step at which it began.
    pub step: usize,
    /// `train.images` of the recipe that it followed.
    pub images: f64,
}

/// The parts of `environment.json` that later commands read.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Environment {
    pub(crate) data: Option<Shape>,
    pub(crate) teacher: Option<Known>,
    pub(crate) began_with: Option<Known>,
    #[serde(default)]
    pub(crate) stages: Vec<Stage>,
    /// Of a folder with what was found of a model of its own.
    pub(crate) model: Option<ModelFile>,
}

impl Environment {
    /// Reads the environment of a run; older runs lack parts of it, and the first ones have no
    /// file.
    pub(crate) fn read(run: &Path) -> Result<Self, RunError> {
        let file = file(run);
        if !file.exists() {
            return Ok(Self::default());
        }
        Self::parse(&read_text(&file)?, run)
    }

    /// Reads the text of the environment of a run.
    pub(crate) fn parse(text: &str, run: &Path) -> Result<Self, RunError> {
        serde_json::from_str(text).map_err(|error| damaged(&file(run), Some(error)))
    }

    /// Adds stages to those of a run.
    pub(crate) fn add_stages(run: &Path, added: &[Stage]) -> Result<(), RunError> {
        let file = file(run);
        let mut all: Map<String, Value> = serde_json::from_str(&read_text(&file)?)
            .map_err(|error| damaged(&file, Some(error)))?;
        let stages = all.entry("stages").or_insert_with(|| json!([]));
        let list = stages.as_array_mut().ok_or_else(|| damaged(&file, None))?;
        list.extend(added.iter().map(|stage| json!(stage)));
        write_text(&file, &pretty(&Value::Object(all)))
    }
}

/// Earlier models that a training depends on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Models<'a> {
    /// The one that made its pairs.
    pub teacher: Option<&'a Identity>,
    /// The one whose weights it begins with.
    pub beginning: Option<&'a Identity>,
}

/// The text of a new run.
pub(crate) fn new(data: &Shape, models: &Models<'_>, device: &str) -> String {
    let mut environment = here(data, device);
    for (key, model) in [("teacher", models.teacher), ("began_with", models.beginning)] {
        if let Some(model) = model {
            environment[key] = json!(model);
        }
    }
    pretty(&environment)
}

/// The text of a folder for what is found of a model of its own.
pub(crate) fn of_model(data: &Shape, model: &ModelFile, device: &str) -> String {
    let mut environment = here(data, device);
    environment["model"] = json!(model);
    pretty(&environment)
}

/// This machine, this program and the data.
fn here(data: &Shape, device: &str) -> Value {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    json!({
        "schema": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "commit": git(&["rev-parse", "HEAD"]),
        // Pages in docs/results are left out: a page that was written before this run does not
        // change what it does.
        "uncommitted_changes": git(&["status", "--porcelain", "--", ":/", ":(top,exclude)docs/results"])
            .map(|status| !status.is_empty()),
        "rustc": env!("FLOW_RUSTC"),
        "burn": "0.22.1",
        "device": device,
        "data": data,
        "cores": std::thread::available_parallelism().map(std::num::NonZero::get).ok(),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
    })
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("plain values are valid JSON")
}

fn file(run: &Path) -> PathBuf {
    run.join("environment.json")
}

fn damaged(file: &Path, source: Option<serde_json::Error>) -> RunError {
    RunError::Damaged { path: file.to_path_buf(), source }
}
