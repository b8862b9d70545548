//! Conditions of a model of a table, as a user types them.

use std::path::Path;

use flow_datasets::table::Beyond;
use flow_datasets::{Table, TableRows};

use super::read_like;
use crate::error::{RunError, usage};
use crate::listener::Listener;

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
    /// Those of `option`, such as `--given`: a file or `COLUMN=VALUE,..`; nothing for a model that
    /// is told nothing. Numbers outside of all that the model has seen are told of.
    ///
    /// # Errors
    /// When the model is told columns and there is no text, or the other way round, and when the
    /// text or the file does not fit the columns.
    pub fn given(
        table: Option<&TableRows>,
        option: &str,
        text: Option<&str>,
        told: &dyn Listener,
    ) -> Result<Option<Self>, RunError> {
        let names = |table: &TableRows| table.given().collect::<Vec<_>>().join(", ");
        match (table, text) {
            (None, Some(_)) => {
                Err(usage!("{option} is for models that are told columns, and this one is not"))
            }
            (Some(table), Some(_)) if table.vector() == 0 => Err(usage!(
                "{option} tells a model of its given columns, and this one was trained without any"
            )),
            (Some(table), None) if 0 < table.vector() => Err(usage!(
                "the model is told {}: give values by {option} COLUMN=VALUE,.. or {option} FILE",
                names(table)
            )),
            (_, None) => Ok(None),
            (Some(rows), Some(text)) => {
                let is_file = !text.contains('=');
                let refused = |error| usage!("{option}: {error}");
                let table = if is_file {
                    read_like(rows, Path::new(text)).map_err(refused)?
                } else {
                    let mut pairs = pairs(option, text)?;
                    let is_missing = |value: &String| rows.reading.missing.contains(value);
                    // A mark of a missing value means the same here as in a file.
                    let values = pairs.iter_mut().map(|(_, value)| value);
                    values.filter(|value| is_missing(value)).for_each(String::clear);
                    rows.encoder.given(&pairs).map_err(refused)?
                };
                let named = if is_file { format!("{option} {text}") } else { option.to_owned() };
                let vectors = rows.conditions(&table);
                let vectors = vectors.map_err(|error| usage!("{named}: {error}"))?;
                warn_of_unseen(rows, &table, told);
                Ok(Some(Self { table, vectors, is_file }))
            }
        }
    }
}

/// Says in one line which conditions lie outside of all that the model has seen.
pub(crate) fn warn_of_unseen(rows: &TableRows, given: &Table, told: &dyn Listener) {
    let one = |Beyond { column, range: [min, max], value, rows }: &Beyond| {
        let rows = if 1 < given.len() { format!(" in {rows} rows") } else { String::new() };
        let [value, min, max] = [*value, *min, *max].map(number);
        format!("{column} is {value}{rows}, and it has seen {min} to {max}")
    };
    let all: Vec<String> = rows.unseen(given).iter().map(one).collect();
    if !all.is_empty() {
        let all = all.join("; ");
        told.say(&format!(
            "warning: the model was told nothing of the kind, it extrapolates: {all}"
        ));
    }
}

/// A number for people: large ones are no long row of digits.
fn number(x: f64) -> String {
    if x.abs() < 1e15 { x.to_string() } else { format!("{x:?}") }
}

/// `clinic=B,age=40` as names and values.
fn pairs(option: &str, text: &str) -> Result<Vec<(String, String)>, RunError> {
    let pair = |part: &str| match part.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(usage!(
            "{option}: `{part}` has no `=`, write it as COLUMN=VALUE; values with a comma stand in \
             a file, {option} FILE.csv"
        )),
    };
    text.split(',').map(pair).collect()
}

#[cfg(test)]
mod tests {
    use flow_datasets::Files;
    use flow_model::Registry;
    use flow_train::PartDrop;

    use super::*;
    use crate::batches::flow_matching;
    use crate::{Data, Recipe, Silent};

    #[test]
    fn a_condition_that_training_hides_may_be_left_out_and_no_other() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/penguins.csv");
        let open = |changes: &[&str]| {
            let file = format!("data.file={file}");
            let given = "data.given=[\"species\",\"year\"]".to_owned();
            let changes: Vec<String> =
                changes.iter().map(ToString::to_string).chain([file, given]).collect();
            let recipe = Recipe::named(&Registry::default(), "table", &changes)?;
            let data = Data::open(&recipe, &Files::default(), &Silent)?;
            let matching = flow_matching(&recipe, &data)?;
            Ok::<_, RunError>((data, matching.part_drop))
        };
        let asked = |data: &Data, text| {
            let rows = &data.table().unwrap().rows;
            Conditions::given(Some(rows), "--given", Some(text), &Silent)
        };
        // Species in three numbers, the year in one, and as many that say what is known.
        let (data, drops) = open(&["data.given_drop.species=0.25"]).unwrap();
        let expected = PartDrop { numbers: vec![0, 1, 2, 4, 5, 6], probability: 0.25 };
        assert_eq!(drops, [expected]);
        assert_eq!(data.table().unwrap().rows.vector(), 8);
        let vectors = asked(&data, "year=2008").unwrap().unwrap().vectors;
        assert!(vectors[..3].iter().chain(&vectors[4..7]).all(|x| *x == 0.0), "{vectors:?}");
        assert!((vectors[7] - 1.0).abs() < 1e-6, "{vectors:?}");
        let refused = asked(&data, "species=Adelie").unwrap_err().to_string();
        assert!(refused.contains("lacks `year`"), "{refused}");
        // Without a rate nothing may be left out, and the vector has no more than the values.
        let (data, drops) = open(&[]).unwrap();
        assert!(drops.is_empty() && data.table().unwrap().rows.vector() == 4);
        assert!(asked(&data, "year=2008").is_err());
        for (change, words) in [
            ("data.given_drop.sex=0.1", "name it in data.given too"),
            ("data.given_drop.year=1.5", "data.given_drop.year is 1.5"),
        ] {
            let refused = open(&[change]).unwrap_err().to_string();
            assert!(refused.contains(words), "{refused}");
        }
    }

    #[test]
    fn conditions_are_typed_as_names_and_values() {
        let found = pairs("--given", "clinic=B, age = 40").unwrap();
        let expected = [("clinic", "B"), ("age", "40")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let error = pairs("--observe", "clinic=B,age").unwrap_err().to_string();
        assert!(error.contains("--observe: `age` has no `=`"), "{error}");
        let given = |text| Conditions::given(None, "--given", text, &Silent);
        assert!(given(None).unwrap().is_none());
        assert!(given(Some("age=40")).is_err());
    }
}
