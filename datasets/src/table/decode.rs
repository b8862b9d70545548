//! Rows of numbers as rows of a table, and densities in the table's own units.

use super::cell::{number, print};
use super::{Codec, Coded, Column, Encoder, Role, Table, TableError, Type, Values};

impl Encoder {
    /// Decodes rows of numbers, `[n, width]`, into a table with the columns of the training table
    /// in their order, without those that were dropped.
    ///
    /// Whole numbers and levels are rounded and kept within their range, real numbers are rounded
    /// to the digits of their column and kept within the range of the training rows if
    /// [`Encoder::clip`] says so, categories are those of the greatest number, constants are
    /// written. What was encoded comes back as it was, as far as the seven digits of an `f32`
    /// carry it. Given columns are taken from `given`, which has `n` rows; those that it lacks are
    /// missing.
    ///
    /// # Errors
    /// If a number is not finite.
    ///
    /// # Panics
    /// If `rows` holds no whole number of rows, or `given` another number of rows.
    pub fn decode(&self, rows: &[f32], given: Option<&Table>) -> Result<Table, TableError> {
        let n = self.rows_of(rows);
        if let Some(given) = given {
            assert_eq!(given.len(), n, "expected {n} rows of conditions, got {}", given.len());
        }
        let width = self.width();
        let mut start = 0;
        let mut columns = Vec::with_capacity(self.columns().len());
        for coded in self.columns() {
            let cells = match (coded.role, &coded.codec) {
                (Role::Given, _) => {
                    let source = given.and_then(|given| given.column(&coded.name));
                    (0..n).map(|row| source.and_then(|column| column.cell(row))).collect()
                }
                (_, Codec::Constant { value }) => vec![Some(value.clone()); n],
                _ => {
                    let from = start;
                    start += coded.codec.width();
                    let at = |row: usize| &rows[row * width + from..row * width + start];
                    (0..n)
                        .map(|row| self.value(coded, row, at(row)).map(Some))
                        .collect::<Result<_, _>>()?
                }
            };
            columns.push(typed(coded, &cells));
        }
        Table::new(columns)
    }

    /// For each row of encoded numbers `z`, `[n, width]`, the sum of `ln dz/dx` over its columns:
    /// the log-density of the row in the table's units is that of `z` plus this number.
    ///
    /// With a mask, `[n, width]`, missing values are left out. Categories count nothing: their
    /// part of a density is that of the numbers by which they are encoded. Whole numbers count
    /// like real ones, so that the density of a dequantised one is that of a cell of length 1.
    ///
    /// # Panics
    /// If `rows` holds no whole number of rows, or the mask is of another length.
    #[must_use]
    pub fn log_jacobian(&self, rows: &[f32], mask: Option<&[f32]>) -> Vec<f64> {
        let (n, width) = (self.rows_of(rows), self.width());
        if let Some(mask) = mask {
            assert_eq!(mask.len(), rows.len(), "expected a mask of the rows' length");
        }
        let mut sums = vec![0.0; n];
        for (coded, span) in self.spans(Role::Target) {
            let Some(transform) = coded.codec.transform() else { continue };
            for (row, sum) in sums.iter_mut().enumerate() {
                let at = row * width + span.start;
                if mask.is_none_or(|mask| mask[at] != 0.0) {
                    *sum += transform.log_slope(f64::from(rows[at]));
                }
            }
        }
        sums
    }

    fn rows_of(&self, rows: &[f32]) -> usize {
        let width = self.width();
        assert!(
            0 < width && rows.len().is_multiple_of(width),
            "expected rows of {width} numbers, got {} numbers",
            rows.len()
        );
        rows.len() / width
    }

    /// The cell that numbers stand for.
    /// How many cells of each column of numbers lie beyond the range of the training rows, to whose
    /// end they are moved; columns without any are left out, and all where none are moved.
    #[must_use]
    pub fn moved(&self, rows: &[f32]) -> Vec<(String, usize)> {
        let width = self.width();
        if !self.clip || width == 0 {
            return Vec::new();
        }
        let moved = |(coded, place): (&'_ Coded, std::ops::Range<usize>)| {
            let Codec::Number { transform, min, max, whole: false } = &coded.codec else {
                return None;
            };
            let beyond = |row: &&[f32]| {
                let x = transform.inverse(f64::from(row[place.start]));
                x < *min || *max < x
            };
            let count = rows.chunks_exact(width).filter(beyond).count();
            (0 < count).then(|| (coded.name.clone(), count))
        };
        self.spans(Role::Target).filter_map(moved).collect()
    }

    fn value(&self, coded: &Coded, row: usize, z: &[f32]) -> Result<String, TableError> {
        let diverged = || TableError::Diverged { column: coded.name.clone(), row: row + 1 };
        if z.iter().any(|z| !z.is_finite()) {
            return Err(diverged());
        }
        let name = |names: &[String], at: usize| names[at.min(names.len() - 1)].clone();
        Ok(match &coded.codec {
            Codec::Category { names } => {
                // The first of equals.
                let greatest =
                    (1..z.len()).fold(0, |best, at| if z[best] < z[at] { at } else { best });
                name(names, greatest)
            }
            Codec::Ordinal { levels, transform } => {
                name(levels, transform.inverse(f64::from(z[0])).round().max(0.0) as usize)
            }
            Codec::Number { transform, min, max, whole } => {
                let x = transform.inverse(f64::from(z[0]));
                let x = if *whole { x.round() } else { x };
                let x = if *whole || self.clip { x.clamp(*min, *max) } else { x };
                if !x.is_finite() {
                    return Err(diverged());
                }
                print(x, coded.ty)
            }
            Codec::Constant { value } => value.clone(),
        })
    }
}

/// Cells as a column of the type that the training table had.
fn typed(coded: &Coded, cells: &[Option<String>]) -> Column {
    Column::of_cells(&coded.name, coded.ty, cells)
}

impl Column {
    /// A column of cells as they are written; one that is not of the type makes all of them words.
    #[must_use]
    pub fn of_cells(name: &str, ty: Type, cells: &[Option<String>]) -> Self {
        let plain = ty.plain();
        let read = |cell: &Option<String>| match cell.as_deref() {
            None => Some(f64::NAN),
            Some("true") if plain == (Type::Bool {}) => Some(1.0),
            Some("false") if plain == (Type::Bool {}) => Some(0.0),
            Some(text) => number(text).map(|number| match plain {
                Type::Single {} => f64::from(number.value as f32),
                _ => number.value,
            }),
        };
        let numbers = (ty != (Type::Text {})).then(|| cells.iter().map(read).collect()).flatten();
        if let Some(values) = numbers {
            return Self { name: name.to_owned(), ty, values: Values::Number(values) };
        }
        let text = cells.iter().map(Option::as_deref).collect();
        Self { name: name.to_owned(), ty: Type::Text {}, values: Values::Text(text) }
    }
}
