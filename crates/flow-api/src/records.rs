//! Rows of a table as JSON objects, and a table as JSON.

use flow_datasets::table::{Column, Role, Values};
use flow_datasets::{Encoder, Table};
use serde_json::{Map, Number, Value, json};

use crate::refused::Refused;

/// A row of a table: a value for each of its columns, `null` where it is missing.
pub(crate) type Record = Map<String, Value>;

/// Rows with the columns of some roles, all of them.
pub(crate) fn table(
    records: &[Record],
    encoder: &Encoder,
    roles: &[Role],
) -> Result<Table, Refused> {
    let known: Vec<_> =
        encoder.columns().iter().filter(|column| roles.contains(&column.role)).collect();
    for (at, record) in records.iter().enumerate() {
        let is_known = |name: &&String| known.iter().any(|column| column.name == **name);
        if let Some(name) = record.keys().find(|name| !is_known(name)) {
            let names: Vec<&str> = known.iter().map(|column| column.name.as_str()).collect();
            let names = if names.is_empty() { "none".into() } else { names.join(", ") };
            return Err(Refused::bad(format!(
                "row {at} has `{name}`, which is none of the columns that belong there: {names}"
            )));
        }
    }
    let columns = known.iter().map(|column| {
        let cell = |(at, record): (usize, &Record)| cell(at, &column.name, record);
        let cells = records.iter().enumerate().map(cell).collect::<Result<Vec<_>, _>>()?;
        Ok::<Column, Refused>(Column::of_cells(&column.name, column.ty, &cells))
    });
    Ok(Table::new(columns.collect::<Result<_, Refused>>()?)?)
}

fn cell(row: usize, name: &str, record: &Record) -> Result<Option<String>, Refused> {
    match record.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
        }
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::Bool(truth)) => Ok(Some(truth.to_string())),
        Some(Value::Array(_) | Value::Object(_)) => Err(Refused::bad(format!(
            "row {row} has a list or an object as its `{name}`: give a number, a word or null"
        ))),
    }
}

/// A table as the names of its columns and its rows.
pub(crate) fn json(table: &Table) -> (Vec<&str>, Vec<Vec<Value>>) {
    let names = table.columns().iter().map(|column| column.name.as_str()).collect();
    let row = |row| table.columns().iter().map(|column| value(column, row)).collect();
    (names, (0..table.len()).map(row).collect())
}

/// A cell as it is written into a file.
fn value(column: &Column, row: usize) -> Value {
    let Some(text) = column.cell(row) else { return Value::Null };
    match &column.values {
        Values::Text(_) => Value::String(text),
        Values::Number(_) => match text.as_str() {
            "true" => json!(true),
            "false" => json!(false),
            text => text.parse::<i64>().map_or_else(
                |_| {
                    let number = text.parse::<f64>().ok().and_then(Number::from_f64);
                    number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
                },
                |whole| json!(whole),
            ),
        },
    }
}
