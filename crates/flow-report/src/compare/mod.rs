//! Runs side by side.

mod column;
mod course;
mod course_tables;
mod drawing;
mod equal;
mod evaluations;
mod figures;
mod learning;
mod scored;
mod strips;
mod tables;

use std::path::Path;

use burn::tensor::Device;
use flow_run::Run;
use flow_run::files::{check_folder, ending};

use crate::document::{Block, Document, Picture};
use crate::error::{ReportError, usage};
pub(crate) use column::Column;
pub(crate) use drawing::Drawn;
use equal::EqualErrors;
pub(crate) use figures::all as figures;
pub(crate) use scored::ScoredRun;
pub(crate) use tables::of_one;

/// Points of a curve.
pub(crate) type Curve = Vec<(f64, f64)>;

/// What to compare, and how; everything of every run by itself by default.
#[derive(Clone, Debug, Default)]
pub struct CompareOptions {
    /// Whether runs that differ in their seed alone are taken together.
    pub group: bool,
    /// Beginnings of the names of scores; all, if there are none.
    pub scores: Vec<String>,
    /// Beginnings of the names of solvers; all, if there are none.
    pub rows: Vec<String>,
    /// Pairs of columns by name: what share of the evaluations of the second does the first need
    /// for the same error?
    pub nfe_at_error: Vec<[String; 2]>,
}

/// Runs side by side.
#[derive(Debug)]
pub struct Comparison {
    columns: Vec<Column>,
    /// What was asked for by pairs of columns.
    equal: Vec<Block>,
    /// Paths from one noise, once they are asked for.
    strips: Option<Drawn>,
}

impl Comparison {
    /// Compares runs that are scored.
    ///
    /// # Errors
    /// When one has no scores, no score is left, or a column is named that is none.
    pub fn of(runs: &[Run], options: &CompareOptions) -> Result<Self, ReportError> {
        let runs = runs.iter().map(ScoredRun::read).collect::<Result<Vec<_>, _>>()?;
        let mut columns = if options.group { Column::grouped(runs) } else { Column::each(runs) };
        for column in &mut columns {
            column.keep(&options.scores, &options.rows);
        }
        let solved = |column: &Column| column.scores.iter().any(|score| score.solver.is_some());
        let none_of_the_rows = !options.rows.is_empty() && !columns.iter().any(solved);
        if none_of_the_rows || columns.iter().all(|column| column.scores.is_empty()) {
            return Err(usage!(
                "nothing is left to compare: --score takes the beginning of a score's name, --row \
                 that of a solver's"
            ));
        }
        let mut equal = Vec::new();
        for [first, second] in &options.nfe_at_error {
            let [a, b] = [named(&columns, first)?, named(&columns, second)?];
            if a == b {
                return Err(usage!(
                    "--nfe-at-error {first} {second}: a model needs as many evaluations as itself, \
                     name two"
                ));
            }
            let ratios = equal::ratios(&columns[a].errors, &columns[b].errors)?;
            equal.extend(equal::blocks(first, second, &ratios));
            columns[a].equal_errors.push(EqualErrors { with: second.clone(), ratios });
        }
        Ok(Self { columns, equal, strips: None })
    }

    /// Follows the first run of each column from the same noise, for a figure with a row for each
    /// of them and a picture for each time. `runs` are those of [`of`](Self::of).
    ///
    /// # Errors
    /// For rows that are neither images nor points of the plane, for models that cannot start from
    /// the same noise, and when one cannot be read or sampled.
    pub fn with_strips(mut self, runs: &[Run], device: &Device) -> Result<Self, ReportError> {
        self.strips = Some(strips::strips(&self.columns, runs, device)?);
        Ok(self)
    }

    /// Refuses a file that cannot be written, before runs are read.
    ///
    /// # Errors
    /// When its name ends otherwise, or its folder is not there.
    pub fn check_file(out: &Path) -> Result<(), ReportError> {
        if !["md", "html"].contains(&ending(out)) {
            return Err(usage!("{} ends neither in .md nor in .html", out.display()));
        }
        Ok(check_folder(out)?)
    }

    /// The numbers.
    ///
    /// # Panics
    /// Never: they are numbers with names.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(&self.columns).expect("names and numbers")
    }

    /// The tables.
    #[must_use]
    pub fn markdown(&self) -> String {
        Document { title: String::new(), blocks: self.blocks() }.markdown()
    }

    /// Writes tables and figures: `.html` has the figures inside, `.md` beside it.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn save(&self, out: &Path) -> Result<(), ReportError> {
        let mut blocks = self.blocks();
        let stem = out.file_stem().unwrap_or_default().to_string_lossy();
        for Drawn { name, caption, figure } in
            figures::all(&self.columns).iter().chain(&self.strips)
        {
            let (name, bytes) = (format!("{stem}-{name}.svg"), figure.to_svg().into_bytes());
            blocks.push(Block::Picture(Picture { name, caption: caption.clone(), bytes }));
        }
        let is_page = out.extension().is_some_and(|extension| extension == "html");
        let title = if is_page { "Runs side by side" } else { "" };
        Document { title: title.into(), blocks }.save(out)
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks = tables::blocks(&self.columns);
        blocks.extend(self.equal.iter().cloned());
        blocks
    }
}

/// The place of the column of this name.
fn named(columns: &[Column], name: &str) -> Result<usize, ReportError> {
    columns.iter().position(|column| column.name == name).ok_or_else(|| {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        usage!("--nfe-at-error {name}: there is no such column, use one of {}", names.join(", "))
    })
}
