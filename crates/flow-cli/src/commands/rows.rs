//! Samples of a model of a table: with the columns, and in the form, of what it was trained on.

use std::path::Path;

use anyhow::Result;
use flow_datasets::{ReadOptions, Table};
use flow_run::{Listener, Model, Request, RunError};
use flow_table::TableRows;

use crate::exit::usage;
use crate::listener::Terminal;

/// What a model is told.
pub(crate) struct Conditions {
    /// A row of conditions for each sample, in turn.
    pub(crate) table: Table,
    /// The same as the network takes them.
    pub(crate) vectors: Vec<f32>,
    /// Whether they are the rows of a file.
    pub(crate) is_file: bool,
}

/// The conditions of `--given`; nothing for a model that is told nothing.
pub(crate) fn given(table: Option<&TableRows>, text: Option<&str>) -> Result<Option<Conditions>> {
    let names = |table: &TableRows| table.given().collect::<Vec<_>>().join(", ");
    match (table, text) {
        (None, Some(_)) => Err(usage!("--given is for models of tables, and this is none")),
        (Some(table), Some(_)) if table.vector() == 0 => {
            Err(usage!("--given is given, but no column was when this model was trained"))
        }
        (Some(table), None) if 0 < table.vector() => Err(usage!(
            "the model is told {}: give values by --given COLUMN=VALUE,.. or --given FILE",
            names(table)
        )),
        (_, None) => Ok(None),
        (Some(table), Some(text)) => {
            let is_file = !text.contains('=');
            let of_file = if is_file { format!(" {text}") } else { String::new() };
            let refused = |error| usage!("--given{of_file}: {error}");
            let given = if is_file {
                Table::read(Path::new(text), &ReadOptions::default()).map_err(refused)?
            } else {
                table.encoder.given(&pairs(text)?).map_err(refused)?
            };
            let vectors = table.conditions(&given)?;
            Ok(Some(Conditions { table: given, vectors, is_file }))
        }
    }
}

/// `clinic=B,age=40` as names and values.
fn pairs(text: &str) -> Result<Vec<(String, String)>> {
    let pair = |part: &str| match part.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(usage!("--given: `{part}` has no `=`, write it as COLUMN=VALUE")),
    };
    text.split(',').map(pair).collect()
}

/// Draws the samples and writes them as a table; returns the evaluations.
pub(crate) fn save(
    model: &Model,
    request: &Request,
    table: &TableRows,
    given: Option<&Conditions>,
    out: &Path,
) -> Result<f64> {
    let size = model.signature().size();
    let mut bar = Terminal.meter(0, request.n, "samples");
    let (mut rows, mut nfe) = (Vec::new(), 0.0);
    model.sample_each(request, |part| -> Result<(), RunError> {
        rows.extend(part.rows);
        nfe = part.nfe;
        bar.at(rows.len() / size, "");
        Ok(())
    })?;
    let given = given.map(|Conditions { table, .. }| {
        let turns: Vec<usize> = (0..request.n).map(|i| i % table.len()).collect();
        table.select(&turns)
    });
    let drawn = table.encoder.decode(&rows, given.as_ref())?;
    drawn.write(out)?;
    Ok(nfe)
}
