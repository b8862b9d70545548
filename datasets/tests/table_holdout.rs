//! The part of a table that nothing is learned from.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use common::{cells, csv, file, mixed, rows};
use flow_datasets::{Columns, Encoder, Holdout, Overrides, ReadOptions, Table};

fn many(n: usize) -> Table {
    rows("a,b", n, |i| format!("{},{}", i * 7919 % 10_007, i % 5))
}

fn held(table: &Table) -> Vec<Option<String>> {
    let mut rows = cells(&Holdout::default().split(table).unwrap().1, "a");
    rows.sort();
    rows
}

#[test]
fn a_tenth_of_the_rows_is_held_out() {
    let (train, test) = Holdout::default().split(&many(5000)).unwrap();
    assert_eq!(train.len() + test.len(), 5000);
    // Binomial with mean 500 and spread 21: five spreads.
    assert!(test.len().abs_diff(500) < 106, "{}", test.len());
}

#[test]
fn a_row_is_on_the_same_side_in_any_order_and_beside_its_double() {
    let table = many(300);
    let backwards: Vec<usize> = (0..300).rev().collect();
    assert_eq!(held(&table.select(&backwards)), held(&table));
    let mut columns = table.columns().to_vec();
    columns.reverse();
    assert_eq!(held(&Table::new(columns).unwrap()), held(&table));
    let twice: Vec<usize> = (0..300).chain(0..300).collect();
    let (train, test) = Holdout::default().split(&table.select(&twice)).unwrap();
    let learned = cells(&train, "a");
    assert!(cells(&test, "a").iter().all(|row| !learned.contains(row)));
    // New rows move no old one.
    let more = held(&many(400));
    assert!(held(&table).iter().all(|row| more.contains(row)));
}

#[test]
fn a_small_table_holds_out_at_least_one_row() {
    for n in 2..10 {
        let (train, test) = Holdout::default().split(&many(n)).unwrap();
        assert!(!train.is_empty() && !test.is_empty(), "{n} rows");
    }
    let equal = csv("a\n1\n1\n").unwrap();
    let message = Holdout::default().split(&equal).unwrap_err().to_string();
    assert!(message.contains("to learn from"), "{message}");
    assert!(message.contains("data.split.share"), "{message}");
}

#[test]
fn a_column_or_another_file_can_say_what_is_held_out() {
    let by = Holdout::Column { name: "clinic".into(), held: vec!["south".into()] };
    let (train, test) = by.split(&mixed()).unwrap();
    assert_eq!((train.len(), test.len()), (45, 15));
    assert!(train.column("clinic").is_none() && test.column("clinic").is_none());
    let nobody = Holdout::Column { name: "clinic".into(), held: vec!["west".into()] };
    assert!(nobody.split(&mixed()).unwrap_err().to_string().contains("held out"));

    let (_folder, path) = file("test.csv", "a,b\n5,6\n");
    let (train, test) = Holdout::File { path }.split(&many(3)).unwrap();
    assert_eq!((train.len(), test.len()), (3, 1));
}

/// The column that says which rows are held out is no part of what is learned, in either order of
/// guessing and splitting.
#[test]
fn a_column_that_says_what_is_held_out_is_not_learned() {
    let by = Holdout::Column { name: "clinic".into(), held: vec!["south".into()] };
    assert_eq!((by.column(), Holdout::default().column()), (Some("clinic"), None));
    let split = by.column().map(String::from);
    let columns =
        Columns::guess(&mixed(), &Overrides { split: split.clone(), ..Overrides::default() });
    let columns = columns.unwrap();
    let clinic = columns.plans.iter().find(|plan| plan.name == "clinic").unwrap();
    assert_eq!(clinic.reason.as_deref(), Some("says which rows are held out"));
    let (train, _) = by.split(&mixed()).unwrap();
    Encoder::fit(&train, &columns).unwrap();
    let both = Overrides { split, given: vec!["clinic".into()], ..Overrides::default() };
    let message = Columns::guess(&mixed(), &both).unwrap_err().to_string();
    assert!(message.contains("data.given") && message.contains("data.split"), "{message}");
    let nowhere = Overrides { split: Some("part".into()), ..Overrides::default() };
    let message = Columns::guess(&mixed(), &nowhere).unwrap_err().to_string();
    assert!(message.contains("\"part\"") && message.contains("\"clinic\""), "{message}");
}

#[test]
fn a_share_that_is_none_is_an_error() {
    for share in [2.0, -1.0, f64::NAN, f64::INFINITY] {
        let message = Holdout::Hash { share }.split(&many(20)).unwrap_err().to_string();
        assert!(message.contains("data.split.share is"), "{message}");
    }
    // All, and the least that there is.
    assert!(Holdout::Hash { share: 1.0 }.split(&many(20)).is_err());
    assert_eq!(Holdout::Hash { share: 0.0 }.split(&many(20)).unwrap().1.len(), 1);
}

#[test]
fn holdouts_are_read_from_a_recipe() {
    let read = |text: &str| toml::from_str::<Holdout>(text);
    assert_eq!(read("kind = 'hash'\nshare = 0.1").unwrap(), Holdout::default());
    assert!(read("kind = 'hash'\nshares = 0.1").is_err());
}

#[test]
fn the_numbers_of_the_rows_are_those_of_the_tables() {
    let (_folder, path) = file("a.csv", "a,part\n1,x\n2,y\n3,x\n4,y\n");
    let table = Table::read(&path, &ReadOptions::default()).unwrap();
    let holdout = Holdout::Column { name: "part".into(), held: vec!["y".into()] };
    assert_eq!(holdout.rows(&table).unwrap(), [vec![0, 2], vec![1, 3]]);
    let hash = Holdout::Hash { share: 0.5 };
    let ([kept, held], (train, test)) = (hash.rows(&table).unwrap(), hash.split(&table).unwrap());
    assert_eq!((kept.len(), held.len()), (train.len(), test.len()));
}
