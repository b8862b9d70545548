//! Conditions of a model of a table, as a user types them.

use std::path::Path;

use flow_datasets::{ReadOptions, Table, TableRows};

use crate::error::{RunError, usage};

/// Conditions for samples: the columns that a model is told, with a row for each sample in turn.
#[derive(Debug)]
pub struct Conditions {
    /// The rows.
    pub table: Table,
    /// The same as the network takes them, `[rows, vector]`.
    pub vectors: Vec<f32>,
    /// Whether they are the rows of a file.
    pub is_file: bool,
}

impl Conditions {
    /// Those of `--given`, a file or `COLUMN=VALUE,..`; nothing for a model that is told nothing.
    ///
    /// # Errors
    /// When the model is told columns and there is no text, or the other way round, and when the
    /// text or the file does not fit the columns.
    pub fn given(table: Option<&TableRows>, text: Option<&str>) -> Result<Option<Self>, RunError> {
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
            (Some(rows), Some(text)) => {
                let is_file = !text.contains('=');
                let of_file = if is_file { format!(" {text}") } else { String::new() };
                let refused = |error| usage!("--given{of_file}: {error}");
                let table = if is_file {
                    Table::read(Path::new(text), &ReadOptions::default()).map_err(refused)?
                } else {
                    rows.encoder.given(&pairs(text)?).map_err(refused)?
                };
                let vectors = rows.conditions(&table)?;
                Ok(Some(Self { table, vectors, is_file }))
            }
        }
    }
}

/// `clinic=B,age=40` as names and values.
fn pairs(text: &str) -> Result<Vec<(String, String)>, RunError> {
    let pair = |part: &str| match part.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(usage!("--given: `{part}` has no `=`, write it as COLUMN=VALUE")),
    };
    text.split(',').map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_typed_as_names_and_values() {
        let found = pairs("clinic=B, age = 40").unwrap();
        let expected = [("clinic", "B"), ("age", "40")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(pairs("clinic=B,age").unwrap_err().to_string().contains("`age` has no `=`"));
        assert!(Conditions::given(None, None).unwrap().is_none());
        assert!(Conditions::given(None, Some("age=40")).is_err());
    }
}
