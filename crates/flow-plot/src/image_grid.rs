//! Generated images as tiles of one picture.

use crate::color::{self, Rgb};
use crate::{Picture, PlotError};

/// Tiles are enlarged to at least this many pixels.
const SMALLEST_TILE: usize = 48;
/// Pixels between tiles.
const SEPARATOR: usize = 2;

/// Images in rows of `columns`, enlarged in sharp squares, with thin white lines between them.
///
/// `images` holds `n` images of `c` channels (1: grey, 3: red, green, blue) of `h` by `w` pixels in
/// the order `[n, c, h, w]`. The values -1 to 1 run from black to full colour, others are clamped,
/// and a pixel that is not a number is pink.
///
/// # Errors
/// [`PlotError::TooLarge`] for more pixels than memory can be trusted with.
///
/// # Panics
/// Panics if `images` does not hold `n * c * h * w` numbers, if `c` is neither 1 nor 3, or if `h`,
/// `w` or `columns` is zero.
pub fn image_grid(
    images: &[f32],
    n: usize,
    c: usize,
    h: usize,
    w: usize,
    columns: usize,
) -> Result<Picture, PlotError> {
    assert!(c == 1 || c == 3, "expected 1 or 3 channels, got {c}");
    assert!(h > 0 && w > 0, "expected images of pixels, got {h} x {w}");
    assert!(columns > 0, "expected at least one column, got 0");
    let values =
        [n, c, h, w].into_iter().try_fold(1, |product: usize, side| product.checked_mul(side));
    assert_eq!(Some(images.len()), values, "expected {n} x {c} x {h} x {w} values");

    let enlarged = enlargement(h, w);
    let (tile_h, tile_w) = (h.saturating_mul(enlarged), w.saturating_mul(enlarged));
    let columns = columns.min(n.max(1));
    let rows = n.div_ceil(columns).max(1);
    let side = |count: usize, tile: usize| {
        count.saturating_mul(tile.saturating_add(SEPARATOR)).saturating_add(SEPARATOR) as u64
    };
    let (width, height) = Picture::sides(side(columns, tile_w), side(rows, tile_h))?;

    Ok(Picture::from_fn(width, height, |x, y| {
        let horizontal = tile_and_offset(x as usize, tile_w);
        let vertical = tile_and_offset(y as usize, tile_h);
        let (Some((column, dx)), Some((row, dy))) = (horizontal, vertical) else {
            return color::WHITE;
        };
        let image = row * columns + column;
        if image >= n {
            return color::WHITE;
        }
        color_at(&images[image * c * h * w..][..c * h * w], c, (dy / enlarged) * w + dx / enlarged)
    }))
}

/// How many pixels of a drawing show one pixel of an image of this size.
pub(crate) fn enlargement(h: usize, w: usize) -> usize {
    SMALLEST_TILE.div_ceil(h.min(w))
}

/// One image, not enlarged.
pub(crate) fn tile(image: &[f32], [c, h, w]: [usize; 3]) -> Picture {
    Picture::from_fn(w as u32, h as u32, |x, y| color_at(image, c, y as usize * w + x as usize))
}

/// The colour of a pixel of an image of `c` channels.
fn color_at(image: &[f32], c: usize, pixel: usize) -> Rgb {
    let channel = |i: usize| image[i * (image.len() / c) + pixel];
    if c == 1 { shade([channel(0); 3]) } else { shade([channel(0), channel(1), channel(2)]) }
}

/// The index of the tile at a pixel and the place inside it; `None` between tiles.
fn tile_and_offset(at: usize, tile: usize) -> Option<(usize, usize)> {
    let at = at.checked_sub(SEPARATOR)?;
    let (index, offset) = (at / (tile + SEPARATOR), at % (tile + SEPARATOR));
    (offset < tile).then_some((index, offset))
}

fn shade(channels: [f32; 3]) -> Rgb {
    if channels.iter().any(|value| value.is_nan()) {
        return color::MISSING;
    }
    channels.map(|value| ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(picture: &Picture, x: u32, y: u32) -> &[u8] {
        let start = (y * picture.width() + x) as usize * 3;
        &picture.rgb()[start..start + 3]
    }

    #[test]
    fn tiles_are_enlarged_to_48_pixels_and_placed_row_by_row() {
        let mut images = vec![-1.0; 5 * 64];
        images[4 * 64] = 1.0;
        let grid = image_grid(&images, 5, 1, 8, 8, 3).unwrap();
        assert_eq!((grid.width(), grid.height()), (3 * 50 + 2, 2 * 50 + 2));
        // The upper left pixel of image 4, second row and second column, is six pixels wide.
        assert_eq!(pixel(&grid, 52, 52), [255; 3]);
        assert_eq!(pixel(&grid, 57, 57), [255; 3]);
        assert_eq!(pixel(&grid, 58, 52), [0; 3]);
        assert_eq!(pixel(&grid, 102, 52), [255; 3], "the missing sixth image is white");
    }

    #[test]
    fn channels_are_red_green_and_blue_and_values_are_clamped() {
        let grid = image_grid(&[7.0, 0.0, -7.0], 1, 3, 1, 1, 8).unwrap();
        assert_eq!(pixel(&grid, 2, 2), [255, 128, 0]);
        let grid = image_grid(&[f32::NAN], 1, 1, 1, 1, 1).unwrap();
        assert_eq!(pixel(&grid, 2, 2), color::MISSING);
    }

    #[test]
    fn no_images_make_a_white_tile() {
        let grid = image_grid(&[], 0, 1, 28, 28, 8).unwrap();
        assert!(grid.width() == 60 && grid.rgb().iter().all(|v| *v == 255));
    }

    #[test]
    fn more_tiles_than_memory_holds_are_refused() {
        // 60,000 images of one pixel, each a tile of 48 by 48: 150 million pixels.
        let error = image_grid(&vec![0.0; 60_000], 60_000, 1, 1, 1, 300).unwrap_err();
        assert!(matches!(error, PlotError::TooLarge { width: 15_002, height: 10_002 }), "{error}");
        assert!(image_grid(&[], 0, 1, usize::MAX, 1, 1).is_err());
    }

    #[test]
    #[should_panic(expected = "expected 2 x 1 x 2 x 2 values")]
    fn a_wrong_number_of_values_is_refused() {
        let _ = image_grid(&[0.0; 7], 2, 1, 2, 2, 1);
    }
}
