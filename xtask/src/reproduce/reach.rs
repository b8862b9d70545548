//! The minutes of one core after which runs reach a quality: `[[reach]]`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;

/// Values of a score, and the runs that are asked when they reached them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reach {
    /// The beginning of the score's name.
    score: String,
    /// Reached is what is at most this, from the one that comes first.
    at_most: Vec<f64>,
    /// The beginning of the runs' names; all of them, if left out.
    #[serde(default)]
    runs: String,
}

impl Reach {
    /// Refuses what asks for nothing.
    ///
    /// # Errors
    /// With the score.
    pub(crate) fn check(&self, runs: &[&str]) -> anyhow::Result<()> {
        let Self { score, at_most, runs: start } = self;
        ensure!(!at_most.is_empty(), "reach `{score}` has no value in at_most");
        ensure!(
            runs.iter().any(|run| run.starts_with(start)),
            "reach `{score}` is about runs that begin with `{start}`, and there are {}",
            runs.join(", ")
        );
        Ok(())
    }
}

/// What the folder of a run says of its course.
#[derive(Deserialize)]
struct Scores {
    #[serde(default)]
    course: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    images: f64,
    scores: Vec<Score>,
}

/// A value that is no number is null in JSON.
#[derive(Deserialize)]
struct Score {
    name: String,
    value: Option<f64>,
}

/// A line of `metrics.jsonl`; those of validations have no pace.
#[derive(Deserialize)]
struct Line {
    images: f64,
    images_per_second: Option<f64>,
}

/// A run of one seed: the seconds of training up to each checkpoint that was scored, and its
/// scores.
struct Course(Vec<(f64, Vec<Score>)>);

impl Course {
    fn read(run: &Path) -> anyhow::Result<Self> {
        let text = |name: &str| {
            let path = run.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let scores = serde_json::from_str(&text("eval.json")?);
        let scores: Scores = scores.with_context(|| format!("{} has no scores", run.display()))?;
        let lines = text("metrics.jsonl")?;
        let lines: Result<Vec<Line>, _> = lines.lines().map(serde_json::from_str).collect();
        let lines = lines.with_context(|| format!("the log of {} is damaged", run.display()))?;
        Ok(Self::of(scores.course, &lines))
    }

    fn of(course: Vec<Point>, lines: &[Line]) -> Self {
        let timed = |point: Point| (seconds(lines, point.images), point.scores);
        Self(course.into_iter().map(timed).collect())
    }

    /// The seconds up to the first checkpoint whose score is at most `value`.
    fn first(&self, score: &str, value: f64) -> Option<f64> {
        let reached = |scores: &[Score]| {
            let found = scores.iter().find(|known| known.name.starts_with(score));
            found.and_then(|found| found.value).is_some_and(|found| found <= value)
        };
        self.0.iter().find(|(_, scores)| reached(scores)).map(|(seconds, _)| *seconds)
    }

    /// The seconds up to the last checkpoint.
    fn whole(&self) -> f64 {
        self.0.last().map_or(0.0, |(seconds, _)| *seconds)
    }
}

/// The time that so many images took: each line has the pace since the one before.
fn seconds(lines: &[Line], images: f64) -> f64 {
    let (mut sum, mut before) = (0.0, 0.0);
    for line in lines {
        let Some(pace) = line.images_per_second else { continue };
        let seen = line.images.min(images);
        sum += (seen - before).max(0.0) / pace;
        before = seen;
    }
    sum
}

/// One table for each `[[reach]]`; nothing without any. `runs` are the folders of each run, of all
/// its seeds.
///
/// # Errors
/// When a run has no scores or no log.
pub(crate) fn section(reaches: &[Reach], runs: &[(&str, Vec<&Path>)]) -> anyhow::Result<String> {
    let mut text = String::new();
    for Reach { score, at_most, runs: start } in reaches {
        let _ =
            write!(text, "## Minutes of one core to a quality: {score}\n\n| run | trained for |");
        for value in at_most {
            let _ = write!(text, " at most {value} |");
        }
        let _ = writeln!(text, "\n|---|---|{}", "---|".repeat(at_most.len()));
        for (run, folders) in runs.iter().filter(|(run, _)| run.starts_with(start)) {
            let read = folders.iter().map(|folder| Course::read(folder));
            let courses = read.collect::<anyhow::Result<Vec<_>>>()?;
            let wholes: Vec<f64> = courses.iter().map(Course::whole).collect();
            let _ = write!(text, "| {run} | {} |", cell(&wholes, wholes.len()));
            for &value in at_most {
                let times: Vec<f64> =
                    courses.iter().filter_map(|course| course.first(score, value)).collect();
                let _ = write!(text, " {} |", cell(&times, courses.len()));
            }
            text.push('\n');
        }
        text.push('\n');
    }
    if !text.is_empty() {
        text += "Mean of the seeds, smallest and largest in brackets, at the first checkpoint that \
                 has it; from the first step, without the scores. A dash: not while it trained.\n\n";
    }
    Ok(text)
}

/// Minutes of the seeds that got there, of so many.
fn cell(seconds: &[f64], seeds: usize) -> String {
    if seconds.is_empty() {
        return "-".into();
    }
    let minutes = |seconds: f64| {
        let minutes = seconds / 60.0;
        if minutes < 1.0 { format!("{minutes:.2}") } else { format!("{minutes:.1}") }
    };
    let mut text = minutes(seconds.iter().sum::<f64>() / seconds.len() as f64);
    if 1 < seconds.len() {
        let low = seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let high = seconds.iter().copied().fold(0.0, f64::max);
        let _ = write!(text, " ({} to {})", minutes(low), minutes(high));
    }
    if seconds.len() < seeds {
        let _ = write!(text, ", {} of {seeds} seeds", seconds.len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"{"kind":"train","step":5,"images":600,"images_per_second":10.0}
{"kind":"validation","step":5,"images":600,"loss":1.0}
{"kind":"train","step":10,"images":1200,"images_per_second":5.0}
"#;

    /// A run whose distance is 4, then no number, then 1, after 300, 600 and 1,200 images.
    fn run(folder: &Path) {
        let point = |images: f64, value: Option<f64>| {
            let other = serde_json::json!({ "name": "coverage", "value": 0.0 });
            let score = serde_json::json!({ "name": "FD-clf (accuracy 0.98)", "value": value });
            serde_json::json!({ "images": images, "nfe": 1.0, "scores": [other, score] })
        };
        let course = [point(300.0, Some(4.0)), point(600.0, None), point(1200.0, Some(1.0))];
        let scores = serde_json::json!({ "rows": [], "course": course });
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("eval.json"), scores.to_string()).unwrap();
        fs::write(folder.join("metrics.jsonl"), LOG).unwrap();
    }

    #[test]
    fn time_is_the_sum_of_images_over_their_pace() {
        let lines: Vec<Line> =
            LOG.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // 60 seconds for the first 600 images, 120 for the others; half of them are half the time.
        for (images, expected) in [(0.0, 0.0), (300.0, 30.0), (600.0, 60.0), (1200.0, 180.0)] {
            assert!((seconds(&lines, images) - expected).abs() < 1e-9, "{images}");
        }
    }

    #[test]
    fn a_table_says_when_each_value_was_first_reached() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a-0");
        run(&path);
        let reach: Reach =
            toml::from_str("score = 'FD-clf'\nat_most = [5, 2, 0.5]\nruns = 'a'").unwrap();
        reach.check(&["a"]).unwrap();
        let runs = [("a", vec![path.as_path()]), ("b", vec![Path::new("nowhere")])];
        let text = section(&[reach], &runs).unwrap();
        assert!(
            text.contains("| run | trained for | at most 5 | at most 2 | at most 0.5 |\n"),
            "{text}"
        );
        assert!(text.contains("| a | 3.0 | 0.50 | 3.0 | - |\n"), "{text}");
        assert!(!text.contains("| b |"), "{text}");
        assert_eq!(section(&[], &runs).unwrap(), "");
    }

    #[test]
    fn a_cell_says_of_how_many_seeds_it_is() {
        assert_eq!(cell(&[60.0, 180.0], 2), "2.0 (1.0 to 3.0)");
        assert_eq!(cell(&[30.0], 3), "0.50, 1 of 3 seeds");
        assert_eq!(cell(&[], 3), "-");
    }

    #[test]
    fn what_asks_for_nothing_is_refused() {
        let of = |text: &str| toml::from_str::<Reach>(text).unwrap().check(&["digits-plain"]);
        assert!(of("score = 'FD-clf'\nat_most = []").unwrap_err().to_string().contains("at_most"));
        let error = of("score = 'FD-clf'\nat_most = [1]\nruns = 'mnist'").unwrap_err().to_string();
        assert!(error.contains("`mnist`") && error.contains("digits-plain"), "{error}");
        of("score = 'FD-clf'\nat_most = [1]\nruns = 'digits'").unwrap();
    }
}
