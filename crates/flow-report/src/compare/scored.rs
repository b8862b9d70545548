//! The scores in the folder of a run, as one list of numbers that can be compared and drawn.

use std::path::{Path, PathBuf};

use flow_eval::Score;
use flow_judge::{
    AmbiguityPoint, AmbiguityReport, ControlReport, ErrorReport, ErrorRow, FieldReport,
    LatentReport, LikelihoodReport, Point, Report, Row, Variance,
};
use flow_run::recipe::flat;
use flow_run::{Place, Run, json};
use toml::{Table, Value};

use super::Curve;
use super::learning::learning;
use crate::error::{ReportError, usage};

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

/// A run with what its folder says of its scores.
#[derive(Debug)]
pub(crate) struct ScoredRun {
    /// Name of its folder.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) seed: u64,
    /// Every key of the recipe with its value; not its name, its words and its seed.
    pub(crate) keys: Vec<(String, String)>,
    pub(crate) measured: Vec<Measured>,
    pub(crate) course: Vec<Point>,
    /// Images seen, and the squared error of the velocity in the batches up to there.
    pub(crate) learning: Curve,
    /// Times and how much of the noise is left.
    pub(crate) noise_residual: Curve,
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

impl ErrorsOfSamples {
    /// Those of all rows of a report that has them.
    fn of(report: &ErrorReport) -> Vec<Self> {
        let of_row = |row: &ErrorRow| {
            let (method, _) = row.solver.split_once(" x ")?;
            let (method, nfe) = (method.to_owned(), row.nfe);
            Some(Self { method, nfe, errors: row.per_sample.clone()? })
        };
        let mut all: Vec<Self> = report.rows.iter().filter_map(of_row).collect();
        all.sort_by(|a, b| a.nfe.total_cmp(&b.nfe));
        all
    }
}

impl ScoredRun {
    /// Reads the scores of a run.
    ///
    /// # Errors
    /// If a file cannot be read, and if there are no scores.
    pub(crate) fn read(run: &Run) -> Result<Self, ReportError> {
        let Run { folder, recipe, .. } = run;
        if Place::is_model(folder) {
            let model = folder.display();
            return Err(usage!(
                "{model} is a model, which has no place for scores: compare the folder of `flow \
                 eval {model} --out DIR`"
            ));
        }
        let table: Table = recipe.resolved().parse().expect("a resolved recipe is TOML");
        let text = |value| match value {
            Value::String(text) => text,
            value => value.to_string(),
        };
        let keys = flat(&table).into_iter().map(|(key, value)| (key, text(value)));
        let keys =
            keys.filter(|(key, _)| !["name", "about", "seed"].contains(&key.as_str())).collect();
        let full = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        let name = full.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (measured, course) = (Vec::new(), Vec::new());
        let (noise_residual, errors) = (Vec::new(), Vec::new());
        let seed = recipe.seed;
        let learning = learning(folder)?;
        let mut run = Self {
            name,
            folder: folder.clone(),
            seed,
            keys,
            measured,
            course,
            learning,
            noise_residual,
            errors,
        };
        if let Some(report) = Report::read(folder)? {
            run.take(report);
        }
        run.measured.extend(likelihoods(folder)?);
        if run.measured.is_empty() {
            return Err(usage!("{} has no scores, `flow eval` makes them", folder.display()));
        }
        Ok(run)
    }

    /// Adds what an evaluation found, in the order of the tables.
    fn take(&mut self, report: Report) {
        let Report { rows, paths, errors, course, field, ambiguity, latent, control, .. } = report;
        let measured = &mut self.measured;
        for Row { solver, nfe, scores } in rows {
            measured.push(Measured::new("network evaluations", &solver, nfe));
            let scores = scores.into_iter().map(|score| Measured::of(score, &solver));
            measured.extend(scores.map(|score| score.solved_by(&solver, nfe)));
        }
        self.errors = errors.as_ref().map(ErrorsOfSamples::of).unwrap_or_default();
        measured.extend(errors.into_iter().flat_map(of_errors));
        if let Some(paths) = paths {
            self.noise_residual = paths.times.into_iter().zip(paths.noise_residual).collect();
            let half = halved(&self.noise_residual);
            measured
                .extend(half.map(|t| Measured::new("time at which half the noise is left", "", t)));
            measured.extend(paths.scores.into_iter().map(|score| Measured::of(score, "")));
        }
        self.course = course;
        measured.extend(field.into_iter().flat_map(of_field));
        measured.extend(ambiguity.into_iter().flat_map(of_ambiguity));
        measured.extend(latent.into_iter().flat_map(of_latent));
        measured.extend(control.into_iter().flat_map(of_control));
    }
}

/// The first time at which the curve falls to one half, on the line between its points.
fn halved(curve: &[(f64, f64)]) -> Option<f64> {
    curve.windows(2).find_map(|pair| {
        let [(t, before), (s, after)] = [pair[0], pair[1]];
        let falls = 0.5 < before && after <= 0.5;
        falls.then(|| t + (s - t) * (before - 0.5) / (before - after))
    })
}

impl Measured {
    pub(crate) fn new(score: &str, row: &str, value: f64) -> Self {
        let (score, row) = (score.to_owned(), row.to_owned());
        Self { score, row, solver: None, value, std_error: None, floor: None, n: None }
    }

    fn of(score: Score, row: &str) -> Self {
        let Score { std_error, floor, n, .. } = score;
        Self { std_error, floor, ..Self::new(&score.name, row, score.value) }.of_points(n)
    }

    /// Says how many points were scored; 0 stands for files that do not say it.
    fn of_points(self, n: usize) -> Self {
        Self { n: (0 < n).then_some(n), ..self }
    }

    /// Says that it depends on the solver.
    fn solved_by(self, solver: &str, nfe: f64) -> Self {
        let method = solver.split(" x ").next().unwrap_or_default().to_owned();
        Self { solver: Some((method, nfe)), ..self }
    }
}

/// Errors of few steps; those that the reference could not tell are left out.
fn of_errors(report: ErrorReport) -> Vec<Measured> {
    let n = report.n;
    let both = report.rows.into_iter().flat_map(|row| {
        let mean = row.mean.map(|value| Measured {
            std_error: row.std_error,
            ..Measured::new("squared error, mean", &row.solver, value)
        });
        let median =
            row.median.map(|value| Measured::new("squared error, median", &row.solver, value));
        let found = [mean, median].into_iter().flatten();
        found.map(move |one| one.of_points(n).solved_by(&row.solver, row.nfe)).collect::<Vec<_>>()
    });
    both.collect()
}

fn of_field(report: FieldReport) -> Vec<Measured> {
    let loss =
        Measured { floor: Some(report.loss_floor), ..Measured::new("loss", "", report.loss) };
    let errors = report
        .times
        .iter()
        .map(|at| Measured::new("error of the velocity", &format!("t = {:.3}", at.t), at.rmse));
    std::iter::once(loss).chain(errors).collect()
}

fn of_ambiguity(report: AmbiguityReport) -> Vec<Measured> {
    let of_point = |point: &AmbiguityPoint| {
        let &AmbiguityPoint { x, t, data, model, mean_error } = point;
        let place = if x == 0.0 { String::new() } else { format!("x = {x}, ") };
        let deviation = |of, value| {
            Measured::new("deviation of the velocity", &format!("{place}t = {t:.2}, {of}"), value)
        };
        let mean = |value| {
            Measured::new("error of the mean velocity", &format!("{place}t = {t:.2}"), value)
        };
        let model = model.map(|value| deviation("model", value));
        [model, Some(deviation("data", data)), mean_error.map(mean)]
    };
    let points = report.points.iter().flat_map(of_point).flatten();
    let map = report
        .map_error
        .map(|error| Measured::new("error of the map of deviations of the velocity", "", error));
    points.chain(map).collect()
}

fn of_latent(LatentReport { kl, active_units, gap, error, .. }: LatentReport) -> Vec<Measured> {
    let errors = [
        ("latent of its own", error.own),
        ("latent of another pair", error.swapped),
        ("latent of the prior", error.prior),
    ];
    let errors =
        errors.map(|(row, value)| Measured::new("squared error of the velocity", row, value));
    let mut measured = vec![
        Measured::new("divergence of the posterior, nats", "", kl.iter().sum()),
        Measured::new("active units", "", active_units as f64),
        Measured::of(gap, ""),
    ];
    measured.extend(errors);
    measured
}

fn of_control(report: ControlReport) -> Vec<Measured> {
    let ControlReport { intensity, content, manifolds, .. } = report;
    let variances = |score: &'static str, place: String, variance: &Variance| {
        let &Variance { over_latents, over_starts, shuffled } = variance;
        let all = [
            Some(("latents", over_latents)),
            Some(("starts", over_starts)),
            shuffled.map(|value| ("starts with shuffled latents", value)),
        ];
        let all = all.into_iter().flatten();
        all.map(move |(over, value)| Measured::new(score, &format!("{place}over {over}"), value))
    };
    let intensity = intensity.iter().enumerate().flat_map(|(i, variance)| {
        variances("variance of the mean intensity", format!("channel {i}, "), variance)
    });
    let content = content.iter().flat_map(|variance| {
        variances("variance of the classifier's features", String::new(), variance)
    });
    let manifolds = manifolds.iter().enumerate().flat_map(|(i, manifold)| {
        [
            ("classes on the manifold", manifold.classes as f64),
            ("neighbours of one class", manifold.same),
            ("any two of one class", manifold.by_chance),
        ]
        .map(|(score, value)| Measured::new(score, &format!("manifold {i}"), value))
    });
    intensity.chain(content).chain(manifolds).collect()
}

/// Those of every `likelihood*.json`, in the order of their names.
fn likelihoods(folder: &Path) -> Result<Vec<Measured>, ReportError> {
    let cannot = ReportError::io(format!("cannot read {}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(cannot)?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let mut measured = Vec::new();
    for name in names {
        let tag = name.strip_prefix("likelihood").and_then(|rest| rest.strip_suffix(".json"));
        if let Some(tag) = tag {
            let report = json::read(&folder.join(&name))?;
            measured.extend(of_likelihood(report, tag.trim_start_matches('-')));
        }
    }
    Ok(measured)
}

fn of_likelihood(report: LikelihoodReport, row: &str) -> Vec<Measured> {
    let LikelihoodReport { n, nats, data_nats, divergence, bits, nfe, .. } = report;
    let found = [
        ("log-likelihood, nats", Some(nats), data_nats.map(|nats| nats.mean)),
        ("KL from data to model, nats", divergence, None),
        ("bits per dimension", bits.map(|bits| bits.per_dim), None),
    ];
    let found = found.into_iter().filter_map(|(score, estimate, floor)| {
        let estimate = estimate?;
        let measured = Measured::new(score, row, estimate.mean);
        Some(Measured { std_error: estimate.std_error, floor, ..measured }.of_points(n))
    });
    found.chain([Measured::new("evaluations of the likelihood", row, nfe)]).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use flow_model::Registry;

    use super::*;

    /// The scores of a folder with these files and the recipe `debug`.
    fn scored(files: &[(&str, &str)]) -> Result<ScoredRun, ReportError> {
        let folder = tempfile::tempdir().unwrap();
        let (_, recipe) = flow_run::RECIPES.iter().find(|(name, _)| *name == "debug").unwrap();
        fs::write(folder.path().join("recipe.toml"), recipe).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        ScoredRun::read(&Run::open(&Registry::default(), folder.path())?)
    }

    fn value(run: &ScoredRun, score: &str) -> Measured {
        run.measured.iter().find(|one| one.score == score).unwrap().clone()
    }

    #[test]
    fn files_of_earlier_and_of_later_versions_are_read() {
        // No schema, no number of points, a number that is infinite, a key that nobody knows.
        let eval = r#"{"later": [1], "rows": [{"solver": "euler x 5", "nfe": 5, "scores":
            [{"name": "distance", "value": null, "std_error": null, "floor": 0.25}]}],
            "errors": {"rows": [{"solver": "euler x 5", "nfe": 5, "median": 0.5}]}}"#;
        let likelihood = r#"{"nats": {"mean": null, "std_error": null}, "nfe": 90,
            "samples": [-1.5, null]}"#;
        let run = scored(&[("eval.json", eval), ("likelihood-rk4.json", likelihood)]).unwrap();
        let distance = value(&run, "distance");
        assert!(distance.value.is_nan());
        assert_eq!((distance.floor, distance.n), (Some(0.25), None));
        assert_eq!(distance.solver, Some(("euler".into(), 5.0)));
        let error = value(&run, "squared error, median");
        assert_eq!((error.value, error.n), (0.5, None));
        let nats = value(&run, "log-likelihood, nats");
        assert!(nats.value.is_nan() && nats.row == "rk4", "{nats:?}");
    }

    #[test]
    fn what_is_no_file_of_scores_is_refused_by_name() {
        for (name, text) in [("eval.json", "{}"), ("likelihood.json", r#"{"nats": {}}"#)] {
            let error = scored(&[(name, text)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("no file of scores"), "{error}");
        }
        let error = scored(&[]).unwrap_err().to_string();
        assert!(error.contains("has no scores"), "{error}");
    }

    #[test]
    fn half_of_the_noise_is_left_between_two_points() {
        let straight = [(0.0, 1.0), (0.25, 0.75), (0.5, 0.5), (1.0, 0.0)];
        assert_eq!(halved(&straight), Some(0.5));
        assert_eq!(halved(&[(0.0, 1.0), (0.5, 0.75), (1.0, 0.25)]), Some(0.75));
        assert_eq!(halved(&[(0.0, 1.0), (1.0, 0.9)]), None);
    }
}
