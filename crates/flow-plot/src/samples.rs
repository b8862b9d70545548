//! Samples of any model as one picture.

use crate::figure::PNG_SCALE;
use crate::{Limits, Picture, PlotError, clouds, image_grid};

/// Samples as one picture: points of the plane as a cloud, images as a square grid.
///
/// `rows` holds rows of the shape `shape`, one after the other: `[2]` for points, `[c, h, w]` with
/// one or three channels for images.
///
/// # Errors
/// [`PlotError::NoPicture`] for rows of another shape; [`PlotError::TooLarge`] for more pixels than
/// memory can be trusted with.
///
/// # Panics
/// Panics if `rows` holds no whole number of images.
pub fn samples(rows: &[f32], shape: &[usize]) -> Result<Picture, PlotError> {
    match *shape {
        [2] => {
            let points: Vec<[f32; 2]> = rows.chunks_exact(2).map(|p| [p[0], p[1]]).collect();
            let limits = Limits::around(&[&points]);
            clouds(&[("samples", &points)], limits).to_picture(PNG_SCALE)
        }
        [c @ (1 | 3), h, w] => {
            let n = rows.len() / (c * h * w).max(1);
            let columns = (n as f64).sqrt().ceil().max(1.0) as usize;
            image_grid(rows, n, c, h, w, columns)
        }
        _ => Err(PlotError::NoPicture { shape: shape.to_vec() }),
    }
}
