//! The part of a table that its model keeps: enough to encode conditions and decode samples.

use serde::{Deserialize, Serialize};

use super::{Codec, Coded, Encoder, ReadOptions, Role, Table, TableError, Values};

/// The key under which a model keeps how its rows become those of a table.
const KEY: &str = "table";

/// The key under which a model of other rows keeps the columns that it is told.
const GIVEN: &str = "given";

/// A given column with values that no training row has the like of.
#[derive(Clone, Debug, PartialEq)]
pub struct Beyond {
    /// Its name.
    pub column: String,
    /// Least and greatest number of the training rows.
    pub range: [f64; 2],
    /// The first value outside.
    pub value: f64,
    /// How many rows have such values.
    pub rows: usize,
}

/// How the rows and the conditions of a model become those of a table, and back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRows {
    /// Whether a bit for each number of a condition says if it is known.
    pub masked: bool,
    /// Given columns that training has seen unknown, so that samples may do without them; all of
    /// them, if `masked` and none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<String>,
    /// Learned columns that a row of training may lack. Behind its condition the network is told a
    /// number for each of them, 1 where it is missing; a sample lacks nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<String>,
    /// How rows become numbers and back.
    pub encoder: Encoder,
    /// How the table was read, and others of its kind are.
    #[serde(default, skip_serializing_if = "ReadOptions::is_usual")]
    pub reading: ReadOptions,
}

impl TableRows {
    /// Numbers in a condition vector, 0 without given columns.
    #[must_use]
    pub fn vector(&self) -> usize {
        self.encoder.given_width() * if self.masked { 2 } else { 1 }
    }

    /// Numbers that a network is told of a row: those of its condition, and one for each of the
    /// columns that rows of training may lack.
    #[must_use]
    pub fn told_width(&self) -> usize {
        self.vector() + self.holes.len()
    }

    /// For each row one number for each of [`holes`](Self::holes), 1 where the value is missing by
    /// the mask of what is learned, `[n, width]`; nothing for rows that lack another column.
    ///
    /// # Panics
    /// When the mask holds no whole number of rows.
    #[must_use]
    pub fn missing(&self, mask: &[f32]) -> Vec<Option<Vec<f32>>> {
        let width = self.encoder.width();
        assert!(
            0 < width && mask.len().is_multiple_of(width),
            "expected a mask of rows of {width} numbers, got {} numbers",
            mask.len()
        );
        let one = |mask: &[f32]| {
            let mut missing = vec![0.0; self.holes.len()];
            for (column, span) in self.encoder.spans(Role::Target) {
                if mask[span].contains(&0.0) {
                    missing[self.holes.iter().position(|name| *name == column.name)?] = 1.0;
                }
            }
            Some(missing)
        };
        mask.chunks(width).map(one).collect()
    }

    /// Names of the given columns.
    pub fn given(&self) -> impl Iterator<Item = &str> {
        self.encoder.spans(Role::Given).map(|(column, _)| column.name.as_str())
    }

    /// Condition vectors of a table with a row of conditions for each sample, `[n, vector]`.
    ///
    /// # Errors
    /// When a given column is missing from the table or from a row, unless it was so in training
    /// too, and when a value is not of its column.
    pub fn conditions(&self, given: &Table) -> Result<Vec<f32>, TableError> {
        let (rows, mask) = self.encoder.encode_given(given)?;
        let width = self.encoder.given_width();
        let needed = self.encoder.spans(Role::Given).filter(|(column, _)| !self.may_lack(column));
        let needed: Vec<(&Coded, usize)> =
            needed.filter(|(_, span)| !span.is_empty()).map(|(c, span)| (c, span.start)).collect();
        for (row, mask) in mask.chunks(width.max(1)).enumerate() {
            if let Some((column, _)) = needed.iter().find(|(_, at)| mask[*at] == 0.0) {
                return Err(TableError::NotGiven { column: column.name.clone(), row: row + 1 });
            }
        }
        Ok(self.vectors(&rows, &mask))
    }

    /// Whether the model answers for rows of which this given column is not known.
    #[must_use]
    pub fn may_lack(&self, column: &Coded) -> bool {
        self.masked && (self.optional.is_empty() || self.optional.contains(&column.name))
    }

    /// The condition vectors of a table; nothing for a model without given columns.
    ///
    /// # Errors
    /// As for [`conditions`](Self::conditions).
    pub fn told(&self, table: &Table) -> Result<Option<Vec<f32>>, TableError> {
        if self.vector() == 0 { Ok(None) } else { self.conditions(table).map(Some) }
    }

    /// Of the given columns of numbers, those that hold a value outside of what the training rows
    /// have: the model answers, and nothing was seen there.
    #[must_use]
    pub fn unseen(&self, given: &Table) -> Vec<Beyond> {
        let beyond = |coded: &Coded| {
            let Codec::Number { min, max, .. } = coded.codec else { return None };
            let Values::Number(values) = &given.column(&coded.name)?.values else { return None };
            let outside = |x: &f64| !x.is_nan() && !(min..=max).contains(x);
            let value = values.iter().copied().find(|x| outside(x))?;
            let rows = values.iter().filter(|x| outside(x)).count();
            Some(Beyond { column: coded.name.clone(), range: [min, max], value, rows })
        };
        self.encoder.of(Role::Given).filter_map(beyond).collect()
    }

    /// Condition vectors of encoded conditions and their masks, `[n, given_width]` each.
    #[must_use]
    pub fn vectors(&self, given: &[f32], mask: &[f32]) -> Vec<f32> {
        let width = self.encoder.given_width();
        if width == 0 || !self.masked {
            return given.to_vec();
        }
        let both = given.chunks(width).zip(mask.chunks(width));
        both.flat_map(|(given, mask)| given.iter().chain(mask).copied()).collect()
    }

    /// What a model keeps under its own key.
    ///
    /// # Panics
    /// Never: an encoder is made of numbers, text and lists.
    #[must_use]
    pub fn kept(&self) -> toml::Table {
        self.kept_under(KEY)
    }

    /// What a model of images, sequences or points keeps of the columns that it is told: their
    /// encoder learns nothing else.
    ///
    /// # Panics
    /// Never: an encoder is made of numbers, text and lists.
    #[must_use]
    pub fn kept_as_given(&self) -> toml::Table {
        self.kept_under(GIVEN)
    }

    fn kept_under(&self, key: &str) -> toml::Table {
        let own = toml::Value::try_from(self).expect("an encoder is valid TOML");
        toml::Table::from_iter([(key.to_owned(), own)])
    }

    /// What a model of a table has kept; nothing for other models.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of(rows: &toml::Table) -> Result<Option<Self>, TableError> {
        Self::under(KEY, rows)
    }

    /// What tells a model of its conditions: the table that it is of, or the columns that are kept
    /// beside images, sequences or points; nothing for models without columns.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn given_of(rows: &toml::Table) -> Result<Option<Self>, TableError> {
        Ok(match Self::of(rows)? {
            Some(table) => Some(table),
            None => Self::under(GIVEN, rows)?,
        })
    }

    fn under(key: &str, rows: &toml::Table) -> Result<Option<Self>, TableError> {
        let Some(own) = rows.get(key) else { return Ok(None) };
        let read = own.clone().try_into().map(Some);
        read.map_err(|error: toml::de::Error| TableError::Kept { what: error.message().into() })
    }
}
