//! Encoding rows of a table, and what comes back.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "what is encoded twice is the same to the bit")]

mod common;

use common::{cells, csv, mixed, rows};
use flow_datasets::table::{Codec, Role, Unseen};
use flow_datasets::{Columns, Encoder, Overrides, Table};

fn fitted(table: &Table, overrides: &str) -> Encoder {
    let columns = Columns::guess(table, &toml::from_str(overrides).unwrap()).unwrap();
    Encoder::fit(table, &columns).unwrap()
}

/// The table as csv, by which cells, types and digits are compared at once.
fn text(table: &Table) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    table.write(&path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn what_was_encoded_comes_back_in_the_form_of_the_input() {
    let overrides = [
        "",
        "given = ['clinic', 'length']",
        "[transforms]\nlength = 'min-max'\nincome = 'quantile'\nvisits = 'quantile'",
        "[types]\nclinic = ['north', 'south', 'east']\nvisits = 'category'\nsmoker = 'integer'",
    ];
    let table = mixed();
    for overrides in overrides {
        let encoder = fitted(&table, overrides);
        let encoded = encoder.encode(&table).unwrap();
        let back = encoder.decode(&encoded.rows, Some(&table)).unwrap();
        let names = |table: &Table| {
            table.columns().iter().map(|c| (c.name.clone(), c.ty)).collect::<Vec<_>>()
        };
        assert_eq!(names(&back), names(&table), "{overrides}");
        for (at, column) in table.columns().iter().enumerate() {
            for row in 0..table.len() {
                // A missing value is encoded as 0 and comes back as some value.
                if let Some(cell) = column.cell(row) {
                    let got = back.columns()[at].cell(row).unwrap();
                    assert_eq!(got, cell, "{overrides}: row {row} of {}", column.name);
                }
            }
        }
    }
}

#[test]
fn missing_values_are_zero_and_masked() {
    let table = mixed();
    let encoder = fitted(&table, "given = ['clinic']");
    let encoded = encoder.encode(&table).unwrap();
    assert_eq!((encoded.width, encoded.given_width, encoded.n), (5, 3, 60));
    for row in 0..60 {
        let length = table.column("length").unwrap().cell(row);
        assert_eq!(encoded.mask[row * 5], f32::from(u8::from(length.is_some())));
        let given = &encoded.given[row * 3..row * 3 + 3];
        let given_mask = &encoded.given_mask[row * 3..row * 3 + 3];
        let clinic = table.column("clinic").unwrap().cell(row);
        let known = clinic.map_or([0.0; 3], |name| {
            ["east", "north", "south"].map(|known| if known == name { 1.0 } else { -1.0 })
        });
        assert_eq!(given, known);
        assert!(given_mask.iter().all(|&bit| bit == known[0].abs()));
    }
    assert!(encoded.rows.iter().zip(&encoded.mask).all(|(x, bit)| *bit == 1.0 || *x == 0.0));
}

#[test]
fn conditions_are_given_by_texts_or_by_a_table() {
    let table = mixed();
    let encoder = fitted(&table, "given = ['clinic', 'visits']");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let given = encoder.given(&[pair("clinic", "south")]).unwrap();
    let (values, mask) = encoder.encode_given(&given).unwrap();
    let spans: Vec<_> =
        encoder.spans(Role::Given).map(|(c, span)| (c.name.as_str(), span)).collect();
    assert_eq!(spans, [("visits", 0..1), ("clinic", 1..4)]);
    assert_eq!((&values[..], &mask[..]), (&[0.0, -1.0, -1.0, 1.0][..], &[0.0, 1.0, 1.0, 1.0][..]));
    // The rows that come out carry the conditions as they were given.
    let rows = vec![0.0; 3 * encoder.width()];
    let drawn = encoder.decode(&rows, Some(&given.select(&[0, 0, 0]))).unwrap();
    assert_eq!(cells(&drawn, "clinic"), vec![Some("south".to_owned()); 3]);
    assert_eq!(cells(&drawn, "visits"), vec![None; 3]);

    let message = |pairs: &[(String, String)]| match encoder.given(pairs) {
        Err(error) => error.to_string(),
        Ok(given) => encoder.encode_given(&given).unwrap_err().to_string(),
    };
    assert!(message(&[pair("age", "4")]).contains("\"clinic\""));
    assert!(message(&[pair("visits", "many")]).contains("number"));
    let unseen = message(&[pair("clinic", "west")]);
    for piece in ["row 1", "\"clinic\"", "\"west\"", "\"north\""] {
        assert!(unseen.contains(piece), "{unseen}");
    }
    assert!(message(&[pair("visits", "1"), pair("visits", "2")]).contains("two columns"));
}

#[test]
fn a_category_first_seen_later_is_named_or_counts_as_missing() {
    let train = csv("x,c\n1.5,a\n2.5,b\n3.5,a\n").unwrap();
    let test = csv("x,c\n1.5,b\n2.5,z\n").unwrap();
    let mut encoder = fitted(&train, "");
    let message = encoder.encode(&test).unwrap_err().to_string();
    for piece in ["row 2", "\"c\"", "\"z\"", "\"a\", \"b\""] {
        assert!(message.contains(piece), "{message}");
    }
    encoder.unseen = Unseen::Missing;
    assert_eq!(encoder.encode(&test).unwrap().mask, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn cells_that_cannot_be_encoded_are_named() {
    let train = csv("x,y\n1.5,0\n2.5,10\n1000.5,40\n3,6\n4,7\n5,9\n").unwrap();
    let encoder = fitted(&train, "[transforms]\nx = 'log1p'\ny = 'standard'");
    let message = |text: &str| encoder.encode(&csv(text).unwrap()).unwrap_err().to_string();
    assert!(message("x\n1\n").contains("no column \"y\""));
    assert!(message("x,y\n1,2\nlow,3\n").contains("row 2"));
    assert!(message("x,y\n1,2\n2,inf\n").contains("infinite"));
    let beyond = message("x,y\n1,2\n-2.5,3\n");
    assert!(beyond.contains("-2.5") && beyond.contains("log1p"), "{beyond}");
    // It is no f32, in whatever unit the network sees it.
    let wide = message("x,y\n1,1e300\n");
    assert!(wide.contains("is 1e300,") && wide.contains("beyond the range"), "{wide}");
}

#[test]
fn the_order_of_columns_and_rows_does_not_matter() {
    let table = mixed();
    let encoder = fitted(&table, "");
    let mut columns = table.columns().to_vec();
    columns.reverse();
    let turned = Table::new(columns).unwrap();
    assert_eq!(encoder.encode(&turned).unwrap(), encoder.encode(&table).unwrap());
    let backwards: Vec<usize> = (0..table.len()).rev().collect();
    let other = fitted(&table.select(&backwards), "");
    let (a, b) = (other.encode(&table).unwrap().rows, encoder.encode(&table).unwrap().rows);
    // Sums in another order differ by rounding.
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn an_encoder_is_stored_and_read_again_bit_for_bit() {
    let table = mixed();
    let overrides = "given = ['clinic']\n[transforms]\nvisits = 'quantile'\nlength = 'min-max'\n\
                     [types]\nsmoker = ['0', '1']";
    let encoder = fitted(&table, overrides);
    let stored = toml::to_string(&encoder).unwrap();
    let read: Encoder = toml::from_str(&stored).unwrap();
    assert_eq!(read, encoder, "{stored}");
    assert_eq!(read.encode(&table).unwrap(), encoder.encode(&table).unwrap());
}

#[test]
fn a_damaged_encoder_is_refused() {
    let stored = toml::to_string(&fitted(&mixed(), "")).unwrap();
    let scale = stored.lines().find(|line| line.starts_with("scale")).unwrap();
    for damage in ["scale = 0.0", "scale = -1.0", "scale = nan"] {
        let text = stored.replacen(scale, damage, 1);
        let message = toml::from_str::<Encoder>(&text).unwrap_err().to_string();
        assert!(message.contains("damaged"), "{message}");
    }
    assert!(toml::from_str::<Encoder>(&stored.replacen("clip", "clap", 1)).is_err());
}

#[test]
fn densities_are_in_the_units_of_the_table() {
    // A standard normal density of z integrates to one over x, whatever the transform.
    for transform in ["standard", "min-max", "log1p", "quantile"] {
        let table = rows("x", 50, |i| format!("{}.25", i * i % 50));
        let encoder = fitted(&table, &format!("[transforms]\nx = '{transform}'"));
        let Codec::Number { transform: f, .. } = &encoder.columns()[0].codec else { panic!() };
        let n = 20_000;
        let at = |i: i32| f.inverse(18.0 * f64::from(i) / f64::from(n) - 9.0);
        let mut sum = 0.0;
        for i in 0..n {
            let z = f.forward(0.5 * (at(i) + at(i + 1)));
            let normal = -0.5 * z * z - 0.5 * (2.0 * std::f64::consts::PI).ln();
            sum +=
                (at(i + 1) - at(i)) * (normal + encoder.log_jacobian(&[z as f32], None)[0]).exp();
        }
        // The midpoint rule in steps of 1e-3 of z, across the corners of up to 50 linear pieces.
        assert!((sum - 1.0).abs() < 1e-3, "{transform}: {sum}");
    }
}

#[test]
fn the_jacobian_leaves_out_what_is_missing_and_what_has_no_unit() {
    let table = mixed();
    let encoder = fitted(&table, "");
    let encoded = encoder.encode(&table).unwrap();
    let all = encoder.log_jacobian(&encoded.rows, None);
    let known = encoder.log_jacobian(&encoded.rows, Some(&encoded.mask));
    let holes = cells(&table, "length");
    for row in 0..table.len() {
        assert_eq!(all[row] == known[row], holes[row].is_some(), "row {row}");
    }
    let words = csv("c,d\na,x\nb,y\na,y\n").unwrap();
    let encoder = fitted(&words, "");
    assert_eq!(encoder.log_jacobian(&encoder.encode(&words).unwrap().rows, None), [0.0; 3]);
}

#[test]
fn noise_is_added_to_whole_numbers_alone() {
    let table = mixed();
    let encoder = fitted(&table, "");
    let plain = encoder.encode(&table).unwrap();
    assert!(encoder.has_whole());
    let mut row = 0.0;
    let mut noise = || {
        row += 1.0;
        (row - 1.0) / 60.0 - 0.5
    };
    let mut noisy = plain.clone();
    encoder.dequantise(&mut noisy.rows, &mut noise);
    let visits = encoder.spans(Role::Target).find(|(c, _)| c.name == "visits").unwrap().1.start;
    for (at, (a, b)) in plain.rows.iter().zip(&noisy.rows).enumerate() {
        assert_eq!(a == b, at % plain.width != visits || at / plain.width == 30, "{at}");
    }
    // Half a step changes nothing that comes out.
    let back = |rows: &[f32]| cells(&encoder.decode(rows, None).unwrap(), "visits");
    let mut moved = plain.clone();
    encoder.dequantise(&mut moved.rows, &mut || 0.49);
    assert_eq!(back(&moved.rows), back(&plain.rows));
}

#[test]
fn samples_stay_within_their_kind_and_range() {
    let table = mixed();
    let mut encoder = fitted(&table, "");
    let far: Vec<f32> =
        (0..encoder.width() * 2).map(|i| if i % 2 == 0 { 50.0 } else { -50.0 }).collect();
    let drawn = encoder.decode(&far, None).unwrap();
    let whole = cells(&drawn, "visits");
    assert!(whole.iter().all(|cell| ["0", "8"].contains(&cell.as_deref().unwrap())), "{whole:?}");
    let length = |table: &Table| cells(table, "length")[0].clone().unwrap().parse::<f64>().unwrap();
    assert_eq!(length(&drawn), 185.5);
    // Both rows lie beyond; whole numbers are rounded in any case.
    let moved = encoder.moved(&far);
    assert!(moved.contains(&("length".into(), 2)), "{moved:?}");
    assert!(moved.iter().all(|(column, _)| column != "visits"), "{moved:?}");
    encoder.clip = false;
    assert!(encoder.moved(&far).is_empty());
    assert!(185.5 < length(&encoder.decode(&far, None).unwrap()));
    let nothing = vec![f32::NAN; encoder.width()];
    let message = encoder.decode(&nothing, None).unwrap_err().to_string();
    assert!(message.contains("sample 1") && message.contains("\"length\""), "{message}");
}

#[test]
fn a_column_that_the_training_rows_lack_is_said() {
    let table = csv("x,y\n1.5,1\n2.5,2\n3.5,\n").unwrap();
    let columns = Columns::guess(&table, &Overrides::default()).unwrap();
    let message = Encoder::fit(&table.select(&[2]), &columns).unwrap_err().to_string();
    assert!(message.contains("\"y\"") && message.contains("no value"), "{message}");
    // One row has no spread, and is moved to zero.
    let one = Encoder::fit(&table.select(&[0]), &columns).unwrap();
    assert_eq!(
        text(&one.decode(&one.encode(&table.select(&[0])).unwrap().rows, None).unwrap()),
        "x,y\n1.5,1\n"
    );
}
