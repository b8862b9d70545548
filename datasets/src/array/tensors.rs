//! Arrays of a safetensors file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::npz::chosen;
use super::{Array, ArrayError, ArrayOptions, Element, count, numbers};

/// Reads the tensor that the options name, or the only one.
///
/// The whole file is held while it is read.
pub(crate) fn read(path: &Path, options: &ArrayOptions) -> Result<Array, ArrayError> {
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
    let element = match tensor.dtype() {
        Dtype::BOOL => Element::Bool,
        Dtype::U8 => Element::U8,
        Dtype::I8 => Element::I8,
        Dtype::U16 => Element::U16,
        Dtype::I16 => Element::I16,
        Dtype::U32 => Element::U32,
        Dtype::I32 => Element::I32,
        Dtype::U64 => Element::U64,
        Dtype::I64 => Element::I64,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::BF16,
        Dtype::F32 => Element::F32,
        Dtype::F64 => Element::F64,
        other => {
            return Err(ArrayError::Element { path: path.to_owned(), ty: format!("{other:?}") });
        }
    };
    let shape = tensor.shape().to_vec();
    let count = count(path, &shape)?;
    fits(length.saturating_add(count.saturating_mul(4)))?;
    let values = numbers(path, &mut tensor.data(), (element, false), (count, &shape))?;
    Ok(Array { shape, values, element })
}
