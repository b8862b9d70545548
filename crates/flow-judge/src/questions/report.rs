//! What models answered about held-out images, as a file and as a table.

use std::fmt;
use std::path::PathBuf;

use flow_eval::Score;
use flow_run::Run;
use flow_run::files::write_text;
use flow_run::memory::shown;
use serde::{Deserialize, Serialize};

use crate::error::JudgeError;

/// The answers of several methods and models to the same questions, in the order in which they were
/// asked: the content of `questions-NAME.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AnswersReport {
    /// Version of the format.
    pub schema: u32,
    /// Name of the recipe of the run that was asked.
    pub recipe: String,
    /// Steps of its weights.
    pub step: usize,
    /// What was seen of a row.
    pub question: String,
    /// Standard deviation of the noise of what was seen.
    pub noise: f64,
    /// Held-out rows.
    pub n: usize,
    /// Answers about each.
    pub draws: usize,
    /// Sampler of all.
    pub sampler: String,
    /// Its steps.
    pub steps: usize,
    /// Seed of the rows, their noise and the starts of the answers.
    pub seed: u64,
    /// Of images: how often the classifier is right about real ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier_accuracy: Option<f64>,
    /// A row for each method and model.
    pub rows: Vec<AnswersRow>,
}

/// The answers of one method or model.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AnswersRow {
    /// The method as it was typed, or the model that was trained for the question.
    pub method: String,
    /// Means over the rows. Of images: the share of answers that the classifier takes for the class
    /// of the image, PSNR and SSIM of the mean of the answers, and how badly answers explain what
    /// was seen, in standard deviations of its noise. Of tables, in standard deviations of a
    /// column: the error of the mean and the CRPS of numbers; the share of truths within the
    /// answers' interval; of categories the share of answers that are right.
    pub scores: Vec<Score>,
    /// Rows whose answers went astray, which are not scored.
    pub astray: usize,
    /// Network evaluations for an answer.
    pub evaluations: f64,
    /// How many of them have a gradient.
    pub gradients: usize,
    /// Seconds for the answers about a row.
    pub seconds: f64,
    /// Bytes by which the resident memory of the process grew at most, where it was measured.
    pub memory: Option<u64>,
}

impl AnswersReport {
    /// The report as the text of its file.
    ///
    /// # Panics
    /// Never: what a report holds has a form in JSON.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has a form in JSON")
    }

    /// Writes the report into the folder of the run that was asked, as `questions-upsample-4.json`
    /// by its question, and gives the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, run: &Run) -> Result<PathBuf, JudgeError> {
        run.keep()?;
        let file = run.folder.join(file_name(&self.question));
        write_text(&file, &self.json())?;
        Ok(file)
    }

    /// Columns of scores: those of the row that has most of them.
    fn scored(&self) -> Vec<&str> {
        let most = self.rows.iter().max_by_key(|row| row.scores.len());
        most.map_or(Vec::new(), |row| row.scores.iter().map(|score| &*score.name).collect())
    }
}

impl AnswersRow {
    fn cells(&self, scored: &[&str]) -> Vec<String> {
        let score = |name: &&str| {
            let found = self.scores.iter().find(|score| score.name == *name);
            found.map_or("-".into(), Score::value_text)
        };
        let mut cells = vec![self.method.clone()];
        cells.extend(scored.iter().map(score));
        cells.push(self.astray.to_string());
        cells.push(format!("{:.0}", self.evaluations));
        cells.push(self.gradients.to_string());
        cells.push(format!("{:.2}", self.seconds));
        cells.push(self.memory.map_or("-".into(), |bytes| shown(bytes as f64)));
        cells
    }
}

/// A table in Markdown, for terminals too.
impl fmt::Display for AnswersReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { question, n, draws, sampler, steps, noise, seed, .. } = self;
        let scored = self.scored();
        let mut head = vec!["method"];
        head.extend(&scored);
        head.extend(["astray", "evaluations", "gradients", "seconds", "memory"]);
        let head: Vec<String> = head.into_iter().map(String::from).collect();
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.cells(&scored)).collect();
        let width = |at: usize| {
            let cells = rows.iter().chain([&head]).map(|row| row[at].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let line = |cells: &[String]| {
            let cells = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
        };
        let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let mut lines = vec![
            format!(
                "{question} of {n} held-out rows with noise of size {noise}, {draws} answers each \
                 by {sampler} x {steps}, seed {seed}"
            ),
            line(&head),
            line(&dashes),
        ];
        lines.extend(rows.iter().map(|row| line(row)));
        if let Some(share) = self.classifier_accuracy {
            lines.push(format!("the classifier is right about {share:.3} of real images"));
        }
        f.write_str(&lines.join("\n"))
    }
}

/// The name of the file: the question without what a name may not hold.
fn file_name(question: &str) -> String {
    let word = |c: char| if c.is_alphanumeric() || c == '.' { c } else { '-' };
    format!("questions-{}.json", question.chars().map(word).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_the_name_of_its_file_without_what_a_name_may_not_hold() {
        assert_eq!(file_name("upsample:4"), "questions-upsample-4.json");
        assert_eq!(file_name("mask:a/b.png"), "questions-mask-a-b.png.json");
    }

    fn row(method: &str, scores: Vec<Score>) -> AnswersRow {
        AnswersRow {
            method: method.into(),
            scores,
            astray: 1,
            evaluations: 64.0,
            gradients: 63,
            seconds: 0.25,
            memory: Some(12_300_000),
        }
    }

    #[test]
    fn a_table_has_a_line_for_each_method_and_the_columns_of_all() {
        let misfit = Score::lower("misfit", 0.98, 40).with_std_error(0.04);
        let report = AnswersReport {
            schema: 1,
            recipe: "digits".into(),
            step: 2000,
            question: "upsample:2".into(),
            noise: 0.05,
            n: 40,
            draws: 16,
            sampler: "langevin".into(),
            steps: 32,
            seed: 0,
            classifier_accuracy: Some(0.99),
            rows: vec![
                row("mmps", vec![misfit]),
                // Of which nothing could be scored.
                AnswersRow { memory: None, ..row("dps", Vec::new()) },
            ],
        };
        let text = report.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1],
            "| method | misfit      | astray | evaluations | gradients | seconds | memory  |"
        );
        assert_eq!(
            lines[3],
            "| mmps   | 0.98 ± 0.04 | 1      | 64          | 63        | 0.25    | 12.3 MB |"
        );
        assert_eq!(
            lines[4],
            "| dps    | -           | 1      | 64          | 63        | 0.25    | -       |"
        );
        let text = serde_json::to_string(&report).unwrap();
        let again: AnswersReport = serde_json::from_str(&text).unwrap();
        assert_eq!(again.to_string(), report.to_string());
    }
}
