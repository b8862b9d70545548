//! Resizing as PIL does it, on numbers.

/// PIL's bicubic filter, Keys' cubic with `a = -1/2`.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// Resizes an image `[height, width]`, rows after the columns of each row.
///
/// Where it shrinks, the filter is widened by the same factor, so that every pixel counts and
/// nothing is aliased. Parmar, Zhang & Zhu (2022), "On Aliased Resizing and Surprising Subtleties
/// in GAN Evaluation", arXiv:2104.11222.
pub(super) fn bicubic(image: Vec<f32>, from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let across = windows(from[1], to[1]);
    let rows = image.chunks(from[1]).flat_map(|row| {
        let pixel = |(first, weights): &(usize, Vec<f64>)| weighted(weights, |k| row[first + k]);
        across.iter().map(pixel).collect::<Vec<f32>>()
    });
    let wide: Vec<f32> = rows.collect();
    let down = windows(from[0], to[0]);
    let width = to[1];
    let row = |(first, weights): &(usize, Vec<f64>)| -> Vec<f32> {
        (0..width).map(|x| weighted(weights, |k| wide[(first + k) * width + x])).collect()
    };
    down.iter().flat_map(row).collect()
}

fn weighted(weights: &[f64], pixel: impl Fn(usize) -> f32) -> f32 {
    weights.iter().enumerate().map(|(k, weight)| weight * f64::from(pixel(k))).sum::<f64>() as f32
}

/// For each new pixel the first old one that it sees, and the weights of those from there on.
fn windows(from: usize, to: usize) -> Vec<(usize, Vec<f64>)> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let radius = 2.0 * stretch;
    let window = |pixel: usize| {
        let centre = (pixel as f64 + 0.5) * scale;
        let first = (centre - radius + 0.5).max(0.0) as usize;
        let end = ((centre + radius + 0.5) as usize).min(from);
        let weight = |k: usize| cubic((k as f64 - centre + 0.5) / stretch);
        let weights: Vec<f64> = (first..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        (first, weights.iter().map(|weight| weight / sum).collect())
    };
    (0..to).map(window).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Case {
        from: [usize; 2],
        to: [usize; 2],
        image: Vec<f32>,
        resized: Vec<f32>,
    }

    #[test]
    fn pictures_are_resized_as_pil_does() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../tests/reference/resize.json")).unwrap();
        assert_eq!(cases.len(), 3);
        for Case { from, to, image, resized } in cases {
            let got = bicubic(image, from, to);
            let error = got.iter().zip(&resized).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            // Both sum in f64 and keep f32 between the two passes; pixels are below 256.
            assert!(error < 1e-4, "{from:?} to {to:?}: off by {error}");
        }
    }

    #[test]
    fn the_same_size_is_the_same_picture() {
        let image: Vec<f32> = (0..20).map(|x| (x * x % 7) as f32).collect();
        assert_eq!(bicubic(image.clone(), [4, 5], [4, 5]), image);
    }
}
