//! The cells of a Parquet column.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::RowGroupReader;
use parquet::schema::types::ColumnDescriptor;

use super::meaning::{Cell, Meaning};
use crate::table::cell::print;
use crate::table::text::TextBuilder;
use crate::table::{Column, ReadOptions, Type, Values};

/// The cells of a column, as they are read.
pub(super) struct Cells {
    cells: Vec<Cell>,
    meaning: Meaning,
}

impl Cells {
    pub(super) fn new(meaning: Meaning) -> Self {
        Self { cells: Vec::new(), meaning }
    }

    /// Takes the cells of the column at this place of a group.
    pub(super) fn take(
        &mut self,
        group: &dyn RowGroupReader,
        at: usize,
        descr: &ColumnDescriptor,
    ) -> Result<(), ParquetError> {
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let (meaning, known) = (self.meaning, descr.max_def_level());
        match group.get_column_reader(at)? {
            ColumnReader::BoolColumnReader(reader) => {
                let number = |x| Cell::Number(f64::from(u8::from(x)), Type::Bool {});
                self.each(reader, rows, known, number)
            }
            ColumnReader::Int32ColumnReader(reader) => {
                self.each(reader, rows, known, |x| meaning.whole(x.into(), 32))
            }
            ColumnReader::Int64ColumnReader(reader) => {
                self.each(reader, rows, known, |x| meaning.whole(x, 64))
            }
            ColumnReader::Int96ColumnReader(reader) => {
                self.each(reader, rows, known, |x| meaning.whole(x.to_millis(), 64))
            }
            ColumnReader::FloatColumnReader(reader) => {
                self.each(reader, rows, known, |x| Cell::Number(x.into(), Type::Single {}))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                let number = |x| Cell::Number(x, Type::Real { decimals: None });
                self.each(reader, rows, known, number)
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                self.each(reader, rows, known, |x| meaning.bytes(x.data()))
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                self.each(reader, rows, known, |x| meaning.bytes(x.data()))
            }
        }
    }

    fn each<T: DataType>(
        &mut self,
        mut reader: ColumnReaderImpl<T>,
        rows: usize,
        known: i16,
        cell: impl Fn(T::T) -> Cell,
    ) -> Result<(), ParquetError> {
        const BATCH: usize = 1 << 14;
        let mut left = rows;
        while 0 < left {
            let (mut levels, mut values) = (Vec::new(), Vec::new());
            let batch = left.min(BATCH);
            let (read, ..) = reader.read_records(batch, Some(&mut levels), None, &mut values)?;
            if read == 0 {
                return Err(ParquetError::EOF(format!("{left} values are missing")));
            }
            left -= read.min(left);
            let mut values = values.into_iter();
            for row in 0..read {
                // A column that every row must have has no levels.
                let is_known = levels.get(row).is_none_or(|&level| level == known);
                let value = if is_known { values.next() } else { None };
                self.cells.push(value.map_or(Cell::Missing, &cell));
            }
        }
        Ok(())
    }

    /// The column: numbers if every cell is one, else words.
    pub(super) fn column(self, name: String, options: &ReadOptions) -> Column {
        let missing = |word: &str| options.missing.iter().any(|known| known == word);
        if self.cells.iter().any(|cell| matches!(cell, Cell::Word(word) if !missing(word))) {
            let mut builder = TextBuilder::default();
            for cell in self.cells {
                let word = match cell {
                    Cell::Missing => None,
                    Cell::Word(word) => Some(word).filter(|word| !missing(word)),
                    Cell::Number(x, ty) => Some(print(x, ty)),
                };
                builder.push(word.as_deref());
            }
            return Column { name, ty: Type::Text {}, values: Values::Text(builder.text) };
        }
        let first = self.cells.iter().find_map(|cell| match cell {
            Cell::Number(_, ty) => Some(*ty),
            _ => None,
        });
        let ty = first.unwrap_or(Type::Real { decimals: None });
        let value = |cell: &Cell| if let Cell::Number(x, _) = cell { *x } else { f64::NAN };
        Column { name, ty, values: Values::Number(self.cells.iter().map(value).collect()) }
    }
}
