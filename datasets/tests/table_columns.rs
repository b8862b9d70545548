//! Kinds of columns that are guessed, and those that a user gives.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::collections::BTreeMap;

use common::{csv, mixed, rows};
use flow_datasets::table::{ColumnType, Kind, Role, TransformKind};
use flow_datasets::{Columns, Overrides, Table};

/// A table of forty rows with one column, of which `cell` gives the text.
fn column(cell: impl Fn(usize) -> String) -> Table {
    rows("x,other", 40, |i| format!("{},{}", cell(i), (i as f64 * 0.37).sin()))
}

fn guessed(cell: impl Fn(usize) -> String) -> Columns {
    Columns::guess(&column(cell), &Overrides::default()).unwrap()
}

fn kind(cell: impl Fn(usize) -> String) -> Option<Kind> {
    guessed(cell).plans[0].kind
}

#[test]
fn kinds_are_guessed_from_the_cells() {
    assert_eq!(kind(|i| format!("{}.5", i % 7)), Some(Kind::Real));
    assert_eq!(kind(|i| (i * i % 31).to_string()), Some(Kind::Integer));
    assert_eq!(kind(|i| (2000 + i % 3).to_string()), Some(Kind::Integer));
    assert_eq!(kind(|i| format!("{}.0", i * i % 31)), Some(Kind::Integer));
    assert_eq!(kind(|i| (i % 3).to_string()), Some(Kind::Category));
    assert_eq!(kind(|i| (1 + i % 2).to_string()), Some(Kind::Category));
    assert_eq!(kind(|i| ["a", "b"][i % 2].to_owned()), Some(Kind::Category));
    assert_eq!(kind(|i| ["True", "False"][i % 2].to_owned()), Some(Kind::Category));
}

#[test]
fn what_holds_nothing_to_learn_is_dropped_with_its_reason() {
    type Cell = fn(usize) -> String;
    let dropped: [(Cell, &str); 11] = [
        (|i| format!("2024-03-{:02}", 1 + i % 28), "dates"),
        (|i| format!("{:02}:{:02}", i % 24, i), "dates or times"),
        (|i| format!("{} Jan 2024", 1 + i % 28), "dates"),
        (|i| (20_240_101 + i % 28).to_string(), "dates"),
        (|i| format!("\"{},5\"", i % 7), "commas, such as \"0,5\""),
        (|i| (100 + i).to_string(), "numbers its rows"),
        (|i| format!("P{:04}", i * 37), "identifier"),
        (|i| format!("the patient said that {i} days are enough"), "free text"),
        (|i| format!("{:020}", i * 7_919), "identifier"),
        (|_| String::from("NA"), "no value"),
        (|i| if i == 3 { "none".into() } else { (i * i).to_string() }, "numbers beside \"none\""),
    ];
    for (cell, piece) in dropped {
        let plan = guessed(cell).plans.swap_remove(0);
        let reason = plan.reason.unwrap_or_default();
        assert_eq!(plan.role, Role::Dropped, "{piece}: {reason}");
        assert!(reason.contains(piece), "{piece}: {reason}");
    }
}

#[test]
fn identifiers_are_known_by_their_name_if_they_are_whole_numbers() {
    let table = rows("patient_id,x", 40, |i| format!("{},{}", i * i + 7, i % 9));
    let columns = Columns::guess(&table, &Overrides::default()).unwrap();
    assert_eq!(columns.plans[0].role, Role::Dropped);
}

#[test]
fn one_value_is_kept_beside_the_model() {
    assert_eq!(guessed(|_| "3".into()).plans[0].role, Role::Constant);
}

#[test]
fn what_a_user_says_goes_before_the_guess() {
    let overrides = Overrides {
        given: vec!["clinic".into()],
        drop: vec!["unit".into()],
        types: BTreeMap::from([
            ("smoker".to_owned(), ColumnType::Kind(Kind::Integer)),
            ("visits".to_owned(), ColumnType::Kind(Kind::Category)),
        ]),
        transforms: BTreeMap::from([("length".to_owned(), TransformKind::Quantile)]),
        ..Overrides::default()
    };
    let columns = Columns::guess(&mixed(), &overrides).unwrap();
    let of = |name: &str| columns.plans.iter().find(|plan| plan.name == name).unwrap();
    assert_eq!(of("clinic").role, Role::Given);
    assert_eq!(of("unit").role, Role::Dropped);
    assert_eq!(of("smoker").kind, Some(Kind::Integer));
    assert_eq!(of("visits").kind, Some(Kind::Category));
    assert_eq!(of("length").transform, Some(TransformKind::Quantile));
    assert_eq!(of("income").transform, Some(TransformKind::Log1p));
}

#[test]
fn columns_that_are_chosen_leave_out_the_others() {
    let overrides = Overrides {
        columns: vec!["length".into()],
        given: vec!["clinic".into()],
        ..Overrides::default()
    };
    let columns = Columns::guess(&mixed(), &overrides).unwrap();
    let kept = columns.plans.iter().filter(|plan| plan.role != Role::Dropped);
    assert_eq!(kept.map(|plan| plan.name.as_str()).collect::<Vec<_>>(), ["length", "clinic"]);
}

#[test]
fn overrides_are_read_from_a_recipe() {
    let overrides: Overrides = toml::from_str(
        "given = ['age']\n[types]\ncut = ['Fair', 'Good']\nzip = \
         'categorical'\n[transforms]\nprice = 'log1p'\nangle = { logit = [-180, 180] }",
    )
    .unwrap();
    assert_eq!(overrides.types["cut"], ColumnType::Levels(vec!["Fair".into(), "Good".into()]));
    assert_eq!(overrides.types["zip"], ColumnType::Kind(Kind::Category));
    assert_eq!(overrides.transforms["price"], TransformKind::Log1p);
    assert_eq!(overrides.transforms["angle"], TransformKind::Logit([-180.0, 180.0]));
    assert!(toml::from_str::<Overrides>("givne = ['age']").is_err());
}

#[test]
fn what_cannot_be_is_said_with_column_row_and_value() {
    let says = |table: &Table, overrides: &str, pieces: &[&str]| {
        let overrides: Overrides = toml::from_str(overrides).unwrap();
        let message = Columns::guess(table, &overrides).unwrap_err().to_string();
        for piece in pieces {
            assert!(message.contains(piece), "{piece:?} is not in: {message}");
        }
    };
    let table = mixed();
    says(&table, "given = ['clinc']", &["\"clinc\"", "\"clinic\""]);
    says(&table, "given = ['clinic']\ndrop = ['clinic']", &["given", "drop"]);
    says(&table, "[types]\nclinic = 'real'", &["row 1", "\"clinic\"", "north", "number"]);
    says(&table, "[types]\nlength = 'integer'", &["\"length\"", "whole number"]);
    says(&table, "columns = ['unit']", &["no column is left", "one value"]);
    says(&table.select(&[0]), "", &["1 row,"]);
    says(&table.select(&[]), "", &["0 rows"]);
    says(&csv("a,b\n1,1\n2,inf\n3,2\n").unwrap(), "", &["row 2", "\"b\"", "infinite"]);
    says(&csv("a,b\n1,1e999\n2,3\n").unwrap(), "", &["row 1", "\"b\"", "infinite"]);
}

#[test]
fn columns_print_as_a_table_for_a_person() {
    let overrides = Overrides { given: vec!["clinic".into()], ..Overrides::default() };
    let text = Columns::guess(&mixed(), &overrides).unwrap().to_string();
    let known = "\
column  kind             range                  missing  transform
length  real             150.0 to 185.5               6  standard
income  real             900.0 to 145346.9            -  log1p
visits  integer          0 to 8                       -  standard
clinic  category, given  3: east, north, south       15  one-hot
smoker  category         2: 0, 1                      -  one-hot
unit    constant         cm                           -  written back
";
    assert_eq!(text, known, "{text}");
}
