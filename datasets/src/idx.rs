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

use crate::cache::{Source, read_unpacked};
use crate::manifest::RemoteSet;
use crate::{DatasetError, Images, Split};

/// Reads two IDX files, each gzip-compressed or plain: grey images `[n, height, width]` and their
/// labels `[n]`.
///
/// # Errors
/// If a file cannot be read or unpacked, is no IDX file of its rank, has too few or too many bytes,
/// if the counts differ, or if a label is not below `classes`.
pub fn read(images: &Path, labels: &Path, classes: usize) -> Result<Images, DatasetError> {
    let (image_bytes, label_bytes) = (read_unpacked(images)?, read_unpacked(labels)?);
    decode((images, &image_bytes), (labels, &label_bytes), classes)
}

/// MNIST or a set with the same file names.
pub(crate) fn load(
    name: &str,
    set: &RemoteSet,
    split: Split,
    source: &Source,
) -> Result<Images, DatasetError> {
    let prefix = match split {
        Split::Train => "train",
        Split::Test => "t10k",
    };
    let images = source.read(name, set, &format!("{prefix}-images-idx3-ubyte.gz"))?;
    let labels = source.read(name, set, &format!("{prefix}-labels-idx1-ubyte.gz"))?;
    decode((&images.path, &images.bytes), (&labels.path, &labels.bytes), 10)
}

fn decode(
    (image_path, image_bytes): (&Path, &[u8]),
    (label_path, label_bytes): (&Path, &[u8]),
    classes: usize,
) -> Result<Images, DatasetError> {
    let ([image_count, height, width], pixels) = array::<3>(image_path, image_bytes)?;
    let ([label_count], labels) = array::<1>(label_path, label_bytes)?;
    if image_count != label_count {
        return Err(DatasetError::CountMismatch {
            images: image_path.to_owned(),
            image_count,
            labels: label_path.to_owned(),
            label_count,
        });
    }
    if let Some(index) = labels.iter().position(|label| usize::from(*label) >= classes) {
        let (path, label) = (label_path.to_owned(), labels[index]);
        return Err(DatasetError::LabelOutOfRange { path, index, label, classes });
    }
    Ok(Images {
        pixels: pixels.to_vec(),
        labels: labels.to_vec(),
        channels: 1,
        height,
        width,
        classes,
        max_value: 255,
    })
}

/// Sizes and data of an array of bytes with `D` dimensions.
fn array<'a, const D: usize>(
    path: &Path,
    bytes: &'a [u8],
) -> Result<([usize; D], &'a [u8]), DatasetError> {
    let actual = bytes.len() as u64;
    let truncated = |expected| DatasetError::Truncated { path: path.to_owned(), expected, actual };
    let header = 4 * (1 + D);
    let (words, _) = bytes[..bytes.len().min(header)].as_chunks::<4>();
    let mut words = words.iter().map(|word| u32::from_be_bytes(*word));

    let magic = words.next().ok_or_else(|| truncated(header as u64))?;
    let expected = 0x0800 + D as u32;
    if magic != expected {
        return Err(DatasetError::IdxMagic { path: path.to_owned(), expected, actual: magic });
    }
    if bytes.len() < header {
        return Err(truncated(header as u64));
    }
    let mut sizes = [0; D];
    for (size, word) in sizes.iter_mut().zip(words) {
        *size = word as usize;
    }

    // A damaged header can call for more bytes than 64 bits count.
    let data = sizes.iter().fold(1_u64, |product, size| product.saturating_mul(*size as u64));
    let expected = data.saturating_add(header as u64);
    if actual < expected {
        return Err(truncated(expected));
    }
    if actual > expected {
        return Err(DatasetError::TrailingBytes { path: path.to_owned(), expected, actual });
    }
    Ok((sizes, &bytes[header..]))
}
