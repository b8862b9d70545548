//! What is seen of samples: linear operators by name or from a file, and the law of their noise.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use flow_datasets::array::{Array, SparseMatrix};
use flow_model::Model;
use flow_plot::Picture;
use flow_sample::{Blur, Dense, LinearOperator, Mask, ObservationNoise, Pool, Sparse};

use crate::error::{ReportError, usage};
use crate::pixels::{array, is_picture};

/// Those that there are.
const KNOWN: &str = "upsample:K, blur:STD, mask:FILE, matrix:FILE.npy or sparse:FILE.npz";

/// Bytes that each array of a sparse matrix may take.
const MOST_SPARSE: u64 = 1 << 30;

/// What pixels from -1 to 1 are short of a brightness.
const DARKEST: f64 = 1.0;

/// What is seen of samples of a model: `upsample:K` (means of K x K pixels), `blur:STD` (in
/// pixels), `mask:FILE` (known entries), `matrix:FILE.npy` (any linear map, `[m, d]`),
/// `sparse:FILE.npz` (the same of few entries, as `scipy.sparse.save_npz` writes it).
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
        return Err(usage!("the operator {text} has no `:`, use {KNOWN}"));
    };
    let image = || match *model.shape() {
        [c, h, w] => Ok([c, h, w]),
        _ => {
            Err(usage!("the operator {text} is of images, rows have the shape {:?}", model.shape()))
        }
    };
    Ok(match name {
        "upsample" => {
            let [c, h, w] = image()?;
            match value.parse() {
                Ok(k) if 0 < k && h % k == 0 && w % k == 0 => Box::new(Pool::new([c, h, w], k)),
                _ => {
                    return Err(usage!(
                        "the operator {text}: {h} x {w} pixels are no multiples of it"
                    ));
                }
            }
        }
        "blur" => match value.parse::<f64>() {
            Ok(std) if std.is_finite() && 0.0 < std => Box::new(Blur::new(image()?, std, device)),
            _ => return Err(usage!("the operator {text}: give a positive number of pixels")),
        },
        "mask" => mask(Path::new(value), model, device)?,
        "matrix" => {
            let Array { shape, values, .. } = array(Path::new(value))?;
            let [m, d] = shape[..] else {
                return Err(usage!("the operator {text}: a matrix has two axes, not {shape:?}"));
            };
            Box::new(Dense::new(Tensor::from_data(TensorData::new(values, [m, d]), device)))
        }
        "sparse" => {
            let matrix = SparseMatrix::read(Path::new(value), MOST_SPARSE);
            let SparseMatrix { shape: [m, d], entries } = matrix.map_err(|e| usage!("{e}"))?;
            let sparse = Sparse::new(&entries, (d, m), device);
            Box::new(sparse.map_err(|error| usage!("the operator {text}: {error}"))?)
        }
        _ => return Err(usage!("there is no `{name}` among the operators, use {KNOWN}")),
    })
}

/// The law of what is seen around its expectation, as it is typed: `STD` of a normal law,
/// `poisson:GAIN` or `poisson:GAIN,OFFSET` of counts with the rate `GAIN (z + OFFSET)`. The offset
/// of pixels from -1 to 1 is 1, and that unless another one is given: black counts nothing.
///
/// # Errors
/// When it is neither. Whether the numbers have a size is for the observation to say.
pub fn noise(text: &str) -> Result<ObservationNoise, ReportError> {
    let number = |text: &str| {
        let known = "a standard deviation, poisson:GAIN or poisson:GAIN,OFFSET";
        let number = text.trim().parse::<f64>();
        number.map_err(|_| usage!("the noise `{text}` is no number, give {known}"))
    };
    let Some(counts) = text.strip_prefix("poisson:") else {
        return Ok(ObservationNoise::Gaussian { std: number(text)? });
    };
    let (gain, offset) = match counts.split_once(',') {
        Some((gain, offset)) => (number(gain)?, number(offset)?),
        None => (number(counts)?, DARKEST),
    };
    Ok(ObservationNoise::Poisson { gain, offset })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_a_number_or_the_gain_of_counts() {
        assert_eq!(noise("0.05").unwrap(), ObservationNoise::Gaussian { std: 0.05 });
        let counts = |gain, offset| ObservationNoise::Poisson { gain, offset };
        assert_eq!(noise("poisson:30").unwrap(), counts(30.0, 1.0));
        assert_eq!(noise("poisson:2.5, -1").unwrap(), counts(2.5, -1.0));
        for text in ["poisson", "poisson:", "poisson:3,", "poisson:a,1", "gamma:3", ""] {
            let said = noise(text).unwrap_err().to_string();
            assert!(said.contains("is no number, give a standard deviation"), "{said}");
        }
    }
}
