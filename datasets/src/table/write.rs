//! A table into a file, by the ending of its name.

use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::read::{ENDINGS, Format};
use super::{Column, Table, TableError, Type, Values, whole};
use crate::array::{Element, NpyHeader, npz};

impl Table {
    /// Writes the table: csv or tsv, also with `.gz`, npy, npz, and Parquet with the feature
    /// `parquet`.
    ///
    /// Columns keep their order, cells how they were written, and a missing value is an empty cell
    /// (NaN in arrays, null in Parquet). npy is one array `[rows, columns]` and holds no words; its
    /// numbers are those of the array that the columns came from, else floats of 64 bits. npz has
    /// one array for each column. The file appears whole or not at all.
    ///
    /// # Errors
    /// If the name of the file has another ending, the format is not compiled in or cannot hold
    /// words, or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), TableError> {
        match Format::of(path) {
            Some(Format::Delimited { delimiter, packed }) => {
                whole(path, |out| self.write_delimited(out, delimiter, packed))
                    .map_err(TableError::write(path))
            }
            Some(Format::Npy) => self.write_npy(path),
            Some(Format::Npz) => {
                whole(path, |out| self.write_npz(out)).map_err(TableError::write(path))
            }
            Some(Format::Parquet) => write_parquet(self, path),
            None => Err(TableError::UnknownFormat { path: path.to_owned(), known: ENDINGS }),
        }
    }

    /// The table as the bytes of a csv file.
    ///
    /// # Errors
    /// Never for memory; what the writer says.
    pub fn to_csv(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.write_lines(&mut bytes, b',')?;
        Ok(bytes)
    }

    /// The table as the bytes of an npy file, `[rows, columns]`: numbers of the array that its
    /// columns came from, else floats of 64 bits; nothing for a table that holds words.
    #[must_use]
    pub fn to_npy(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let columns = self.numbers().ok()?;
        self.write_array(&columns, &mut bytes).ok()?;
        Some(bytes)
    }

    fn write_delimited(&self, out: impl Write, delimiter: u8, packed: bool) -> io::Result<()> {
        if !packed {
            return self.write_lines(out, delimiter);
        }
        let mut encoder = GzEncoder::new(out, Compression::default());
        self.write_lines(&mut encoder, delimiter)?;
        encoder.finish()?.flush()
    }

    fn write_lines(&self, out: impl Write, delimiter: u8) -> io::Result<()> {
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(out);
        writer.write_record(self.columns().iter().map(|column| &column.name))?;
        for row in 0..self.len() {
            let cells = self.columns().iter().map(|column| column.cell(row).unwrap_or_default());
            writer.write_record(cells)?;
        }
        writer.flush()
    }

    fn write_npy(&self, path: &Path) -> Result<(), TableError> {
        let columns = self.numbers().map_err(|column| {
            let (path, column) = (path.to_owned(), column.to_owned());
            TableError::WordsInArray { path, column }
        })?;
        whole(path, |out| self.write_array(&columns, out)).map_err(TableError::write(path))
    }

    /// The numbers of all columns, or the first column that holds words.
    fn numbers(&self) -> Result<Vec<&[f64]>, &str> {
        let numbers = self.columns().iter().map(|column| match &column.values {
            Values::Number(values) => Ok(values.as_slice()),
            Values::Text(_) => Err(column.name.as_str()),
        });
        numbers.collect()
    }

    fn write_array(&self, columns: &[&[f64]], mut out: impl Write) -> io::Result<()> {
        let element = self.element();
        NpyHeader::new(element, vec![self.len(), columns.len()]).write(&mut out)?;
        for row in 0..self.len() {
            let row: Vec<f64> = columns.iter().map(|values| values[row]).collect();
            out.write_all(&element.encode(&row))?;
        }
        Ok(())
    }

    /// The numbers of the array that all columns came from, if they can hold every cell.
    fn element(&self) -> Element {
        let mut all = self.columns().iter().map(stored);
        let first = all.next().unwrap_or(Element::F64);
        if all.all(|other| other == first) { first } else { Element::F64 }
    }

    fn write_npz(&self, out: impl Write + io::Seek) -> io::Result<()> {
        let mut archive = npz::Writer::new(out);
        for column in self.columns() {
            archive.array(&column.name, &npy_bytes(column)?)?;
        }
        archive.finish()
    }
}

/// The numbers of the array that a column came from, if they can hold each of its cells: whole
/// numbers and truth values have no way to be missing. Else floats of 64 bits.
fn stored(column: &Column) -> Element {
    match column.ty {
        Type::Array { element } if !element.is_whole() || column.missing() == 0 => {
            element.written()
        }
        _ => Element::F64,
    }
}

/// A column as an npy file: bool, 64-bit integers, floats of its size, or words of fixed length in
/// UTF-32.
fn npy_bytes(column: &Column) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let shape = vec![column.len()];
    match &column.values {
        Values::Number(values) => {
            let element = match (column.ty, stored(column)) {
                (Type::Bool {}, _) if column.missing() == 0 => Element::Bool,
                (Type::Integer {}, _) if column.missing() == 0 => Element::I64,
                (Type::Single {}, _) => Element::F32,
                (_, stored) => stored,
            };
            NpyHeader::new(element, shape).write(&mut bytes)?;
            bytes.extend(element.encode(values));
        }
        Values::Text(text) => {
            let longest = text.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
            let longest = longest.max(1);
            NpyHeader::words(longest, shape).write(&mut bytes)?;
            for row in 0..column.len() {
                let letters = text.get(row).unwrap_or_default().chars().map(u32::from);
                let padded = letters.chain(std::iter::repeat(0)).take(longest);
                bytes.extend(padded.flat_map(u32::to_le_bytes));
            }
        }
    }
    Ok(bytes)
}

#[cfg(feature = "parquet")]
fn write_parquet(table: &Table, path: &Path) -> Result<(), TableError> {
    super::parquet::write(table, path)
}

#[cfg(not(feature = "parquet"))]
fn write_parquet(_: &Table, path: &Path) -> Result<(), TableError> {
    Err(TableError::NotBuilt { path: path.to_owned(), feature: "parquet" })
}
