//! Tables as lines of text: csv and tsv, plain or packed by gzip.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};
use flate2::read::MultiGzDecoder;

use super::cell::{Number, number};
use super::text::TextBuilder;
use super::{Column, ReadOptions, Table, TableError, Type, Values};

/// Reads in two passes: the first finds what each column holds, the second takes the memory.
///
/// Without a delimiter in the options it is `usual`, that of files so named, unless that leaves one
/// column and another delimiter is plain.
pub(crate) fn read(
    path: &Path,
    usual: u8,
    packed: bool,
    options: &ReadOptions,
) -> Result<Table, TableError> {
    let missing = |cell: &str| options.missing.iter().any(|word| word == cell);
    let delimiter = match options.delimiter {
        Some(delimiter) => delimiter,
        None => guessed(path, usual, packed)?.unwrap_or(usual),
    };
    let mut source = open(path, delimiter, packed)?;
    let names = names((path, packed), &mut source, delimiter, options)?;
    let mut scans = vec![Scan::default(); names.len()];
    let mut rows = 0_u64;
    each_row((path, packed), &mut source, |record| {
        rows += 1;
        for (scan, cell) in scans.iter_mut().zip(record) {
            scan.see((!missing(cell)).then_some(cell));
        }
        Ok(())
    })?;
    if rows == 0 {
        return Err(TableError::NoRows { path: path.to_owned() });
    }
    let width = |scan: &Scan| if scan.words { 4 } else { 8 };
    let mut bytes = rows.saturating_mul(scans.iter().map(width).sum());
    let fits = |needed: u64| match needed {
        needed if needed <= options.max_bytes => Ok(()),
        needed => {
            let (path, limit) = (path.to_owned(), options.max_bytes);
            Err(TableError::TooLarge { path, needed, limit })
        }
    };
    fits(bytes)?;

    let mut builders: Vec<Builder> = scans.iter().map(Builder::new).collect();
    let mut again = open(path, delimiter, packed)?;
    let changed = || TableError::Changed { path: path.to_owned() };
    again.headers().map_err(|_| changed())?;
    let mut rows_again = 0_u64;
    each_row((path, packed), &mut again, |record| {
        rows_again += 1;
        if record.len() != builders.len() || rows < rows_again {
            return Err(changed());
        }
        for (builder, cell) in builders.iter_mut().zip(record) {
            bytes += builder.push((!missing(cell)).then_some(cell)).ok_or_else(changed)?;
        }
        fits(bytes)
    })?;
    if rows_again != rows {
        return Err(changed());
    }
    let columns = names.into_iter().zip(&scans).zip(builders);
    Table::new(columns.map(|((name, scan), cells)| cells.column(name, scan)).collect())
}

type Source = Reader<Box<dyn Read>>;

/// What separates columns where it is no comma.
const SEPARATORS: [char; 4] = [';', '\t', ',', '|'];

fn unpacked(path: &Path, packed: bool) -> Result<Box<dyn Read>, TableError> {
    let file = BufReader::new(File::open(path).map_err(TableError::read(path))?);
    Ok(if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

fn open(path: &Path, delimiter: u8, packed: bool) -> Result<Source, TableError> {
    let bytes = unpacked(path, packed)?;
    Ok(ReaderBuilder::new().delimiter(delimiter).trim(Trim::All).from_reader(bytes))
}

/// Another delimiter than the usual one, if that leaves a single column whose name holds one other
/// separator, and both the names and the first row have as many cells by it.
fn guessed(path: &Path, usual: u8, packed: bool) -> Result<Option<u8>, TableError> {
    // What cannot be read is said by who reads it.
    let names = open(path, usual, packed)?.headers().cloned().unwrap_or_default();
    if names.len() != 1 {
        return Ok(None);
    }
    let mut others = SEPARATORS.into_iter().filter(|&other| names[0].contains(other));
    let (Some(other), None) = (others.next(), others.next()) else { return Ok(None) };
    let mut source = open(path, other as u8, packed)?;
    let width = source.headers().map_or(0, StringRecord::len);
    let mut row = StringRecord::new();
    let fits = 1 < width && source.read_record(&mut row).is_ok_and(|_| row.len() == width);
    Ok(fits.then_some(other as u8))
}

/// The encoding of a file that is not UTF-8, by its first bytes.
fn encoding(path: &Path, packed: bool) -> &'static str {
    let mut start = Vec::new();
    let read = unpacked(path, packed).map(|bytes| bytes.take(2).read_to_end(&mut start));
    match (read, &start[..]) {
        (Ok(Ok(_)), [0xff, 0xfe] | [0xfe, 0xff]) => "UTF-16",
        (Ok(Ok(_)), [0, _]) => "UTF-16BE",
        (Ok(Ok(_)), [_, 0]) => "UTF-16LE",
        _ => "Latin-1 (Windows-1252)",
    }
}

/// The names of the columns; a column without a name, such as the index that pandas writes, gets
/// one.
fn names(
    (path, packed): (&Path, bool),
    source: &mut Source,
    delimiter: u8,
    options: &ReadOptions,
) -> Result<Vec<String>, TableError> {
    let header = source.headers().map_err(|error| refused((path, packed), error))?;
    if header.iter().any(|name| name.contains('\0')) {
        let looks = encoding(path, packed);
        return Err(TableError::Encoding { path: path.to_owned(), line: 1, looks });
    }
    let (columns, limit) = (header.len(), options.max_columns);
    if limit < columns {
        return Err(TableError::TooManyColumns { path: path.to_owned(), columns, limit });
    }
    // The mark of UTF-8 that spreadsheets write is no part of the first name.
    let bare = |(at, name): (usize, &str)| match name.trim_start_matches('\u{feff}') {
        "" => format!("unnamed_{}", at + 1),
        name => name.to_owned(),
    };
    let names: Vec<String> = header.iter().enumerate().map(bare).collect();
    if header.is_empty() {
        return Err(TableError::NoRows { path: path.to_owned() });
    }
    // 0, 1, 2 are names: those that pandas gives to columns without one.
    let counted = names.iter().enumerate().all(|(at, name)| *name == at.to_string());
    if !counted && names.iter().all(|name| number(name).is_some()) {
        return Err(TableError::NoNames { path: path.to_owned(), start: names[0].clone() });
    }
    if let [name] = &names[..]
        && let Some(found) = SEPARATORS.into_iter().find(|&c| name.contains(c))
        && found as u32 != u32::from(delimiter)
    {
        return Err(TableError::Delimiter { path: path.to_owned(), name: name.clone(), found });
    }
    Ok(names)
}

fn each_row(
    file: (&Path, bool),
    source: &mut Source,
    mut visit: impl FnMut(&StringRecord) -> Result<(), TableError>,
) -> Result<(), TableError> {
    let mut record = StringRecord::new();
    while source.read_record(&mut record).map_err(|error| refused(file, error))? {
        visit(&record)?;
    }
    Ok(())
}

fn refused((file, packed): (&Path, bool), error: csv::Error) -> TableError {
    let path = file.to_owned();
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        ErrorKind::Utf8 { .. } => {
            TableError::Encoding { path, line, looks: encoding(file, packed) }
        }
        ErrorKind::UnequalLengths { expected_len: expected, len: actual, .. } => {
            TableError::Ragged { path, line, expected, actual }
        }
        ErrorKind::Io(source) => TableError::Read { path, source },
        other => TableError::Read { path, source: std::io::Error::other(format!("{other:?}")) },
    }
}

/// What the first pass learns of a column.
#[derive(Clone, Debug)]
struct Scan {
    words: bool,
    whole: bool,
    decimals: Option<u8>,
    seen: bool,
}

impl Default for Scan {
    fn default() -> Self {
        Self { words: false, whole: true, decimals: Some(0), seen: false }
    }
}

impl Scan {
    fn see(&mut self, cell: Option<&str>) {
        let Some(cell) = cell else { return };
        self.seen = true;
        if self.words {
            return;
        }
        let Some(Number { decimals, whole, .. }) = number(cell) else {
            self.words = true;
            return;
        };
        self.whole &= whole;
        // Whole numbers among others, as `1` beside `0.5`, say nothing about decimals.
        self.decimals = self.decimals.zip(decimals).map(|(a, b)| a.max(b));
    }

    fn ty(&self) -> Type {
        match self {
            Self { words: true, .. } => Type::Text {},
            Self { whole: true, seen: true, .. } => Type::Integer {},
            Self { seen: true, .. } => Type::Real { decimals: self.decimals },
            _ => Type::Real { decimals: None },
        }
    }
}

enum Builder {
    Number(Vec<f64>),
    Text(TextBuilder),
}

impl Builder {
    fn new(scan: &Scan) -> Self {
        if scan.words { Self::Text(TextBuilder::default()) } else { Self::Number(Vec::new()) }
    }

    /// Takes a cell; gives the bytes that it needs beyond its place, or nothing if it is of
    /// another kind than in the first pass.
    fn push(&mut self, cell: Option<&str>) -> Option<u64> {
        match self {
            Self::Text(builder) => Some(builder.push(cell)),
            Self::Number(values) => {
                values.push(cell.map_or(Some(f64::NAN), |cell| number(cell).map(|n| n.value))?);
                Some(0)
            }
        }
    }

    fn column(self, name: String, scan: &Scan) -> Column {
        let values = match self {
            Self::Number(values) => Values::Number(values),
            Self::Text(builder) => Values::Text(builder.text),
        };
        Column { name, ty: scan.ty(), values }
    }
}
