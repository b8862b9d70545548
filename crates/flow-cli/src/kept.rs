//! What the folder of a run keeps of its scores, as far as it is compared and drawn.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::exit::usage;
use crate::files::read_text;
use crate::recipe::identity::flat;
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
    /// Points that were scored, of numbers that depend on them.
    pub(crate) n: Option<usize>,
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
    pub(crate) course: Vec<Point>,
    /// Times and how much of the noise is left.
    pub(crate) noise_residual: Vec<(f64, f64)>,
    /// What few steps of each solver cost, with fewer evaluations first.
    pub(crate) errors: Vec<ErrorsOfSamples>,
}

/// Squared errors of one solver and number of steps, from noise that is the same in every row.
#[derive(Clone, Debug)]
pub(crate) struct ErrorsOfSamples {
    pub(crate) method: String,
    pub(crate) nfe: f64,
    pub(crate) errors: Vec<f64>,
}

/// What a checkpoint scored.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Point {
    pub(crate) images: f64,
    pub(crate) nfe: f64,
    pub(crate) scores: Vec<Score>,
}

/// `eval.json`. What it does not have is neither compared nor drawn.
#[derive(Deserialize)]
struct Eval {
    rows: Vec<Row>,
    paths: Option<Paths>,
    errors: Option<Errors>,
    #[serde(default)]
    course: Vec<Point>,
    field: Option<Field>,
    ambiguity: Option<Ambiguity>,
    latent: Option<Latent>,
    control: Option<Control>,
}

#[derive(Deserialize)]
struct Ambiguity {
    points: Vec<AmbiguityPoint>,
}

#[derive(Deserialize)]
struct AmbiguityPoint {
    t: f64,
    data: f64,
    model: f64,
}

#[derive(Deserialize)]
struct Latent {
    kl: Vec<f64>,
    active_units: f64,
    gap: Score,
    error: LatentError,
}

#[derive(Deserialize)]
struct LatentError {
    own: f64,
    swapped: f64,
    prior: f64,
}

#[derive(Deserialize)]
struct Control {
    intensity: Vec<Variance>,
    #[serde(default)]
    manifolds: Vec<Manifold>,
}

#[derive(Deserialize)]
struct Variance {
    over_latents: f64,
    over_starts: f64,
}

#[derive(Deserialize)]
struct Manifold {
    classes: f64,
    same: f64,
    by_chance: f64,
}

#[derive(Deserialize)]
struct Paths {
    scores: Vec<Score>,
    times: Vec<f64>,
    noise_residual: Vec<f64>,
}

#[derive(Default, Deserialize)]
struct Errors {
    n: Option<usize>,
    rows: Vec<ErrorRow>,
}

#[derive(Deserialize)]
struct ErrorRow {
    solver: String,
    nfe: f64,
    /// Nothing where the reference could not tell.
    mean: Option<f64>,
    std_error: Option<f64>,
    median: Option<f64>,
    per_sample: Option<Vec<f64>>,
}

#[derive(Deserialize)]
struct Row {
    solver: String,
    nfe: f64,
    scores: Vec<Score>,
}

/// A number that is not finite is null in JSON.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Score {
    pub(crate) name: String,
    pub(crate) value: Option<f64>,
    std_error: Option<f64>,
    floor: Option<f64>,
    n: Option<usize>,
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
    n: Option<usize>,
    nats: Estimate,
    data_nats: Option<Estimate>,
    divergence: Option<Estimate>,
    bits: Option<Bits>,
    nfe: f64,
}

#[derive(Deserialize)]
struct Bits {
    per_dim: Estimate,
}

/// A mean that is infinite is null in JSON.
#[derive(Deserialize)]
struct Estimate {
    mean: Option<f64>,
    std_error: Option<f64>,
}

impl Estimate {
    fn mean(&self) -> f64 {
        self.mean.unwrap_or(f64::NAN)
    }
}

impl Kept {
    /// Reads recipe and scores.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let Run { recipe, .. } = Run::open(folder)?;
        let table: Table = recipe.resolved().parse().expect("a resolved recipe is TOML");
        let text = |value| match value {
            Value::String(text) => text,
            value => value.to_string(),
        };
        let keys = flat(&table).into_iter().map(|(key, value)| (key, text(value)));
        let keys =
            keys.filter(|(key, _)| !["name", "about", "seed"].contains(&key.as_str())).collect();
        let full = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        let name = full.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let seed = recipe.seed;
        let (measured, course) = (Vec::new(), Vec::new());
        let (noise_residual, errors) = (Vec::new(), Vec::new());
        let mut kept = Self { name, seed, keys, measured, course, noise_residual, errors };
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
        let Eval { rows, paths, errors, course, field, ambiguity, latent, control } = read(&path)?;
        for Row { solver, nfe, scores } in rows {
            self.add("network evaluations", &solver, nfe, None, None);
            for score in scores {
                self.score(score, &solver);
                self.solved_by(&solver, nfe);
            }
        }
        let errors = errors.unwrap_or_default();
        for ErrorRow { solver, nfe, mean, std_error, median, per_sample } in errors.rows {
            if let (Some(errors), Some((method, _))) = (per_sample, solver.split_once(" x ")) {
                self.errors.push(ErrorsOfSamples { method: method.to_owned(), nfe, errors });
            }
            for (score, value, std_error) in
                [("squared error, mean", mean, std_error), ("squared error, median", median, None)]
            {
                if let Some(value) = value {
                    self.add(score, &solver, value, std_error, None);
                    self.of(errors.n);
                    self.solved_by(&solver, nfe);
                }
            }
        }
        self.errors.sort_by(|a, b| a.nfe.total_cmp(&b.nfe));
        if let Some(Paths { scores, times, noise_residual }) = paths {
            self.noise_residual = times.into_iter().zip(noise_residual).collect();
            for score in scores {
                self.score(score, "");
            }
        }
        self.course = course;
        if let Some(Field { times, loss, loss_floor }) = field {
            self.add("loss", "", loss, None, Some(loss_floor));
            for FieldError { t, rmse } in times {
                self.add("error of the velocity", &format!("t = {t:.3}"), rmse, None, None);
            }
        }
        for AmbiguityPoint { t, data, model } in ambiguity.into_iter().flat_map(|a| a.points) {
            for (of, value) in [("model", model), ("data", data)] {
                self.add(
                    "deviation of the velocity",
                    &format!("t = {t:.2}, {of}"),
                    value,
                    None,
                    None,
                );
            }
        }
        if let Some(latent) = latent {
            self.latent(latent);
        }
        if let Some(control) = control {
            self.control(control);
        }
        Ok(())
    }

    fn latent(&mut self, Latent { kl, active_units, gap, error }: Latent) {
        self.add("divergence of the posterior, nats", "", kl.iter().sum(), None, None);
        self.add("active units", "", active_units, None, None);
        self.score(gap, "");
        for (row, value) in [
            ("latent of its own", error.own),
            ("latent of another pair", error.swapped),
            ("latent of the prior", error.prior),
        ] {
            self.add("squared error of the velocity", row, value, None, None);
        }
    }

    fn control(&mut self, Control { intensity, manifolds }: Control) {
        for (i, Variance { over_latents, over_starts }) in intensity.into_iter().enumerate() {
            for (over, value) in [("latents", over_latents), ("starts", over_starts)] {
                let row = format!("channel {i}, over {over}");
                self.add("variance of the mean intensity", &row, value, None, None);
            }
        }
        for (i, Manifold { classes, same, by_chance }) in manifolds.into_iter().enumerate() {
            let row = format!("manifold {i}");
            self.add("classes on the manifold", &row, classes, None, None);
            self.add("neighbours of one class", &row, same, None, None);
            self.add("any two of one class", &row, by_chance, None, None);
        }
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
            let Likelihood { n, nats, data_nats, divergence, bits, nfe } =
                read(&folder.join(&name))?;
            let floor = data_nats.as_ref().map(Estimate::mean);
            self.add("log-likelihood, nats", row, nats.mean(), nats.std_error, floor);
            self.of(n);
            let bits = bits.map(|bits| bits.per_dim);
            for (score, found) in
                [("KL from data to model, nats", divergence), ("bits per dimension", bits)]
            {
                if let Some(found) = found {
                    self.add(score, row, found.mean(), found.std_error, None);
                    self.of(n);
                }
            }
            self.add("evaluations of the likelihood", row, nfe, None, None);
        }
        Ok(())
    }

    fn score(&mut self, score: Score, row: &str) {
        let Score { name, value, std_error, floor, n } = score;
        self.add(&name, row, value.unwrap_or(f64::NAN), std_error, floor);
        self.of(n);
    }

    /// Says of how many points what was added last is.
    fn of(&mut self, n: Option<usize>) {
        self.measured.last_mut().expect("called after an addition").n = n;
    }

    /// Says that what was added last depends on the solver.
    fn solved_by(&mut self, solver: &str, nfe: f64) {
        let method = solver.split(" x ").next().unwrap_or_default().to_owned();
        self.measured.last_mut().expect("called after an addition").solver = Some((method, nfe));
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
        let solver = None;
        self.measured.push(Measured { score, row, solver, value, std_error, floor, n: None });
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_str(&read_text(path)?)
        .with_context(|| format!("{} is no file of scores, make it anew", path.display()))
}
