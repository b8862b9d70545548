//! Rows of a table as JSON objects, and a table as JSON.

use flow_datasets::table::{Codec, Coded, Column, Role, Values};
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
        let cell = |(at, record): (usize, &Record)| cell(at, column, record);
        let cells = records.iter().enumerate().map(cell).collect::<Result<Vec<_>, _>>()?;
        Ok::<Column, Refused>(Column::of_cells(&column.name, column.ty, &cells))
    });
    Ok(Table::new(columns.collect::<Result<_, Refused>>()?)?)
}

fn cell(row: usize, column: &Coded, record: &Record) -> Result<Option<String>, Refused> {
    let name = &column.name;
    match record.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
        }
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::Bool(truth)) => {
            // As the table spells it, `True` for one.
            let spelled = names(column).iter().find(|name| self::truth(name) == Some(*truth));
            Ok(Some(spelled.cloned().unwrap_or_else(|| truth.to_string())))
        }
        Some(Value::Array(_) | Value::Object(_)) => Err(Refused::bad(format!(
            "row {row} has a list or an object as its `{name}`: give a number, a word or null"
        ))),
    }
}

/// A table as the names of its columns and its rows.
pub(crate) fn json<'a>(table: &'a Table, encoder: &Encoder) -> (Vec<&'a str>, Vec<Vec<Value>>) {
    let names = table.columns().iter().map(|column| column.name.as_str()).collect();
    let columns: Vec<(&Column, bool)> = table
        .columns()
        .iter()
        .map(|column| {
            let coded = encoder.columns().iter().find(|coded| coded.name == column.name);
            (column, coded.is_some_and(holds_truths))
        })
        .collect();
    let row = |row| columns.iter().map(|(column, truths)| value(column, *truths, row)).collect();
    (names, (0..table.len()).map(row).collect())
}

/// The words of a column, if it holds words.
fn names(column: &Coded) -> &[String] {
    match &column.codec {
        Codec::Category { names } => names,
        Codec::Constant { value } => std::slice::from_ref(value),
        _ => &[],
    }
}

/// Whether a column says true or false alone, in words or not: a text file has no other way.
fn holds_truths(column: &Coded) -> bool {
    let names = names(column);
    !names.is_empty() && names.iter().all(|name| truth(name).is_some())
}

fn truth(word: &str) -> Option<bool> {
    [false, true].into_iter().find(|truth| word.eq_ignore_ascii_case(&truth.to_string()))
}

/// A cell as it is written into a file, or as a truth value in a column of such.
fn value(column: &Column, truths: bool, row: usize) -> Value {
    let Some(text) = column.cell(row) else { return Value::Null };
    match &column.values {
        Values::Text(_) => match truth(&text).filter(|_| truths) {
            Some(truth) => json!(truth),
            None => Value::String(text),
        },
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test may panic")]

    use flow_datasets::table::Type;
    use flow_datasets::{Columns, Overrides};

    use super::*;

    /// Truth values of a text file are words, which may be spelled as Python does.
    #[test]
    fn truth_values_are_those_of_json() {
        let cells = |of: &[&str]| -> Vec<Option<String>> {
            (0..40).map(|i| Some(of[i % of.len()].to_owned())).collect()
        };
        let read = Table::new(vec![
            Column::of_cells("smokes", Type::Text {}, &cells(&["True", "False", "True"])),
            Column::of_cells("well", Type::Bool {}, &cells(&["true", "false"])),
            Column::of_cells("says", Type::Text {}, &cells(&["true", "false", "perhaps"])),
        ])
        .unwrap();
        let columns = Columns::guess(&read, &Overrides::default()).unwrap();
        let encoder = Encoder::fit(&read, &columns).unwrap();
        let (names, rows) = json(&read, &encoder);
        assert_eq!(names, ["smokes", "well", "says"]);
        assert_eq!(rows[0], [json!(true), json!(true), json!("true")]);
        assert_eq!(rows[1], [json!(false), json!(false), json!("false")]);
        let asked = json!({ "smokes": true, "well": false, "says": "perhaps" });
        let Value::Object(asked) = asked else { panic!("an object was written") };
        let told = super::table(&[asked], &encoder, &[Role::Target]).unwrap();
        let cells: Vec<_> = told.columns().iter().map(|column| column.cell(0).unwrap()).collect();
        assert_eq!(cells, ["True", "false", "perhaps"]);
    }
}
