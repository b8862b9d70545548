//! IDX, the container of MNIST: a magic number, big-endian sizes, then bytes.
//!
//! ```text
//! 00 00 08 D      type 8 (unsigned byte), D dimensions
//! D × u32         sizes, big-endian
//! bytes           row-major, the last index fastest
//! ```
//!
//! # Reference
//! LeCun, Cortes & Burges, "The MNIST database of handwritten digits", file formats.

use std::path::Path;

use crate::cache::{Content, Files, read_file};
use crate::images::numbered;
use crate::manifest::RemoteSet;
use crate::{DatasetError, Images, Split, class_names};

/// What the pictures of Fashion-MNIST show.
pub(crate) const FASHION: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// Reads two IDX files, each gzip-compressed or plain: grey images `[n, height, width]` and their
/// labels `[n]`.
///
/// A compressed file is unpacked as far as its header says, and no further than a gibibyte.
///
/// # Errors
/// If a file cannot be read or unpacked, is no IDX file of its rank, has too few or too many bytes,
/// holds no pixel, if the counts differ, or if a label is not below `classes`.
pub fn read(images: &Path, labels: &Path, classes: usize) -> Result<Images, DatasetError> {
    let (image_bytes, label_bytes) = (read_file(images)?, read_file(labels)?);
    decode((images, &image_bytes), (labels, &label_bytes), numbered(classes))
}

/// MNIST or a set with the same file names.
pub(crate) fn load(
    name: &str,
    set: &RemoteSet,
    split: Split,
    files: &Files,
) -> Result<Images, DatasetError> {
    let prefix = match split {
        Split::Train => "train",
        Split::Test => "t10k",
    };
    let images = files.read(name, set, &format!("{prefix}-images-idx3-ubyte.gz"))?;
    let labels = files.read(name, set, &format!("{prefix}-labels-idx1-ubyte.gz"))?;
    let class_names = class_names(name);
    decode((&images.path, &images.bytes), (&labels.path, &labels.bytes), class_names)
}

fn decode(
    (image_path, image_bytes): (&Path, &[u8]),
    (label_path, label_bytes): (&Path, &[u8]),
    class_names: Vec<String>,
) -> Result<Images, DatasetError> {
    let (sizes, pixels) = array::<3>(image_path, image_bytes)?;
    let ([label_count], labels) = array::<1>(label_path, label_bytes)?;
    let [image_count, height, width] = sizes;
    if image_count != label_count {
        return Err(DatasetError::CountMismatch {
            images: image_path.to_owned(),
            image_count,
            labels: label_path.to_owned(),
            label_count,
        });
    }
    if pixels.is_empty() {
        let (path, sizes) = (image_path.to_owned(), sizes.to_vec());
        return Err(DatasetError::NoPixels { path, sizes });
    }
    let classes = class_names.len();
    if let Some(index) = labels.iter().position(|label| usize::from(*label) >= classes) {
        let (path, label) = (label_path.to_owned(), labels[index]);
        return Err(DatasetError::LabelOutOfRange { path, index, label, classes });
    }
    Ok(Images { pixels, labels, channels: 1, height, width, class_names, max_value: 255 })
}

/// Sizes and data of an array of bytes with `D` dimensions, read no further than one byte after its
/// end.
fn array<const D: usize>(path: &Path, bytes: &[u8]) -> Result<([usize; D], Vec<u8>), DatasetError> {
    let mut content = Content::of(path, bytes);
    let truncated = |expected, actual: usize| {
        let (path, actual) = (path.to_owned(), actual as u64);
        DatasetError::Truncated { path, expected, actual }
    };
    let length = 4 * (1 + D);
    let header = content.next(length as u64)?;
    let (words, _) = header.as_chunks::<4>();
    let mut words = words.iter().map(|word| u32::from_be_bytes(*word));

    let magic = words.next().ok_or_else(|| truncated(length as u64, header.len()))?;
    let expected = 0x0800 + D as u32;
    if magic != expected {
        return Err(DatasetError::IdxMagic { path: path.to_owned(), expected, actual: magic });
    }
    if header.len() < length {
        return Err(truncated(length as u64, header.len()));
    }
    let mut sizes = [0; D];
    for (size, word) in sizes.iter_mut().zip(words) {
        *size = word as usize;
    }

    // A damaged header can call for more bytes than 64 bits count.
    let count = sizes.iter().fold(1_u64, |product, size| product.saturating_mul(*size as u64));
    let expected = count.saturating_add(length as u64);
    let data = content.next(count.saturating_add(1))?;
    let actual = length + data.len();
    if (actual as u64) < expected {
        return Err(truncated(expected, actual));
    }
    if actual as u64 > expected {
        let (path, actual) = (path.to_owned(), actual as u64);
        return Err(DatasetError::TrailingBytes { path, expected, actual });
    }
    Ok((sizes, data))
}
