//! A table into a Parquet file, compressed by snappy.

use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type as Schema;

use crate::table::{Column, Table, TableError, Type, Values, whole};

/// Rows that are written together.
const GROUP: usize = 1 << 17;

pub(crate) fn write(table: &Table, path: &Path) -> Result<(), TableError> {
    // What Parquet refuses is its own matter, and no fault of the disk.
    let mut refused = None;
    let written = whole(path, |out| {
        write_all(table, out).map_err(|error| {
            refused = Some(error);
            std::io::Error::other("there is nothing to write")
        })
    });
    match refused {
        Some(source) => Err(TableError::Parquet { path: path.to_owned(), source }),
        None => written.map_err(TableError::write(path)),
    }
}

fn write_all(table: &Table, out: impl Write + Send) -> Result<(), ParquetError> {
    let fields = table.columns().iter().map(|column| {
        let (physical, logical) = match column.ty.plain() {
            Type::Bool {} => (Physical::BOOLEAN, None),
            Type::Integer {} => (Physical::INT64, None),
            Type::Single {} => (Physical::FLOAT, None),
            Type::Real { .. } => (Physical::DOUBLE, None),
            _ => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        Schema::primitive_type_builder(&column.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    });
    let fields = fields.collect::<Result<_, _>>()?;
    let schema = Schema::group_type_builder("schema").with_fields(fields).build()?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
    for start in (0..table.len()).step_by(GROUP) {
        let rows = start..(start + GROUP).min(table.len());
        let mut group = writer.next_row_group()?;
        for column in table.columns() {
            let Some(mut out) = group.next_column()? else { break };
            write_column(column, rows.clone(), &mut out)?;
            out.close()?;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

fn write_column(
    column: &Column,
    rows: Range<usize>,
    out: &mut SerializedColumnWriter<'_>,
) -> Result<(), ParquetError> {
    let values = match &column.values {
        Values::Text(text) => {
            return put::<ByteArrayType>(rows.map(|row| text.get(row).map(ByteArray::from)), out);
        }
        Values::Number(values) => values,
    };
    let known = rows.map(|row| Some(values[row]).filter(|x| !x.is_nan()));
    match column.ty.plain() {
        Type::Bool {} => put::<BoolType>(known.map(|x| x.map(|x| x != 0.0)), out),
        Type::Integer {} => put::<Int64Type>(known.map(|x| x.map(|x| x as i64)), out),
        Type::Single {} => put::<FloatType>(known.map(|x| x.map(|x| x as f32)), out),
        _ => put::<DoubleType>(known, out),
    }
}

/// Writes cells of which some are missing.
fn put<T: DataType>(
    cells: impl Iterator<Item = Option<T::T>>,
    out: &mut SerializedColumnWriter<'_>,
) -> Result<(), ParquetError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    for cell in cells {
        levels.push(i16::from(cell.is_some()));
        values.extend(cell);
    }
    out.typed::<T>().write_batch(&values, Some(&levels), None)?;
    Ok(())
}
