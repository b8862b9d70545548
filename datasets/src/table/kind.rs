//! The kind of a column: guessed from its cells, or given by the user.

#![allow(clippy::float_cmp, reason = "cells are equal or they are not")]

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::cell::{LARGEST_WHOLE, is_date, is_packed_day, label, number, with_commas};
use super::{Column, Type, Values};

/// Whole numbers counted from 0 or 1 are codes of categories up to this many.
const MOST_CODES: usize = 5;

/// Different words up to which a column of words is a category.
const MOST_CATEGORIES: usize = 100;

/// Rows from which a column is called an identifier or free text because its cells differ.
const FEW_ROWS: usize = 20;

/// Why dates are left out.
const DATES: &str = "holds dates or times; write them as numbers, such as days since the first, or \
                     say under `data.types` what it is if it is data";

/// What the values of a column mean, and with it how they are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// Numbers of a continuous scale.
    #[serde(alias = "numeric")]
    Real,
    /// Whole numbers that count or rank: they come out rounded.
    Integer,
    /// One of some names without an order.
    #[serde(alias = "categorical")]
    Category,
    /// One of some names with an order.
    Ordinal,
}

/// What a user says of a column: its kind, or the names of its levels from the lowest to the
/// highest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a column is \"real\", \"integer\", \"category\" or \"ordinal\", or the list of its \
                 levels from the lowest to the highest"
)]
pub enum ColumnType {
    /// `real`, `integer`, `category`; `ordinal` orders its levels as numbers or by the alphabet.
    Kind(Kind),
    /// An ordinal column, whose levels are these.
    Levels(Vec<String>),
}

/// What a guess comes to.
#[derive(Debug, PartialEq)]
pub(crate) enum Guess {
    Kind(Kind),
    /// One value in every row that has one.
    Constant,
    /// Nothing to learn, and the sentence that says why.
    Drop(String),
}

/// Guesses the kind of a column.
pub(crate) fn guess(column: &Column) -> Guess {
    let rows = column.len();
    if column.missing() == rows {
        return Guess::Drop("has no value in any row".into());
    }
    if is_constant(column) {
        return Guess::Constant;
    }
    match &column.values {
        Values::Number(values) => numbers(&column.name, column.ty, values),
        Values::Text(text) => {
            let names: Vec<&str> = text.used().iter().map(|&c| text.names[c].as_str()).collect();
            words(rows, &names)
        }
    }
}

/// Whether every row that has a value has the same.
pub(crate) fn is_constant(column: &Column) -> bool {
    match &column.values {
        Values::Number(values) => {
            let mut known = values.iter().filter(|x| !x.is_nan());
            known.next().is_some_and(|first| known.all(|x| x == first))
        }
        Values::Text(text) => text.used().len() == 1,
    }
}

/// Whether every number is whole and small enough to be counted.
pub(crate) fn is_whole(values: &[f64]) -> bool {
    values.iter().all(|x| x.is_nan() || (x.fract() == 0.0 && x.abs() <= LARGEST_WHOLE))
}

fn numbers(name: &str, ty: Type, values: &[f64]) -> Guess {
    if ty.plain() == (Type::Bool {}) {
        return Guess::Kind(Kind::Category);
    }
    if !is_whole(values) {
        return Guess::Kind(Kind::Real);
    }
    let mut distinct: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let from = distinct[0];
    if 1 < distinct.len() && distinct.iter().all(|&x| is_packed_day(x)) {
        return Guess::Drop(DATES.into());
    }
    if distinct.len() == values.len() {
        if 8 <= values.len() && values.windows(2).all(|pair| pair[1] == pair[0] + 1.0) {
            let what = "numbers its rows; say `integer` under `data.types` if it is data";
            return Guess::Drop(what.into());
        }
        if FEW_ROWS <= values.len() && names_identifiers(name) {
            return Guess::Drop(identifier(distinct.len(), values.len()));
        }
    }
    let counted = distinct.iter().enumerate().all(|(i, &x)| x == from + i as f64);
    let codes = counted && (from == 0.0 || from == 1.0) && distinct.len() <= MOST_CODES;
    Guess::Kind(if codes || distinct.len() == 2 { Kind::Category } else { Kind::Integer })
}

fn words(rows: usize, names: &[&str]) -> Guess {
    let share = |what: fn(&str) -> bool| {
        names.iter().filter(|name| what(name)).count() as f64 / names.len() as f64
    };
    if 0.9 <= share(is_date) {
        return Guess::Drop(DATES.into());
    }
    let of_commas = names.iter().find(|name| with_commas(name));
    if let Some(word) = of_commas
        && 0.9 <= share(|name| with_commas(name) || number(name).is_some())
    {
        return Guess::Drop(format!(
            "holds numbers with commas, such as {word:?}; write decimals with a point and \
             thousands without a mark, or say `category` under `data.types`"
        ));
    }
    let numbers = share(|name| number(name).is_some());
    if 3 < names.len() && 0.5 < numbers && numbers < 1.0 {
        let word = names.iter().find(|name| number(name).is_none()).unwrap_or(&"");
        return Guess::Drop(format!(
            "holds numbers beside {word:?}; name that under `data.missing` if it means none, or \
             say `category` under `data.types`"
        ));
    }
    let many = MOST_CATEGORIES < names.len() || (FEW_ROWS <= rows && rows < 2 * names.len());
    if !many {
        return Guess::Kind(Kind::Category);
    }
    let spaces: usize = names.iter().map(|name| name.matches(' ').count()).sum();
    if 2 * names.len() <= spaces {
        let n = names.len();
        return Guess::Drop(format!(
            "holds free text ({n} different in {rows} rows); say `category` under `data.types` if \
             it is one"
        ));
    }
    Guess::Drop(identifier(names.len(), rows))
}

fn identifier(distinct: usize, rows: usize) -> String {
    format!(
        "looks like an identifier ({distinct} different in {rows} rows); say under `data.types` \
         what it is if it is data"
    )
}

fn names_identifiers(name: &str) -> bool {
    let words: HashSet<String> =
        name.to_lowercase().split(|c: char| !c.is_alphanumeric()).map(String::from).collect();
    ["id", "uuid", "key", "index"].iter().any(|word| words.contains(*word)) || name.ends_with("Id")
}

/// The different values of a column by their names, in the order of their numbers or of the
/// alphabet.
pub(crate) fn categories(column: &Column) -> Vec<String> {
    match &column.values {
        Values::Number(values) => {
            let mut distinct: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
            distinct.sort_by(f64::total_cmp);
            distinct.dedup();
            distinct.iter().map(|&x| label(x, column.ty)).collect()
        }
        Values::Text(text) => {
            let mut names: Vec<String> =
                text.used().iter().map(|&code| text.names[code].clone()).collect();
            names.sort_unstable();
            names
        }
    }
}
