//! The card of a model, with the columns of its rows.

use std::fmt::Write as _;

use flow_datasets::table::{Codec, Coded, Role, TableRows};
use flow_model::Model;

use crate::error::RunError;

/// Columns, and values of a category, that are shown of many.
const SHOWN: usize = 12;

/// What a model is, a line for each fact: what [`Model::card`] says, then the columns
/// that it draws and those that it is told, each with the values that training has seen.
///
/// # Errors
/// When what the model keeps of its rows is damaged.
pub fn card(model: &Model) -> Result<String, RunError> {
    let rows = &model.config().rows;
    let drawn = columns(TableRows::of(rows)?.as_ref(), Role::Target);
    let given = columns(TableRows::given_of(rows)?.as_ref(), Role::Given);
    let mut text = model.card().to_string();
    for (word, columns) in [("draws", drawn), ("given", given)] {
        if !columns.is_empty() {
            // A file may come from a stranger: what it says of itself begins no line of its own.
            let columns = some(&columns, "; ").replace(char::is_control, " ");
            let _ = write!(text, "\n{word:11} {columns}");
        }
    }
    Ok(text)
}

/// The columns of a role, in words.
fn columns(rows: Option<&TableRows>, role: Role) -> Vec<String> {
    let all = rows.iter().flat_map(|rows| rows.encoder.columns());
    all.filter(|column| column.role == role).map(in_words).collect()
}

fn in_words(column: &Coded) -> String {
    let name = &column.name;
    match &column.codec {
        Codec::Number { min, max, .. } => format!("{name} from {min} to {max}"),
        Codec::Category { names } | Codec::Ordinal { levels: names, .. } => {
            format!("{name}, one of {}", some(names, ", "))
        }
        _ => name.clone(),
    }
}

/// The first of many words, and how many more there are.
fn some(words: &[String], between: &str) -> String {
    match words.len().saturating_sub(SHOWN) {
        0 => words.join(between),
        more => format!("{}{between}and {more} more", words[..SHOWN].join(between)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_first_are_shown() {
        let words: Vec<String> = (0..14).map(|i| i.to_string()).collect();
        assert_eq!(some(&words[..2], ", "), "0, 1");
        assert_eq!(some(&words, ", "), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, and 2 more");
    }
}
