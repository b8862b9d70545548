//! A file of records as CIFAR-10 has them, to train on in place of the published archive: one of
//! its batches, or a part of one.

use std::fs;
use std::path::{Path, PathBuf};

use flow_datasets::table::by_hash;
use flow_datasets::{Files, Holdout, Images, Parts, cifar};
use sha2::{Digest, Sha256};

use crate::array::in_two;
use crate::error::{RunError, usage};
use crate::memory;
use crate::recipe::Data;

/// Copies of a byte of the file in memory: itself and, as it is trained on, a number of single
/// precision.
const COPIES: f64 = 5.0;

/// Images to train with and held out: a tenth by a hash of the image, unless `data.split` says
/// another share or another file. A relative name is that of a file of the folder of `--data-dir`
/// where there is none in this one.
///
/// # Errors
/// When a file cannot be read or holds no whole records, or a part would have next to none.
pub(crate) fn open(data: &Data, file: &Path, files: &Files) -> Result<Parts, RunError> {
    let file = found(file, files)?;
    let images = read(&file)?;
    let (train, test) = match &data.split {
        Some(Holdout::File { path }) => (images, read(&found(path, files)?)?),
        Some(Holdout::Hash { share }) => by_share(&file, &images, *share)?,
        None => by_share(&file, &images, 0.1)?,
        Some(_) => {
            return Err(usage!(
                "data.split of images is {{ kind = \"hash\", share = 0.1 }}, or {{ kind = \
                 \"file\", path = FILE }}"
            ));
        }
    };
    Ok(Parts { train, test, left_out: Vec::new() })
}

fn found(file: &Path, files: &Files) -> Result<PathBuf, RunError> {
    let below = files.data_dir.as_ref().map(|folder| folder.join(file));
    match below {
        _ if file.exists() => Ok(file.to_owned()),
        Some(below) if below.exists() => Ok(below),
        Some(below) => {
            Err(usage!("data.file: there is neither {} nor {}", file.display(), below.display()))
        }
        None => Err(usage!(
            "data.file: there is no {}, name the folder that has it with --data-dir",
            file.display()
        )),
    }
}

fn read(file: &Path) -> Result<Images, RunError> {
    let bytes = fs::metadata(file).map_or(0, |about| about.len());
    memory::check("data.file", &file.display().to_string(), COPIES * bytes as f64)?;
    Ok(cifar::read(&[file.to_owned()])?)
}

fn by_share(file: &Path, images: &Images, share: f64) -> Result<(Images, Images), RunError> {
    let hash = |i: usize| {
        let digest = Sha256::digest(images.image(i));
        u64::from_be_bytes(*digest.first_chunk().expect("a digest has 32 bytes"))
    };
    let hashes: Vec<u64> = (0..images.len()).map(hash).collect();
    let all: Vec<usize> = (0..images.len()).collect();
    let [train, test] = in_two(file, &all, &by_hash(&hashes, share)?)?;
    Ok((images.select(&train), images.select(&test)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of one colour: record `i` has the label `i mod 10` and pixels of `i`.
    fn records(range: std::ops::Range<u8>) -> Vec<u8> {
        range.flat_map(|i| [vec![i % 10], vec![i; 3072]].concat()).collect()
    }

    fn data(changes: &[&str]) -> Result<Data, RunError> {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let registry = flow_model::Registry::default();
        Ok(crate::Recipe::named(&registry, "cifar16", &changes)?.data)
    }

    #[test]
    fn a_tenth_is_held_out_whatever_the_order_of_the_records() {
        let folder = tempfile::tempdir().unwrap();
        let open = |bytes: Vec<u8>| {
            let file = folder.path().join("batch.bin");
            fs::write(&file, bytes).unwrap();
            super::open(&data(&[]).unwrap(), &file, &Files::default()).unwrap()
        };
        let Parts { train, test, .. } = open(records(0..200));
        assert_eq!(train.len() + test.len(), 200);
        // Binomial: mean 20, deviation 4.2.
        assert!((7..34).contains(&test.len()), "{} of 200 are held out", test.len());
        let sorted = |images: &Images| {
            let mut first: Vec<u8> = (0..images.len()).map(|i| images.image(i)[0]).collect();
            first.sort_unstable();
            first
        };
        let backward: Vec<u8> = records(0..200).chunks(3073).rev().flatten().copied().collect();
        assert_eq!(sorted(&open(backward).test), sorted(&test));
        for i in 0..test.len() {
            assert_eq!(test.labels[i], test.image(i)[0] % 10);
        }
    }

    #[test]
    fn another_file_is_held_out_and_files_are_found_in_the_folder_of_data() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.bin"), records(0..5)).unwrap();
        fs::write(folder.path().join("b.bin"), records(5..8)).unwrap();
        let files = Files { data_dir: Some(folder.path().to_owned()), ..Files::default() };
        let two = data(&["data.split={kind=\"file\",path=\"b.bin\"}", "data.file=a.bin"]).unwrap();
        let Parts { train, test, .. } = open(&two, Path::new("a.bin"), &files).unwrap();
        assert_eq!((train.labels, test.labels), (vec![0, 1, 2, 3, 4], vec![5, 6, 7]));
        let error = open(&two, Path::new("c.bin"), &files).unwrap_err().to_string();
        assert!(error.contains("neither c.bin nor") && error.contains("data.file"), "{error}");
        let error = open(&two, Path::new("c.bin"), &Files::default()).unwrap_err().to_string();
        assert!(error.contains("--data-dir"), "{error}");
        // Of five rows a hundredth is the one of the least hash, too few to measure with.
        let few = data(&["data.split={kind=\"hash\",share=0.01}", "data.file=a.bin"]).unwrap();
        let error = open(&few, Path::new("a.bin"), &files).unwrap_err().to_string();
        assert!(error.contains("held out") && error.contains("data.split.share"), "{error}");
    }
}
