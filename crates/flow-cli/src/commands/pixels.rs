//! Pixels that a user gives, as a picture or as an array.

use std::path::Path;

use anyhow::Result;
use flow_datasets::array::{Array, ArrayOptions, Element};
use flow_plot::Picture;

use crate::exit::usage;

/// Whether a file is a picture by its name.
pub(super) fn is_picture(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "png")
}

/// The numbers of an array as they are, however many axes it has.
pub(super) fn array(file: &Path) -> Result<Array> {
    numbers(file, false)
}

fn numbers(file: &Path, nan: bool) -> Result<Array> {
    let options = ArrayOptions { axes: 1..=4, nan, ..ArrayOptions::default() };
    Array::read(file, &options).map_err(|error| usage!("{error}"))
}

/// Shape and pixels from -1 to 1: a PNG, an array of bytes from 0 to 255, or one of such numbers,
/// with NaN where nothing was seen.
pub(super) fn read(file: &Path, channels: usize) -> Result<(Vec<usize>, Vec<f32>)> {
    if is_picture(file) {
        let picture = Picture::read(file)?;
        let shape = vec![channels, picture.height() as usize, picture.width() as usize];
        return Ok((shape, picture.to_numbers(channels)));
    }
    let Array { shape, mut values, element } = numbers(file, true)?;
    if element == Element::U8 {
        for value in &mut values {
            *value = *value / 127.5 - 1.0;
        }
    }
    Ok((shape, values))
}
