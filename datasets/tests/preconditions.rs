//! Every public function that takes numbers, over awkward numbers: a finite
//! result, an error or a documented panic, and never a number that is none.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "what was known is as it was, to the digit")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use flow_datasets::table::{Column, Text, Transform, TransformKind, Type, Values, by_hash};
use flow_datasets::{
    Array, ArrayError, ArrayFile, ArrayForm, Columns, Element, Encoder, GaussianMixture, Holes,
    Images, Overrides, ReadOptions, TOYS, Table, TableRows, Toy, idx, toy, write_array,
};
use flow_testing::{awkward, public};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What the functions promise: each panics as its doc says, or what it gives is finite.
fn finite_or_panic(what: &str, call: impl FnOnce() -> Vec<f64>) {
    if let Ok(values) = catch_unwind(AssertUnwindSafe(call)) {
        assert!(values.iter().all(|x| x.is_finite()), "{what} gives {values:?}");
    }
}

fn wide(points: Vec<f32>) -> Vec<f64> {
    points.into_iter().map(f64::from).collect()
}

fn images(n: usize, max_value: u8) -> Images {
    Images {
        pixels: (0..4 * n).map(|i| i as u8).collect(),
        labels: vec![0; n],
        channels: 1,
        height: 2,
        width: 2,
        class_names: vec!["a".into()],
        max_value,
    }
}

const ROWS: [&str; 26] = [
    "ArrayFile::rows",
    "by_hash",
    "Column::cell",
    "Encoder::decode",
    "Encoder::dequantise",
    "Encoder::log_jacobian",
    "Encoder::moved",
    "Holes::filled",
    "Table::select",
    "TableRows::missing",
    "TableRows::vectors",
    "Text::get",
    "Transform::fit",
    "Transform::forward",
    "Transform::inverse",
    "Transform::log_slope",
    "GaussianMixture::new",
    "GaussianMixture::on_a_circle",
    "GaussianMixture::six_on_a_ring",
    "ImageFiles::rows",
    "Images::image",
    "Images::normalised",
    "Images::select",
    "Images::shrunk",
    "Images::split_at",
    "read",
];

#[test]
fn no_function_makes_numbers_that_are_none() {
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &ROWS, &[]);
    let draw = |law: &dyn Toy| wide(law.sample(8, &mut ChaCha8Rng::seed_from_u64(0)));
    for (name, x) in awkward::SCALARS {
        finite_or_panic(&format!("a mixture about {name}"), || {
            draw(&GaussianMixture::new(vec![vec![x]], 1.0))
        });
        finite_or_panic(&format!("a mixture of spread {name}"), || {
            draw(&GaussianMixture::new(vec![vec![0.5]], x))
        });
        finite_or_panic(&format!("a ring of radius {name}"), || {
            draw(&GaussianMixture::six_on_a_ring(x))
        });
        for count in [0, 1, 8] {
            finite_or_panic(&format!("{count} centres at {name}"), || {
                draw(&GaussianMixture::on_a_circle(count, x, 0.1))
            });
        }
    }
    for (n, at) in [(0, 0), (1, 0), (1, 1), (3, 2), (3, usize::MAX)] {
        for max_value in [0, 1, 255] {
            let set = images(n, max_value);
            let what = format!("image {at} of {n} up to {max_value}");
            finite_or_panic(&what, || wide(set.normalised(at)));
            finite_or_panic(&what, || set.image(at).iter().copied().map(f64::from).collect());
            finite_or_panic(&what, || wide(set.select(&[at, at]).normalised(1)));
            finite_or_panic(&what, || wide(set.clone().split_at(at).0.normalised(0)));
        }
    }
    for factor in [0, 1, 2, 3, usize::MAX] {
        let small = images(3, 255).shrunk(factor);
        assert_eq!(small.is_ok_and(|small| small.len() == 3), [1, 2].contains(&factor));
    }
    // Idx files of every size that a byte of the header can name, with and without what it calls
    // for.
    let folder = tempfile::tempdir().unwrap();
    let (pictures, labels) = (folder.path().join("images"), folder.path().join("labels"));
    for sizes in [[0, 2, 2], [1, 0, 2], [1, 2, 0], [1, 2, 2], [2, 2, 2], [u32::MAX; 3]] {
        for classes in [0, 1, usize::from(u8::MAX)] {
            let head = |sizes: &[u32]| {
                let sizes_be = sizes.iter().flat_map(|size| size.to_be_bytes());
                [0, 0, 8, sizes.len() as u8].into_iter().chain(sizes_be).collect::<Vec<u8>>()
            };
            let (count, size) = (sizes[0].min(2), sizes.iter().map(|x| (*x).min(2)).product());
            let pixels: Vec<u8> = (0..size).map(|x: u32| x as u8).collect();
            fs::write(&pictures, [head(&sizes), pixels].concat()).unwrap();
            fs::write(&labels, [head(&sizes[..1]), vec![0; count as usize]].concat()).unwrap();
            if let Ok(read) = idx::read(&pictures, &labels, classes) {
                assert!(!read.is_empty() && read.image_len() > 0, "{sizes:?} of {classes}");
                assert!(read.normalised(0).iter().all(|x| x.is_finite()), "{sizes:?}");
            }
        }
    }
}

#[test]
fn toys_draw_no_point_and_one_point() {
    for name in TOYS {
        let toy = toy(name).unwrap();
        for n in [0, 1] {
            let points = toy.sample(n, &mut ChaCha8Rng::seed_from_u64(1));
            assert_eq!(points.len(), n * toy.dim(), "{name}");
        }
        // A point that is none lies in no set.
        if let Some(support) = toy.support() {
            let nowhere = vec![f32::NAN; toy.dim()];
            let far = vec![1e38; toy.dim()];
            assert!(!support.contains(&nowhere) && !support.contains(&far), "{name}");
        }
    }
}

const KINDS: [TransformKind; 6] = [
    TransformKind::Standard,
    TransformKind::MinMax,
    TransformKind::Log1p,
    TransformKind::Quantile,
    TransformKind::Logit([-1.0, 2.0]),
    TransformKind::Logit([-2e38, 2e38]),
];

/// A column of numbers beside one of words.
fn table(values: &[f64]) -> Table {
    let words = ["a", "b"].into_iter().cycle().map(Some).take(values.len());
    Table::new(vec![
        Column {
            name: "x".into(),
            ty: Type::Real { decimals: None },
            values: Values::Number(values.to_vec()),
        },
        Column { name: "c".into(), ty: Type::Text {}, values: Values::Text(words.collect()) },
    ])
    .unwrap()
}

#[test]
fn transforms_of_any_numbers_are_refused_or_finite_where_their_values_lie() {
    for (name, x) in awkward::SCALARS {
        for others in [vec![], vec![x; 3], vec![0.5, 2.0], vec![-1e38, 1e38]] {
            for kind in KINDS {
                let values = [vec![x], others.clone()].concat();
                let Some(transform) = Transform::fit(kind, &values) else { continue };
                for &y in values.iter().filter(|y| !y.is_nan()) {
                    let z = transform.forward(y);
                    let all = [z, transform.inverse(z), transform.log_slope(z)];
                    assert!(all.iter().all(|x| x.is_finite()), "{kind:?} of {name}: {all:?}");
                }
            }
        }
    }
}

#[test]
fn encoders_of_any_table_are_refused_or_give_finite_numbers() {
    for (name, x) in awkward::SCALARS {
        for rows in [vec![], vec![x], vec![x, x], vec![x, 0.5, 2.0], vec![x, 1e38, -1e38]] {
            let table = table(&rows);
            let what = format!("{name} among {} rows", rows.len());
            let Ok(columns) = Columns::guess(&table, &Overrides::default()) else { continue };
            let Ok(encoder) = Encoder::fit(&table, &columns) else { continue };
            for noise in [0.0, -0.5, 0.49] {
                let Ok(mut encoded) = encoder.encode(&table) else { continue };
                if 0 < encoder.width() {
                    encoder.dequantise(&mut encoded.rows, &mut || noise);
                }
                assert!(encoded.rows.iter().all(|x| x.is_finite()), "{what}");
                assert!(encoder.log_jacobian(&encoded.rows, None).iter().all(|x| x.is_finite()));
                let back = encoder.decode(&encoded.rows, Some(&table)).unwrap();
                assert_eq!(back.len(), table.len(), "{what}");
            }
            for z in [x as f32, f32::MAX, f32::MIN_POSITIVE] {
                let z = vec![z; encoder.width()];
                finite_or_panic(&what, || {
                    assert!(encoder.moved(&z).iter().all(|(_, count)| *count <= z.len()));
                    let Ok(drawn) = encoder.decode(&z, None) else { return Vec::new() };
                    let Values::Number(values) = &drawn.columns()[0].values else {
                        return Vec::new();
                    };
                    values.clone()
                });
            }
            finite_or_panic(&what, || encoder.log_jacobian(&vec![0.5; encoder.width() + 1], None));
        }
    }
}

#[test]
fn holes_are_filled_with_finite_numbers_or_not_at_all() {
    let known = table(&[0.5, 2.0, 3.0, 5.5]);
    let overrides = Overrides { given: vec!["c".into()], ..Overrides::default() };
    let columns = Columns::guess(&known, &overrides).unwrap();
    let encoder = Encoder::fit(&known, &columns).unwrap();
    let holes = vec![known.columns()[0].name.clone()];
    let (optional, reading) = (Vec::new(), ReadOptions::default());
    let rows = TableRows { masked: true, optional, holes, encoder, reading };
    let holed = table(&[0.5, f64::NAN]);
    let holes = Holes::new(&rows, &holed).unwrap();
    for (name, x) in awkward::SCALARS {
        let filled = holes.filled(&vec![x as f32; rows.encoder.width()], 1);
        let (Ok(filled), true) = (&filled, (x as f32).is_finite()) else {
            assert!(!(x as f32).is_finite(), "{name}: {filled:?}");
            continue;
        };
        let Values::Number(values) = &filled.columns()[0].values else { unreachable!() };
        assert!(values[0] == 0.5 && values[1].is_finite(), "{name}: {values:?}");
        // Condition vectors hold what they are given, and beside it whether it is known.
        let given = vec![x as f32; rows.encoder.given_width()];
        let mask = vec![0.0; given.len()];
        assert_eq!(rows.vectors(&given, &mask).len(), rows.vector());
        // A value is missing where its mask is zero, and nowhere else.
        let missing = rows.missing(&vec![x as f32; rows.encoder.width()]);
        let first = missing[0].as_ref().map(|missing| missing[0]);
        assert_eq!(first.is_none_or(|missing| missing > 0.5), (x as f32) == 0.0, "{name}");
    }
    assert!(rows.vectors(&[], &[]).is_empty());
    assert!(catch_unwind(AssertUnwindSafe(|| holes.filled(&[], 1))).is_err());
}

#[test]
fn rows_that_are_not_there_panic() {
    let table = table(&[1.0, 2.0]);
    let text: Text = [Some("a"), None].into_iter().collect();
    let panics = |call: &dyn Fn()| catch_unwind(AssertUnwindSafe(call)).is_err();
    for row in [0, 1, 2, usize::MAX] {
        assert_eq!(panics(&|| drop(table.select(&[row]))), 1 < row);
        assert_eq!(panics(&|| drop(table.columns()[0].cell(row))), 1 < row);
        assert_eq!(panics(&|| assert!(text.get(row).is_none_or(|word| word == "a"))), 1 < row);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let array = Array { shape: vec![2, 1], values: vec![1.0, 2.0], element: Element::F32 };
    array.write(&path).unwrap();
    for (start, end) in [(0, 2), (2, 2), (1, 0), (0, 3), (0, usize::MAX)] {
        let read = || drop(ArrayFile::open(&path).unwrap().rows(start..end).unwrap());
        assert_eq!(panics(&read), end < start || 2 < end, "{start}..{end}");
    }
    for (name, share) in awkward::SCALARS {
        match by_hash(&[1, u64::MAX], share) {
            Ok(held) => assert!((0.0..=1.0).contains(&share) && held[0], "{name}"),
            Err(error) => assert!(error.to_string().contains("between 0 and 1"), "{error}"),
        }
    }
    let form = ArrayForm { name: "x".into(), element: Element::F32, shape: vec![2, 1] };
    for n in 0..4 {
        let numbers = vec![1.5; n];
        let put = || write_array::<ArrayError>(&path, &form, None, |put| put(&numbers)).unwrap();
        assert_eq!(panics(&put), n != 2, "{n} of two numbers");
    }
}
