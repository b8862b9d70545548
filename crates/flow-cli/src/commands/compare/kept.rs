//! What a run's folder keeps of its scores.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::exit::usage;
use crate::files::read_text;
use crate::run::Run;

/// One number of a run.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) score: String,
    /// The solver, or the file that it comes from; empty where there is only one.
    pub(crate) row: String,
    /// Method and network evaluations, of scores that depend on them.
    pub(crate) solver: Option<(String, f64)>,
    pub(crate) value: f64,
    pub(crate) std_error: Option<f64>,
    pub(crate) floor: Option<f64>,
}

/// A run as it lies on the disk.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Name of its folder.
    pub(crate) name: String,
    pub(crate) seed: u64,
    /// Every key of the recipe with its value; not its name, its words and its seed.
    pub(crate) keys: Vec<(String, String)>,
    pub(crate) measured: Vec<Measured>,
}

/// `eval.json`, as far as it is compared. What it does not have is not compared.
#[derive(Deserialize)]
struct Eval {
    rows: Vec<Row>,
    straightness: Option<Score>,
    field: Option<Field>,
}

#[derive(Deserialize)]
struct Row {
    solver: String,
    nfe: f64,
    scores: Vec<Score>,
}

/// A number that is not finite is null in JSON.
#[derive(Deserialize)]
struct Score {
    name: String,
    value: Option<f64>,
    std_error: Option<f64>,
    floor: Option<f64>,
}

#[derive(Deserialize)]
struct Field {
    times: Vec<FieldError>,
    loss: f64,
    loss_floor: f64,
}

#[derive(Deserialize)]
struct FieldError {
    t: f64,
    rmse: f64,
}

/// A `likelihood*.json`, likewise.
#[derive(Deserialize)]
struct Likelihood {
    nats: Estimate,
    data_nats: Option<Estimate>,
    bits: Option<Bits>,
    nfe: f64,
}

#[derive(Deserialize)]
struct Bits {
    per_dim: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    mean: f64,
    std_error: Option<f64>,
}

impl Kept {
    /// Reads recipe and scores.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let Run { recipe, .. } = Run::open(folder)?;
        let mut keys = Vec::new();
        let table: Table = recipe.resolved().parse().expect("a resolved recipe is TOML");
        flatten("", &table, &mut keys);
        keys.retain(|(key, _)| !["name", "about", "seed"].contains(&key.as_str()));
        let full = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        let name = full.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut kept = Self { name, seed: recipe.seed, keys, measured: Vec::new() };
        kept.evaluation(folder)?;
        kept.likelihoods(folder)?;
        if kept.measured.is_empty() {
            return Err(usage!("{} has no scores, `flow eval` makes them", folder.display()));
        }
        Ok(kept)
    }

    fn evaluation(&mut self, folder: &Path) -> Result<()> {
        let path = folder.join("eval.json");
        if !path.exists() {
            return Ok(());
        }
        let Eval { rows, straightness, field } = read(&path)?;
        for Row { solver, nfe, scores } in rows {
            self.add("network evaluations", &solver, nfe, None, None);
            for score in scores {
                let method = solver.split(" x ").next().unwrap_or_default().to_owned();
                self.score(score, &solver, Some((method, nfe)));
            }
        }
        if let Some(score) = straightness {
            self.score(score, "", None);
        }
        if let Some(Field { times, loss, loss_floor }) = field {
            self.add("loss", "", loss, None, Some(loss_floor));
            for FieldError { t, rmse } in times {
                self.add("error of the velocity", &format!("t = {t:.3}"), rmse, None, None);
            }
        }
        Ok(())
    }

    fn likelihoods(&mut self, folder: &Path) -> Result<()> {
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("cannot read {}", folder.display()))?;
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        for name in names {
            let Some(row) =
                name.strip_prefix("likelihood").and_then(|rest| rest.strip_suffix(".json"))
            else {
                continue;
            };
            let row = row.trim_start_matches('-');
            let Likelihood { nats, data_nats, bits, nfe } = read(&folder.join(&name))?;
            let floor = data_nats.map(|data| data.mean);
            self.add("log-likelihood, nats", row, nats.mean, nats.std_error, floor);
            if let Some(Bits { per_dim: Estimate { mean, std_error } }) = bits {
                self.add("bits per dimension", row, mean, std_error, None);
            }
            self.add("evaluations of the likelihood", row, nfe, None, None);
        }
        Ok(())
    }

    fn score(&mut self, score: Score, row: &str, solver: Option<(String, f64)>) {
        let Score { name, value, std_error, floor } = score;
        let value = value.unwrap_or(f64::NAN);
        self.add(&name, row, value, std_error, floor);
        self.measured.last_mut().expect("just added").solver = solver;
    }

    fn add(
        &mut self,
        score: &str,
        row: &str,
        value: f64,
        std_error: Option<f64>,
        floor: Option<f64>,
    ) {
        let (score, row) = (score.to_owned(), row.to_owned());
        self.measured.push(Measured { score, row, solver: None, value, std_error, floor });
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_str(&read_text(path)?)
        .with_context(|| format!("{} is no file of scores, make it anew", path.display()))
}

/// `a.b.c` and its value for each value of a table.
fn flatten(prefix: &str, table: &Table, keys: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(table) => flatten(&key, table, keys),
            Value::String(text) => keys.push((key, text.clone())),
            value => keys.push((key, value.to_string())),
        }
    }
}
