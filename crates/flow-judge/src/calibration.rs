//! Calibration of a model of a table with conditions: is the truth where its draws say?

use std::fmt;

use flow_eval::{Points, Ranks, Score, sbc, tarp};
use flow_run::files::write_text;
use flow_run::{Data, Given, Listener, Model, Request, Run, SampleChanges, check_scored};
use serde::Serialize;

use crate::error::{JudgeError, usage};
use crate::table::TableSpace;

/// Probability that right posteriors are called calibrated.
const LEVEL: f64 = 0.95;

/// Held-out rows below which nothing can be told, and draws for each below which ranks are too
/// coarse.
const FEWEST: [usize; 2] = [20, 4];

/// What the ranks of held-out rows among their draws say.
#[derive(Clone, Debug, Serialize)]
pub struct Calibration {
    /// Held-out rows.
    pub n: usize,
    /// Draws for each of them.
    pub draws: usize,
    /// Seed of the noise and of random points.
    pub seed: u64,
    /// A line for each column, and last for all together.
    pub rows: Vec<Calibrated>,
    sentence: String,
}

/// What the ranks of one column, or of distances to random points, say.
#[derive(Clone, Debug, Serialize)]
pub struct Calibrated {
    /// The column, or `TARP` for all together.
    pub name: String,
    /// Greatest deviation of the ranks' distribution from a uniform one.
    pub deviation: Score,
    /// What that means, in words.
    pub verdict: String,
    /// The ranks themselves, for pictures.
    #[serde(skip)]
    pub ranks: Ranks,
}

impl fmt::Display for Calibrated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, deviation, verdict, .. } = self;
        let floor = deviation.floor.unwrap_or(f64::NAN);
        write!(
            f,
            "{name:24} greatest deviation {:6.2} standard errors, usual {floor:.2}: {verdict}",
            deviation.value
        )
    }
}

/// A line for each of the ranks, and a sentence on all of them.
impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))?;
        f.write_str(self.sentence())
    }
}

impl Calibration {
    /// The content of `calibration.json`.
    ///
    /// # Panics
    /// Never: scores are numbers and text.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("scores are numbers and text")
    }

    /// Writes `calibration.json` into the folder of a run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, run: &Run) -> Result<(), JudgeError> {
        run.keep()?;
        Ok(write_text(&run.folder.join("calibration.json"), &self.json())?)
    }

    /// One sentence on all of them.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }
}

fn sentence(n: usize, draws: usize, rows: &[Calibrated]) -> String {
    let wrong: Vec<String> = rows
        .iter()
        .filter(|row| !row.verdict.starts_with("calibrated"))
        .map(|row| format!("{} is {}", row.name, row.verdict))
        .collect();
    if wrong.is_empty() {
        return format!("calibrated, as far as {n} held-out rows with {draws} draws each tell");
    }
    format!("not calibrated on {n} held-out rows with {draws} draws each: {}", wrong.join("; "))
}

/// Ranks the truth of held-out rows among draws given the same conditions: simulation-based
/// calibration of each column, and TARP of all together.
///
/// Columns are compared as they come out, in their own units.
///
/// # Errors
/// When the data are no table with given columns, a sample fails, or rows are too few or draws more
/// than the memory holds.
pub fn calibrate(
    run: &Run,
    data: &Data,
    model: &Model,
    (n, draws, seed): (usize, usize, u64),
    told: &dyn Listener,
) -> Result<Calibration, JudgeError> {
    let Some(table) = data.table() else {
        let run = run.folder.display();
        return Err(usage!("{run} is no run of a table with given columns"));
    };
    let vector = table.rows.vector();
    if vector == 0 {
        return Err(usage!(
            "calibration compares what was true with what is drawn given the conditions, and this \
             model has none: train it with --given"
        ));
    }
    let n = n.min(table.held.n);
    let asked = [("held-out rows", n), ("draws for each", draws)];
    if let Some(((what, got), least)) = asked.iter().zip(FEWEST).find(|((_, got), n)| got < n) {
        return Err(usage!(
            "calibration by {got} {what} tells nothing, at least {least} are needed: ask for more, \
             or hold out more rows by data.split.share"
        ));
    }
    check_scored("draws for each row", n.saturating_mul(draws), &data.shape())?;
    told.say(&format!("drawing {draws} samples for each of {n} held-out rows"));
    let told_of = table.held.vectors.chunks(vector).take(n);
    let vectors: Vec<f32> = told_of.flat_map(|row| row.repeat(draws)).collect();
    let given = Given { vectors: Some(vectors), ..Given::default() };
    let request = Request::new(&run.recipe, &SampleChanges::default(), n * draws, seed)?;
    let samples = model.sample(&request.with_given(given))?.rows;
    // Cells rather than numbers of the network: a category that is drawn is one, and equal ones are
    // ranked at random. The given columns come last, and are left out.
    let space = TableSpace::new(table)?;
    let learned = space.targets();
    let cut = |cells: Vec<f32>| -> Vec<f32> {
        cells.chunks(space.columns.len()).flat_map(|row| row[..learned].to_vec()).collect()
    };
    let (truths, drawn) = (cut(space.cells(&table.held, n)), cut(space.cells_of(&samples)?));
    let (truths, drawn) = (Points::new(&truths, learned)?, Points::new(&drawn, learned)?);
    let names = space.names[..learned].iter().cloned();
    let line = |(name, ranks): (String, Ranks)| Calibrated {
        deviation: ranks.deviation(name.clone(), seed),
        verdict: ranks.verdict(LEVEL, seed).to_string(),
        name,
        ranks,
    };
    let together = ("TARP".to_owned(), tarp(truths, drawn, seed)?);
    let each = names.zip(sbc(truths, drawn, seed)?);
    let rows: Vec<Calibrated> = each.chain([together]).map(line).collect();
    let sentence = sentence(n, draws, &rows);
    Ok(Calibration { n, draws, seed, rows, sentence })
}
