//! Damaged copies of every file that data are read from: each is refused or read, and nothing else.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stdout, reason = "the table of `cargo xtask torture`")]

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use flow_datasets::{Array, ArrayFile, ArrayOptions, ReadOptions, SparseMatrix, Table, cifar, idx};
use flow_testing::fuzz::fuzz;
use flow_testing::memory::Watch;

#[global_allocator]
static WATCH: Watch = Watch;

fn array(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend_from_slice(data);
    bytes
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn fuzz_idx_images_and_labels() {
    let folder = tempfile::tempdir().unwrap();
    let [images, labels] = ["images", "labels"].map(|name| folder.path().join(name));
    let good = [array(&[3, 4, 4], &[7; 48]), array(&[3], &[0, 1, 2])];
    let packed = good.each_ref().map(|bytes| packed(bytes));
    fs::write(&labels, &good[1]).unwrap();
    let corpus = [good[0].clone(), packed[0].clone()];
    let outcome = fuzz("idx images", &corpus, |bytes| {
        fs::write(&images, bytes).unwrap();
        idx::read(&images, &labels, 10).is_ok()
    });
    println!("{outcome}");
    fs::write(&images, &good[0]).unwrap();
    let corpus = [good[1].clone(), packed[1].clone()];
    let outcome = fuzz("idx labels", &corpus, |bytes| {
        fs::write(&labels, bytes).unwrap();
        idx::read(&images, &labels, 10).is_ok()
    });
    println!("{outcome}");
}

#[test]
fn fuzz_cifar_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data_batch_1.bin");
    let corpus = [[vec![3], vec![9; 3072]].concat().repeat(2)];
    let outcome = fuzz("CIFAR records", &corpus, |bytes| {
        fs::write(&path, bytes).unwrap();
        cifar::read(std::slice::from_ref(&path)).is_ok()
    });
    println!("{outcome}");
}

#[test]
fn fuzz_tables_of_text() {
    let folder = tempfile::tempdir().unwrap();
    let text = b"a,b,c\n1,0.50,x\n2,,\"y, z\"\n3,2.25,NA\n".repeat(3);
    for (name, good) in [("t.csv", text.clone()), ("t.csv.gz", packed(&text))] {
        let path = folder.path().join(name);
        let outcome = fuzz(name, &[good], |bytes| {
            fs::write(&path, bytes).unwrap();
            Table::read(&path, &ReadOptions::default()).is_ok()
        });
        println!("{outcome}");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn fuzz_tables_of_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let (text, path) = (folder.path().join("t.csv"), folder.path().join("t.parquet"));
    fs::write(&text, "a,b,c\n1,0.50,x\n2,,y\n3,2.25,NA\n").unwrap();
    Table::read(&text, &ReadOptions::default()).unwrap().write(&path).unwrap();
    let good = fs::read(&path).unwrap();
    let outcome = fuzz("parquet", &[good], |bytes| {
        fs::write(&path, bytes).unwrap();
        Table::read(&path, &ReadOptions::default()).is_ok()
    });
    println!("{outcome}");
}

#[test]
fn fuzz_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let [npy, npz] = ["a.npy", "a.npz"].map(|name| folder.path().join(name));
    let values: Vec<f32> = (0..24).map(|i| i as f32).collect();
    let array = Array { shape: vec![2, 3, 4], values, element: flow_datasets::Element::F32 };
    for path in [&npy, &npz] {
        array.write(path).unwrap();
        let outcome = fuzz(
            &format!("{}", path.extension().unwrap().display()),
            &[fs::read(path).unwrap()],
            |bytes| {
                fs::write(path, bytes).unwrap();
                let pieces = ArrayFile::open(path).and_then(|mut file| file.rows(0..1));
                Array::read(path, &ArrayOptions::default()).is_ok() || pieces.is_ok()
            },
        );
        println!("{outcome}");
    }
    let path = folder.path().join("a.safetensors");
    let data: Vec<u8> = array.values.iter().flat_map(|x| x.to_le_bytes()).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, array.shape, &data);
    let good = safetensors::serialize([("x", view.unwrap())], None).unwrap();
    let outcome = fuzz("safetensors", &[good], |bytes| {
        fs::write(&path, bytes).unwrap();
        Array::read(&path, &ArrayOptions::default()).is_ok()
    });
    println!("{outcome}");
}

#[test]
fn fuzz_sparse_matrices() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    for (name, descr, shape, data) in [
        ("format", "|S3", "()", &b"csr"[..]),
        ("shape", "|u1", "(2,)", &[2, 3]),
        ("indices", "|u1", "(3,)", &[1, 0, 2]),
        ("indptr", "|u1", "(3,)", &[0, 1, 3]),
        ("data", "|u1", "(3,)", &[7, 5, 9]),
    ] {
        let options = zip::write::FileOptions::default();
        archive.start_file(format!("{name}.npy"), options).unwrap();
        let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        let header = format!("{text:<117}\n");
        archive.write_all(b"\x93NUMPY\x01\x00\x76\x00").unwrap();
        archive.write_all(&[header.as_bytes(), data].concat()).unwrap();
    }
    archive.finish().unwrap();
    drop(archive);
    assert_eq!(SparseMatrix::read(&path, 1 << 20).unwrap().entries.len(), 3);
    let outcome = fuzz("sparse matrices", &[fs::read(&path).unwrap()], |bytes| {
        fs::write(&path, bytes).unwrap();
        SparseMatrix::read(&path, 1 << 20).is_ok()
    });
    println!("{outcome}");
}

#[cfg(feature = "folder")]
#[test]
fn fuzz_pictures_of_a_folder() {
    let root = tempfile::tempdir().unwrap();
    let picture = image::GrayImage::from_fn(8, 8, |x, y| image::Luma([(x * 20 + y) as u8]));
    let good = |format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let formats = [image::ImageFormat::Png, image::ImageFormat::Jpeg, image::ImageFormat::WebP];
    let corpus = formats.map(good);
    for part in ["train", "test"] {
        fs::create_dir_all(root.path().join(part).join("a")).unwrap();
        fs::write(root.path().join(part).join("a/0.png"), &corpus[0]).unwrap();
    }
    let path = root.path().join("train/a/1.png");
    let outcome = fuzz("pictures of a folder", &corpus, |bytes| {
        fs::write(&path, bytes).unwrap();
        flow_datasets::folder::read(root.path()).is_ok()
    });
    println!("{outcome}");
}
