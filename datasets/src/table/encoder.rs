//! From typed columns to rows of numbers, as learned from training rows.

use std::collections::HashSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::cell::number;
use super::columns::numbers_of;
use super::kind::{categories, is_constant};
use super::{
    Codec, Coded, Column, ColumnPlan, Columns, Kind, Role, Table, TableError, Transform,
    TransformKind, Type, Unseen, Values,
};

/// Encodes the rows of a table as numbers for a network, and decodes what a sampler gives.
///
/// Serde stores it with the model. A stored one is checked when it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Encoder {
    /// Whether numbers that come out are kept within the range of the training rows.
    pub clip: bool,
    /// What is done with categories that the training rows do not have.
    pub unseen: Unseen,
    columns: Vec<Coded>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    clip: bool,
    #[serde(default)]
    unseen: Unseen,
    columns: Vec<Coded>,
}

impl TryFrom<Stored> for Encoder {
    type Error = TableError;

    fn try_from(stored: Stored) -> Result<Self, TableError> {
        let Stored { clip, unseen, columns } = stored;
        columns.iter().try_for_each(Coded::check)?;
        let mut names = HashSet::new();
        match columns.iter().find(|column| !names.insert(&column.name)) {
            Some(twice) => Err(TableError::DuplicateColumn { name: twice.name.clone() }),
            None => Ok(Self { clip, unseen, columns }),
        }
    }
}

impl Encoder {
    /// Learns transforms and categories from the training rows alone.
    ///
    /// # Errors
    /// If the table lacks a column of `columns`, if a column has no value, holds words where
    /// numbers belong, or holds what its transform cannot take.
    pub fn fit(train: &Table, columns: &Columns) -> Result<Self, TableError> {
        let kept = columns.plans.iter().filter(|plan| plan.role != Role::Dropped);
        let columns = kept.map(|plan| fit_column(find(train, &plan.name)?, plan));
        let columns = columns.collect::<Result<_, _>>()?;
        Ok(Self { clip: true, unseen: Unseen::Refuse, columns })
    }

    /// The columns, in the order of the table; constants are among them.
    #[must_use]
    pub fn columns(&self) -> &[Coded] {
        &self.columns
    }

    /// Numbers of a row that are learned.
    #[must_use]
    pub fn width(&self) -> usize {
        self.of(Role::Target).map(|column| column.codec.width()).sum()
    }

    /// Numbers of a row that are conditions.
    #[must_use]
    pub fn given_width(&self) -> usize {
        self.of(Role::Given).map(|column| column.codec.width()).sum()
    }

    /// The columns of a role, each with the places of its numbers in a row.
    pub fn spans(&self, role: Role) -> impl Iterator<Item = (&Coded, Range<usize>)> {
        self.of(role).scan(0, |start, column| {
            let from = *start;
            *start += column.codec.width();
            Some((column, from..*start))
        })
    }

    /// One row of conditions from texts such as `clinic=B, age=40`; columns that are not named are
    /// unknown, which guidance and dropped conditions know.
    ///
    /// # Errors
    /// If a name is no given column, or a value is not of its type.
    pub fn given(&self, values: &[(String, String)]) -> Result<Table, TableError> {
        let known: Vec<&Coded> = self.of(Role::Given).collect();
        for (at, (name, _)) in values.iter().enumerate() {
            if values[..at].iter().any(|(other, _)| other == name) {
                return Err(TableError::DuplicateColumn { name: name.clone() });
            }
            if !known.iter().any(|column| column.name == *name) {
                let known = known.iter().map(|column| column.name.clone()).collect();
                return Err(TableError::UnknownColumn { name: name.clone(), known });
            }
        }
        let cell = |column: &&Coded| {
            let value = values.iter().find(|(name, _)| *name == column.name);
            one_cell(column, value.map(|(_, value)| value.as_str()))
        };
        Table::new(known.iter().map(cell).collect::<Result<_, _>>()?)
    }

    pub(crate) fn of(&self, role: Role) -> impl Iterator<Item = &Coded> {
        self.columns.iter().filter(move |column| column.role == role)
    }
}

pub(crate) fn find<'a>(table: &'a Table, name: &str) -> Result<&'a Column, TableError> {
    table
        .column(name)
        .ok_or_else(|| TableError::MissingColumn { name: name.to_owned(), known: table.names() })
}

/// A column of one cell, as the encoder knows it.
fn one_cell(column: &Coded, value: Option<&str>) -> Result<Column, TableError> {
    let (name, ty) = (column.name.clone(), column.ty);
    let value = value.map(str::trim).filter(|value| !value.is_empty());
    let words = ty == (Type::Text {}) || !matches!(column.codec, Codec::Number { .. });
    let values = match value.map(|text| (text, number(text))) {
        _ if words => {
            let (ty, values) = (Type::Text {}, Values::Text([value].into_iter().collect()));
            return Ok(Column { name, ty, values });
        }
        None => f64::NAN,
        Some((text, Some(number))) if ty == (Type::Integer {}) && number.value.fract() != 0.0 => {
            let (column, value) = (name, text.to_owned());
            let expected = "whole number";
            return Err(TableError::NotOfType { column, row: 1, value, expected });
        }
        Some((_, Some(number))) => number.value,
        Some((text, None)) => {
            let (column, value) = (name, text.to_owned());
            return Err(TableError::NotOfType { column, row: 1, value, expected: "number" });
        }
    };
    Ok(Column { name, ty, values: Values::Number(vec![values]) })
}

fn fit_column(column: &Column, plan: &ColumnPlan) -> Result<Coded, TableError> {
    let none = || TableError::NoValues { column: column.name.clone() };
    let (name, ty) = (column.name.clone(), column.ty);
    let codec = match plan.kind {
        None => {
            // The guess saw one value; the training rows are some of those rows.
            let row = (0..column.len()).find_map(|row| column.cell(row));
            debug_assert!(row.is_none() || is_constant(column), "expected one value in {name:?}");
            Codec::Constant { value: row.ok_or_else(none)? }
        }
        Some(Kind::Category) => {
            let names = categories(column);
            if names.is_empty() {
                return Err(none());
            }
            Codec::Category { names }
        }
        Some(Kind::Ordinal) => {
            let levels =
                if plan.levels.is_empty() { categories(column) } else { plan.levels.clone() };
            let positions: Vec<f64> = (0..levels.len()).map(|i| i as f64).collect();
            let kind = plan.transform.unwrap_or_default();
            let transform = Transform::fit(kind, &positions).ok_or_else(none)?;
            Codec::Ordinal { levels, transform }
        }
        Some(kind) => {
            let values = numbers_of(column, kind)?;
            let known = || values.iter().copied().filter(|x| !x.is_nan());
            let min = known().reduce(f64::min).ok_or_else(none)?;
            let max = known().reduce(f64::max).ok_or_else(none)?;
            let transform = plan.transform.unwrap_or_default();
            let transform = Transform::fit(transform, values)
                .ok_or_else(|| refused(column, values, transform))?;
            Codec::Number { transform, min, max, whole: kind == Kind::Integer }
        }
    };
    let coded = Coded { name, role: plan.role, ty, codec };
    coded.check()?;
    Ok(coded)
}

/// The value for which a transform could not be fitted: infinite, or the one farthest out.
fn refused(column: &Column, values: &[f64], kind: TransformKind) -> TableError {
    let name = column.name.clone();
    if let Some(row) = values.iter().position(|x| x.is_infinite()) {
        return TableError::Infinite { column: name, row: row + 1 };
    }
    let bad = |x: &f64| !x.is_nan() && !kind.takes(*x);
    let far =
        |(a, x): &(usize, f64), (b, y): &(usize, f64)| x.abs().total_cmp(&y.abs()).then(b.cmp(a));
    let (row, value) = values
        .iter()
        .position(bad)
        .map(|row| (row, values[row]))
        .or_else(|| values.iter().copied().enumerate().filter(|(_, x)| !x.is_nan()).max_by(far))
        .unwrap_or((0, f64::NAN));
    TableError::OutOfDomain { column: name, row: row + 1, value, transform: kind.name() }
}
