//! The columns of a table and what becomes of each: printed before training, so that a person can
//! check.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::kind::{Guess, categories, guess, is_constant, is_whole};
use super::transform::{TransformKind, skewed};
use super::{Column, ColumnType, Kind, Table, TableError, Values, cell};
use crate::words::counted;

/// Names of categories that are printed.
const NAMES: usize = 4;

/// What a user says about the columns of a table; the rest is guessed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overrides {
    /// Columns that are conditions: given when a sample is drawn, not generated.
    pub given: Vec<String>,
    /// The only columns to take, beside those given; all, if empty.
    pub columns: Vec<String>,
    /// Columns to leave out.
    pub drop: Vec<String>,
    /// What columns are, by their names.
    pub types: BTreeMap<String, ColumnType>,
    /// Transforms of columns of numbers, by their names.
    pub transforms: BTreeMap<String, TransformKind>,
    /// The column that says which rows are held out: it is left out.
    pub split: Option<String>,
}

/// What becomes of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// It is learned and generated.
    Target,
    /// It is a condition.
    Given,
    /// It has one value, which is written into every row that comes out.
    Constant,
    /// It is left out.
    Dropped,
}

/// A column, what it was taken for, and what becomes of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ColumnPlan {
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub role: Role,
    /// What its values mean; nothing for what is dropped or constant.
    pub kind: Option<Kind>,
    /// How numbers are transformed; nothing for categories.
    pub transform: Option<TransformKind>,
    /// Names of the levels of an ordinal column, the lowest first.
    pub levels: Vec<String>,
    /// Least and greatest number, or how many categories there are and which.
    pub range: String,
    /// Rows without a value.
    pub missing: usize,
    /// Why it is dropped.
    pub reason: Option<String>,
}

/// Every column of a table and what becomes of it. Printed, it is a table for a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// One plan for each column of the table, in their order.
    pub plans: Vec<ColumnPlan>,
}

impl Columns {
    /// Guesses what each column is, except where `overrides` says it.
    ///
    /// Words are categories; numbers are real, or integer where all are whole; whole numbers
    /// counted from 0 or 1 up to five of them, and any two whole numbers, are codes of categories.
    /// A column of one value is kept beside the model. Dates, row numbers, identifiers and free
    /// text are dropped with a reason. Numbers without a negative one, whose skewness the
    /// logarithm lessens, are transformed by `log1p`; others by their standard score.
    ///
    /// # Errors
    /// If names are unknown or contradict each other, if a column is not of the type said, if a
    /// number is infinite, beyond the range of `f32` or of its transform, or if fewer than two rows
    /// or no target is left.
    pub fn guess(table: &Table, overrides: &Overrides) -> Result<Self, TableError> {
        check(table, overrides)?;
        let (rows, needed) = (table.len(), 2);
        if rows < needed {
            return Err(TableError::TooFewRows { rows, needed });
        }
        let plans = table.columns().iter().map(|column| plan(column, overrides));
        let plans: Vec<ColumnPlan> = plans.collect::<Result<_, _>>()?;
        if !plans.iter().any(|plan| plan.role == Role::Target) {
            let reasons = plans.iter().take(8).map(why).collect::<Vec<_>>().join("; ");
            return Err(TableError::NothingToLearn { reasons });
        }
        Ok(Self { plans })
    }

    /// The given columns alone: what rows that are none of this table, such as images, are
    /// conditioned by.
    ///
    /// # Errors
    /// As [`Columns::guess`].
    pub fn conditions(table: &Table, overrides: &Overrides) -> Result<Self, TableError> {
        check(table, overrides)?;
        let given = |column: &&Column| overrides.given.contains(&column.name);
        let plans = table.columns().iter().filter(given).map(|column| plan(column, overrides));
        let plans: Vec<ColumnPlan> = plans.collect::<Result<_, _>>()?;
        Ok(Self { plans })
    }

    /// Refuses a given column that would be left out, and given columns of which none tells
    /// anything: what a user asks a model to be told is told. One value in every row beside others
    /// loses nothing. Rows that a model is only asked about may well have one value.
    ///
    /// # Errors
    /// With the first such column.
    pub fn check_told(&self, overrides: &Overrides) -> Result<(), TableError> {
        let given = || self.plans.iter().filter(|plan| overrides.given.contains(&plan.name));
        let untold = match given().find(|plan| plan.role == Role::Dropped) {
            None if given().any(|plan| plan.role == Role::Given) => None,
            None => given().next(),
            dropped => dropped,
        };
        untold.map_or(Ok(()), |plan| Err(TableError::NothingToTell { reason: why(plan) }))
    }
}

/// Why a column is not learned.
fn why(plan: &ColumnPlan) -> String {
    match (&plan.reason, plan.role) {
        (Some(reason), _) => format!("{:?} {reason}", plan.name),
        (None, Role::Given) => format!("{:?} is given", plan.name),
        (None, _) => format!("{:?} has one value in every row", plan.name),
    }
}

fn check(table: &Table, overrides: &Overrides) -> Result<(), TableError> {
    let Overrides { given, columns, drop, types, transforms, split } = overrides;
    let lists = [("given", given), ("columns", columns), ("drop", drop)];
    let named = lists.iter().flat_map(|(_, names)| names.iter());
    for name in named.chain(types.keys()).chain(transforms.keys()).chain(split) {
        if table.column(name).is_none() {
            return Err(TableError::UnknownColumn { name: name.clone(), known: table.names() });
        }
    }
    let both = |first: &'static str, a: &[String], second: &'static str, b: &[String]| match a
        .iter()
        .find(|name| b.contains(name))
    {
        Some(column) => Err(TableError::Contradiction { column: column.clone(), first, second }),
        None => Ok(()),
    };
    let split = split.as_slice();
    if let Some(at) = (1..given.len()).find(|&at| given[..at].contains(&given[at])) {
        return Err(TableError::DuplicateColumn { name: given[at].clone() });
    }
    both("given", given, "drop", drop)?;
    both("columns", columns, "drop", drop)?;
    both("given", given, "split", split)?;
    both("columns", columns, "split", split)
}

fn plan(column: &Column, overrides: &Overrides) -> Result<ColumnPlan, TableError> {
    let name = &column.name;
    let mut plan = ColumnPlan {
        name: name.clone(),
        role: Role::Dropped,
        kind: None,
        transform: None,
        levels: Vec::new(),
        range: String::new(),
        missing: column.missing(),
        reason: None,
    };
    let given = overrides.given.contains(name);
    let chosen = overrides.columns.is_empty() || overrides.columns.contains(name) || given;
    if overrides.drop.contains(name) || !chosen {
        let list = if chosen { "drop" } else { "columns" };
        plan.reason = Some(format!("is left out by `data.{list}`"));
        return Ok(plan);
    }
    if overrides.split.as_ref() == Some(name) {
        plan.reason = Some("says which rows are held out".into());
        return Ok(plan);
    }
    plan.range = range(column)?;
    let guessed = match overrides.types.get(name) {
        Some(_) if column.missing() == column.len() || is_constant(column) => guess(column),
        Some(ColumnType::Kind(kind)) => Guess::Kind(*kind),
        Some(ColumnType::Levels(levels)) => {
            plan.levels.clone_from(levels);
            Guess::Kind(Kind::Ordinal)
        }
        None => guess(column),
    };
    match guessed {
        Guess::Drop(reason) => plan.reason = Some(reason),
        Guess::Constant => plan.role = Role::Constant,
        Guess::Kind(kind) => {
            plan.role = if given { Role::Given } else { Role::Target };
            plan.kind = Some(kind);
            let said = overrides.transforms.get(name).copied();
            plan.transform = match kind {
                Kind::Real | Kind::Integer => {
                    let values = numbers_of(column, kind)?;
                    let log = skewed(values);
                    let guess = if log { TransformKind::Log1p } else { TransformKind::Standard };
                    if let Some(said) = said {
                        check_domain(column, values, said)?;
                    }
                    Some(said.unwrap_or(guess))
                }
                Kind::Category => {
                    if said.is_some() {
                        return Err(TableError::NoTransform { column: name.to_owned() });
                    }
                    plan.range = listed(&categories(column));
                    None
                }
                Kind::Ordinal => {
                    if plan.levels.is_empty() {
                        plan.levels = categories(column);
                    }
                    plan.range = listed(&plan.levels);
                    Some(said.unwrap_or_default())
                }
            };
        }
    }
    Ok(plan)
}

/// Refuses a number that a transform cannot take, by its row in the file.
fn check_domain(column: &Column, values: &[f64], kind: TransformKind) -> Result<(), TableError> {
    if let TransformKind::Logit([low, high]) = kind
        && !(low.is_finite() && high.is_finite() && low < high)
    {
        return Err(TableError::Bounds { column: column.name.clone(), bounds: [low, high] });
    }
    let bad = |x: &f64| !x.is_nan() && !kind.takes(*x);
    match values.iter().position(bad) {
        Some(row) => Err(TableError::OutOfDomain {
            column: column.name.clone(),
            row: row + 1,
            value: values[row],
            transform: kind.name(),
        }),
        None => Ok(()),
    }
}

/// The numbers of a column that is said to hold some.
pub(crate) fn numbers_of(column: &Column, kind: Kind) -> Result<&[f64], TableError> {
    let refused = |row: usize, expected: &'static str| {
        let value = column.cell(row).unwrap_or_default();
        Err(TableError::NotOfType { column: column.name.clone(), row: row + 1, value, expected })
    };
    match &column.values {
        Values::Text(text) => {
            let word = |code: &usize| cell::number(&text.names[*code]).is_none();
            let used = text.used();
            let Some(code) = used.iter().copied().find(word).or(used.first().copied()) else {
                return Ok(&[]);
            };
            refused(text.first_row(code), "number")
        }
        Values::Number(values) if kind == Kind::Integer && !is_whole(values) => {
            let row = values.iter().position(|&x| !is_whole(&[x])).unwrap_or(0);
            refused(row, "whole number")
        }
        Values::Number(values) => Ok(values),
    }
}

fn range(column: &Column) -> Result<String, TableError> {
    if let Values::Number(values) = &column.values {
        if let Some(row) = values.iter().position(|x| x.is_infinite()) {
            return Err(TableError::Infinite { column: column.name.clone(), row: row + 1 });
        }
        if let Some(row) = values.iter().position(|x| f64::from(f32::MAX) < x.abs()) {
            let (column, value) = (column.name.clone(), values[row]);
            return Err(TableError::TooFar { column, row: row + 1, value });
        }
        let known = values.iter().filter(|x| !x.is_nan());
        let ends = known.fold(None, |ends: Option<(f64, f64)>, &x| {
            Some(ends.map_or((x, x), |(low, high)| (low.min(x), high.max(x))))
        });
        let Some((low, high)) = ends else { return Ok(String::new()) };
        let print = |x| cell::print(x, column.ty);
        return Ok(match column.ty {
            _ if low.total_cmp(&high).is_eq() => print(low),
            _ => format!("{} to {}", print(low), print(high)),
        });
    }
    Ok(listed(&categories(column)))
}

/// How many names there are, and the first of them.
fn listed(names: &[String]) -> String {
    let start = names.iter().take(NAMES).map(|name| shortened(name)).collect::<Vec<_>>().join(", ");
    let more = if NAMES < names.len() { ", ..." } else { "" };
    if names.len() == 1 { start } else { format!("{}: {start}{more}", names.len()) }
}

fn shortened(name: &str) -> String {
    const LONG: usize = 16;
    let start: String = name.chars().take(LONG).collect();
    // A line break within a name would break the table.
    let shown = start.replace(char::is_control, " ");
    if start.len() < name.len() { format!("{shown}...") } else { shown }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const SHOWN: usize = 200;
        let head = ["column", "kind", "range", "missing", "transform"].map(String::from);
        let cells = |plan: &ColumnPlan| {
            let kind = match (plan.kind, plan.role) {
                (Some(kind), Role::Given) => format!("{}, given", word(&kind)),
                (Some(kind), _) => word(&kind),
                (None, role) => word(&role),
            };
            let transform = match (&plan.reason, plan.transform, plan.kind) {
                (Some(reason), ..) => reason.clone(),
                (None, Some(transform), _) => transform.name().to_owned(),
                (None, None, Some(_)) => "one-hot".to_owned(),
                (None, None, None) => "written back".to_owned(),
            };
            let missing = if plan.missing == 0 { "-".into() } else { plan.missing.to_string() };
            [plan.name.clone(), kind, plan.range.clone(), missing, transform]
        };
        let shown = self.plans.iter().take(SHOWN).map(cells);
        let lines: Vec<[String; 5]> = std::iter::once(head).chain(shown).collect();
        let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max();
        let widths = [0, 1, 2, 3].map(|at| width(at).unwrap_or(0));
        for line in &lines {
            let [name, kind, range, missing, transform] = line;
            let [a, b, c, d] = widths;
            let text = format!("{name:a$}  {kind:b$}  {range:c$}  {missing:>d$}  {transform}");
            writeln!(f, "{}", text.trim_end())?;
        }
        match self.plans.len() {
            n if SHOWN < n => writeln!(f, "... and {} more", counted(n - SHOWN, "column")),
            _ => Ok(()),
        }
    }
}

/// `Kind::Real` is `real`.
fn word(value: &impl fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}
