//! Handwritten digits, 8 × 8, embedded in the crate.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::{Images, Split, class_names};

/// 1,797 lines of 64 pixels and a label.
const CSV_GZ: &[u8] = include_bytes!("../data/digits.csv.gz");

/// Every sixth image of a class is a test image.
const TEST_EVERY: usize = 6;

/// Real handwritten digits: 1,797 grey images of 8 × 8 pixels with values `0..=16`, ten classes.
///
/// The split is fixed and has no seed: of the images of each class, in the order of the file, every
/// sixth is a test image. That leaves 1,501 images for training and 296 for testing, balanced over
/// the classes and over the 13 writers, who follow one another in the file.
///
/// # Reference
/// Alpaydin & Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI Machine Learning
/// Repository, doi:10.24432/C50P49 (test part), CC BY 4.0.
#[must_use]
pub fn digits(split: Split) -> Images {
    let all = all();
    let mut seen = [0_usize; 10];
    let is_test = |label: u8| {
        let seen = &mut seen[usize::from(label)];
        *seen += 1;
        seen.is_multiple_of(TEST_EVERY)
    };
    let tests: Vec<bool> = all.labels.iter().copied().map(is_test).collect();
    let wanted: Vec<usize> =
        (0..all.len()).filter(|i| tests[*i] == matches!(split, Split::Test)).collect();
    all.select(&wanted)
}

fn all() -> Images {
    let mut csv = String::new();
    GzDecoder::new(CSV_GZ).read_to_string(&mut csv).expect("the embedded digits unpack");
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for line in csv.lines() {
        let (image, label) = line.rsplit_once(',').expect("a line ends with its label");
        let byte = |field: &str| field.parse::<u8>().expect("the embedded digits are bytes");
        pixels.extend(image.split(',').map(byte));
        labels.push(byte(label));
    }
    let class_names = class_names("digits");
    Images { pixels, labels, channels: 1, height: 8, width: 8, class_names, max_value: 16 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_file_holds_1797_images_in_range() {
        let all = all();
        assert_eq!(all.len(), 1_797);
        assert_eq!(all.pixels.len(), 1_797 * 64);
        assert_eq!(all.pixels.iter().max(), Some(&16));
        assert_eq!(all.labels.iter().max(), Some(&9));
    }

    #[test]
    fn the_first_image_is_a_zero_with_a_hole() {
        let all = all();
        assert_eq!(all.labels[0], 0);
        assert_eq!(all.image(0)[..8], [0, 0, 5, 13, 9, 1, 0, 0]);
        assert_eq!(all.image(0)[3 * 8 + 3..][..2], [0, 0], "the hole");
    }

    #[test]
    fn train_and_test_share_no_image_and_lose_none() {
        let (train, test) = (digits(Split::Train), digits(Split::Test));
        assert_eq!((train.len(), test.len()), (1_501, 296));
        let sorted = |images: &[Images]| {
            let mut rows: Vec<_> =
                images.iter().flat_map(|set| set.pixels.chunks(64).map(<[u8]>::to_vec)).collect();
            rows.sort();
            rows
        };
        assert_eq!(sorted(&[train, test]), sorted(&[all()]));
    }

    #[test]
    fn every_class_gives_a_sixth_of_its_images_to_the_test_part() {
        let (whole, test) = (all(), digits(Split::Test));
        let counts = |images: &Images| {
            let mut counts = [0_usize; 10];
            images.labels.iter().for_each(|label| counts[usize::from(*label)] += 1);
            counts
        };
        assert_eq!(counts(&test), counts(&whole).map(|count| count / 6));
    }
}
