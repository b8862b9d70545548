//! Labelled images in host memory.

use crate::DatasetError;

/// Labelled images of one size, as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Pixel values in `0..=max_value`, row-major `[n, channels, height, width]`.
    pub pixels: Vec<u8>,
    /// Class of each image, a place in `class_names`, `[n]`.
    pub labels: Vec<u8>,
    /// Number of colour channels: 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// What the classes are called, in the order of their labels.
    pub class_names: Vec<String>,
    /// Value of a full pixel: 255, or 16 for the digits.
    pub max_value: u8,
}

impl Images {
    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.class_names.len()
    }

    /// Number of values in one image: `channels · height · width`.
    #[must_use]
    pub fn image_len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The pixels of image `i`.
    ///
    /// # Shapes
    /// Returns `[channels, height, width]` in row-major order.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len).
    #[must_use]
    pub fn image(&self, i: usize) -> &[u8] {
        assert!(i < self.len(), "image index: expected below {}, got {i}", self.len());
        &self.pixels[i * self.image_len()..][..self.image_len()]
    }

    /// Image `i` on the scale of the networks: `2 x / max_value − 1`, in `[-1, 1]`.
    ///
    /// # Shapes
    /// Returns `[channels, height, width]` in row-major order.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len), or if `max_value` is zero: then there is no scale.
    #[must_use]
    pub fn normalised(&self, i: usize) -> Vec<f32> {
        assert!(self.max_value > 0, "value of a full pixel: expected at least 1, got 0");
        let half = f32::from(self.max_value) / 2.0;
        self.image(i).iter().map(|x| f32::from(*x) / half - 1.0).collect()
    }

    /// The images at `indices`, in that order.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len).
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            pixels: indices.iter().flat_map(|i| self.image(*i)).copied().collect(),
            labels: indices.iter().map(|i| self.labels[*i]).collect(),
            ..self.without_images()
        }
    }

    /// The images with one pixel for each square of `factor` x `factor`: the mean of its values,
    /// rounded to the nearest, halves up.
    ///
    /// # Errors
    /// [`DatasetError::Shrink`] unless the factor is at least 1 and divides both sides.
    pub fn shrunk(&self, factor: usize) -> Result<Self, DatasetError> {
        let (height, width) = (self.height, self.width);
        let divides = |side: usize| (1..=side).contains(&factor) && side.is_multiple_of(factor);
        if !divides(height) || !divides(width) {
            return Err(DatasetError::Shrink { factor, height, width });
        }
        let (across, area) = (width / factor, (factor * factor) as u64);
        // Bands of `factor` lines become one, whatever image and channel they are of.
        let line = |band: &[u8]| {
            let mut sums = vec![0_u64; across];
            for (at, &value) in band.iter().enumerate() {
                sums[at % width / factor] += u64::from(value);
            }
            sums.into_iter().map(|sum| ((2 * sum + area) / (2 * area)) as u8).collect::<Vec<_>>()
        };
        Ok(Self {
            pixels: self.pixels.chunks(factor * width).flat_map(line).collect(),
            labels: self.labels.clone(),
            height: height / factor,
            width: across,
            ..self.without_images()
        })
    }

    /// The first `n` images and the rest.
    ///
    /// # Panics
    /// If `n` is above [`len`](Self::len).
    #[must_use]
    pub fn split_at(mut self, n: usize) -> (Self, Self) {
        assert!(n <= self.len(), "split: expected at most {} images, got {n}", self.len());
        let pixels = self.pixels.split_off(n * self.image_len());
        let labels = self.labels.split_off(n);
        let rest = Self { pixels, labels, ..self.without_images() };
        (self, rest)
    }

    /// Sizes and classes alone.
    fn without_images(&self) -> Self {
        let class_names = self.class_names.clone();
        Self { pixels: Vec::new(), labels: Vec::new(), class_names, ..*self }
    }
}

/// Classes that are called by their number, as digits are.
pub(crate) fn numbered(classes: usize) -> Vec<String> {
    (0..classes).map(|class| class.to_string()).collect()
}

/// Classes with names of their own.
pub(crate) fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_by_one() -> Images {
        Images {
            pixels: vec![0, 8, 16, 4, 12, 2],
            labels: vec![0, 1, 0],
            channels: 1,
            height: 1,
            width: 2,
            class_names: numbered(2),
            max_value: 16,
        }
    }

    #[test]
    fn zero_becomes_minus_one_and_the_full_value_one() {
        let images = two_by_one();
        assert_eq!(images.normalised(0), [-1.0, 0.0]);
        assert_eq!(images.normalised(1), [1.0, -0.5]);
    }

    #[test]
    fn selected_images_keep_their_labels() {
        let picked = two_by_one().select(&[2, 1]);
        assert_eq!(picked.pixels, [12, 2, 16, 4]);
        assert_eq!(picked.labels, [0, 1]);
    }

    #[test]
    fn a_small_pixel_is_the_rounded_mean_of_its_square() {
        // Two images of two channels, 2 x 4: the pixels of a channel count from its first value.
        let channel = |first: u8| (0..8).map(move |i| first + i);
        let images = Images {
            pixels: [0, 100, 1, 200].into_iter().flat_map(channel).collect(),
            labels: vec![0, 1],
            channels: 2,
            height: 2,
            width: 4,
            ..two_by_one()
        };
        let small = images.shrunk(2).unwrap();
        // 0, 1, 4, 5 have the mean 2.5, and 2, 3, 6, 7 that of 4.5.
        assert_eq!(small.pixels, [3, 5, 103, 105, 4, 6, 203, 205]);
        assert_eq!((small.channels, small.height, small.width), (2, 1, 2));
        assert_eq!((small.labels, small.max_value), (vec![0, 1], 16));
        assert_eq!(images.shrunk(1).unwrap(), images);
        for factor in [0, 3, 4] {
            let error = images.shrunk(factor).unwrap_err().to_string();
            assert!(error.contains(&format!("{factor} times")), "{error}");
        }
    }

    #[test]
    fn the_two_parts_of_a_split_are_the_whole() {
        let (head, tail) = two_by_one().split_at(1);
        assert_eq!((head.len(), tail.len()), (1, 2));
        assert_eq!([head.pixels, tail.pixels].concat(), two_by_one().pixels);
        assert_eq!([head.labels, tail.labels].concat(), two_by_one().labels);
    }

    #[test]
    #[should_panic(expected = "expected below 3, got 3")]
    fn an_index_past_the_end_is_refused() {
        let _ = two_by_one().image(3);
    }
}
