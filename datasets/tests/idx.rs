//! The IDX reader on small files made here: good ones, and one for each way of being bad.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use flow_datasets::{DatasetError, Images, idx};
use tempfile::TempDir;

/// Two images of 2 × 3.
const PIXELS: [u8; 12] = [0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255];

fn array(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend_from_slice(data);
    bytes
}

fn images() -> Vec<u8> {
    array(&[2, 2, 3], &PIXELS)
}

fn labels() -> Vec<u8> {
    array(&[2], &[9, 4])
}

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn files(images: &[u8], labels: &[u8]) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (image_path, label_path) = (folder.path().join("images"), folder.path().join("labels"));
    fs::write(&image_path, images).unwrap();
    fs::write(&label_path, labels).unwrap();
    (folder, image_path, label_path)
}

fn read(images: &[u8], labels: &[u8]) -> Result<Images, DatasetError> {
    let (_folder, image_path, label_path) = files(images, labels);
    idx::read(&image_path, &label_path, 10)
}

#[test]
fn sizes_pixels_and_labels_are_those_of_the_file() {
    let images = read(&images(), &labels()).unwrap();
    assert_eq!((images.channels, images.height, images.width), (1, 2, 3));
    assert_eq!((images.len(), images.classes(), images.max_value), (2, 10, 255));
    assert_eq!(images.pixels, PIXELS);
    assert_eq!(images.labels, [9, 4]);
}

#[test]
fn a_gzip_wrapper_changes_nothing() {
    assert_eq!(read(&gz(&images()), &gz(&labels())).unwrap(), read(&images(), &labels()).unwrap());
}

#[test]
fn swapped_files_are_told_by_their_magic_number() {
    let error = read(&labels(), &images()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("magic number 0x00000801, expected 0x00000803"), "{message}");
}

#[test]
fn every_cut_is_told_by_its_byte_counts() {
    let whole = images();
    for length in 0..whole.len() as u64 {
        let error = read(&whole[..length as usize], &labels()).unwrap_err();
        // Without a whole header, 16 bytes, the size of the data is not known yet.
        let known = if length < 16 { 16 } else { 28 };
        let DatasetError::Truncated { expected, actual, .. } = error else { panic!("{error}") };
        assert_eq!((expected, actual), (known, length));
    }
}

#[test]
fn a_truncated_file_is_named() {
    let (_folder, image_path, label_path) = files(&images()[..20], &labels());
    let error = idx::read(&image_path, &label_path, 10).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} is truncated: expected 28 bytes, got 20; fetch the original again",
            image_path.display()
        )
    );
}

#[test]
fn trailing_bytes_are_refused() {
    let error = read(&images(), &[labels(), vec![0]].concat()).unwrap_err();
    let DatasetError::TrailingBytes { expected, actual, .. } = error else { panic!("{error}") };
    assert_eq!((expected, actual), (10, 11));
}

#[test]
fn a_header_that_calls_for_more_bytes_than_exist_is_a_truncation() {
    let error = read(&array(&[u32::MAX; 3], &[]), &labels()).unwrap_err();
    assert!(matches!(error, DatasetError::Truncated { expected: u64::MAX, .. }), "{error}");
}

#[test]
fn a_label_too_few_is_refused_with_both_counts() {
    let error = read(&images(), &array(&[1], &[9])).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("has 2 images but") && message.contains("has 1 labels"), "{message}");
}

#[test]
fn a_label_beyond_the_classes_is_refused_with_its_place() {
    let error = read(&images(), &array(&[2], &[9, 10])).unwrap_err();
    assert!(matches!(error, DatasetError::LabelOutOfRange { index: 1, label: 10, .. }), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let (folder, image_path, _) = files(&images(), &labels());
    let error = idx::read(&image_path, &folder.path().join("nowhere"), 10).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("could not read ") && message.contains("nowhere"), "{message}");
}
