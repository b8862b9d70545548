//! Questions about held-out rows of a table: some columns are known, and the others are asked for.

use flow_datasets::table::{Codec, Column, Role, Table, TableRows, Values};
use flow_datasets::{Holes, Split};
use flow_model::{AnswerPlan, Question};
use flow_run::table::TableData;
use flow_run::{Given, Listener, Model, Request, some_places};
use flow_sample::{Mask, ObservationNoise};

use super::asking::{Answers, each, unless_astray};
use super::report::AnswersRow;
use super::row_scores::RowScores;
use super::{QuestionOptions, TrainedModel};
use crate::error::{JudgeError, usage};

/// Held-out rows of which some columns are known: the same for every model that is asked.
///
/// What is known is told a model that was trained for it as a condition; a model of all columns is
/// asked by its methods, as `flow impute` does.
pub struct RowQuestions<'a> {
    options: QuestionOptions,
    columns: &'a TableRows,
    /// The rows, and the same with holes where something is asked for.
    truth: Table,
    asked: Table,
    hidden: Vec<Hidden>,
    trained: Option<(TrainedModel<'a>, TableRows)>,
    told: &'a dyn Listener,
}

/// A column that is asked for.
struct Hidden {
    name: String,
    /// Of numbers, the standard deviation of the training rows; nothing for categories.
    std: Option<f64>,
}

impl<'a> RowQuestions<'a> {
    /// Looks at held-out rows of a run of a table through the columns that are `known`.
    ///
    /// # Errors
    /// For a column that is none, when nothing is left to ask for, without rows, and for a trained
    /// model that is told other columns or learns not all of those that are asked for.
    pub fn new(
        table: &'a TableData,
        options: QuestionOptions,
        known: &[&str],
        trained: Option<TrainedModel<'a>>,
        told: &'a dyn Listener,
    ) -> Result<Self, JudgeError> {
        let columns = &table.rows;
        let learned = || {
            let targets = columns.encoder.spans(Role::Target);
            targets.filter(|(_, span)| !span.is_empty()).map(|(column, _)| column)
        };
        let all: Vec<&str> = learned().map(|column| column.name.as_str()).collect();
        if let Some(none) = known.iter().find(|name| !all.contains(name)) {
            let all = all.join(", ");
            return Err(usage!(
                "--questions given: the model learns no column `{none}`, but {all}"
            ));
        }
        let asked_for = learned().filter(|column| !known.contains(&column.name.as_str()));
        let hidden: Vec<Hidden> = asked_for
            .map(|column| {
                let is_number = matches!(column.codec, Codec::Number { .. });
                let training = table.train.table.column(&column.name).filter(|_| is_number);
                Hidden { name: column.name.clone(), std: training.and_then(deviation) }
            })
            .collect();
        if hidden.is_empty() {
            return Err(usage!("--questions given: all columns are known, leave some out"));
        }
        let trained = trained.map(|trained| {
            trained_for(&trained, known, columns, &hidden).map(|rows| (trained, rows))
        });
        let places = some_places(table.held.n, Split::Test, options.n, options.seed);
        if places.is_empty() {
            return Err(usage!("no held-out row is asked about: -n is 0, or there is none"));
        }
        let truth = table.held.table.select(&places);
        let hole = |column: &Column| {
            if hidden.iter().any(|own| own.name == column.name) {
                Column::of_cells(&column.name, column.ty, &vec![None; places.len()])
            } else {
                column.clone()
            }
        };
        let asked = Table::new(truth.columns().iter().map(hole).collect()).map_err(refused)?;
        Ok(Self { options, columns, truth, asked, hidden, trained: trained.transpose()?, told })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.truth.len()
    }

    /// Whether there are none, which [`new`](Self::new) refuses.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.truth.is_empty()
    }

    /// What a model of all columns answers, by the method of a plan. Rows whose answers go astray
    /// are counted and not scored.
    ///
    /// # Errors
    /// When the model cannot be asked, or the sampler cannot go on.
    pub fn answered(
        &self,
        method: &str,
        model: &Model,
        plan: &AnswerPlan,
    ) -> Result<AnswersRow, JudgeError> {
        let QuestionOptions { noise: std, draws, .. } = self.options;
        let noise = ObservationNoise::Gaussian { std };
        let ask = |at: usize, seed| -> Result<Option<Answers>, JudgeError> {
            let row = self.asked.select(&[at]);
            let holes = Holes::new(self.columns, &row).map_err(refused)?;
            let (observed, vectors) = (holes.observed(), holes.vectors().map_err(refused)?);
            let width = self.columns.encoder.width();
            let mask = Mask::new(&holes.known(), width, model.device());
            let question = plan.question(&mask, &observed, noise, draws);
            let question = Question { vectors: vectors.as_deref(), seed, ..question };
            unless_astray(model.answer(&question, &*plan.sampler))
        };
        self.row(method, self.columns, ask)
    }

    /// What the model answers that was trained for the question, if there is one: it is told what
    /// is known.
    ///
    /// # Errors
    /// When it cannot be sampled.
    pub fn answered_by_trained(&self) -> Result<Option<AnswersRow>, JudgeError> {
        let Some((TrainedModel { name, model, way }, columns)) = &self.trained else {
            return Ok(None);
        };
        let ask = |at: usize, seed| -> Result<Option<Answers>, JudgeError> {
            let vectors = columns.conditions(&self.truth.select(&[at])).map_err(refused)?;
            let given = Given { vectors: Some(vectors), ..Given::default() };
            let request = Request { n: self.options.draws, seed, given, ..(*way).clone() };
            Ok(Some(model.sample(&request)?.into()))
        };
        self.row(name, columns, ask).map(Some)
    }

    /// Asks about each row, and scores what is answered in the columns of the model.
    fn row(
        &self,
        method: &str,
        columns: &TableRows,
        ask: impl Fn(usize, u64) -> Result<Option<Answers>, JudgeError>,
    ) -> Result<AnswersRow, JudgeError> {
        let (draws, mut scores) = (self.options.draws, RowScores::default());
        let row = each((self.len(), &self.options), method, self.told, ask, |at, rows| {
            let known = self.truth.select(&vec![at; draws]);
            let drawn = columns.encoder.decode(rows, Some(&known)).map_err(refused)?;
            let (mut numbers, mut right) = (Vec::new(), Vec::new());
            for Hidden { name, std } in &self.hidden {
                let (Some(truth), Some(drawn)) = (known.column(name), drawn.column(name)) else {
                    continue;
                };
                if let (Some(std), Values::Number(truth), Values::Number(drawn)) =
                    (std, &truth.values, &drawn.values)
                {
                    let scaled = drawn.iter().map(|x| x / std).collect();
                    numbers.push((truth[0] / std, scaled));
                } else {
                    let same = (0..draws).filter(|&i| drawn.cell(i) == truth.cell(i)).count();
                    right.push(same as f64 / draws as f64);
                }
            }
            scores.add(&numbers, &right);
            Ok(())
        })?;
        Ok(AnswersRow { scores: scores.scores(draws), ..row })
    }
}

/// The columns of a model that was trained for the question: it is told what is known, and learns
/// what is asked for.
fn trained_for(
    TrainedModel { name, model, .. }: &TrainedModel<'_>,
    known: &[&str],
    columns: &TableRows,
    hidden: &[Hidden],
) -> Result<TableRows, JudgeError> {
    let Some(own) = model.table()? else {
        return Err(usage!("--against {name} is no model of a table"));
    };
    let told: Vec<&str> = own.given().collect();
    // What the run that is asked is told itself, it is told in both cases.
    let asked: Vec<&str> = known.iter().copied().chain(columns.given()).collect();
    let same = told.iter().all(|name| asked.contains(name))
        && asked.iter().all(|name| told.contains(name));
    if !same {
        let (told, asked) = (told.join(", "), asked.join(", "));
        let told = if told.is_empty() { "nothing" } else { &told };
        return Err(usage!(
            "--against {name} is given {told}, and {asked} is known: train one with --given, or ask \
             another question"
        ));
    }
    let learns = |hidden: &&Hidden| {
        own.encoder.spans(Role::Target).any(|(column, _)| column.name == hidden.name)
    };
    match hidden.iter().find(|hidden| !learns(hidden)) {
        Some(lacking) => {
            let lacking = &lacking.name;
            Err(usage!("--against {name} does not learn `{lacking}`, which is asked for"))
        }
        None => Ok(own),
    }
}

/// The standard deviation of a column of numbers that vary.
fn deviation(column: &Column) -> Option<f64> {
    let Values::Number(values) = &column.values else { return None };
    let known = || values.iter().filter(|x| !x.is_nan());
    let n = known().count() as f64;
    let mean = known().sum::<f64>() / n;
    let variance = known().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    (0.0 < variance).then(|| variance.sqrt())
}

fn refused(error: impl std::fmt::Display) -> JudgeError {
    usage!("{error}")
}
