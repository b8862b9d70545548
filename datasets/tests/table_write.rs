//! Round trips of random tables through every format.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "files keep every bit")]

mod common;

use common::mixed;
use flow_datasets::array::{ArrayForm, write_array};
use flow_datasets::table::{Column, Type, Values};
use flow_datasets::{Array, ArrayError, ArrayOptions, Element, ReadOptions, Table};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TRIALS: u64 = 40;

/// A table of random columns of every type, with holes, odd names and odd words.
fn random(seed: u64) -> Table {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let rows = rng.random_range(1..40);
    let columns = (0..rng.random_range(1..9)).map(|at| column(rng, rows, at)).collect();
    Table::new(columns).unwrap()
}

fn column(rng: &mut impl Rng, rows: usize, at: usize) -> Column {
    const WORDS: [&str; 8] =
        ["a", "b,c", "d\te", "\"f\"", "two words", "Größe", "line\nbreak", "x"];
    let name = format!("{}{at}", ["x", "a, b", "Länge ", "\"q\""][rng.random_range(0..4)]);
    let hole = |rng: &mut dyn Rng| rng.random_bool(0.1);
    let mut number = |draw: &mut dyn FnMut(&mut dyn Rng) -> f64| {
        let cells = (0..rows).map(|_| if hole(rng) { f64::NAN } else { draw(rng) });
        Values::Number(cells.collect())
    };
    let (ty, values) = match at % 4 {
        0 => (Type::Integer {}, number(&mut |rng| f64::from(rng.random_range(-1000..1000)))),
        1 => {
            let decimals = 2;
            let draw = |rng: &mut dyn Rng| f64::from(rng.random_range(-99_999..99_999)) / 100.0;
            (Type::Real { decimals: Some(decimals) }, number(&mut { draw }))
        }
        2 => {
            let draw = |rng: &mut dyn Rng| rng.random_range(-1.0..1.0) * 1e-7;
            (Type::Real { decimals: None }, number(&mut { draw }))
        }
        _ => {
            let words = (0..rows)
                .map(|_| (!rng.random_bool(0.1)).then(|| WORDS[rng.random_range(0..WORDS.len())]));
            (Type::Text {}, Values::Text(words.collect()))
        }
    };
    Column { name, ty, values }
}

fn cells(table: &Table) -> Vec<(String, Vec<Option<String>>)> {
    let cells = |column: &Column| (0..table.len()).map(|row| column.cell(row)).collect();
    table.columns().iter().map(|column| (column.name.trim().to_owned(), cells(column))).collect()
}

/// The numbers of a column as bits, so that nothing is lost unnoticed.
fn bits(table: &Table) -> Vec<Vec<u64>> {
    let of = |column: &Column| match &column.values {
        Values::Number(values) => values.iter().map(|x| x.to_bits()).collect(),
        Values::Text(_) => Vec::new(),
    };
    table.columns().iter().map(of).collect()
}

/// Cells of words, and of numbers nothing: not every format knows how many digits were written.
#[cfg(feature = "parquet")]
fn words(table: &Table) -> Vec<(String, Vec<Option<String>>)> {
    let mut cells = cells(table);
    for ((_, cells), column) in cells.iter_mut().zip(table.columns()) {
        if matches!(column.values, Values::Number(_)) || column.missing() == column.len() {
            cells.clear();
        }
    }
    cells
}

fn round_trip(endings: &[&str], view: impl Fn(&Table) -> Vec<(String, Vec<Option<String>>)>) {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..TRIALS {
        let table = random(seed);
        for ending in endings {
            let path = folder.path().join(format!("t.{ending}"));
            table.write(&path).unwrap();
            let read = Table::read(&path, &ReadOptions::default()).unwrap();
            assert_eq!(view(&read), view(&table), "{ending}, seed {seed}");
            let numbers = bits(&table);
            for (at, (a, b)) in bits(&read).iter().zip(&numbers).enumerate() {
                assert!(
                    a == b || a.is_empty() || b.is_empty(),
                    "{ending}, seed {seed}, column {at}"
                );
            }
        }
    }
}

#[test]
fn random_tables_come_back_from_text() {
    round_trip(&["csv", "tsv", "csv.gz", "tsv.gz"], cells);
}

#[cfg(feature = "parquet")]
#[test]
fn random_tables_come_back_from_parquet() {
    round_trip(&["parquet"], words);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_keeps_types() {
    let values = |x: [f64; 2]| Values::Number(x.to_vec());
    let column = |name: &str, ty, values| Column { name: name.into(), ty, values };
    let table = Table::new(vec![
        column("flag", Type::Bool {}, values([1.0, f64::NAN])),
        column("single", Type::Single {}, values([f64::from(0.1_f32), 2.0])),
        column("count", Type::Integer {}, values([7.0, f64::NAN])),
        column("real", Type::Real { decimals: None }, values([0.1, f64::NAN])),
    ])
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    table.write(&path).unwrap();
    let read = Table::read(&path, &ReadOptions::default()).unwrap();
    for (a, b) in read.columns().iter().zip(table.columns()) {
        assert_eq!((a.ty, a.cell(0), a.cell(1)), (b.ty, b.cell(0), b.cell(1)), "{}", a.name);
    }
    assert_eq!(bits(&read), bits(&table));
    let small = ReadOptions { max_bytes: 10, ..ReadOptions::default() };
    assert!(Table::read(&path, &small).unwrap_err().to_string().contains("10 bytes of it"));
}

#[test]
fn numbers_become_one_array_and_columns_become_several() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = mixed().without("clinic").without("unit").without("length");
    numbers.write(&folder.path().join("t.npy")).unwrap();
    let array = Array::read(&folder.path().join("t.npy"), &ArrayOptions::default()).unwrap();
    assert_eq!(array.shape, [60, 3]);
    assert_eq!(array.values[3..6], [981.0, 1.0, 0.0]);
    mixed().write(&folder.path().join("t.npz")).unwrap();
    let one = ArrayOptions { name: Some("visits".into()), ..ArrayOptions::default() };
    // Arrays of one axis are written for NumPy and are no rows of numbers.
    let message = Array::read(&folder.path().join("t.npz"), &one).unwrap_err().to_string();
    assert!(message.contains("[60]"), "{message}");
}

#[test]
fn arrays_of_one_archive_are_columns_called_after_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.npz");
    let column = |name: &str, values: Vec<f64>| Column {
        name: name.into(),
        ty: Type::Real { decimals: None },
        values: Values::Number(values),
    };
    let table =
        Table::new(vec![column("a", vec![0.5, -1.0]), column("b", vec![2.0, 3.0])]).unwrap();
    table.write(&path).unwrap();
    let read = Table::read(&path, &ReadOptions::default()).unwrap();
    let names: Vec<&str> = read.columns().iter().map(|column| &*column.name).collect();
    assert_eq!((names, bits(&read)), (vec!["a", "b"], bits(&table)));
    let few = ReadOptions { max_columns: 1, ..ReadOptions::default() };
    assert!(Table::read(&path, &few).is_err());
    // Two numbers a row, and a class for each, of which there is one more.
    let form = ArrayForm { name: "theta".into(), element: Element::F32, shape: vec![2, 2] };
    for (labels, said) in [(vec![1_i64, 0], ""), (vec![1, 0, 1], "y has 3 rows")] {
        write_array(&path, &form, Some(&labels), |put| put(&[1.0, 2.0, 3.0, 4.0]))
            .unwrap_or_else(|error: ArrayError| panic!("{error}"));
        let read = Table::read(&path, &ReadOptions::default());
        match read {
            Ok(read) => {
                let names: Vec<&str> = read.columns().iter().map(|column| &*column.name).collect();
                assert_eq!((names, said), (vec!["theta1", "theta2", "y"], ""));
            }
            Err(error) => assert!(!said.is_empty() && error.to_string().contains(said), "{error}"),
        }
    }
}
