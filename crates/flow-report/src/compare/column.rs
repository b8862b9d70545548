//! One thing that is compared: a run, or runs that differ in their seed alone.

use std::path::PathBuf;

use serde::Serialize;

use super::Curve;
use super::course::{Course, courses, mean_and_deviation};
use super::equal::EqualErrors;
use super::scored::{ErrorsOfSamples, Measured, ScoredRun};

/// A run or a group of runs.
#[derive(Debug, Serialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) seeds: Vec<u64>,
    /// Of its first run.
    #[serde(skip)]
    pub(crate) folder: PathBuf,
    #[serde(skip)]
    pub(crate) keys: Vec<(String, String)>,
    pub(crate) scores: Vec<Compared>,
    /// Scores against the images seen.
    pub(crate) courses: Vec<Course>,
    /// How much of the noise is left at each time, mean over the runs.
    #[serde(skip)]
    pub(crate) noise_residual: Curve,
    /// What few steps cost, for each run.
    #[serde(skip)]
    pub(crate) errors: Vec<Vec<ErrorsOfSamples>>,
    /// Comparisons with other columns that were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) equal_errors: Vec<EqualErrors>,
}

/// A score over the runs of a column.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Compared {
    pub(crate) score: String,
    pub(crate) row: String,
    /// Method and mean number of network evaluations.
    pub(crate) solver: Option<(String, f64)>,
    /// Of each run that has it, in the order of the seeds.
    pub(crate) values: Vec<f64>,
    /// Mean over the runs.
    pub(crate) mean: f64,
    /// Standard deviation over the runs; of a single run, the standard error of the score.
    pub(crate) spread: Option<f64>,
    /// Mean over the runs.
    pub(crate) floor: Option<f64>,
    /// Number of runs.
    pub(crate) runs: usize,
    /// Points that were scored, in the run with the fewest and in that with the most.
    pub(crate) n: Option<(usize, usize)>,
}

impl Column {
    /// A column for each run.
    pub(crate) fn each(runs: Vec<ScoredRun>) -> Vec<Self> {
        runs.into_iter().map(|run| Self::of(run.name.clone(), vec![run])).collect()
    }

    /// A column for the runs of each recipe, seeds apart, named like their folders without `-SEED`.
    ///
    /// A recipe may name the run of the same seed that made its pairs.
    pub(crate) fn grouped(runs: Vec<ScoredRun>) -> Vec<Self> {
        let mut groups: Vec<(String, Vec<ScoredRun>)> = Vec::new();
        for mut run in runs {
            let suffix = format!("-{}", run.seed);
            let name = run.name.strip_suffix(&suffix).unwrap_or(&run.name).to_owned();
            let teacher = run.keys.iter_mut().find(|(key, _)| key == "reflow.run");
            if let Some((_, teacher)) = teacher
                && let Some(name) = teacher.strip_suffix(&suffix)
            {
                *teacher = format!("{name}-SEED");
            }
            let group = groups
                .iter_mut()
                .find(|(other, group)| *other == name && group[0].keys == run.keys);
            match group {
                Some((_, group)) => group.push(run),
                None => groups.push((name, vec![run])),
            }
        }
        groups.into_iter().map(|(name, runs)| Self::of(name, runs)).collect()
    }

    fn of(name: String, runs: Vec<ScoredRun>) -> Self {
        let seeds: Vec<u64> = runs.iter().map(|run| run.seed).collect();
        let (folder, keys) = (runs[0].folder.clone(), runs[0].keys.clone());
        let courses = courses(&runs);
        let noise_residual = mean_curve(runs.iter().map(|run| run.noise_residual.as_slice()));
        let errors = runs.iter().map(|run| run.errors.clone()).collect();
        let mut all: Vec<Vec<Measured>> = Vec::new();
        for measured in runs.into_iter().flat_map(|run| run.measured) {
            let same = |other: &&mut Vec<Measured>| {
                (&other[0].score, &other[0].row) == (&measured.score, &measured.row)
            };
            match all.iter_mut().find(same) {
                Some(same) => same.push(measured),
                None => all.push(vec![measured]),
            }
        }
        // An error that the reference of one seed cannot tell from its own would leave a mean of
        // the larger ones.
        all.retain(|same| same.len() == seeds.len() || !same[0].score.starts_with("squared error"));
        let scores = all.iter().map(|same| Compared::of(same)).collect();
        let equal_errors = Vec::new();
        Self { name, seeds, folder, keys, scores, courses, noise_residual, errors, equal_errors }
    }

    /// Keeps the scores and rows whose names begin like one of these; all, where there are none.
    pub(crate) fn keep(&mut self, scores: &[String], rows: &[String]) {
        let begins = |name: &str, starts: &[String]| {
            starts.is_empty() || starts.iter().any(|start| name.starts_with(start.as_str()))
        };
        self.scores.retain(|compared| {
            let solved = compared.solver.is_some() || compared.score == "network evaluations";
            begins(&compared.score, scores) && (!solved || begins(&compared.row, rows))
        });
        self.courses.retain(|course| begins(&course.score, scores));
    }

    /// Keeps what another column has too.
    pub(crate) fn keep_those_of(&mut self, other: &Self) {
        self.scores.retain(|own| other.scores.iter().any(|one| one.score == own.score));
        self.courses.retain(|own| other.courses.iter().any(|one| one.score == own.score));
    }

    /// The score of this name and row.
    pub(crate) fn get(&self, score: &str, row: &str) -> Option<&Compared> {
        self.scores.iter().find(|compared| compared.score == score && compared.row == row)
    }
}

/// The mean of curves over the same places, as far as all of them go.
fn mean_curve<'a>(curves: impl ExactSizeIterator<Item = &'a [(f64, f64)]>) -> Curve {
    let count = curves.len() as f64;
    let sum = |mut sum: Curve, curve: &[(f64, f64)]| {
        sum.truncate(curve.len());
        sum.iter_mut().zip(curve).for_each(|(sum, point)| sum.1 += point.1);
        sum
    };
    let mut curves = curves;
    let Some(first) = curves.next() else { return Curve::new() };
    let mut mean = curves.fold(first.to_vec(), sum);
    for point in &mut mean {
        point.1 /= count;
    }
    mean
}

impl Compared {
    fn of(same: &[Measured]) -> Self {
        let Measured { score, row, solver, std_error, .. } = &same[0];
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let values: Vec<f64> = same.iter().map(|one| one.value).collect();
        let (centre, deviation) = mean_and_deviation(&values);
        let floors: Vec<f64> = same.iter().filter_map(|one| one.floor).collect();
        let evaluations =
            mean(same.iter().filter_map(|one| Some(one.solver.as_ref()?.1)).collect());
        Self {
            score: score.clone(),
            row: row.clone(),
            solver: solver.as_ref().map(|(method, _)| (method.clone(), evaluations)),
            values,
            mean: centre,
            spread: if same.len() > 1 { Some(deviation) } else { *std_error },
            floor: (!floors.is_empty()).then(|| mean(floors)),
            runs: same.len(),
            n: range(same.iter().filter_map(|one| one.n)),
        }
    }
}

/// The smallest and the largest of some numbers.
pub(super) fn range(numbers: impl Iterator<Item = usize>) -> Option<(usize, usize)> {
    numbers.fold(None, |range, n| {
        let (low, high) = range.unwrap_or((n, n));
        Some((low.min(n), high.max(n)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, seed: u64, key: &str, value: f64) -> ScoredRun {
        let measured = Measured {
            score: "distance".into(),
            row: "euler x 2".into(),
            solver: Some(("euler".into(), 2.0)),
            value,
            std_error: Some(0.5),
            floor: Some(1.0),
            n: Some(100 + 50 * seed as usize),
        };
        let keys = vec![("k".into(), key.into())];
        let noise_residual = vec![(0.0, 1.0), (1.0, value)];
        ScoredRun {
            name: name.into(),
            folder: name.into(),
            seed,
            keys,
            measured: vec![measured],
            course: vec![],
            learning: vec![],
            noise_residual,
            errors: vec![],
        }
    }

    #[test]
    fn runs_that_differ_in_their_seed_alone_are_one_column() {
        let runs = vec![run("a-0", 0, "x", 1.0), run("b-0", 0, "y", 5.0), run("a-1", 1, "x", 3.0)];
        let columns = Column::grouped(runs);
        assert_eq!(columns.len(), 2);
        assert_eq!((columns[0].name.as_str(), &columns[0].seeds[..]), ("a", &[0, 1][..]));
        // Mean 2; deviation sqrt(((1 - 2)^2 + (3 - 2)^2) / 1).
        let compared = columns[0].get("distance", "euler x 2").unwrap();
        assert_eq!((compared.mean, compared.runs, compared.n), (2.0, 2, Some((100, 150))));
        assert_eq!(compared.values, [1.0, 3.0]);
        assert!((compared.spread.unwrap() - 2_f64.sqrt()).abs() < 1e-12);
        assert_eq!(columns[0].noise_residual, [(0.0, 1.0), (1.0, 2.0)]);
        // A single run has the error of its score.
        assert_eq!(columns[1].get("distance", "euler x 2").unwrap().spread, Some(0.5));
    }

    #[test]
    fn an_error_that_one_seed_cannot_tell_is_not_told_of_the_others() {
        let error = |seed: u64, row: &str| {
            let mut run = run(&format!("a-{seed}"), seed, "x", 1.0);
            run.measured[0].score = "squared error, mean".into();
            run.measured[0].row = row.into();
            run
        };
        let columns = Column::grouped(vec![error(0, "euler x 2"), error(1, "euler x 2")]);
        assert_eq!(columns[0].scores.len(), 1);
        let columns = Column::grouped(vec![error(0, "euler x 2"), error(1, "euler x 50")]);
        assert_eq!(columns[0].scores.len(), 0);
    }

    #[test]
    fn teachers_of_the_same_seed_are_one_recipe() {
        let student = |seed: u64, teacher: &str| {
            let keys = vec![("reflow.run".into(), teacher.into())];
            ScoredRun { keys, ..run(&format!("a-{seed}"), seed, "", 1.0) }
        };
        let columns = Column::grouped(vec![student(0, "runs/t-0"), student(1, "runs/t-1")]);
        assert_eq!((columns.len(), columns[0].keys[0].1.as_str()), (1, "runs/t-SEED"));
        assert_eq!(Column::grouped(vec![student(0, "t-0"), student(1, "t-0")]).len(), 2);
    }

    #[test]
    fn one_name_with_two_recipes_is_two_columns() {
        let runs = vec![run("a-0", 0, "x", 1.0), run("a-1", 1, "y", 3.0)];
        assert_eq!(Column::grouped(runs).len(), 2);
    }

    #[test]
    fn a_teacher_keeps_the_scores_that_its_student_has() {
        let scored = |score: &str| {
            let mut run = run("a", 0, "x", 1.0);
            run.measured[0].score = score.into();
            Column::each(vec![run]).remove(0)
        };
        let student = scored("distance");
        let left = |mut teacher: Column| {
            teacher.keep_those_of(&student);
            teacher.scores.len()
        };
        assert_eq!([left(scored("distance")), left(scored("mass"))], [1, 0]);
    }

    #[test]
    fn scores_and_rows_are_chosen_by_how_they_begin() {
        let kept = |scores: &[&str], rows: &[&str]| {
            let mut column = Column::each(vec![run("a", 0, "x", 1.0)]).remove(0);
            let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
            column.keep(&owned(scores), &owned(rows));
            column.scores.len()
        };
        assert_eq!([kept(&[], &[]), kept(&["dist"], &["euler"])], [1, 1]);
        assert_eq!([kept(&["mass"], &[]), kept(&[], &["rk4"])], [0, 0]);
    }
}
