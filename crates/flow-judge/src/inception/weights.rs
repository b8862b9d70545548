//! Arrays of a `.safetensors` or a PyTorch file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use burn::tensor::TensorData;
use flow_nn::Weights;
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::pickle::{Pickle, View};
use super::{MOST_BYTES, at_most};
use crate::error::{JudgeError, usage};
use crate::malformed::{Malformed, OrMalformed, ensure};

/// What the description of the arrays in an archive may take; that of the network of FID takes 100
/// kilobytes.
const MOST_HEAD: u64 = 1 << 24;

/// The arrays of 32-bit numbers in a file, and its SHA-256.
pub(super) fn read(path: &Path) -> Result<(Weights, String), JudgeError> {
    let bytes = File::open(path).map_err(Into::into).and_then(|file| at_most(file, MOST_BYTES));
    let bytes = bytes.map_err(|source| JudgeError::Malformed {
        doing: format!("cannot read {}", path.display()),
        source,
    })?;
    let mut sha256 = String::new();
    for byte in Sha256::digest(&bytes) {
        let _ = write!(sha256, "{byte:02x}");
    }
    let weights = match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => safetensors(&bytes),
        Some("pth" | "pt") => pytorch(&bytes),
        _ => return Err(usage!("{} ends neither in .pth nor in .safetensors", path.display())),
    };
    let weights = weights.map_err(|source| {
        let path = path.display();
        let doing =
            format!("cannot read the arrays of {path}, save them as .safetensors with Python");
        JudgeError::Malformed { doing, source }
    })?;
    Ok((weights, sha256))
}

fn safetensors(bytes: &[u8]) -> Result<Weights, Malformed> {
    let mut arrays = Arrays::new(MOST_BYTES);
    for (name, view) in SafeTensors::deserialize(bytes)?.iter() {
        if view.dtype() == Dtype::F32 {
            arrays.insert(name.to_owned(), view.data(), view.shape().to_vec())?;
        }
    }
    Ok(arrays.weights)
}

/// A `torch.save` of a state: an archive since PyTorch 1.6, a row of pickles before.
fn pytorch(bytes: &[u8]) -> Result<Weights, Malformed> {
    if bytes.starts_with(b"PK") { archive(bytes) } else { legacy(bytes) }
}

fn archive(bytes: &[u8]) -> Result<Weights, Malformed> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    let head = names.iter().find(|name| name.ends_with("/data.pkl"));
    let head = head.or_malformed("the archive has no data.pkl")?;
    let folder = head.trim_end_matches("data.pkl");
    let state = Pickle::read(&mut at_most(archive.by_name(head)?, MOST_HEAD)?.as_slice())?;
    let mut left = MOST_BYTES;
    collect(&state, |storage| {
        let bytes = at_most(archive.by_name(&format!("{folder}data/{storage}"))?, left)?;
        left -= bytes.len() as u64;
        Ok(Cow::Owned(bytes))
    })
}

/// Pickles of a magic number, a version, the machine, the state and the names of its storages; then
/// each storage in that order, after its length.
fn legacy(bytes: &[u8]) -> Result<Weights, Malformed> {
    let mut rest = bytes;
    for _ in 0..3 {
        Pickle::read(&mut rest)?;
    }
    let state = Pickle::read(&mut rest)?;
    let names = Pickle::read(&mut rest)?;
    let names = names.texts().or_malformed("there is no list of storages")?;
    let views = state.arrays().into_iter().flatten();
    let widths: BTreeMap<&str, usize> =
        views.map(|(_, view)| (&*view.storage, view.width())).collect();
    let mut storages = BTreeMap::new();
    for name in names {
        let (count, after) = rest.split_first_chunk::<8>().or_malformed("the file is too short")?;
        let width = widths.get(name).copied().unwrap_or(4);
        let length = usize::try_from(u64::from_le_bytes(*count))?.checked_mul(width);
        let storage = length.and_then(|length| after.split_at_checked(length));
        let (storage, after) = storage.or_malformed("the file is too short")?;
        storages.insert(name, storage);
        rest = after;
    }
    collect(&state, |storage| {
        let bytes = storages.get(storage).or_malformed("a storage is missing")?;
        Ok(Cow::Borrowed(*bytes))
    })
}

/// The arrays of a state whose storages hold 32-bit numbers.
fn collect<'a>(
    state: &Pickle,
    mut storage: impl FnMut(&str) -> Result<Cow<'a, [u8]>, Malformed>,
) -> Result<Weights, Malformed> {
    let entries = state.arrays().or_malformed("it holds no dictionary of arrays")?;
    let mut arrays = Arrays::new(MOST_BYTES);
    for (name, view) in entries.filter(|(_, view)| &*view.kind == "torch.FloatStorage") {
        let View { storage: key, offset, shape, .. } = view;
        ensure!(view.is_contiguous(), "the array `{name}` is a view with gaps");
        let start = offset.checked_mul(4);
        let end = start.zip(byte_length(shape)).and_then(|(start, n)| start.checked_add(n));
        let (start, end) = start.zip(end).or_malformed("a view is beyond any storage")?;
        let bytes = storage(key)?;
        let numbers = bytes.get(start..end).or_malformed("a storage is too short")?;
        arrays.insert(name.to_owned(), numbers, shape.clone())?;
    }
    Ok(arrays.weights)
}

/// Bytes of an array of 32-bit numbers, where the address space holds so many.
fn byte_length(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(4_usize, |bytes, &side| bytes.checked_mul(side))
}

/// Arrays that are being read, with a limit for all of them: many may be views of the same bytes.
struct Arrays {
    weights: Weights,
    /// Bytes that may still be taken.
    left: u64,
}

impl Arrays {
    fn new(left: u64) -> Self {
        Self { weights: Weights::new(), left }
    }

    fn insert(&mut self, name: String, bytes: &[u8], shape: Vec<usize>) -> Result<(), Malformed> {
        let fits = byte_length(&shape) == Some(bytes.len());
        ensure!(fits, "an array of shape {shape:?} has {} bytes", bytes.len());
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.or_malformed("its arrays take more than a gibibyte")?;
        let numbers = bytes.as_chunks::<4>().0.iter();
        let numbers: Vec<f32> = numbers.map(|number| f32::from_le_bytes(*number)).collect();
        self.weights.insert(name, TensorData::new(numbers, shape));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use flow_run::sentence;

    use super::*;

    /// Written by `tests/reference/weights.py` with PyTorch and safetensors.
    const FILES: [&str; 3] = ["weights.pth", "weights-legacy.pth", "weights.safetensors"];

    fn reference(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name)
    }

    #[test]
    fn every_kind_of_file_gives_the_same_arrays() {
        for name in FILES {
            let (weights, sha256) = read(&reference(name)).unwrap();
            assert_eq!(sha256.len(), 64);
            let names: Vec<&str> = weights.keys().map(String::as_str).collect();
            assert_eq!(names, ["layer.bias", "layer.conv.weight", "tied"], "{name}");
            let values = |key: &str| weights[key].clone().try_into_vec::<f32>().unwrap();
            assert_eq!(values("layer.bias"), [0.5, -0.25], "{name}");
            let ramp: Vec<f32> = (0..12_u8).map(f32::from).collect();
            assert_eq!(values("layer.conv.weight"), ramp, "{name}");
            assert_eq!(weights["layer.conv.weight"].shape().as_slice(), [2, 3, 2, 1], "{name}");
            // The second half of the bias's storage.
            assert_eq!(values("tied"), [-0.25], "{name}");
        }
    }

    /// The whole chain of messages of a file of these bytes.
    fn refusal(name: &str, bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        sentence(&read(&path).unwrap_err())
    }

    fn safetensors_of(head: &str, data: &[u8]) -> Vec<u8> {
        [&(head.len() as u64).to_le_bytes(), head.as_bytes(), data].concat()
    }

    #[test]
    fn shapes_whose_product_leaves_the_range_of_numbers_are_refused() {
        for shape in ["[4294967296,4294967296]", "[9223372036854775808,2]", "[4611686018427387904]"]
        {
            let head = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,0]}}}}"#);
            let refusal = refusal("over.safetensors", &safetensors_of(&head, &[]));
            assert!(refusal.contains("over.safetensors"), "{refusal}");
        }
        let longest = refusal("head.safetensors", &[0xff; 20]);
        assert!(longest.contains("head.safetensors"), "{longest}");
        assert_eq!(byte_length(&[1 << 40, 1 << 40]), None);
        assert_eq!(byte_length(&[2, 0]), Some(0));
    }

    #[test]
    fn many_views_of_the_same_bytes_are_refused_before_they_fill_the_memory() {
        let mut arrays = Arrays::new(100);
        assert!(arrays.insert("a".into(), &[0; 60], vec![15]).is_ok());
        let error = arrays.insert("b".into(), &[0; 60], vec![15]).unwrap_err().to_string();
        assert!(error.contains("take more than a gibibyte"), "{error}");
        assert!(arrays.insert("c".into(), &[0; 40], vec![5, 2]).is_ok());
    }

    #[test]
    fn a_description_that_unpacks_to_more_than_networks_need_is_refused() {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("a/data.pkl", zip::write::FileOptions::default()).unwrap();
        archive.write_all(&vec![b'N'; MOST_HEAD as usize + 1]).unwrap();
        let bytes = archive.finish().unwrap().into_inner();
        assert!(bytes.len() < 100_000);
        let refusal = refusal("bomb.pth", &bytes);
        assert!(refusal.contains("more than 16777216 bytes"), "{refusal}");
    }

    #[test]
    fn a_state_that_is_no_dictionary_is_refused_in_a_sentence() {
        // Tuples within tuples, a hundred thousand deep, in place of each pickle.
        let deep = [b"\x80\x02)".to_vec(), b"\x85".repeat(100_000), b".".to_vec()].concat();
        let refusal = refusal("nest.pth", &deep.repeat(5));
        assert!(refusal.contains("nest.pth") && refusal.contains("no list of"), "{refusal}");
    }

    #[test]
    fn a_storage_that_claims_more_than_the_file_is_refused() {
        let mut bytes = fs::read(reference("weights-legacy.pth")).unwrap();
        // The numbers of a storage are counted in the eight bytes before them; 0.5 begins the bias.
        let numbers = [0.5_f32.to_le_bytes(), (-0.25_f32).to_le_bytes()].concat();
        let at = bytes.windows(8).rposition(|window| window == numbers).unwrap();
        for count in [1_u64 << 62, u64::MAX, 3] {
            bytes[at - 8..at].copy_from_slice(&count.to_le_bytes());
            assert!(refusal("legacy.pth", &bytes).contains("too short"), "{count}");
        }
    }

    #[test]
    fn a_file_that_was_cut_off_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in FILES {
            let bytes = fs::read(reference(name)).unwrap();
            for length in [0, 5, bytes.len() / 2, bytes.len() - 1] {
                let path = folder.path().join(name);
                fs::write(&path, &bytes[..length]).unwrap();
                let error = read(&path).unwrap_err().to_string();
                assert!(error.contains(name) && error.contains("safetensors"), "{error}");
            }
        }
    }
}
