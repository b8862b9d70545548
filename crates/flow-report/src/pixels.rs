//! Pixels that a user gives, as a picture or as an array.

use std::path::Path;

use flow_datasets::array::{Array, ArrayOptions, Element};
use flow_datasets::counted;
use flow_plot::Picture;
use flow_run::Upsampling;

use crate::error::{ReportError, usage};

/// Rows of pixels from -1 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// Channels, height and width of a picture; the shape of an array.
    pub shape: Vec<usize>,
    /// The numbers, row-major.
    pub values: Vec<f32>,
}

impl Pixels {
    /// Reads a PNG of so many channels, 1 to 3, an array of bytes from 0 to 255, or one of numbers
    /// that are pixels from -1 to 1 already, with NaN where nothing was seen.
    ///
    /// # Errors
    /// When the file cannot be read as what its name says, an array holds an infinite number, and
    /// for a picture of other channels.
    pub fn read(file: &Path, channels: usize) -> Result<Self, ReportError> {
        if is_picture(file) {
            if !(1..=3).contains(&channels) {
                return Err(usage!(
                    "{} is a picture, which has no {}: save the numbers as .npy",
                    file.display(),
                    counted(channels, "channel")
                ));
            }
            let picture = Picture::read(file)?;
            let shape = vec![channels, picture.height() as usize, picture.width() as usize];
            return Ok(Self { shape, values: picture.to_numbers(channels) });
        }
        let Array { shape, mut values, element } = numbers(file, true)?;
        match element {
            Element::U8 => values.iter_mut().for_each(|value| *value = *value / 127.5 - 1.0),
            Element::Bool | Element::F16 | Element::F32 | Element::F64 => {}
            other => {
                return Err(usage!(
                    "{} holds whole numbers of the type {}: save pixels as bytes from 0 to 255 \
                     (uint8), or as numbers from -1 to 1",
                    file.display(),
                    format!("{other:?}").to_lowercase()
                ));
            }
        }
        Ok(Self { shape, values })
    }

    /// What the network reads of the small pictures of `--given`, and how many they are: of a model
    /// that enlarges, one picture of a PNG, or those of an array `[n, channels, height, width]`.
    ///
    /// # Errors
    /// When there are none, or they are of another size than the model enlarges.
    pub fn enlarged(
        told: &Upsampling,
        given: Option<&str>,
    ) -> Result<(Vec<f32>, usize), ReportError> {
        let [c, h, w] = told.small();
        let Some(text) = given else {
            return Err(usage!(
                "the model enlarges pictures: name a small one of {h} x {w} pixels by --given \
                 FILE.png, or several by --given FILE.npy"
            ));
        };
        let Self { shape, values } = Self::read(Path::new(text), c)?;
        let fits =
            shape.ends_with(&[h, w]) && !values.is_empty() && values.len() % (c * h * w) == 0;
        if !fits {
            return Err(usage!(
                "--given {text} has the shape {shape:?}, the model enlarges {c} x {h} x {w} to \
                 {:?}",
                told.shape
            ));
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(usage!("--given {text} holds a pixel that is not finite"));
        }
        Ok((told.enlarged(&values), values.len() / (c * h * w)))
    }
}

/// Whether a file is a picture by its name.
pub(crate) fn is_picture(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "png")
}

/// The numbers of an array as they are, however many axes it has.
pub(crate) fn array(file: &Path) -> Result<Array, ReportError> {
    numbers(file, false)
}

/// The same, with NaN where nothing was seen if they are taken.
pub(crate) fn numbers(file: &Path, nan: bool) -> Result<Array, ReportError> {
    let options = ArrayOptions { axes: 1..=4, nan, ..ArrayOptions::default() };
    Array::read(file, &options).map_err(|error| usage!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_pixels_and_small_pictures_are_enlarged() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("small.npy");
        let values = vec![0.0, 255.0, 51.0, 204.0];
        Array { shape: vec![1, 1, 2, 2], values, element: Element::U8 }.write(&file).unwrap();
        let read = Pixels::read(&file, 1).unwrap();
        assert_eq!(read.shape, [1, 1, 2, 2]);
        for (found, expected) in read.values.iter().zip([-1.0, 1.0, -0.6, 0.6]) {
            assert!((found - expected).abs() < 1e-6, "{:?}", read.values);
        }
        let told = Upsampling { shape: [1, 4, 4], factor: 2 };
        let (rows, n) = Pixels::enlarged(&told, file.to_str()).unwrap();
        // Each pixel is a square of two lines: -1 twice, 1 twice, and the same again.
        assert_eq!((n, &rows[..8]), (1, &[-1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, 1.0][..]));
        let larger = Upsampling { shape: [1, 6, 6], factor: 2 };
        assert!(Pixels::enlarged(&larger, file.to_str()).is_err());
        assert!(Pixels::enlarged(&told, None).unwrap_err().to_string().contains("2 x 2 pixels"));
    }
}
