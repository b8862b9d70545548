//! Rows of a table as rows of numbers.

use std::collections::HashMap;

use super::cell::{label, number};
use super::encoder::find;
use super::{Codec, Coded, Column, Encoder, Role, Table, TableError, Unseen, Values};

/// Rows of numbers, and which of them are known.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Encoded {
    /// Number of rows.
    pub n: usize,
    /// Numbers in a row.
    pub width: usize,
    /// What is learned, `[n, width]`; 0 where the value is missing.
    pub rows: Vec<f32>,
    /// 1 where the value is known and 0 where it is missing, `[n, width]`.
    pub mask: Vec<f32>,
    /// Numbers in a row of conditions.
    pub given_width: usize,
    /// Conditions, `[n, given_width]`; 0 where the value is missing.
    pub given: Vec<f32>,
    /// 1 where a condition is known, `[n, given_width]`.
    pub given_mask: Vec<f32>,
}

impl Encoder {
    /// Encodes the rows of a table; columns are found by their names.
    ///
    /// # Errors
    /// If the table lacks a column, or a cell cannot be encoded: a word where a number belongs, an
    /// infinite number, a number that the transform cannot take, a category that is not known (but
    /// see [`Encoder::unseen`]).
    pub fn encode(&self, table: &Table) -> Result<Encoded, TableError> {
        let (rows, mask) = self.part(table, Role::Target)?;
        let (given, given_mask) = self.part(table, Role::Given)?;
        let (n, width, given_width) = (table.len(), self.width(), self.given_width());
        Ok(Encoded { n, width, rows, mask, given_width, given, given_mask })
    }

    /// What is learned of the rows of a table and its mask, each `[n, width]`, whatever the table
    /// has of the given columns.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_targets(&self, table: &Table) -> Result<(Vec<f32>, Vec<f32>), TableError> {
        self.part(table, Role::Target)
    }

    /// Whether some of what is learned are whole numbers or positions of levels.
    #[must_use]
    pub fn has_whole(&self) -> bool {
        self.of(Role::Target).any(|column| column.codec.is_whole())
    }

    /// Moves the whole numbers and the positions of levels in rows that are encoded, `[n, width]`,
    /// by `noise` in their own units: the next number of it for each of them.
    ///
    /// With noise that is uniform in `[-1/2, 1/2)`, the mean log-density of what comes out bounds
    /// the logarithm of the probability of the whole number from below (Theis, van den Oord &
    /// Bethge 2016, arXiv 1511.01844, section 3.1), and the rows decode to what they were. A number
    /// too large to be moved stays. Nothing may be missing in the rows.
    ///
    /// # Panics
    /// If `rows` holds no whole number of rows.
    pub fn dequantise(&self, rows: &mut [f32], noise: &mut dyn FnMut() -> f64) {
        let width = self.width();
        assert!(
            0 < width && rows.len().is_multiple_of(width),
            "expected rows of {width} numbers, got {} numbers",
            rows.len()
        );
        for row in rows.chunks_mut(width) {
            let whole = self.spans(Role::Target).filter(|(column, _)| column.codec.is_whole());
            for (column, span) in whole {
                let Some(transform) = column.codec.transform() else { continue };
                let z = &mut row[span.start];
                let moved = transform.inverse(f64::from(*z)).round() + noise();
                let moved = transform.forward(moved) as f32;
                if moved.is_finite() {
                    *z = moved;
                }
            }
        }
    }

    /// Conditions and their mask, each `[n, given_width]`, from a table that holds at least one
    /// given column; those that it lacks are unknown.
    ///
    /// # Errors
    /// If the table holds no given column, or a cell cannot be encoded.
    pub fn encode_given(&self, table: &Table) -> Result<(Vec<f32>, Vec<f32>), TableError> {
        let mut lacking =
            self.of(Role::Given).filter(|column| table.column(&column.name).is_none());
        if let Some(column) = lacking.next()
            && lacking.count() + 1 == self.of(Role::Given).count()
        {
            find(table, &column.name)?;
        }
        self.fill(table, Role::Given, true)
    }

    fn part(&self, table: &Table, role: Role) -> Result<(Vec<f32>, Vec<f32>), TableError> {
        self.fill(table, role, false)
    }

    fn fill(
        &self,
        table: &Table,
        role: Role,
        may_lack: bool,
    ) -> Result<(Vec<f32>, Vec<f32>), TableError> {
        let width = self.of(role).map(|column| column.codec.width()).sum::<usize>();
        let mut rows = vec![0.0; table.len() * width];
        let mut mask = vec![0.0; rows.len()];
        for (coded, span) in self.spans(role) {
            if may_lack && table.column(&coded.name).is_none() {
                continue;
            }
            let column = find(table, &coded.name)?;
            for (row, value) in self.values(coded, column)?.into_iter().enumerate() {
                let Some(value) = value else { continue };
                let place = row * width + span.start..row * width + span.end;
                mask[place.clone()].fill(1.0);
                write(coded, column, row, value, &mut rows[place])?;
            }
        }
        Ok((rows, mask))
    }

    /// The numbers of a column, or the positions of its names; nothing for what is missing.
    fn values(&self, coded: &Coded, column: &Column) -> Result<Vec<Option<f64>>, TableError> {
        let (Codec::Category { names } | Codec::Ordinal { levels: names, .. }) = &coded.codec
        else {
            return numbers(column);
        };
        let positions: HashMap<&str, usize> =
            names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let position = |row: usize, name: &str| match positions.get(name) {
            Some(&at) => Ok(Some(at as f64)),
            None if self.unseen == Unseen::Missing => Ok(None),
            None => Err(TableError::UnseenCategory {
                column: column.name.clone(),
                row: row + 1,
                value: name.to_owned(),
                known: names.clone(),
            }),
        };
        let rows = 0..column.len();
        match &column.values {
            Values::Number(values) => rows
                .map(|row| match values[row] {
                    x if x.is_nan() => Ok(None),
                    x => position(row, &label(x, column.ty)),
                })
                .collect(),
            Values::Text(text) => rows
                .map(|row| {
                    text.get(row).map_or(Ok(None), |name| position(row, &canonical(name, coded)))
                })
                .collect(),
        }
    }
}

/// The name of a category as the encoder spells it: `1.0` is `1` where categories are numbers.
fn canonical(name: &str, coded: &Coded) -> String {
    match number(name) {
        Some(number) if coded.ty != (super::Type::Text {}) => label(number.value, coded.ty),
        _ => name.to_owned(),
    }
}

fn numbers(column: &Column) -> Result<Vec<Option<f64>>, TableError> {
    let name = || column.name.clone();
    let one = |(row, &x): (usize, &f64)| match x {
        x if x.is_nan() => Ok(None),
        x if x.is_infinite() => Err(TableError::Infinite { column: name(), row: row + 1 }),
        value if f64::from(f32::MAX) < value.abs() => {
            Err(TableError::TooFar { column: name(), row: row + 1, value })
        }
        x => Ok(Some(x)),
    };
    match &column.values {
        Values::Number(values) => values.iter().enumerate().map(one).collect(),
        Values::Text(text) => {
            let row = (0..column.len())
                .find(|&row| text.get(row).is_some_and(|word| number(word).is_none()));
            // A column that is all text although each word is a number holds codes such as 007.
            let row = row.or_else(|| (0..column.len()).find(|&row| text.get(row).is_some()));
            match row {
                None => Ok(vec![None; column.len()]),
                Some(row) => Err(TableError::NotOfType {
                    column: name(),
                    row: row + 1,
                    value: text.get(row).unwrap_or_default().to_owned(),
                    expected: "number",
                }),
            }
        }
    }
}

fn write(
    coded: &Coded,
    column: &Column,
    row: usize,
    value: f64,
    out: &mut [f32],
) -> Result<(), TableError> {
    let transform = match &coded.codec {
        Codec::Category { .. } => {
            out.fill(-1.0);
            out[value as usize] = 1.0;
            return Ok(());
        }
        Codec::Constant { .. } => return Ok(()),
        Codec::Ordinal { transform, .. } | Codec::Number { transform, .. } => transform,
    };
    out[0] = transform.forward(value) as f32;
    if out[0].is_finite() {
        return Ok(());
    }
    let (column, transform) = (column.name.clone(), transform.kind().name());
    Err(TableError::OutOfDomain { column, row: row + 1, value, transform })
}
