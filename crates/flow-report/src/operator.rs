//! Linear operators of observations, by name or from a file.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use flow_datasets::array::Array;
use flow_model::Model;
use flow_plot::Picture;
use flow_sample::{Blur, Dense, LinearOperator, Mask, Pool};

use crate::error::{ReportError, usage};
use crate::pixels::{array, is_picture};

/// Those that there are.
const KNOWN: &str = "upsample:K, blur:STD, mask:FILE or matrix:FILE.npy";

/// What is seen of samples of a model: `upsample:K` (means of K x K pixels), `blur:STD` (in
/// pixels), `mask:FILE` (known entries), `matrix:FILE.npy` (any linear map, `[m, d]`).
///
/// # Errors
/// When there is no such operator, its value or its file does not fit the model's rows, or the file
/// cannot be read.
pub fn operator(
    text: &str,
    model: &Model,
    device: &Device,
) -> Result<Box<dyn LinearOperator>, ReportError> {
    let Some((name, value)) = text.split_once(':') else {
        return Err(usage!("--operator {text} has no `:`, use {KNOWN}"));
    };
    let image = || match *model.shape() {
        [c, h, w] => Ok([c, h, w]),
        _ => Err(usage!("--operator {text} is of images, rows have the shape {:?}", model.shape())),
    };
    Ok(match name {
        "upsample" => {
            let [c, h, w] = image()?;
            match value.parse() {
                Ok(k) if 0 < k && h % k == 0 && w % k == 0 => Box::new(Pool::new([c, h, w], k)),
                _ => {
                    return Err(usage!(
                        "--operator {text}: {h} x {w} pixels are no multiples of it"
                    ));
                }
            }
        }
        "blur" => match value.parse::<f64>() {
            Ok(std) if std.is_finite() && 0.0 < std => Box::new(Blur::new(image()?, std, device)),
            _ => return Err(usage!("--operator {text}: give a positive number of pixels")),
        },
        "mask" => mask(Path::new(value), model, device)?,
        "matrix" => {
            let Array { shape, values, .. } = array(Path::new(value))?;
            let [m, d] = shape[..] else {
                return Err(usage!("--operator {text}: a matrix has two axes, not {shape:?}"));
            };
            Box::new(Dense::new(Tensor::from_data(TensorData::new(values, [m, d]), device)))
        }
        _ => return Err(usage!("--operator: there is no `{name}`, use {KNOWN}")),
    })
}

/// Known entries of samples of a model: white pixels, or numbers above one half; one plane holds
/// for all channels.
///
/// # Errors
/// When the file cannot be read, or has another number of entries.
pub fn mask(
    file: &Path,
    model: &Model,
    device: &Device,
) -> Result<Box<dyn LinearOperator>, ReportError> {
    let (size, shape) = (model.signature().size(), model.shape());
    let plane = if shape.len() == 3 { size / shape[0] } else { size };
    let flags: Vec<bool> = if is_picture(file) {
        Picture::read(file)?.to_numbers(1).iter().map(|white| 0.0 < *white).collect()
    } else {
        array(file)?.values.iter().map(|known| 0.5 < *known).collect()
    };
    let flags = if flags.len() == plane { flags.repeat(size / plane) } else { flags };
    if flags.len() != size {
        return Err(usage!(
            "{} has {} entries, rows of the model have the shape {shape:?}",
            file.display(),
            flags.len()
        ));
    }
    Ok(Box::new(Mask::new(&flags, size, device)))
}
