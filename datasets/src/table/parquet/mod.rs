//! Tables as Parquet, without nested columns.

mod cells;
mod meaning;
mod write;

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};

use super::{ReadOptions, Table, TableError};
use cells::Cells;
use meaning::Meaning;

pub(crate) use write::write;

/// Bytes that a cell takes while its column is read.
const CELL: u64 = 40;

pub(crate) fn read(path: &Path, options: &ReadOptions) -> Result<Table, TableError> {
    // The crate panics at some damaged files: an assertion about column chunks was found by
    // fuzzing.
    catch_unwind(AssertUnwindSafe(|| read_columns(path, options))).unwrap_or_else(|_| {
        let source = Error::new(ErrorKind::InvalidData, "the file is damaged");
        Err(TableError::Read { path: path.to_owned(), source })
    })
}

fn read_columns(path: &Path, options: &ReadOptions) -> Result<Table, TableError> {
    let file = File::open(path).map_err(TableError::read(path))?;
    let refused = |source| TableError::Parquet { path: path.to_owned(), source };
    let reader = SerializedFileReader::new(file).map_err(refused)?;
    let meta = reader.metadata().file_metadata();
    let schema = meta.schema_descr();
    let (columns, limit) = (schema.num_columns(), options.max_columns);
    if limit < columns {
        return Err(TableError::TooManyColumns { path: path.to_owned(), columns, limit });
    }
    let rows = u64::try_from(meta.num_rows()).unwrap_or(0);
    if rows == 0 || columns == 0 {
        return Err(TableError::NoRows { path: path.to_owned() });
    }
    let needed = rows.saturating_mul(8 * columns as u64 + CELL);
    if options.max_bytes < needed {
        let limit = options.max_bytes;
        return Err(TableError::TooLarge { path: path.to_owned(), needed, limit });
    }
    let column = |at: usize| {
        let descr = schema.column(at);
        let name = descr.path().parts().join(".");
        let meaning = Meaning::of(&descr).map_err(|what| TableError::Nested {
            path: path.to_owned(),
            column: name.clone(),
            what,
        })?;
        let mut cells = Cells::new(meaning);
        for group in 0..reader.num_row_groups() {
            let group = reader.get_row_group(group).map_err(refused)?;
            cells.take(&*group, at, &descr).map_err(refused)?;
        }
        Ok(cells.column(name, options))
    };
    Table::new((0..columns).map(column).collect::<Result<_, TableError>>()?)
}
