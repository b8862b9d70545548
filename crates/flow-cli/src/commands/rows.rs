//! Samples of a model of a table: with the columns, and in the form, of what it was trained on.

use std::path::Path;

use anyhow::Result;
use flow_datasets::Table;
use flow_datasets::table::Beyond;
use flow_run::table::{TableRows, read_like};
use flow_run::{Listener, Model, Request, RunError};

use crate::exit::usage;
use crate::listener::Terminal;
use crate::terminal::say;

/// What a model is told.
pub(crate) struct Conditions {
    /// A row of conditions for each sample, in turn.
    pub(crate) table: Table,
    /// The same as the network takes them.
    pub(crate) vectors: Vec<f32>,
    /// Whether they are the rows of a file.
    pub(crate) is_file: bool,
}

/// The conditions of `option`, which is `--given` or `--observe`; nothing for a model that is told
/// nothing. Numbers far from all that the model has seen are warned of.
pub(crate) fn given(
    table: Option<&TableRows>,
    option: &str,
    text: Option<&str>,
) -> Result<Option<Conditions>> {
    let names = |table: &TableRows| table.given().collect::<Vec<_>>().join(", ");
    match (table, text) {
        (None, Some(_)) => Err(usage!("{option} is for models of tables, and this is none")),
        (Some(table), Some(_)) if table.vector() == 0 => {
            Err(usage!("{option} is given, but no column was when this model was trained"))
        }
        (Some(table), None) if 0 < table.vector() => Err(usage!(
            "the model is told {}: give values by {option} COLUMN=VALUE,.. or {option} FILE",
            names(table)
        )),
        (_, None) => Ok(None),
        (Some(table), Some(text)) => {
            let is_file = !text.contains('=');
            let given = if is_file {
                read_like(table, Path::new(text)).map_err(|error| usage!("{option}: {error}"))?
            } else {
                let values = pairs(option, text)?;
                table.encoder.given(&values).map_err(|error| usage!("{option}: {error}"))?
            };
            let named = if is_file { format!("{option} {text}") } else { option.to_owned() };
            let vectors = table.conditions(&given).map_err(|error| usage!("{named}: {error}"))?;
            warn_of_unseen(table, &given);
            Ok(Some(Conditions { table: given, vectors, is_file }))
        }
    }
}

/// Says which conditions lie outside of all that the model has seen, in one line.
pub(crate) fn warn_of_unseen(table: &TableRows, given: &Table) {
    let one = |Beyond { column, range: [min, max], value, rows }: &Beyond| {
        let rows = if 1 < given.len() { format!(" in {rows} rows") } else { String::new() };
        let [value, min, max] = [*value, *min, *max].map(number);
        format!("{column} is {value}{rows}, and it has seen {min} to {max}")
    };
    let all: Vec<String> = table.unseen(given).iter().map(one).collect();
    if !all.is_empty() {
        let all = all.join("; ");
        say(&format!("warning: the model was told nothing of the kind, it extrapolates: {all}"));
    }
}

/// A number for people: large ones are no long row of digits.
fn number(x: f64) -> String {
    if x.abs() < 1e15 { x.to_string() } else { format!("{x:?}") }
}

/// `clinic=B,age=40` as names and values.
fn pairs(option: &str, text: &str) -> Result<Vec<(String, String)>> {
    let pair = |part: &str| match part.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(usage!("{option}: `{part}` has no `=`, write it as COLUMN=VALUE")),
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
