//! Draws of what a model of a table believes after observations: as a table and as a picture.

use std::fmt;
use std::path::{Path, PathBuf};

use flow_datasets::table::{Column, Type, Values};
use flow_datasets::{Table, counted};
use flow_judge::{LikelihoodOptions, densities, with_densities};
use flow_plot::{Figure, corner};
use flow_run::table::{Conditions, TableRows};
use flow_run::{Listener, Model, Request, Run, RunError};

use crate::error::ReportError;
use crate::page::page;

/// Columns whose pairs are drawn.
const MOST_PAIRED: usize = 10;

/// Draws for each of several observations, one observation after another.
#[derive(Debug)]
pub struct Posterior<'a> {
    model: &'a Model,
    columns: &'a TableRows,
    /// The observation of each draw.
    turns: Vec<usize>,
    /// All columns, also those that were observed.
    drawn: Table,
    /// Evaluations of the network for each draw.
    pub nfe: f64,
}

impl<'a> Posterior<'a> {
    /// Draws as many rows for each observation as the request has samples for each of them; `told`
    /// hears of those that were moved to the range of the training.
    ///
    /// # Errors
    /// For a request that the model cannot meet.
    ///
    /// # Panics
    /// If the samples cannot be shared out among the observations.
    pub fn draw(
        model: &'a Model,
        columns: &'a TableRows,
        observed: &Conditions,
        mut request: Request,
        told: &dyn Listener,
    ) -> Result<Self, ReportError> {
        let observations = observed.table.len();
        assert!(request.n.is_multiple_of(observations), "each observation has as many draws");
        let number = request.n / observations;
        let turns: Vec<usize> = (0..request.n).map(|i| i / number).collect();
        let rows = observed.vectors.chunks(columns.vector());
        request.given.vectors = Some(rows.flat_map(|row| row.repeat(number)).collect());
        if !request.is_guided() || !model.is_told() {
            request.guidance = 1.0;
        }
        let samples = model.sample(&request)?;
        let given = observed.table.select(&turns);
        let drawn = columns.encoder.decode(&samples.rows, Some(&given)).map_err(RunError::from)?;
        for (column, moved) in columns.encoder.moved(&samples.rows) {
            told.say(&format!(
                "{moved} of {} draws of {column} lay beyond the rows of the training and were moved \
                 to the end of their range: data.transforms.{column}={{logit=[LOW,HIGH]}} keeps \
                 draws between known bounds",
                request.n
            ));
        }
        Ok(Self { model, columns, turns, drawn, nfe: samples.nfe })
    }

    /// Writes the draws as a [`table`](Self::table), and beside it their picture, if there is one,
    /// and gives the file of the picture.
    ///
    /// # Errors
    /// When a solve fails, and when a file cannot be written.
    pub fn save(&self, with_density: bool, out: &Path) -> Result<Option<PathBuf>, ReportError> {
        let picture = self.picture().map(|figure| (figure, out.with_extension("png")));
        if let Some((figure, path)) = &picture {
            figure.save(path)?;
        }
        self.table(with_density)?.write(out).map_err(RunError::from)?;
        Ok(picture.map(|(_, path)| path))
    }

    /// How many observations there are.
    fn observations(&self) -> usize {
        self.turns.last().map_or(0, |last| last + 1)
    }

    /// The columns that were drawn.
    fn learned(&self) -> Table {
        self.columns.given().fold(self.drawn.clone(), |table, name| table.without(name))
    }

    /// Densities of the numbers that were drawn and of their pairs; nothing if there are none, or
    /// more than can be looked at.
    #[must_use]
    pub fn picture(&self) -> Option<Figure> {
        let learned = self.learned();
        let numbers = learned.columns().iter().filter_map(|column| match &column.values {
            Values::Number(values) => Some((column.name.clone(), values)),
            Values::Text(_) => None,
        });
        let (names, numbers): (Vec<String>, Vec<&Vec<f64>>) = numbers.unzip();
        if !(1..=MOST_PAIRED).contains(&names.len()) {
            return None;
        }
        let row = |row: usize| numbers.iter().map(move |values| values[row] as f32);
        let points: Vec<f32> = (0..self.turns.len()).flat_map(row).collect();
        Some(corner(&names, &[("draws", &points)]))
    }

    /// The draws, with the number of their observation where there are several, and their
    /// log-densities if they are asked for, which takes a solve for each.
    ///
    /// # Errors
    /// When a solve fails.
    pub fn table(&self, with_density: bool) -> Result<Table, ReportError> {
        let mut table = self.learned();
        if with_density {
            let options = LikelihoodOptions::default();
            let nats = densities(self.model, self.columns, &self.drawn, &options)?;
            table = with_densities(&table, nats)?;
        }
        if self.observations() < 2 {
            return Ok(table);
        }
        let counted = self.turns.iter().map(|turn| (turn + 1) as f64).collect();
        let observation = Column {
            name: "observation".into(),
            ty: Type::Integer {},
            values: Values::Number(counted),
        };
        let columns = [observation].into_iter().chain(table.columns().iter().cloned());
        Ok(Table::new(columns.collect()).map_err(RunError::from)?)
    }
}

/// How many draws there are, and what they took.
impl fmt::Display for Posterior<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let observations = self.observations();
        write!(
            f,
            "{} for each of {}, {} each",
            counted(self.turns.len() / observations.max(1), "draw"),
            counted(observations, "observation"),
            counted(format!("{:.0}", self.nfe), "network evaluation")
        )
    }
}

/// Draws the picture of a posterior among those of its run, refreshes the page of the run and
/// returns the file.
///
/// # Errors
/// When a file cannot be read or written.
pub fn draw_posterior(run: &Run, figure: &Figure) -> Result<PathBuf, ReportError> {
    let path = run.folder.join("plots").join("posterior.png");
    figure.save(&path)?;
    figure.save(path.with_extension("svg"))?;
    page(run)?;
    Ok(path)
}
