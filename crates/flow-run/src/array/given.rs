//! The columns of a table that rows of an array are conditioned by: numbers and categories of each
//! image, sequence or point.

use std::path::Path;

use flow_datasets::table::Unseen;
use flow_datasets::{Columns, Encoder, ReadOptions, Table, TableError, TableRows, counted};

use crate::error::{RunError, usage};
use crate::recipe;
use crate::table::{most_bytes, optional};

/// What rows are told, and what the columns were taken for.
#[derive(Clone, Debug)]
pub struct GivenColumns {
    /// What the columns were taken for, to be looked at before anything is learned.
    pub columns: Columns,
    /// How their values become condition vectors.
    pub rows: TableRows,
}

impl GivenColumns {
    /// Learns the columns from the rows to train with, or takes them as a model keeps them that is
    /// `like` this, and gives the condition vectors of both parts.
    ///
    /// A value that is missing, or a category that only held-out rows have, is unknown: then a bit
    /// for each number says so.
    ///
    /// # Errors
    /// When a column is not there, or none that can be told.
    pub(super) fn of(
        data: &recipe::Data,
        [train, held]: [&Table; 2],
        like: Option<TableRows>,
    ) -> Result<(Self, [Vec<f32>; 2]), RunError> {
        let refused = |error: TableError| usage!("data.given: {error}");
        let overrides = data.overrides();
        let columns = Columns::conditions(train, &overrides).map_err(refused)?;
        if like.is_none() {
            columns.check_told(&overrides).map_err(refused)?;
        }
        let encoder = match &like {
            Some(like) => like.encoder.clone(),
            None => Encoder::fit(train, &columns).map_err(refused)?,
        };
        let mut lenient = encoder.clone();
        lenient.unseen = Unseen::Missing;
        let of_train = if like.is_some() { &lenient } else { &encoder };
        let numbers = [of_train.encode_given(train), lenient.encode_given(held)];
        let [train, held] = numbers.map(|numbers| numbers.map_err(refused));
        let numbers = [train?, held?];
        let of_these_rows = || {
            let masks = numbers.iter().map(|(_, mask)| mask);
            let optional = optional(&encoder, masks, &data.given_drop);
            let reading = ReadOptions { delimiter: None, ..data.reading()? };
            let masked = !optional.is_empty();
            let holes = Vec::new();
            Ok::<_, RunError>(TableRows { masked, optional, holes, encoder, reading })
        };
        let rows = like.map_or_else(of_these_rows, Ok)?;
        let vectors = numbers.map(|(given, mask)| rows.vectors(&given, &mask));
        Ok((Self { columns, rows }, vectors))
    }
}

/// The table that holds the given columns of an array's rows, a row for each: `data.beside`, or
/// what stands beside the images of a folder. Nothing for data without given columns.
pub(super) fn table(
    file: &Path,
    data: &recipe::Data,
    beside_images: Option<&Table>,
    rows: usize,
) -> Result<Option<Table>, RunError> {
    if data.given.is_empty() {
        return Ok(None);
    }
    let table = match (&data.beside, beside_images) {
        (None, Some(table)) => table.clone(),
        (Some(beside), _) => {
            let reading = ReadOptions { max_bytes: most_bytes(), ..data.reading()? };
            Table::read(beside, &reading).map_err(|error| usage!("{error}"))?
        }
        (None, None) => {
            return Err(usage!(
                "data.given names columns, and {} has none: name a table with a row for each of \
                 its rows, data.beside=FILE, or put labels.csv beside images",
                file.display()
            ));
        }
    };
    if table.len() != rows {
        return Err(usage!(
            "data.beside has {} and {} has {rows}: row i belongs to row i",
            counted(table.len(), "row"),
            file.display()
        ));
    }
    // What is wrong with a cell is said by its row here, whatever rows are held out.
    Columns::conditions(&table, &data.overrides())
        .map_err(|error| usage!("data.given: {error}"))?;
    Ok(Some(table))
}
