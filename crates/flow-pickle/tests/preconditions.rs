//! No public function takes numbers but the most bytes that a file may have: the numbers are those
//! of the files. Whatever stands in them, an array is whole or refused in a sentence.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::io::{Cursor, Write as _};

use flow_pickle::{Checkpoint, Part, ReadError};
use flow_testing::awkward::SCALARS;
use flow_testing::public;

const MOST: u64 = 1 << 20;

/// Whole numbers of 64 bits at which sizes break.
const WHOLE: [i64; 10] = [0, 1, 2, 3, -1, 1 << 31, -(1 << 40), 1 << 61, i64::MAX, i64::MIN];

/// The part of a file, each of whose arrays has as many numbers as its shape says.
fn read(bytes: Vec<u8>, most: u64) -> Result<Part, ReadError> {
    let found = Checkpoint::parse(bytes, most).and_then(|checkpoint| checkpoint.part(""));
    match &found {
        Ok(part) => {
            for (name, array) in &part.arrays {
                let size =
                    array.shape.iter().try_fold(1_usize, |size, &side| size.checked_mul(side));
                assert_eq!(size, Some(array.numbers.len()), "{name}: {:?}", array.shape);
            }
        }
        Err(error) => assert!(15 < error.to_string().len(), "{error}"),
    }
    found
}

/// A safetensors file of one array with what its head says of it.
fn safetensors(kind: &str, shape: &str, offsets: &str, data: &[u8]) -> Vec<u8> {
    let head = format!(r#"{{"a":{{"dtype":"{kind}","shape":{shape},"data_offsets":{offsets}}}}}"#);
    [&(head.len() as u64).to_le_bytes(), head.as_bytes(), data].concat()
}

/// A whole number as Python pickles those of more than 32 bits.
fn long(number: i64) -> Vec<u8> {
    [&[0x8a, 8][..], &number.to_le_bytes()].concat()
}

fn tuple(items: &[i64]) -> Vec<u8> {
    let items: Vec<u8> = items.iter().flat_map(|&item| long(item)).collect();
    [b"(", &*items, b"t"].concat()
}

/// A file of PyTorch with one array of six numbers of single precision.
fn archive(offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let text =
        |text: &str| [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
    let storage = [
        &b"("[..],
        &text("storage"),
        b"ctorch\nFloatStorage\n",
        &text("0"),
        &text("cpu"),
        &long(6),
        b"tQ",
    ];
    let view = [
        b"ctorch._utils\n_rebuild_tensor_v2\n(",
        &*storage.concat(),
        &long(offset),
        &tuple(shape),
        &tuple(strides),
        b"\x89)tR",
    ];
    let state = [b"\x80\x02}", &*text("a"), &view.concat(), b"s."].concat();
    let numbers: Vec<u8> = (0..6_u8).flat_map(|i| f32::from(i).to_le_bytes()).collect();
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("w/data.pkl", state), ("w/data/0", numbers)] {
        archive.start_file(name, zip::write::FileOptions::default()).unwrap();
        archive.write_all(&bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn no_public_function_takes_numbers() {
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &[], &[]);
}

#[test]
fn awkward_sizes_of_safetensors_are_whole_arrays_or_refused() {
    let six = [0; 24];
    let good = read(safetensors("F32", "[2,3]", "[0,24]", &six), MOST).unwrap();
    assert_eq!(good.arrays["a"].shape, [2, 3]);
    for sizes in [
        "[0]",
        "[0,9223372036854775807]",
        "[]",
        "[-1]",
        "[1.5]",
        "[6e0]",
        "[1e999]",
        "[null]",
        "[6,-1,-1]",
        "[18446744073709551615]",
        "[18446744073709551616]",
        "[NaN]",
        "6",
    ] {
        for offsets in [
            "[0,24]",
            "[0,0]",
            "[24,0]",
            "[0,25]",
            "[-1,24]",
            "[1,24]",
            "[0,4]",
            "[0,18446744073709551615]",
            "[9223372036854775807,9223372036854775807]",
            "[0]",
            "[]",
        ] {
            let found = read(safetensors("F32", sizes, offsets, &six), MOST);
            // A file must be all of its arrays: one of no numbers needs one of no bytes.
            assert!(found.is_err(), "{sizes} {offsets}: {found:?}");
            let fits = matches!((sizes, offsets), ("[0]" | "[0,9223372036854775807]", "[0,0]"));
            let empty = read(safetensors("F32", sizes, offsets, &[]), MOST);
            assert_eq!(empty.is_ok(), fits, "{sizes} {offsets}: {empty:?}");
        }
    }
}

#[test]
fn awkward_sizes_of_pytorch_are_whole_arrays_or_refused() {
    let good = read(archive(1, &[1, 2], &[2, 1]), MOST).unwrap();
    assert_eq!(good.arrays["a"].numbers, [1.0, 2.0]);
    for a in WHOLE {
        let found = read(archive(a, &[2], &[1]), MOST);
        assert_eq!(found.is_ok(), (0..=4).contains(&a), "offset {a}: {found:?}");
        let found = read(archive(0, &[a], &[1]), MOST);
        assert_eq!(found.is_ok(), (0..=6).contains(&a), "side {a}: {found:?}");
        let found = read(archive(0, &[2], &[a]), MOST);
        assert_eq!(found.is_ok(), (0..=5).contains(&a), "stride {a}: {found:?}");
        for b in WHOLE {
            // Of no numbers there may be any: a side of any length beside one of none.
            let _ = read(archive(0, &[a, b], &[b, 1]), MOST);
            let _ = read(archive(b, &[a], &[1]), MOST);
            let _ = read(archive(a, &[], &[b]), MOST);
        }
    }
    let many = vec![1; 9];
    let sides = read(archive(0, &many, &many), MOST).unwrap_err().to_string();
    assert_eq!(sides, "an array has more than 8 sides");
    let gaps = read(archive(0, &[2], &[-(1 << 40)]), MOST).unwrap_err().to_string();
    assert_eq!(gaps, "a size is negative");
}

#[test]
fn awkward_numbers_are_kept_or_refused_with_their_array() {
    for (name, x) in SCALARS {
        let single = x as f32;
        for (kind, bytes) in
            [("F64", x.to_le_bytes().to_vec()), ("F32", single.to_le_bytes().into())]
        {
            let offsets = format!("[0,{}]", bytes.len());
            let part = read(safetensors(kind, "[1]", &offsets, &bytes), MOST).unwrap();
            let kept = part.arrays["a"].numbers[0];
            assert!(kept.to_bits() == single.to_bits() || kept.is_nan() && x.is_nan(), "{name}");
        }
    }
    for x in [1e300, -1e39, f64::MAX, f64::MIN] {
        let refused = read(safetensors("F64", "[1]", "[0,8]", &x.to_le_bytes()), MOST);
        let said = refused.unwrap_err().to_string();
        assert_eq!(
            said,
            format!("the array `a` holds {x:e}, which is too large for single precision")
        );
    }
    // What is too small is zero in single precision.
    let tiny = read(safetensors("F64", "[1]", "[0,8]", &5e-324_f64.to_le_bytes()), MOST).unwrap();
    assert_eq!(tiny.arrays["a"].numbers, [0.0]);
}

#[test]
fn no_limit_lets_more_through_than_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pt");
    for bytes in [archive(0, &[6], &[1]), safetensors("F32", "[6]", "[0,24]", &[0; 24])] {
        for (most, fits) in [(0, false), (1, false), (23, false), (24, true), (u64::MAX, true)] {
            assert_eq!(read(bytes.clone(), most).is_ok(), fits, "{most}");
            std::fs::write(&path, &bytes).unwrap();
            let opened = Checkpoint::open(&path, most);
            assert_eq!(opened.is_ok(), bytes.len() as u64 <= most, "{most}");
        }
    }
}
