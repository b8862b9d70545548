//! Arrays of a safetensors file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use safetensors::tensor::TensorInfo;
use safetensors::{Dtype, SafeTensors};

use super::npz::chosen;
use super::{Array, ArrayError, ArrayOptions, Element, Number, count, numbers};

/// Reads the tensor that the options name, or the only one.
///
/// The whole file is held while it is read.
pub(crate) fn read<T: Number>(path: &Path, options: &ArrayOptions) -> Result<Array<T>, ArrayError> {
    let mut file = File::open(path).map_err(ArrayError::read(path))?;
    let length = file.metadata().map_err(ArrayError::read(path))?.len();
    let fits = |needed: u64| match options.max_bytes {
        limit if limit < needed => {
            Err(ArrayError::TooLarge { path: path.to_owned(), needed, limit })
        }
        _ => Ok(()),
    };
    fits(length)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(ArrayError::read(path))?;
    let damaged = |error| ArrayError::damaged(path, format!("{error}"));
    let tensors = SafeTensors::deserialize(&bytes).map_err(damaged)?;
    let names = tensors.names().into_iter().map(String::from).collect();
    let name = chosen(path, names, options)?;
    let tensor = tensors.tensor(&name).map_err(damaged)?;
    let element = Element::of_dtype(tensor.dtype()).ok_or_else(|| other(path, tensor.dtype()))?;
    let shape = tensor.shape().to_vec();
    let count = count(path, &shape, &options.axes)?;
    fits(length.saturating_add(count.saturating_mul(size_of::<T>() as u64)))?;
    let values = numbers(path, &mut tensor.data(), (element, false), count)?;
    Ok(Array { shape, values, element })
}

/// Names, types and shapes of the arrays, without their numbers, which the file is long enough for.
pub(crate) fn infos(path: &Path) -> Result<BTreeMap<String, TensorInfo>, ArrayError> {
    let file = File::open(path).map_err(ArrayError::read(path))?;
    let whole = file.metadata().map_err(ArrayError::read(path))?.len();
    let mut file = BufReader::new(file);
    let mut bytes = Vec::new();
    let mut take = |n: u64, bytes: &mut Vec<u8>| {
        let read = file.by_ref().take(n).read_to_end(bytes).map_err(ArrayError::read(path))?;
        if (read as u64) < n {
            Err(ArrayError::damaged(path, "it ends within its header"))
        } else {
            Ok(())
        }
    };
    take(8, &mut bytes)?;
    let length = bytes.iter().rev().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
    if LONGEST_HEADER < length {
        return Err(ArrayError::damaged(path, "its header is longer than 100 MB"));
    }
    bytes.clear();
    take(length, &mut bytes)?;
    let damaged = |error| ArrayError::damaged(path, format!("its header is none: {error}"));
    let mut all: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&bytes).map_err(damaged)?;
    // Words about the file, not one of its arrays.
    all.remove("__metadata__");
    let behind = whole.saturating_sub(8 + length);
    let info = |(name, info)| {
        let info: TensorInfo = serde_json::from_value(info).map_err(damaged)?;
        match info.data_offsets {
            (_, end) if behind < end as u64 => Err(ArrayError::Truncated { path: path.to_owned() }),
            _ => Ok((name, info)),
        }
    };
    all.into_iter().map(info).collect()
}

/// The format itself allows no longer ones.
const LONGEST_HEADER: u64 = 100_000_000;

/// An array of a type that is not read.
pub(crate) fn other(path: &Path, dtype: Dtype) -> ArrayError {
    ArrayError::Element { path: path.to_owned(), ty: format!("{dtype:?}") }
}
