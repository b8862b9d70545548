//! Structural similarity.

use rayon::prelude::*;

use super::psnr::check_range;
use crate::points::{shared_dim, shared_len};
use crate::{EvalError, Points, Score};

/// Side of the window.
const WINDOW: usize = 11;

/// Standard deviation of the window's Gaussian weights, in pixels.
const SIGMA: f64 = 1.5;

/// Structural similarity, averaged over the windows and channels of each image and over images.
///
/// `SSIM = (2 mx my + C1)(2 sxy + C2) / ((mx^2 + my^2 + C1)(sx^2 + sy^2 + C2))` with
/// Gaussian-weighted means, variances and covariance in a window of 11 x 11 pixels with a standard
/// deviation of 1.5, for every position of the window inside the image; `C1 = (0.01 range)^2`,
/// `C2 = (0.03 range)^2`. It is 1 for equal images.
///
/// Image `i` is compared with reference `i`; `range` is the greatest difference of two pixel
/// values: 2 for pixels in `[-1, 1]`. The standard error is that of the mean over images.
///
/// # Shapes
/// Each row is an image `[channels, height, width]`, row-major, of the given `shape`.
///
/// # Errors
/// Sets of different dimensions or sizes, a range outside `[1e-100, 1e100]`, and sides under 11
/// pixels.
///
/// # Panics
/// When a row has another number of pixels than `shape`.
///
/// # Reference
/// Wang, Bovik, Sheikh & Simoncelli (2004), "Image Quality Assessment: From Error Visibility to
/// Structural Similarity", IEEE Transactions on Image Processing 13.
pub fn ssim(
    reference: Points<'_>,
    images: Points<'_>,
    shape: [usize; 3],
    range: f64,
) -> Result<Score, EvalError> {
    let dim = shared_dim(reference, images)?;
    let n = shared_len(reference, images, "SSIM")?;
    check_range(range)?;
    let [_, height, width] = shape;
    let pixels = shape.iter().try_fold(1, |product: usize, side| product.checked_mul(*side));
    assert_eq!(pixels, Some(dim), "rows of {dim} pixels are not {shape:?}");
    let side = height.min(width);
    if side < WINDOW {
        let (value, expected) = (side as f64, "at least 11 pixels, the window of SSIM");
        return Err(EvalError::Parameter { name: "image side", value, expected });
    }
    let similarity = |i| {
        let channels = reference
            .row(i)
            .chunks_exact(height * width)
            .zip(images.row(i).chunks_exact(height * width));
        let sum: f64 = channels.map(|(x, y)| channel_similarity(x, y, width, range)).sum();
        sum / shape[0] as f64
    };
    let similarities: Vec<f64> = (0..n).into_par_iter().map(similarity).collect();
    Score::higher("SSIM", 0.0, n).with_mean_of(&similarities).measured()
}

fn channel_similarity(x: &[f32], y: &[f32], width: usize, range: f64) -> f64 {
    let weights = weights();
    let filtered = |f: fn(f64, f64) -> f64| {
        let pixels: Vec<f64> =
            x.iter().zip(y).map(|(&x, &y)| f(f64::from(x), f64::from(y))).collect();
        blur(&pixels, width, &weights)
    };
    let (mean_x, mean_y) = (filtered(|x, _| x), filtered(|_, y| y));
    let (xx, yy, xy) = (filtered(|x, _| x * x), filtered(|_, y| y * y), filtered(|x, y| x * y));
    let (c1, c2) = ((0.01 * range).powi(2), (0.03 * range).powi(2));
    let similarity = |k: usize| {
        let (mx, my) = (mean_x[k], mean_y[k]);
        // Rounding takes the variance of a flat window below 0, or below its covariance.
        let (var_x, var_y) = ((xx[k] - mx * mx).max(0.0), (yy[k] - my * my).max(0.0));
        let most = (var_x * var_y).sqrt();
        let cov = (xy[k] - mx * my).clamp(-most, most);
        let luminance = (2.0 * mx * my + c1) / (mx * mx + my * my + c1);
        luminance * (2.0 * cov + c2) / (var_x + var_y + c2)
    };
    (0..mean_x.len()).map(similarity).sum::<f64>() / mean_x.len() as f64
}

/// Gaussian weights of one side of the window, which sum to 1.
fn weights() -> [f64; WINDOW] {
    let weight = |k: usize| (-0.5 * ((k as f64 - (WINDOW / 2) as f64) / SIGMA).powi(2)).exp();
    let weights: [f64; WINDOW] = std::array::from_fn(weight);
    let sum: f64 = weights.iter().sum();
    weights.map(|w| w / sum)
}

/// Weighted means over the windows inside the image: along the rows, then along the columns.
fn blur(pixels: &[f64], width: usize, weights: &[f64; WINDOW]) -> Vec<f64> {
    let dot = |values: &mut dyn Iterator<Item = f64>| -> f64 {
        values.zip(weights).map(|(x, w)| x * w).sum()
    };
    let inner = width + 1 - WINDOW;
    let rows: Vec<f64> = pixels
        .chunks_exact(width)
        .flat_map(|row| row.windows(WINDOW))
        .map(|window| dot(&mut window.iter().copied()))
        .collect();
    (0..rows.len() - (WINDOW - 1) * inner)
        .map(|k| dot(&mut rows[k..].iter().step_by(inner).copied()))
        .collect()
}
