//! Damaged copies of every file that data are read from: each is refused or read, and nothing else.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stdout, reason = "the table of `cargo xtask torture`")]

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use flow_datasets::{cifar, idx};
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
