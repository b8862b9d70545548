//! Data sets by name.

use std::sync::Arc;

use flow_datasets::{Files, Images, Parts, Split, Toy};
use flow_path::stream::{Purpose, Streams};
use flow_path::{Checkerboard, Gaussian, Mixture, Target};
use flow_train::{DataSource, Draw, Rows};
use rand_distr::{Distribution, Uniform};

use crate::error::{RunError, usage};
use crate::listener::Listener;
use crate::recipe::Recipe;
use crate::table::{TABLE, TableData};

/// What a data set is made of.
#[derive(Debug)]
pub enum Data {
    /// Points drawn afresh.
    Toy(Arc<dyn Toy>),
    /// Images, to train with and held out.
    Images {
        /// To train with.
        train: Images,
        /// Held out.
        test: Images,
    },
    /// Rows of a table of the user's own.
    Table(Box<TableData>),
}

/// Held-out images that a model is told of.
const MOST_TOLD: usize = 1000;

/// What training does to images before it sees them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes {
    /// Mirrors them left to right with probability one half, to train with only.
    pub mirror: bool,
    /// Spreads their pixels over the gaps between the values.
    pub dequantise: bool,
}

impl Data {
    /// Opens the data set of a recipe; `told` hears of files that are left out.
    ///
    /// # Errors
    /// When there is no such set, or its files cannot be read or make none.
    pub fn open(recipe: &Recipe, files: &Files, told: &dyn Listener) -> Result<Self, RunError> {
        let set = recipe.data.set.as_str();
        if let Some(toy) = flow_datasets::toy(set) {
            return Ok(Self::Toy(toy.into()));
        }
        if set == TABLE {
            return TableData::open(&recipe.data).map(Box::new).map(Self::Table);
        }
        if !flow_datasets::IMAGE_SETS.contains(&set) {
            return Err(usage!(
                "there is no data set `{set}`, known are {TABLE}, {}, {}",
                flow_datasets::TOYS.join(", "),
                flow_datasets::IMAGE_SETS.join(", ")
            ));
        }
        let Parts { train, test, left_out } = flow_datasets::load_parts(set, files)?;
        if let Some(first) = left_out.first() {
            told.say(&format!(
                "files that are no PNG, JPEG or WebP images are left out: {}, the first is {}",
                left_out.len(),
                first.display()
            ));
        }
        Ok(Self::Images { train, test })
    }

    /// Shape of one row.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::Toy(toy) => vec![toy.dim()],
            Self::Images { train, .. } => vec![train.channels, train.height, train.width],
            Self::Table(table) => vec![table.rows.encoder.width()],
        }
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        match self {
            Self::Toy(_) | Self::Table(_) => 0,
            Self::Images { train, .. } => train.classes(),
        }
    }

    /// Numbers in the condition vector of a row, 0 for none.
    #[must_use]
    pub fn vector(&self) -> usize {
        self.table().map_or(0, |table| table.rows.vector())
    }

    /// Condition vectors of held-out rows, which requests take in turn; none for other data.
    #[must_use]
    pub fn conditions(&self) -> Option<Vec<f32>> {
        let held = &self.table()?.held;
        (!held.vectors.is_empty()).then(|| held.vectors.clone())
    }

    /// Held-out images whose small copies a model that enlarges is told, in turn: a thousand at
    /// most, in [-1, 1].
    #[must_use]
    pub fn told_images(&self) -> Vec<f32> {
        match self {
            Self::Images { test, .. } => pixels(&some_of(test, Split::Test, MOST_TOLD, 0)),
            _ => Vec::new(),
        }
    }

    /// The table, if it is one.
    #[must_use]
    pub fn table(&self) -> Option<&TableData> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// What they are called, in the order of their labels.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        match self {
            Self::Toy(_) | Self::Table(_) => &[],
            Self::Images { train, .. } => &train.class_names,
        }
    }

    /// Rows to train with and rows to validate with.
    #[must_use]
    pub fn sources(&self, changes: Changes) -> [Arc<dyn DataSource>; 2] {
        match self {
            Self::Toy(toy) => {
                let source = ToyRows { toy: Arc::clone(toy), shape: self.shape() };
                let source: Arc<dyn DataSource> = Arc::new(source);
                [Arc::clone(&source), source]
            }
            Self::Images { train, test } => {
                let rows = |images: &Images| {
                    let rows = image_rows(images);
                    let max = u32::from(images.max_value);
                    if changes.dequantise { rows.dequantised(max) } else { rows }
                };
                let seen = if changes.mirror { rows(train).mirrored() } else { rows(train) };
                [Arc::new(seen), Arc::new(rows(test))]
            }
            Self::Table(table) => {
                table.sources().map(|rows| -> Arc<dyn DataSource> { Arc::new(rows) })
            }
        }
    }
}

/// `n` of a part's images at random, none twice; all of them, in random order, if it has no more.
///
/// Sets lie on the disk sorted by class or by day, so the first images of a part stand for nothing
/// but themselves. Those of a smaller `n` are the first of a larger one with the same seed.
///
/// # Panics
/// Never: a place is drawn from those that are left.
#[must_use]
pub fn some_of(images: &Images, part: Split, n: usize, seed: u64) -> Images {
    let mut rng = Streams::new(seed).rng(part as u64, Purpose::Subset);
    let mut order: Vec<usize> = (0..images.len()).collect();
    let n = n.min(order.len());
    // Fisher & Yates, as in Knuth, TAOCP volume 2, algorithm 3.4.2P, from the front and as far as
    // needed.
    for i in 0..n {
        let rest = Uniform::new(i, order.len()).expect("place i is one of them");
        order.swap(i, rest.sample(&mut rng));
    }
    images.select(&order[..n])
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

/// An endless sequence of fresh points.
#[derive(Debug)]
struct ToyRows {
    toy: Arc<dyn Toy>,
    shape: Vec<usize>,
}

impl DataSource for ToyRows {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn draw(&self, range: std::ops::Range<u64>, streams: &Streams) -> Draw {
        let mut rng = streams.rng(range.start, Purpose::Data);
        let n = (range.end - range.start) as usize;
        Draw { rows: self.toy.sample(n, &mut rng), ..Draw::default() }
    }
}

/// The distribution of a toy in closed form, where there is one.
#[must_use]
pub fn target(set: &str) -> Option<Arc<dyn Target>> {
    use flow_datasets::GaussianMixture;
    let mixture = |toy: GaussianMixture| -> Arc<dyn Target> {
        let components =
            toy.centres().iter().map(|centre| Gaussian::new(centre.clone(), toy.std())).collect();
        Arc::new(Mixture::uniform(components))
    };
    match set {
        "checkerboard" => Some(Arc::new(Checkerboard::new(4, 4.0))),
        "eight-gaussians" => Some(mixture(GaussianMixture::eight_gaussians())),
        "gaussian" => Some(mixture(GaussianMixture::gaussian())),
        "two-modes-1d" => Some(mixture(GaussianMixture::two_modes())),
        "rings" => Some(mixture(GaussianMixture::six_on_a_ring(1.0))),
        "rings-source" => Some(mixture(GaussianMixture::six_on_a_ring(1.0 / 3.0))),
        _ => None,
    }
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
