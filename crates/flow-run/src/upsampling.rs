//! Images that are told a smaller copy of themselves, so that a model learns to enlarge.

use std::ops::Range;
use std::sync::Arc;

use flow_path::config::plain;
use flow_path::stream::Streams;
use flow_train::{DataSource, Draw};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::{RunError, usage};
use crate::recipe::Recipe;

/// The key under which a model keeps by how much it enlarges.
const KEY: &str = "upsample";

/// Images and the smaller ones that they are told: means over squares of `factor x factor` pixels.
///
/// A network reads its condition pixel by pixel beside the image, so that the small one is brought
/// to the size of the large one, each pixel as a square of its colour. How it is enlarged does not
/// matter to what can be learned, because nothing is lost.
///
/// # Reference
/// Lipman et al. (2023), "Flow Matching for Generative Modeling", arXiv:2210.02747, section 6.3;
/// Saharia et al. (2021), "Image Super-Resolution via Iterative Refinement", arXiv:2104.07636.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upsampling {
    /// Channels, height and width of the large images.
    pub shape: [usize; 3],
    /// How many times smaller the small ones are.
    pub factor: usize,
}

impl Upsampling {
    /// That of a recipe for rows of this shape; none for most recipes.
    ///
    /// # Errors
    /// When rows are no images, or their sides no multiples of the factor.
    pub fn of(recipe: &Recipe, shape: &[usize]) -> Result<Option<Self>, RunError> {
        let Some(factor) = recipe.data.upsample else { return Ok(None) };
        let &[c, h, w] = shape else {
            return Err(usage!("data.upsample is for images, rows have the shape {shape:?}"));
        };
        let told = Self { shape: [c, h, w], factor };
        if !told.divides() {
            return Err(usage!(
                "data.upsample is {factor}, it must be at least 2 and divide {h} and {w}"
            ));
        }
        Ok(Some(told))
    }

    /// Whether the small images have pixels, each of the same number of large ones.
    fn divides(&self) -> bool {
        let [c, h, w] = self.shape;
        let divides = |side: usize| 0 < side && side.is_multiple_of(self.factor);
        0 < c && 2 <= self.factor && divides(h) && divides(w)
    }

    /// Refuses numbers that are no whole images of a shape.
    fn assert_whole(&self, numbers: usize, shape: [usize; 3]) {
        let size = shape.iter().try_fold(1_usize, |size, &side| size.checked_mul(side));
        let whole = size.is_some_and(|size| 0 < size && numbers.is_multiple_of(size));
        assert!(self.divides() && whole, "expected images of {shape:?}, got {numbers} numbers");
    }

    /// Channels, height and width of the small images.
    #[must_use]
    pub fn small(&self) -> [usize; 3] {
        let [c, h, w] = self.shape;
        [c, h / self.factor.max(1), w / self.factor.max(1)]
    }

    /// The small images of large ones, both row-major. A pixel that is not finite makes none of its
    /// square finite, and a sum over a square beyond the range of `f32` is infinite.
    ///
    /// # Panics
    /// If there is no whole number of images.
    #[must_use]
    pub fn shrunk(&self, images: &[f32]) -> Vec<f32> {
        self.assert_whole(images.len(), self.shape);
        let (k, [_, _, w]) = (self.factor, self.shape);
        let columns = w / k;
        let mut small = vec![0.0; images.len() / (k * k)];
        // Bands of `k` lines become one, whatever image and channel they are of.
        for (band, line) in images.chunks(k * w).zip(small.chunks_mut(columns)) {
            for (at, value) in band.iter().enumerate() {
                line[at % w / k] += value;
            }
            for sum in line {
                *sum /= (k * k) as f32;
            }
        }
        small
    }

    /// What the network reads of small images: each pixel, whatever it is, as a square.
    ///
    /// # Panics
    /// If there is no whole number of images.
    #[must_use]
    pub fn enlarged(&self, small: &[f32]) -> Vec<f32> {
        self.assert_whole(small.len(), self.small());
        let (k, columns) = (self.factor, self.small()[2]);
        small
            .chunks(columns)
            .flat_map(|line| {
                let wide: Vec<f32> = line.iter().flat_map(|&x| vec![x; k]).collect();
                wide.repeat(k)
            })
            .collect()
    }

    /// What a model keeps under its own key.
    ///
    /// # Panics
    /// Never: sizes are numbers.
    #[must_use]
    pub fn kept(&self) -> Table {
        let own = Value::try_from(self).expect("sizes are valid TOML");
        Table::from_iter([(KEY.to_owned(), own)])
    }

    /// What a model has kept, from its `rows`; nothing for a model that does not enlarge.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn kept_in(rows: &Table) -> Result<Option<Self>, RunError> {
        let Some(own) = rows.get(KEY) else { return Ok(None) };
        let read: Self = own.clone().try_into().map_err(|error: toml::de::Error| {
            usage!("the model's `{KEY}`: {}", plain(error.message()))
        })?;
        if !read.divides() {
            let Self { shape, factor } = read;
            return Err(usage!(
                "the model's `{KEY}`: the factor is {factor}, it must be at least 2 and divide the \
                 sides of {shape:?}"
            ));
        }
        Ok(Some(read))
    }

    /// The rows of a source, each told its small image.
    pub(crate) fn told(self, inner: Arc<dyn DataSource>) -> Arc<dyn DataSource> {
        Arc::new(Told { inner, upsampling: self })
    }
}

#[derive(Debug)]
struct Told {
    inner: Arc<dyn DataSource>,
    upsampling: Upsampling,
}

impl DataSource for Told {
    fn shape(&self) -> &[usize] {
        self.inner.shape()
    }

    fn vector(&self) -> usize {
        self.inner.vector()
    }

    fn context(&self) -> &[usize] {
        &self.upsampling.shape
    }

    fn lengths(&self) -> bool {
        self.inner.lengths()
    }

    /// The small image is that of the row as it is drawn: mirrored where the row is.
    fn draw(&self, range: Range<u64>, streams: &Streams) -> Draw {
        let draw = self.inner.draw(range, streams);
        let contexts = self.upsampling.enlarged(&self.upsampling.shrunk(&draw.rows));
        Draw { contexts: Some(contexts), ..draw }
    }
}

#[cfg(test)]
mod tests {
    use flow_train::Rows;

    use super::*;

    /// Two images of two channels, 4 x 6.
    fn images() -> Vec<f32> {
        (0..2 * 2 * 24).map(|i| i as f32).collect()
    }

    const UPSAMPLING: Upsampling = Upsampling { shape: [2, 4, 6], factor: 2 };

    #[test]
    fn small_pixels_are_means_of_squares() {
        let small = UPSAMPLING.shrunk(&images());
        assert_eq!(small.len(), 2 * 2 * 6);
        // The first square holds 0, 1, 6, 7, and the last of the second image 88, 89, 94, 95.
        assert_eq!((small[0], small[1], small[23]), (3.5, 5.5, 91.5));
        // Means again: shrinking what was enlarged changes nothing.
        assert_eq!(UPSAMPLING.shrunk(&UPSAMPLING.enlarged(&small)), small);
        assert_eq!(UPSAMPLING.enlarged(&small)[..8], [3.5, 3.5, 5.5, 5.5, 7.5, 7.5, 3.5, 3.5]);
    }

    #[test]
    fn each_row_is_told_its_own_small_image_also_where_it_is_mirrored() {
        let rows = Rows::new(vec![2, 4, 6], images(), None).mirrored();
        let told = UPSAMPLING.told(Arc::new(rows));
        assert_eq!(told.context(), [2, 4, 6]);
        let draw = told.draw(0..8, &Streams::new(3));
        let expected = UPSAMPLING.enlarged(&UPSAMPLING.shrunk(&draw.rows));
        assert_eq!(draw.contexts.unwrap(), expected);
        // The control: some of them are mirrored, so that the set's own small images are others.
        let first: Vec<f32> = draw.rows.chunks(48).map(|row| row[0]).collect();
        assert!(first.iter().any(|x| ![0.0, 48.0].contains(x)), "{first:?}");
    }

    #[test]
    fn a_model_keeps_by_how_much_it_enlarges() {
        assert_eq!(Upsampling::kept_in(&UPSAMPLING.kept()).unwrap(), Some(UPSAMPLING));
        assert_eq!(Upsampling::kept_in(&Table::new()).unwrap(), None);
        let damaged: Table = "upsample = { factor = 2 }".parse().unwrap();
        assert!(Upsampling::kept_in(&damaged).is_err());
        let none: Table = "upsample = { shape = [1, 4, 4], factor = 0 }".parse().unwrap();
        let refused = Upsampling::kept_in(&none).unwrap_err().to_string();
        assert!(refused.contains("the factor is 0"), "{refused}");
    }
}
