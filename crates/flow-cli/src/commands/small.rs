//! Small pictures that a model enlarges.

use std::path::Path;

use anyhow::Result;
use flow_run::Upsampling;

use super::pixels;
use crate::exit::usage;

/// What the network reads of the small pictures of `--given`: of a model that enlarges, one picture
/// of a PNG, or those of an array `[n, channels, height, width]` with pixels from -1 to 1.
pub(super) fn given(
    upsampling: Option<Upsampling>,
    text: Option<&str>,
) -> Result<Option<(Vec<f32>, usize)>> {
    let Some(told) = upsampling else { return Ok(None) };
    let [c, h, w] = told.small();
    let Some(text) = text else {
        return Err(usage!(
            "the model enlarges pictures: name a small one of {h} x {w} pixels by --given FILE.png, \
             or several by --given FILE.npy"
        ));
    };
    let (shape, pixels) = pixels::read(Path::new(text), c)?;
    let fits = shape.ends_with(&[h, w]) && !pixels.is_empty() && pixels.len() % (c * h * w) == 0;
    if !fits {
        return Err(usage!(
            "--given {text} has the shape {shape:?}, the model enlarges {c} x {h} x {w} to {:?}",
            told.shape
        ));
    }
    if pixels.iter().any(|pixel| !pixel.is_finite()) {
        return Err(usage!("--given {text} holds a pixel that is not finite"));
    }
    Ok(Some((told.enlarged(&pixels), pixels.len() / (c * h * w))))
}
