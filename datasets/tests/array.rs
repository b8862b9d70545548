//! Arrays from files, and a sentence for every file that is none.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "files keep every bit")]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;

use common::file;
use flow_datasets::table::Type;
use flow_datasets::{
    Array, ArrayError, ArrayFile, ArrayForm, ArrayHead, ArrayNames, ArrayOptions, Columns, Element,
    LabelledArray, Overrides, ReadOptions, SparseMatrix, Table, write_array,
};

/// An npy file by the text of its header.
fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut text = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}");
    text += &" ".repeat(63 - (10 + text.len()) % 64);
    text.push('\n');
    let length = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), data].concat()
}

fn read(bytes: &[u8]) -> Result<Array, String> {
    let (_folder, path) = file("a.npy", bytes);
    Array::read(&path, &ArrayOptions::default()).map_err(|error| error.to_string())
}

fn bytes<const N: usize>(numbers: &[[u8; N]]) -> Vec<u8> {
    numbers.concat()
}

#[test]
fn every_type_of_number_and_either_order_of_bytes_is_read() {
    let cases = [
        ("'<f4'", Element::F32, bytes(&[1.0_f32, -2.0].map(f32::to_le_bytes))),
        ("'>f4'", Element::F32, bytes(&[1.0_f32, -2.0].map(f32::to_be_bytes))),
        ("'<f8'", Element::F64, bytes(&[1.0_f64, -2.0].map(f64::to_le_bytes))),
        ("'>f8'", Element::F64, bytes(&[1.0_f64, -2.0].map(f64::to_be_bytes))),
        // 1 and -2 in 16 bits.
        ("'<f2'", Element::F16, vec![0x00, 0x3c, 0x00, 0xc0]),
        ("'|i1'", Element::I8, vec![1, 254]),
        ("'<i2'", Element::I16, bytes(&[1_i16, -2].map(i16::to_le_bytes))),
        ("'>i4'", Element::I32, bytes(&[1_i32, -2].map(i32::to_be_bytes))),
        ("'<i8'", Element::I64, bytes(&[1_i64, -2].map(i64::to_le_bytes))),
    ];
    for (descr, element, data) in cases {
        let array = read(&npy(descr, "False", "(1, 2)", &data)).unwrap();
        assert_eq!(
            (array.shape, array.values, array.element),
            (vec![1, 2], vec![1.0, -2.0], element)
        );
    }
    for (descr, data) in [("'|b1'", vec![1, 0]), ("'|u1'", vec![1, 0]), ("'<u2'", vec![1, 0, 0, 0])]
    {
        assert_eq!(
            read(&npy(descr, "False", "(2, 1)", &data)).unwrap().values,
            [1.0, 0.0],
            "{descr}"
        );
    }
}

#[test]
fn the_first_axis_fastest_gives_the_same_array() {
    let data = |order: &[f32]| bytes(&order.iter().map(|x| x.to_le_bytes()).collect::<Vec<_>>());
    let c = npy("'<f4'", "False", "(2, 3)", &data(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    let fortran = npy("'<f4'", "True", "(2, 3)", &data(&[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
    assert_eq!(read(&c).unwrap(), read(&fortran).unwrap());
    // The place of a number that is none is that in the array.
    let bad = npy("'<f4'", "True", "(2, 3)", &data(&[0.0, 3.0, 1.0, f32::NAN, 2.0, 5.0]));
    assert!(read(&bad).unwrap_err().contains("[1, 1]"), "{}", read(&bad).unwrap_err());
}

#[test]
fn what_is_no_array_of_numbers_is_refused_in_one_sentence() {
    let good = |descr: &str, shape: &str, n: usize| npy(descr, "False", shape, &vec![0; n]);
    let nan = npy("'<f4'", "False", "(1, 2)", &bytes(&[1.0, f32::INFINITY].map(f32::to_le_bytes)));
    let wide = npy("'<f8'", "False", "(1, 1)", &1e300_f64.to_le_bytes());
    let cut = good("'<f4'", "(2, 2)", 16);
    let cases: [(&[u8], &str); 18] = [
        (&good("'|O'", "(2, 2)", 16), "Python objects"),
        (&good("'<c8'", "(2, 1)", 16), "<c8"),
        (&good("'<U3'", "(2, 1)", 24), "<U3"),
        (&good("'<M8[D]'", "(2, 1)", 16), "<M8[D]"),
        (&good("[('a', '<f4'), ('b', '<i4')]", "(2, 1)", 16), "[('a', '<f4'), ('b', '<i4')]"),
        (&good("[('a', '|O')]", "(2, 1)", 16), "Python objects"),
        (&good("'<f4'", "(4,)", 16), "[n, d]"),
        (&good("'<f4'", "()", 4), "[n, d]"),
        (&good("'<f4'", "(1, 1, 1, 1, 4)", 16), "[n, d]"),
        (&good("'<f4'", "(0, 3)", 0), "no number"),
        (&good("'<f4'", "(2, 3)", 16), "24 are called for"),
        (&good("'<f4'", "(2, 1)", 16), "8 are called for"),
        (&good("'<f4'", "(4294967296, 4294967296)", 16), "bytes"),
        (&nan, "[0, 1]"),
        (&wide, "not finite as a 32-bit float"),
        (&cut[..60], "ends within its header"),
        (b"", "ends within its header"),
        (b"a,b\n1,2\n3,4\n", "does not begin like an npy"),
    ];
    for (content, piece) in cases {
        let message = read(content).unwrap_err();
        assert!(message.contains(piece), "{piece:?} is not in: {message}");
        assert!(message.contains("a.npy"), "{message}");
    }
}

#[test]
fn an_array_larger_than_the_memory_allowed_is_refused_before_it_is_held() {
    let (_folder, path) = file("a.npy", npy("'|u1'", "False", "(100, 100)", &[0; 10_000]));
    let options = ArrayOptions { max_bytes: 39_999, ..ArrayOptions::default() };
    let message = Array::read(&path, &options).unwrap_err().to_string();
    assert!(message.contains("needs 40000 bytes") && message.contains("pieces"), "{message}");
    let mut pieces = ArrayFile::open(&path).unwrap();
    assert_eq!(pieces.rows(7..9).unwrap(), [0.0; 200]);
}

/// A header is believed no further than the file is long, before anything is made of it.
#[test]
fn a_header_that_promises_more_than_the_file_has_is_refused() {
    for shape in ["(1099511627776, 2)", "(1099511627776, 2, 2)", "(1099511627776, 1, 2, 2)"] {
        let (_folder, path) = file("a.npy", npy("'<f4'", "False", shape, &[]));
        for message in [
            ArrayHead::read(&path, &ArrayNames::default()).unwrap_err().to_string(),
            ArrayFile::open(&path).unwrap_err().to_string(),
            Array::read(&path, &ArrayOptions::default()).unwrap_err().to_string(),
            Table::read(&path, &ReadOptions::default()).unwrap_err().to_string(),
        ] {
            assert!(message.contains("has 0 bytes behind its header"), "{shape}: {message}");
        }
    }
    let header = "{\"x\":{\"dtype\":\"U8\",\"shape\":[1099511627776,2],\
                  \"data_offsets\":[0,2199023255552]}}";
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
    let (_folder, path) = file("a.safetensors", bytes);
    let message = ArrayHead::read(&path, &ArrayNames::default()).unwrap_err().to_string();
    assert!(message.contains("ends before its last number"), "{message}");
}

/// Tables hold every value of an array, and write it as it was.
#[test]
fn a_table_of_an_array_keeps_values_and_type() {
    let whole = |x: [i64; 4]| bytes(&x.map(i64::to_le_bytes));
    let cases = [
        ("'<i8'", Element::I64, whole([123_456_789, -1, (1 << 53) - 1, 0])),
        ("'<f8'", Element::F64, bytes(&[0.1, 1e300, -1e-300, 3.0].map(f64::to_le_bytes))),
        ("'<f4'", Element::F32, bytes(&[0.1_f32, 1e30, -2.5, 3.0].map(f32::to_le_bytes))),
        ("'<f2'", Element::F16, vec![0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff, 0x7b]),
        ("'|i1'", Element::I8, vec![1, 254, 128, 127]),
        ("'|u1'", Element::U8, vec![0, 255, 7, 8]),
        ("'<u4'", Element::U32, bytes(&[u32::MAX, 0, 16_777_217, 3].map(u32::to_le_bytes))),
        ("'|b1'", Element::Bool, vec![0, 1, 1, 0]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let [from, to] = ["a.npy", "b.npy"].map(|name| folder.path().join(name));
    for (descr, element, data) in cases {
        fs::write(&from, npy(descr, "False", "(2, 2)", &data)).unwrap();
        let table = Table::read(&from, &ReadOptions::default()).unwrap();
        assert_eq!(table.columns()[0].ty, Type::Array { element }, "{descr}");
        table.write(&to).unwrap();
        // As NumPy lays it out: a header of whole 64 bytes, then the same bytes.
        assert!(fs::read(&to).unwrap().ends_with(&data), "{descr}");
        let [a, b] = [&from, &to].map(|path| {
            let array = Array::read_wide(path, &ArrayOptions::default()).unwrap();
            (array.shape, array.element, array.values)
        });
        assert_eq!(a, b, "{descr}");
        Array::read_wide(&from, &ArrayOptions::default()).unwrap().write_wide(&to).unwrap();
        assert!(fs::read(&to).unwrap().ends_with(&data), "{descr}");
    }
    // The largest float of 32 bits that a whole number near it becomes is another number.
    fs::write(&from, npy("'<i8'", "False", "(2, 2)", &whole([123_456_789, 1, 2, 3]))).unwrap();
    let narrow = Array::read(&from, &ArrayOptions::default()).unwrap();
    assert_eq!(narrow.values[0], 123_456_792.0);
}

#[test]
fn whole_numbers_that_no_float_holds_keep_their_digits_as_words() {
    let large = [i64::MAX, 1, -9_007_199_254_740_993, 2];
    let data = bytes(&large.map(i64::to_le_bytes));
    let (_folder, path) = file("a.npy", npy("'<i8'", "False", "(2, 2)", &data));
    let table = Table::read(&path, &ReadOptions::default()).unwrap();
    assert_eq!(table.columns()[0].cell(0).unwrap(), "9223372036854775807");
    assert_eq!(table.columns()[0].cell(1).unwrap(), "-9007199254740993");
    assert_eq!(table.columns()[1].ty, Type::Array { element: Element::I64 });
}

#[test]
fn nan_of_an_array_of_rank_two_are_missing_values_of_its_table() {
    let data = bytes(&[1.5_f32, f32::NAN, 2.5, 3.5].map(f32::to_le_bytes));
    let (folder, path) = file("a.npy", npy("'<f4'", "False", "(2, 2)", &data));
    let table = Table::read(&path, &ReadOptions::default()).unwrap();
    assert_eq!(table.columns()[1].missing(), 1);
    assert_eq!(table.columns()[1].cell(0), None);
    table.write(&folder.path().join("b.npy")).unwrap();
    assert!(fs::read(folder.path().join("b.npy")).unwrap().ends_with(&data));
    let message = Array::read(&path, &ArrayOptions::default()).unwrap_err().to_string();
    assert!(message.contains("[0, 1]") && message.contains("NaN are missing"), "{message}");
    // An infinite number is none of either, and named by its row and column.
    let data = bytes(&[1.5_f32, 0.5, 2.5, f32::INFINITY].map(f32::to_le_bytes));
    let (_folder, path) = file("a.npy", npy("'<f4'", "False", "(2, 2)", &data));
    let table = Table::read(&path, &ReadOptions::default()).unwrap();
    let message = Columns::guess(&table, &Overrides::default()).unwrap_err().to_string();
    assert!(message.contains("row 2") && message.contains("\"x2\""), "{message}");
}

#[test]
fn a_file_in_pieces_is_the_file_as_a_whole() {
    let values: Vec<[u8; 8]> = (0..60_i64).map(i64::to_be_bytes).collect();
    let (_folder, path) = file("a.npy", npy("'>i8'", "False", "(10, 3, 2)", &bytes(&values)));
    let whole = Array::read(&path, &ArrayOptions::default()).unwrap();
    let mut file = ArrayFile::open(&path).unwrap();
    assert_eq!(file.shape(), [10, 3, 2]);
    for rows in [0..10, 3..4, 9..10, 4..4] {
        let piece = file.rows(rows.clone()).unwrap();
        assert_eq!(piece, whole.values[rows.start * 6..rows.end * 6], "{rows:?}");
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_noticed() {
    let (_folder, path) = file("a.npy", npy("'<f4'", "False", "(2, 2)", &[0; 16]));
    let mut pieces = ArrayFile::open(&path).unwrap();
    fs::write(&path, npy("'<f4'", "False", "(2, 3)", &[0; 24])).unwrap();
    let message = pieces.rows(0..1).unwrap_err().to_string();
    assert!(message.contains("changed while it was read"), "{message}");
    let (_folder, path) = file("b.npy", npy("'<f4'", "True", "(2, 2)", &[0; 16]));
    assert!(ArrayFile::open(&path).unwrap_err().to_string().contains("ascontiguousarray"));
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let shapes: [&[usize]; 3] = [&[6, 4], &[2, 3, 4], &[2, 1, 3, 4]];
    for element in [
        Element::F32,
        Element::F64,
        Element::F16,
        Element::U8,
        Element::I16,
        Element::U32,
        Element::I64,
        Element::Bool,
    ] {
        for shape in shapes {
            let value = |i: usize| match element {
                Element::Bool => (i % 2) as f32,
                // Numbers that 16 bits hold.
                Element::F32 | Element::F64 | Element::F16 => i as f32 / 8.0 - 1.0,
                _ => i as f32,
            };
            let array =
                Array { shape: shape.to_vec(), values: (0..24).map(value).collect(), element };
            for name in ["a.npy", "a.npz", "a.safetensors"] {
                let path = folder.path().join(name);
                array.write(&path).unwrap();
                let read = Array::read(&path, &ArrayOptions::default()).unwrap();
                assert_eq!(read, array, "{name}");
            }
        }
    }
    // What a type cannot hold is the nearest that it can.
    let array = Array { shape: vec![1, 3], values: vec![-3.0, 6.5, 300.0], element: Element::U8 };
    array.write(&folder.path().join("a.npy")).unwrap();
    let read = Array::read(&folder.path().join("a.npy"), &ArrayOptions::default()).unwrap();
    assert_eq!(read.values, [0.0, 7.0, 255.0]);
    let array = Array { shape: vec![1, 1], values: vec![0.5], element: Element::F32 };
    assert!(array.write(&folder.path().join("a.txt")).is_err());
}

#[test]
fn classes_lie_beside_rows_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let form = ArrayForm { name: "x".into(), element: Element::F16, shape: vec![3, 1] };
    let labelled = |name: &str, asked: &ArrayNames| {
        let path = folder.path().join(name);
        LabelledArray::read(&path, asked, 1 << 20).map_err(|error| error.to_string())
    };
    for name in ["a.npz", "a.safetensors"] {
        let path = folder.path().join(name);
        write_array(&path, &form, Some(&[7, 3, 7]), |put| {
            put(&[0.5])?;
            put(&[1.5, 2.5])
        })
        .unwrap();
        let head = ArrayHead::read(&path, &ArrayNames::default()).unwrap();
        assert_eq!((head.shape, head.element), (vec![3, 1], Element::F16), "{name}");
        let read = labelled(name, &ArrayNames::default()).unwrap();
        assert_eq!(read.rows.values, [0.5, 1.5, 2.5]);
        let labels = read.labels.unwrap();
        assert_eq!(labels.of_rows, [1, 0, 1]);
        assert_eq!(labels.names, ["3", "7"], "whatever they are, they are numbered");
        assert_eq!(read.times, None);
        let times = ArrayNames { times: Some("y".into()), ..ArrayNames::default() };
        let read = labelled(name, &times).unwrap();
        assert_eq!((read.times, read.labels), (Some(vec![7.0, 3.0, 7.0]), None));
        let other = ArrayNames { classes: Some("z".into()), ..ArrayNames::default() };
        assert!(labelled(name, &other).unwrap_err().contains("it has no \"z\""));
        // Rows are not their own classes.
        let rows = ArrayNames { rows: Some("y".into()), ..ArrayNames::default() };
        assert!(labelled(name, &rows).unwrap_err().contains("[3]"));
    }
    let failed = write_array(&folder.path().join("b.npy"), &form, None, |_| {
        Err(ArrayError::Truncated { path: "elsewhere".into() })
    });
    assert!(failed.unwrap_err().to_string().contains("elsewhere"));
    assert!(!folder.path().join("b.npy").exists(), "nothing is left half-written");
}

#[test]
fn what_does_not_go_with_rows_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data: Vec<u8> = (0..6).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let view = |shape: Vec<usize>| {
        let length = 4 * shape.iter().product::<usize>();
        let dtype = safetensors::Dtype::F32;
        safetensors::tensor::TensorView::new(dtype, shape, &data[..length]).unwrap()
    };
    let read = |arrays: Vec<(&str, Vec<usize>)>| {
        let path = folder.path().join("a.safetensors");
        let arrays = arrays.into_iter().map(|(name, shape)| (name, view(shape)));
        fs::write(&path, safetensors::serialize(arrays, None).unwrap()).unwrap();
        let read = LabelledArray::read(&path, &ArrayNames::default(), 1 << 20);
        read.map(|read| read.names.rows.unwrap()).map_err(|error| error.to_string())
    };
    assert_eq!(read(vec![("z", vec![3, 2])]).unwrap(), "z");
    assert_eq!(read(vec![("x", vec![3, 2]), ("w", vec![1, 1])]).unwrap(), "x");
    assert!(read(vec![("v", vec![3, 2]), ("w", vec![1, 1])]).unwrap_err().contains("v, w"));
    let floats = read(vec![("x", vec![3, 2]), ("y", vec![3])]).unwrap_err();
    assert!(floats.contains("holds floats") && floats.contains("int64"), "{floats}");
    let others = read(vec![("x", vec![3, 2]), ("labels", vec![2])]).unwrap_err();
    assert!(others.contains("\"labels\"") && others.contains("3 rows"), "{others}");
    let path = folder.path().join("a.npy");
    fs::write(&path, npy("'<f4'", "False", "(2, 2)", &data[..16])).unwrap();
    let named = ArrayNames { rows: Some("x".into()), ..ArrayNames::default() };
    let message = LabelledArray::read(&path, &named, 1 << 20).unwrap_err().to_string();
    assert!(message.contains("numpy.savez"), "{message}");
}

#[test]
fn a_safetensors_file_gives_its_tensors_by_name() {
    let data: Vec<u8> = [1.0_f32, 2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let view = |shape: Vec<usize>| {
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape, &data).unwrap()
    };
    let one = safetensors::serialize([("x", view(vec![1, 2]))], None).unwrap();
    let (_folder, path) = file("a.safetensors", &one);
    assert_eq!(Array::read(&path, &ArrayOptions::default()).unwrap().values, [1.0, 2.0]);
    let two = safetensors::serialize([("x", view(vec![1, 2])), ("y", view(vec![2, 1]))], None);
    let (_folder, path) = file("b.safetensors", two.unwrap());
    let named = |name: Option<&str>| {
        let options = ArrayOptions { name: name.map(String::from), ..ArrayOptions::default() };
        Array::read(&path, &options).map(|array| array.shape).map_err(|error| error.to_string())
    };
    assert_eq!(named(Some("y")).unwrap(), [2, 1]);
    assert!(named(None).unwrap_err().contains("x, y"));
    assert!(named(Some("z")).unwrap_err().contains("\"z\""));
    let (_folder, path) = file("c.safetensors", &one[..one.len() - 1]);
    assert!(Array::read(&path, &ArrayOptions::default()).is_err());
    let message = Array::read(Path::new("x.mat"), &ArrayOptions::default()).unwrap_err();
    assert!(message.to_string().contains(".npy, .npz, .safetensors"));
}

/// An archive of arrays, each by its name, the text of its header and its bytes.
fn npz(path: &Path, arrays: &[(&str, &str, &str, Vec<u8>)]) {
    let mut archive = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, descr, shape, data) in arrays {
        archive.start_file(format!("{name}.npy"), zip::write::FileOptions::default()).unwrap();
        archive.write_all(&npy(descr, "False", shape, data)).unwrap();
    }
    archive.finish().unwrap();
}

fn whole(numbers: &[i32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// `scipy.sparse.csr_array([[0, 2, 0], [0.5, 0, -1]])` in the three forms that are read, with the
/// names and types of `save_npz`.
#[test]
fn a_sparse_matrix_is_the_same_by_rows_by_columns_and_by_entries() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    let shape: Vec<u8> = [2_i64, 3].iter().flat_map(|x| x.to_le_bytes()).collect();
    let floats = |numbers: [f64; 3]| numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    let read = |format: &str, mut arrays: Vec<(&str, &str, &str, Vec<u8>)>, data: [f64; 3]| {
        arrays.push(("format", "'|S3'", "()", format.into()));
        arrays.push(("shape", "'<i8'", "(2,)", shape.clone()));
        arrays.push(("data", "'<f8'", "(3,)", floats(data)));
        npz(&path, &arrays);
        SparseMatrix::read(&path, 1 << 20).map_err(|error| error.to_string())
    };
    let three = |name, numbers: [i32; 3]| (name, "'<i4'", "(3,)", whole(&numbers));
    let four = |numbers: [i32; 4]| ("indptr", "'<i4'", "(4,)", whole(&numbers));
    let by_rows = |starts| vec![three("indices", [1, 0, 2]), three("indptr", starts)];
    let rows = read("csr", by_rows([0, 1, 3]), [2.0, 0.5, -1.0]).unwrap();
    assert_eq!(rows.shape, [2, 3]);
    assert_eq!(rows.entries, [(0, 1, 2.0), (1, 0, 0.5), (1, 2, -1.0)]);
    let by_columns = vec![three("indices", [1, 0, 1]), four([0, 1, 2, 3])];
    let mut columns = read("csc", by_columns, [0.5, 2.0, -1.0]).unwrap();
    columns.entries.sort_by_key(|entry| (entry.0, entry.1));
    assert_eq!(columns, rows);
    let entries = |columns| vec![three("row", [0, 1, 1]), three("col", columns)];
    assert_eq!(read("coo", entries([1, 0, 2]), [2.0, 0.5, -1.0]).unwrap(), rows);

    for (format, arrays, names) in [
        ("bsr", by_rows([0, 1, 3]), ["its format is bsr", "tocsr()"]),
        ("csr", by_rows([0, 1, 2]), ["indptr do not divide 3 entries", "a.npz"]),
        ("csr", by_rows([0, 4, 3]), ["indptr do not divide 3 entries", "a.npz"]),
        ("csr", by_rows([0, -1, 3]), ["its indptr hold -1", "a.npz"]),
        ("csc", by_rows([0, 1, 3]), ["indptr do not divide 3 entries", "a.npz"]),
        ("coo", entries([1, 0, 3]), ["the entry -1 at 1, 3 is none of 2 x 3", "a.npz"]),
    ] {
        let refused = read(format, arrays, [2.0, 0.5, -1.0]).unwrap_err();
        for name in names {
            assert!(refused.contains(name), "expected `{name}` in: {refused}");
        }
    }
    let refused = read("coo", entries([1, 0, 2]), [2.0, f64::NAN, -1.0]).unwrap_err();
    assert!(refused.contains("the entry NaN at 1, 0"), "{refused}");
    npz(&path, &[("x", "'<i4'", "(1,)", whole(&[1]))]);
    let refused = SparseMatrix::read(&path, 1 << 20).unwrap_err().to_string();
    assert!(refused.contains("holds no array format"), "{refused}");
}
