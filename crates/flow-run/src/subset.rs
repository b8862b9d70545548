//! Some images of a set, and images as rows.

use flow_datasets::{Images, Split};
use flow_path::stream::{Purpose, Streams};
use flow_train::Rows;
use rand_distr::{Distribution, Uniform};

/// `n` of a part's images at random, none twice; all of them, in random order, if it has no more.
///
/// Sets lie on the disk sorted by class or by day, so the first images of a part stand for nothing
/// but themselves. Those of a smaller `n` are the first of a larger one with the same seed.
#[must_use]
pub fn some_of(images: &Images, part: Split, n: usize, seed: u64) -> Images {
    images.select(&some_places(images.len(), part, n, seed))
}

/// `n` of the places `0..len` of a part at random, none twice; all of them, in random order, if
/// there are no more.
///
/// # Panics
/// Never: a place is drawn from those that are left.
#[must_use]
pub fn some_places(len: usize, part: Split, n: usize, seed: u64) -> Vec<usize> {
    let mut rng = Streams::new(seed).rng(part as u64, Purpose::Subset);
    let mut order: Vec<usize> = (0..len).collect();
    let n = n.min(order.len());
    // Fisher & Yates, as in Knuth, TAOCP volume 2, algorithm 3.4.2P, from the front and as far as
    // needed.
    for i in 0..n {
        let rest = Uniform::new(i, order.len()).expect("place i is one of them");
        order.swap(i, rest.sample(&mut rng));
    }
    order.truncate(n);
    order
}

/// Images as rows in [-1, 1].
#[must_use]
pub fn image_rows(images: &Images) -> Rows {
    let shape = vec![images.channels, images.height, images.width];
    Rows::new(shape, pixels(images), Some(labels(images)))
}

/// Pixels of all images in [-1, 1].
#[must_use]
pub fn pixels(images: &Images) -> Vec<f32> {
    (0..images.len()).flat_map(|i| images.normalised(i)).collect()
}

/// Classes of all images.
#[must_use]
pub fn labels(images: &Images) -> Vec<usize> {
    images.labels.iter().map(|&label| usize::from(label)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of one pixel, 40 of class 0 and then 20 of class 1.
    fn sorted_by_class() -> Images {
        let labels: Vec<u8> = [vec![0; 40], vec![1; 20]].concat();
        let pixels = (0..60).collect();
        let class_names = vec!["ant".into(), "bee".into()];
        Images { pixels, labels, channels: 1, height: 1, width: 1, class_names, max_value: 255 }
    }

    #[test]
    fn some_images_stand_for_the_whole_part() {
        let images = sorted_by_class();
        for (seed, part) in [(0, Split::Train), (1, Split::Train), (0, Split::Test)] {
            let some = some_of(&images, part, 30, seed);
            let second = f64::from(some.labels.iter().map(|&label| u32::from(label)).sum::<u32>());
            // Hypergeometric: 30 of 60, a third of them of class 1. Mean 10, variance
            // 30 (1/3)(2/3)(30/59) = 3.4: four deviations are 7.4.
            assert!((second - 10.0).abs() < 7.4, "{second} of 30 are of the second class");
        }
    }

    #[test]
    fn no_image_is_taken_twice_and_fewer_are_the_first_of_more() {
        let images = sorted_by_class();
        let all = some_of(&images, Split::Test, 1000, 3);
        let mut pixels = all.pixels.clone();
        pixels.sort_unstable();
        assert_eq!(pixels, images.pixels);
        assert_eq!(some_of(&images, Split::Test, 7, 3).pixels, all.pixels[..7]);
        assert!(some_of(&images, Split::Test, 0, 3).is_empty());
        let others = [(Split::Test, 4), (Split::Train, 3)]
            .map(|(part, seed)| some_of(&images, part, 1000, seed).pixels);
        assert!(others.iter().all(|other| *other != all.pixels), "the seed and the part matter");
    }
}
