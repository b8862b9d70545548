//! Data sets in host memory: tables and arrays of your own, seeded toys, embedded digits, IDX and
//! CIFAR-10 readers, verified downloads.
//!
//! - [`table`] reads csv, tsv and Parquet, guesses what columns are, encodes rows as numbers and
//!   decodes them; [`array`] reads npy, npz and safetensors.
//! - [`toy`] gives distributions over points, each a formula with a seed: no file.
//! - [`digits`] gives real images of 8 × 8 pixels that are part of this crate: no file either.
//! - [`load`] gives a part of any image set by its name, and [`load_parts`] both. Files come from
//!   the folder of the user, else from a cache, else from the network, and are used only if their
//!   SHA-256 is the published one.
//!
//! Values are bytes or `f32` on the host; the crate knows no tensor and no device. The folder
//! `cards/` says of each set where it comes from, under which licence, how large it is and in which
//! range its values lie.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed test may panic"))]

use std::path::PathBuf;

pub mod array;
mod cache;
pub mod cifar;
mod decoding;
mod digits;
#[cfg(feature = "download")]
mod download;
mod error;
#[cfg(feature = "folder")]
pub mod folder;
pub mod idx;
mod image_files;
mod images;
mod manifest;
mod progress;
pub mod table;
mod toy;
mod words;

pub use array::{
    Array, ArrayError, ArrayFile, ArrayForm, ArrayHead, ArrayNames, ArrayOptions, Element,
    LabelledArray, Labels, SparseMatrix, write_array,
};
pub use cache::{Checksums, Download, Files, default_cache_dir};
pub use digits::digits;
pub use error::{Attempt, DatasetError, Refusal};
pub use image_files::ImageFiles;
pub use images::Images;
pub use progress::{Progress, ProgressFn};
pub use table::{
    Columns, Encoded, Encoder, Holdout, Holes, Overrides, ReadOptions, Table, TableError, TableRows,
};
pub use toy::{
    Checkerboard, Circles, GaussianMixture, Pinwheel, Spirals, Support, SwissRoll, TOYS, Toy,
    TwoMoons, toy,
};
pub use words::counted;

/// Names that [`load`] knows.
pub const IMAGE_SETS: &[&str] = &["digits", "mnist", "fashion-mnist", "cifar10", "folder"];

/// What the classes of a published set are called, in the order of their labels; nothing for other
/// names.
///
/// ```
/// assert_eq!(flow_datasets::class_names("cifar10")[2], "bird");
/// assert!(flow_datasets::class_names("checkerboard").is_empty());
/// ```
#[must_use]
pub fn class_names(set: &str) -> Vec<String> {
    match set {
        "digits" | "mnist" => images::numbered(10),
        "fashion-mnist" => images::named(&idx::FASHION),
        "cifar10" => images::named(&cifar::CLASSES),
        _ => Vec::new(),
    }
}

/// Part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// Images to learn from.
    Train,
    /// Images to measure with.
    Test,
}

/// Both parts of an image set: of one size, with the same channels and the same classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Images to learn from.
    pub train: Images,
    /// Images to measure with.
    pub test: Images,
    /// Files of class folders that are no images, and folders in them.
    pub left_out: Vec<PathBuf>,
}

/// Loads both parts of the image set of that name.
///
/// - `digits`: see [`digits`]; `files` is not asked.
/// - `mnist`, `fashion-mnist`: 60,000 + 10,000 grey images of 28 × 28.
/// - `cifar10`: 50,000 + 10,000 colour images of 32 × 32, from the archive of binary records.
/// - `folder`: PNG, JPEG and WebP files at `<data_dir>/train/<class>/` and
///   `<data_dir>/test/<class>/`; needs the feature `folder`.
///
/// # Errors
/// If no set has that name, if a file is missing, cannot be downloaded, is not the published one or
/// does not decode, or if the parts do not fit together.
pub fn load_parts(name: &str, files: &Files) -> Result<Parts, DatasetError> {
    if name == "folder" {
        return load_folder(files);
    }
    let part = |split| load(name, split, files);
    let (train, test) = (part(Split::Train)?, part(Split::Test)?);
    let size = |images: &Images| [images.channels, images.height, images.width];
    if size(&train) != size(&test) {
        let (set, train, test) = (name.to_owned(), size(&train), size(&test));
        return Err(DatasetError::PartsDiffer { set, train, test });
    }
    Ok(Parts { train, test, left_out: Vec::new() })
}

/// Loads the part `split` of the image set of that name, for which the other part is not opened
/// unless the set is a `folder`, whose classes and channels both parts decide.
///
/// # Errors
/// As [`load_parts`].
pub fn load(name: &str, split: Split, files: &Files) -> Result<Images, DatasetError> {
    if let Some(set) = manifest::remote_set(name) {
        let load = if name == "cifar10" { cifar::load } else { idx::load };
        return load(name, set, split, files);
    }
    match name {
        "digits" => Ok(digits(split)),
        "folder" => load_folder(files).map(|Parts { train, test, .. }| match split {
            Split::Train => train,
            Split::Test => test,
        }),
        _ => Err(DatasetError::UnknownSet { name: name.to_owned() }),
    }
}

#[cfg(feature = "folder")]
fn load_folder(files: &Files) -> Result<Parts, DatasetError> {
    let Some(root) = &files.data_dir else {
        return Err(DatasetError::NeedsDataDir { set: "folder".to_owned() });
    };
    folder::read(root)
}

#[cfg(not(feature = "folder"))]
fn load_folder(_: &Files) -> Result<Parts, DatasetError> {
    Err(DatasetError::NotBuilt { set: "folder".to_owned(), feature: "folder" })
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
