//! CIFAR-10 binary records: one byte of label, then 3 × 32 × 32 bytes of red, green and blue.
//!
//! # Reference
//! Krizhevsky (2009), "Learning Multiple Layers of Features from Tiny Images", technical report,
//! University of Toronto.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::cache::{Content, Files, read_file};
use crate::images::named;
use crate::manifest::RemoteSet;
use crate::{DatasetError, Images, Split};

const SIDE: usize = 32;
const RECORD: usize = 1 + 3 * SIDE * SIDE;
pub(crate) const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Reads files of CIFAR-10 records, one after the other.
///
/// # Errors
/// If a file cannot be read or unpacked, holds no record, ends within one, holds a label of 10 or
/// more, or unpacks to more than a gibibyte.
pub fn read(paths: &[PathBuf]) -> Result<Images, DatasetError> {
    let mut images = empty();
    for path in paths {
        let bytes = read_file(path)?;
        append(&mut images, path, &Content::of(path, &bytes).rest()?)?;
    }
    Ok(images)
}

/// Reads the batches of the split straight from the published archive.
pub(crate) fn load(
    name: &str,
    set: &RemoteSet,
    split: Split,
    files: &Files,
) -> Result<Images, DatasetError> {
    let archive = files.read(name, set, "cifar-10-binary.tar.gz")?;
    from_archive(&archive.path, &archive.bytes, split)
}

fn from_archive(path: &Path, bytes: &[u8], split: Split) -> Result<Images, DatasetError> {
    let wanted: Vec<String> = match split {
        Split::Train => (1..=5).map(|i| format!("data_batch_{i}.bin")).collect(),
        Split::Test => vec!["test_batch.bin".to_owned()],
    };
    let mut members = members(path, bytes, &wanted)?;
    let mut images = empty();
    for member in wanted {
        let Some(records) = members.remove(&member) else {
            return Err(DatasetError::MissingMember { archive: path.to_owned(), member });
        };
        append(&mut images, &path.join(member), &records)?;
    }
    Ok(images)
}

/// The members with the wanted file names, whatever their folder in the archive.
fn members(
    path: &Path,
    bytes: &[u8],
    wanted: &[String],
) -> Result<BTreeMap<String, Vec<u8>>, DatasetError> {
    let unpack = || DatasetError::unpack(path);
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    let mut found = BTreeMap::new();
    for entry in archive.entries().map_err(unpack())? {
        let mut entry = entry.map_err(unpack())?;
        let member = entry.path().map_err(unpack())?;
        let Some(name) = wanted.iter().find(|name| member.ends_with(name)) else {
            continue;
        };
        let records = Content::packed(path, &mut entry).rest()?;
        found.insert(name.clone(), records);
    }
    Ok(found)
}

fn empty() -> Images {
    Images {
        pixels: Vec::new(),
        labels: Vec::new(),
        channels: 3,
        height: SIDE,
        width: SIDE,
        class_names: named(&CLASSES),
        max_value: 255,
    }
}

fn append(images: &mut Images, path: &Path, bytes: &[u8]) -> Result<(), DatasetError> {
    let (records, rest) = bytes.as_chunks::<RECORD>();
    if bytes.is_empty() {
        return Err(DatasetError::NoPixels {
            path: path.to_owned(),
            sizes: vec![0, 3, SIDE, SIDE],
        });
    }
    if !rest.is_empty() {
        let (path, bytes) = (path.to_owned(), bytes.len() as u64);
        return Err(DatasetError::PartialRecord { path, bytes, record: RECORD });
    }
    for (index, [label, pixels @ ..]) in records.iter().enumerate() {
        if usize::from(*label) >= CLASSES.len() {
            let (path, label, classes) = (path.to_owned(), *label, CLASSES.len());
            return Err(DatasetError::LabelOutOfRange { path, index, label, classes });
        }
        images.labels.push(*label);
        images.pixels.extend_from_slice(pixels);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// Record `i` has label `i` and a red plane of `i`, a green one of `10 + i`, a blue one of
    /// `20 + i`.
    fn records(labels: &[u8]) -> Vec<u8> {
        let plane = |value| [value; SIDE * SIDE];
        let record =
            |i: &u8| [vec![*i], [plane(*i), plane(10 + i), plane(20 + i)].concat()].concat();
        labels.iter().flat_map(record).collect()
    }

    fn archive(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, bytes) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, format!("cifar-10-batches-bin/{name}"), &bytes[..])
                .unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn a_record_is_a_label_and_three_planes() {
        let mut images = empty();
        append(&mut images, Path::new("batch.bin"), &records(&[3, 7])).unwrap();
        assert_eq!(images.labels, [3, 7]);
        assert_eq!(images.pixels.len(), 2 * images.image_len());
        let second = images.image(1);
        assert_eq!((second[0], second[1024], second[2048], second[3071]), (7, 17, 27, 27));
    }

    #[test]
    fn a_cut_record_is_named_with_its_length() {
        let cut = &records(&[0, 1])[..6_000];
        let error = append(&mut empty(), Path::new("batch.bin"), cut).unwrap_err();
        assert_eq!(
            error.to_string(),
            "batch.bin has 6000 bytes, which is no whole number of records of 3073 bytes; \
             fetch the original again"
        );
    }

    #[test]
    fn a_label_of_ten_is_refused() {
        let error = append(&mut empty(), Path::new("batch.bin"), &records(&[0, 10])).unwrap_err();
        assert!(
            matches!(error, DatasetError::LabelOutOfRange { index: 1, label: 10, .. }),
            "{error}"
        );
    }

    #[test]
    fn batches_come_in_order_whatever_their_order_in_the_archive() {
        let batches = [5, 4, 3, 2, 1].map(|i| (format!("data_batch_{i}.bin"), records(&[i])));
        let mut members: Vec<_> = batches.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
        members.push(("test_batch.bin", records(&[9])));
        members.push(("readme.html", b"<p>".to_vec()));
        let bytes = archive(&members);
        let load = |split| from_archive(Path::new("a.tar.gz"), &bytes, split).unwrap().labels;
        assert_eq!(load(Split::Train), [1, 2, 3, 4, 5]);
        assert_eq!(load(Split::Test), [9]);
    }

    #[test]
    fn an_archive_without_a_batch_says_which() {
        let bytes = archive(&[("data_batch_1.bin", records(&[1]))]);
        let error = from_archive(Path::new("a.tar.gz"), &bytes, Split::Train).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a.tar.gz holds no data_batch_2.bin; fetch the original again"
        );
    }

    #[test]
    fn a_cut_archive_does_not_unpack() {
        let bytes = archive(&[("test_batch.bin", records(&[1, 2, 3]))]);
        let cut = &bytes[..bytes.len() / 2];
        let error = from_archive(Path::new("a.tar.gz"), cut, Split::Test).unwrap_err();
        assert!(matches!(error, DatasetError::Unpack { .. }), "{error}");
    }
}
