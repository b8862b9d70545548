//! Reading tables: what comes out, and a sentence for every file that is none.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fmt::Write;
use std::fs;
use std::io::Write as _;

use common::{cells, csv, file};
use flate2::Compression;
use flate2::write::GzEncoder;
use flow_datasets::table::Type;
use flow_datasets::{ReadOptions, Table};

fn some(words: &[&str]) -> Vec<Option<String>> {
    words.iter().map(|&word| (!word.is_empty()).then(|| word.to_owned())).collect()
}

/// Asserts that reading fails, with a message that holds each of the pieces.
fn refused(content: impl AsRef<[u8]>, pieces: &[&str]) {
    let (_folder, path) = file("table.csv", content);
    let message = Table::read(&path, &ReadOptions::default()).unwrap_err().to_string();
    for piece in pieces {
        assert!(message.contains(piece), "{piece:?} is not in: {message}");
    }
}

#[test]
fn cells_are_read_with_their_types_and_holes() {
    let table = csv("a,b,c,d,e\n1,0.50,x,007,1e-3\nNA,2.25, y ,010,2\n3,,?,,NaN\n").unwrap();
    let types: Vec<Type> = table.columns().iter().map(|column| column.ty).collect();
    let (integer, text) = (Type::Integer {}, Type::Text {});
    let real = |decimals| Type::Real { decimals };
    assert_eq!(types, [integer, real(Some(2)), text, text, real(None)]);
    assert_eq!(cells(&table, "a"), some(&["1", "", "3"]));
    assert_eq!(cells(&table, "b"), some(&["0.50", "2.25", ""]));
    assert_eq!(cells(&table, "c"), some(&["x", "y", ""]));
    assert_eq!(cells(&table, "d"), some(&["007", "010", ""]));
    assert_eq!(cells(&table, "e"), some(&["0.001", "2.0", ""]));
}

#[test]
fn tabs_packing_marks_and_windows_lines_are_read() {
    let text = "\u{feff}a\tb\r\n1\tx, y\r\n2\tz\r\n";
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    for (name, content) in [("t.tsv", text.as_bytes()), ("t.TSV.gz", &packed)] {
        let (_folder, path) = file(name, content);
        let table = Table::read(&path, &ReadOptions::default()).unwrap();
        assert_eq!(cells(&table, "a"), some(&["1", "2"]), "{name}");
        assert_eq!(cells(&table, "b"), some(&["x, y", "z"]), "{name}");
    }
    // A packed file that is cut ends in an error and in no shorter table.
    let (_folder, path) = file("t.tsv.gz", &packed[..packed.len() - 9]);
    assert!(Table::read(&path, &ReadOptions::default()).is_err());
}

#[test]
fn quotes_hold_separators_and_lines() {
    let table = csv("a,b\n\"x, \"\"y\"\"\",1\n\"two\nlines\",2\n").unwrap();
    assert_eq!(cells(&table, "a"), some(&["x, \"y\"", "two\nlines"]));
}

#[test]
fn one_row_and_one_column_are_a_table() {
    let table = csv("a\n5\n").unwrap();
    assert_eq!((table.len(), table.columns().len()), (1, 1));
}

#[test]
fn a_ragged_line_is_named() {
    refused("a,b\n1,2\n3\n", &["line 3", "1 cell ", "2 columns"]);
    refused("a,b\n1,2\n3,4,5\n", &["line 3", "3 cells"]);
}

#[test]
fn another_encoding_is_named_with_its_line() {
    refused(b"a,b\n1,x\n2,M\xfcller\n", &["UTF-8", "line 3", "Latin-1", "-f WINDOWS-1252"]);
    let wide: Vec<u8> = "a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    refused([b"\xff\xfe".to_vec(), wide.clone()].concat(), &["line 1", "like UTF-16;"]);
    // Without its mark it is valid UTF-8 and no table.
    refused(wide, &["line 1", "-f UTF-16LE"]);
    let wide: Vec<u8> = "a,b\n1,2\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    refused(wide, &["line 1", "-f UTF-16BE"]);
}

#[test]
fn names_must_be_there_and_differ() {
    refused("a,b,a\n1,2,3\n", &["two columns", "\"a\""]);
    refused("1.5,2\n3,4\n", &["first line", "1.5", "line of names"]);
    // Names that pandas gives to columns without one, and to its index.
    assert_eq!(csv("0,1\n5,6\n").unwrap().columns()[1].name, "1");
    assert_eq!(csv(",x\n0,6\n").unwrap().columns()[0].name, "unnamed_1");
}

#[test]
fn a_file_without_rows_is_no_table() {
    for text in ["", "\n", "a,b\n", "a,b\n\n"] {
        refused(text, &["no row"]);
    }
}

#[test]
fn another_separator_is_found_or_said() {
    for text in ["a;b\n1;2\n", "a\tb\n1\t2\n", "a|b\n1|2\n", "a;b\n1,5;2\n"] {
        assert_eq!(csv(text).unwrap().columns().len(), 2, "{text:?}");
    }
    // Two could be meant, or the rows do not agree.
    refused("a;b|c\n1;2|3\n", &["single column", "';'", "data.delimiter"]);
    refused("a;b\n1\n", &["single column", "data.delimiter"]);
    let (_folder, path) = file("t.csv", "a;b|c\n1;2|3\n");
    let options = ReadOptions { delimiter: Some(b'|'), ..ReadOptions::default() };
    let table = Table::read(&path, &options).unwrap();
    assert_eq!(table.columns()[0].name, "a;b");
}

#[test]
fn what_is_wrong_with_the_content_names_the_file_once() {
    let (_folder, path) = file("t.csv", "a,a\n1,2\n");
    let message = Table::read(&path, &ReadOptions::default()).unwrap_err().to_string();
    assert_eq!(message.matches("t.csv").count(), 1, "{message}");
    let (_folder, path) = file("t.csv", "a,b\n1\n");
    let message = Table::read(&path, &ReadOptions::default()).unwrap_err().to_string();
    assert_eq!(message.matches("t.csv").count(), 1, "{message}");
}

#[test]
fn a_hundred_thousand_columns_are_refused_unless_they_are_wanted() {
    let mut text = String::new();
    for i in 0..100_000 {
        let _ = write!(text, "{}c{i}", if i == 0 { "" } else { "," });
    }
    text += "\n";
    text += &vec!["1"; 100_000].join(",");
    text += "\n";
    refused(&text, &["100000 columns", "10000 are allowed", "npy"]);
    let (_folder, path) = file("t.csv", &text);
    let options = ReadOptions { max_columns: 100_000, ..ReadOptions::default() };
    assert_eq!(Table::read(&path, &options).unwrap().columns().len(), 100_000);
}

#[test]
fn a_table_larger_than_the_memory_allowed_is_refused_before_it_is_held() {
    let text = "a,b\n".to_owned() + &"1,2\n".repeat(1000);
    let words: Vec<String> = (0..1000).map(|i| format!("word{i}")).collect();
    let words = "a\n".to_owned() + &words.join("\n");
    for text in [text, words] {
        let (_folder, path) = file("t.csv", text);
        let options = ReadOptions { max_bytes: 15_000, ..ReadOptions::default() };
        let message = Table::read(&path, &options).unwrap_err().to_string();
        assert!(message.contains("14.6 KiB of it may be taken"), "{message}");
        assert!(Table::read(&path, &ReadOptions::default()).is_ok());
    }
}

#[test]
fn the_name_of_a_file_says_its_format() {
    for (name, piece) in [("t.xlsx", ".csv"), ("table", ".csv"), ("t.json", ".csv")] {
        let (_folder, path) = file(name, "a\n1\n");
        let message = Table::read(&path, &ReadOptions::default()).unwrap_err().to_string();
        assert!(message.contains(piece) && message.contains(name), "{message}");
    }
    let message = Table::read("nowhere.csv".as_ref(), &ReadOptions::default()).unwrap_err();
    assert!(message.to_string().contains("nowhere.csv"));
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_format_that_is_not_compiled_in_names_its_feature() {
    let (folder, path) = file("t.parquet", "PAR1");
    let read = Table::read(&path, &ReadOptions::default()).unwrap_err().to_string();
    let written = csv("a\n1\n").unwrap().write(&folder.path().join("u.parquet")).unwrap_err();
    for message in [read, written.to_string()] {
        assert!(message.contains("-p flow-cli --features parquet"), "{message}");
    }
}

#[test]
fn missing_values_can_be_named() {
    let (_folder, path) = file("t.csv", "a\n1\n-999\n\n");
    let options = ReadOptions { missing: vec!["-999".into()], ..ReadOptions::default() };
    assert_eq!(cells(&Table::read(&path, &options).unwrap(), "a"), some(&["1", ""]));
}

#[test]
fn a_table_that_cannot_be_written_leaves_the_old_one() {
    let (folder, path) = file("t.npy", "old");
    let table = csv("a,b\n1,x\n").unwrap();
    let message = table.write(&path).unwrap_err().to_string();
    assert!(message.contains("numbers only") && message.contains("\"b\""), "{message}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert!(table.write(&folder.path().join("no/such/t.csv")).is_err());
}

#[test]
fn a_table_goes_below_another_by_the_names_of_its_columns() {
    let read = |text: &str| {
        let (_folder, path) = file("a.csv", text);
        Table::read(&path, &ReadOptions::default()).unwrap()
    };
    let above = read("a,b,c\n1,x,5\n2,y,6\n");
    let below = read("c,d,a\n0.5,9,3.25\n");
    let both = above.stacked(&below);
    let cells = |name: &str| -> Vec<Option<String>> {
        let column = both.column(name).unwrap();
        (0..both.len()).map(|row| column.cell(row)).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(cells("a"), [some("1.00"), some("2.00"), some("3.25")]);
    assert_eq!(cells("b"), [some("x"), some("y"), None]);
    assert_eq!(cells("c"), [some("5.0"), some("6.0"), some("0.5")]);
    assert!(both.column("d").is_none());
    // Words and numbers are words.
    let words = above.stacked(&read("a,b,c\n7,2,z\n"));
    assert_eq!(words.column("c").unwrap().cell(0), some("5"));
    assert_eq!(words.column("c").unwrap().cell(2), some("z"));
}
