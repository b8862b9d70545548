//! Sets by their name, from a folder of the user.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::fs;
use std::path::Path;

use flow_datasets::{Checksums, DatasetError, Files, IMAGE_SETS, Split, load, load_parts};

fn from(folder: &Path, checksums: Checksums) -> Files {
    Files { data_dir: Some(folder.to_owned()), checksums, ..Files::default() }
}

fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let sizes_be = sizes.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, 8, sizes.len() as u8].into_iter().chain(sizes_be).chain(data.iter().copied()).collect()
}

/// A folder that looks like MNIST, with one 1 × 1 image for each split.
fn small_mnist(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (prefix, pixel) in [("train", 100), ("t10k", 200)] {
        fs::write(folder.join(format!("{prefix}-images-idx3-ubyte")), idx(&[1, 1, 1], &[pixel]))
            .unwrap();
        fs::write(folder.join(format!("{prefix}-labels-idx1-ubyte")), idx(&[1], &[7])).unwrap();
    }
}

#[test]
fn each_split_has_its_own_files() {
    let folder = tempfile::tempdir().unwrap();
    small_mnist(&folder.path().join("fashion-mnist"));
    let files = from(folder.path(), Checksums::Ignore);
    let pixels = |split| load("fashion-mnist", split, &files).unwrap().pixels;
    assert_eq!(pixels(Split::Train), [100]);
    assert_eq!(pixels(Split::Test), [200]);
    let parts = load_parts("fashion-mnist", &files).unwrap();
    assert_eq!((parts.train.pixels, parts.test.pixels), (vec![100], vec![200]));
    assert_eq!(parts.test.class_names[7], "Sneaker");
}

#[test]
fn files_that_are_not_the_published_ones_are_refused_by_default() {
    let folder = tempfile::tempdir().unwrap();
    small_mnist(folder.path());
    let verified = load_parts("mnist", &from(folder.path(), Checksums::Verify));
    assert!(matches!(verified, Err(DatasetError::Checksum { .. })), "{verified:?}");
    load_parts("mnist", &from(folder.path(), Checksums::Ignore)).unwrap();
}

#[test]
fn an_unknown_set_is_answered_with_the_known_ones() {
    let error = load_parts("mnits", &Files::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no data set is named \"mnits\"; known sets: digits, mnist, fashion-mnist, cifar10, folder"
    );
}

#[test]
fn digits_need_no_folder_and_no_network() {
    let nowhere = from(Path::new("/nowhere"), Checksums::Verify);
    assert_eq!(load("digits", Split::Test, &nowhere).unwrap().len(), 296);
}

#[test]
fn every_set_but_the_embedded_one_misses_its_files_in_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let files = from(folder.path(), Checksums::Verify);
    for name in IMAGE_SETS.iter().filter(|name| **name != "digits") {
        let error = load_parts(name, &files).unwrap_err();
        assert!(
            matches!(
                error,
                DatasetError::MissingFile { .. }
                    | DatasetError::Read { .. }
                    | DatasetError::NotBuilt { .. }
            ),
            "{name}: {error}"
        );
    }
}

#[cfg(feature = "folder")]
#[test]
fn a_class_folder_without_a_data_dir_asks_for_one() {
    let error = load_parts("folder", &Files::default()).unwrap_err();
    assert!(error.to_string().ends_with("name that folder with --data-dir"), "{error}");
}
