//! Arrays of a `.safetensors` or a PyTorch file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::TensorData;
use flow_nn::Weights;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::pickle::{self, Value, View};
use crate::exit::usage;

/// The arrays of 32-bit numbers in a file, and its SHA-256.
pub(super) fn read(path: &Path) -> Result<(Weights, String)> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut sha256 = String::new();
    for byte in Sha256::digest(&bytes) {
        let _ = write!(sha256, "{byte:02x}");
    }
    let weights = match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => safetensors(&bytes),
        Some("pth" | "pt") => pytorch(&bytes),
        _ => return Err(usage!("{} ends neither in .pth nor in .safetensors", path.display())),
    };
    let weights = weights.with_context(|| {
        let path = path.display();
        format!("cannot read the arrays of {path}, save them as .safetensors with Python")
    })?;
    Ok((weights, sha256))
}

/// An entry of the head of a `.safetensors` file.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// Eight bytes of the head's length, the head as JSON, the numbers.
fn safetensors(bytes: &[u8]) -> Result<Weights> {
    let (length, rest) = bytes.split_first_chunk::<8>().context("the file ends in its head")?;
    let length = u64::from_le_bytes(*length) as usize;
    let head = rest.get(..length).context("the file ends in its head")?;
    let mut head: BTreeMap<String, serde_json::Value> = serde_json::from_slice(head)?;
    head.remove("__metadata__");
    let mut weights = Weights::new();
    for (name, entry) in head {
        let Entry { dtype, shape, data_offsets: [start, end] } = serde_json::from_value(entry)?;
        if dtype == "F32" {
            let numbers = rest[length..].get(start..end);
            weights.insert(name, array(numbers.context("the file is too short")?, shape)?);
        }
    }
    Ok(weights)
}

/// A `torch.save` of a state: an archive since PyTorch 1.6, a row of pickles before.
fn pytorch(bytes: &[u8]) -> Result<Weights> {
    if bytes.starts_with(b"PK") { archive(bytes) } else { legacy(bytes) }
}

fn archive(bytes: &[u8]) -> Result<Weights> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    let head = names.iter().find(|name| name.ends_with("/data.pkl"));
    let head = head.context("the archive has no data.pkl")?;
    let folder = head.trim_end_matches("data.pkl");
    let mut file = |name: &str| -> Result<Vec<u8>> {
        let mut content = Vec::new();
        archive.by_name(name)?.read_to_end(&mut content)?;
        Ok(content)
    };
    let state = pickle::read(&mut file(head)?.as_slice())?;
    collect(&state, |storage| file(&format!("{folder}data/{storage}")))
}

/// Pickles of a magic number, a version, the machine, the state and the names of its storages; then each
/// storage in that order, after its length.
fn legacy(bytes: &[u8]) -> Result<Weights> {
    let mut rest = bytes;
    for _ in 0..3 {
        pickle::read(&mut rest)?;
    }
    let state = pickle::read(&mut rest)?;
    let Value::List(names) = pickle::read(&mut rest)? else {
        bail!("there is no list of storages")
    };
    let widths = pickle::widths(&state);
    let mut storages = BTreeMap::new();
    for name in names {
        let Value::Text(name) = name else { bail!("the name of a storage is no text") };
        let (count, after) = rest.split_first_chunk::<8>().context("the file is too short")?;
        let width = widths.get(&name).copied().unwrap_or(4);
        let length = u64::from_le_bytes(*count) as usize * width;
        storages.insert(name, after.get(..length).context("the file is too short")?.to_vec());
        rest = &after[length..];
    }
    collect(&state, |storage| storages.get(storage).cloned().context("a storage is missing"))
}

/// The arrays of a state whose storages hold 32-bit numbers.
fn collect(state: &Value, mut storage: impl FnMut(&str) -> Result<Vec<u8>>) -> Result<Weights> {
    let Value::Dict(entries) = state else { bail!("it holds no dictionary of arrays") };
    let mut weights = Weights::new();
    for (name, value) in entries {
        if let (Value::Text(name), Value::View(view)) = (name, value)
            && view.kind == "FloatStorage"
        {
            let View { storage: key, offset, shape, .. } = view;
            let bytes = storage(key)?;
            let (start, count) = (4 * offset, shape.iter().product::<usize>());
            ensure!(view.is_contiguous(), "the array `{name}` is a view with gaps");
            let numbers = bytes.get(start..start + 4 * count).context("a storage is too short")?;
            weights.insert(name.clone(), array(numbers, shape.clone())?);
        }
    }
    Ok(weights)
}

fn array(bytes: &[u8], shape: Vec<usize>) -> Result<TensorData> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    let fits = rest.is_empty() && numbers.len() == shape.iter().product::<usize>();
    ensure!(fits, "an array of shape {shape:?} has {} bytes", bytes.len());
    let numbers: Vec<f32> = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
    Ok(TensorData::new(numbers, shape))
}

#[cfg(test)]
mod tests {
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
