//! Data sets by name.

use std::path::Path;
use std::sync::Arc;

use flow_datasets::{Download, Files, Images, Parts, Split, Toy};
use flow_path::stream::{Purpose, Streams};
use flow_path::{Checkerboard, Gaussian, Mixture, Target};
use flow_train::{DataSource, Draw, Rows};
use rand_distr::{Distribution, Uniform};

use crate::array::{ARRAY, ArrayData, ArrayRows};
use crate::error::{RunError, usage};
use crate::given::Given;
use crate::listener::Listener;
use crate::memory;
use crate::recipe::Recipe;
use crate::records;
use crate::sizes::row_size;
use crate::snapshots::{Seen, Snapshots, source};
use crate::table::{TABLE, TableData, TableRows};

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
    /// Rows of an array of the user's own.
    Array(Box<ArrayData>),
}

/// The files in a folder of the user; without one those of the cache, of which the missing ones are
/// downloaded, and each is told of when that begins.
#[must_use]
pub fn data_files(folder: Option<&Path>, told: impl Listener + 'static) -> Files {
    let download = Download::reporting(move |progress| {
        if progress.bytes == 0 {
            told.say(&format!("downloading {}", progress.file));
        }
    });
    Files { data_dir: folder.map(Into::into), download, ..Files::default() }
}

/// Held-out images that a model is told of.
const MOST_TOLD: usize = 1000;

/// What training does to rows before it sees them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes {
    /// Mirrors images left to right with probability one half, to train with only.
    pub mirror: bool,
    /// Spreads their pixels, and the whole numbers of tables, over the gaps between the values.
    pub dequantise: bool,
}

impl Data {
    /// Opens the data set of a recipe; `told` gets a message about files that are left out.
    ///
    /// # Errors
    /// When there is no such set, or its files cannot be read or make none.
    pub fn open(recipe: &Recipe, files: &Files, told: &dyn Listener) -> Result<Self, RunError> {
        Self::open_like(recipe, files, &toml::Table::new(), told)
    }

    /// Opens the data set of a recipe; rows of files become numbers as a model keeps it, whose
    /// `rows` these are, and not as these rows would have it.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and when the rows are none of the model's.
    pub fn open_like(
        recipe: &Recipe,
        files: &Files,
        rows: &toml::Table,
        told: &dyn Listener,
    ) -> Result<Self, RunError> {
        let set = recipe.data.set.as_str();
        if let Some(toy) = flow_datasets::toy(set) {
            return Ok(Self::Toy(toy.into()));
        }
        if set == TABLE {
            let like = TableRows::of(rows)?;
            let table = TableData::open(&recipe.data, recipe.learns_holes(), like)?;
            return Ok(Self::Table(Box::new(table)));
        }
        if set == ARRAY {
            let like = (ArrayRows::of(rows)?, TableRows::given_of(rows)?);
            return ArrayData::open(&recipe.data, like).map(Box::new).map(Self::Array);
        }
        if !flow_datasets::IMAGE_SETS.contains(&set) {
            return Err(usage!(
                "there is no data set `{set}`, known are {TABLE}, {ARRAY}, {}, {}",
                flow_datasets::TOYS.join(", "),
                flow_datasets::IMAGE_SETS.join(", ")
            ));
        }
        let Parts { train, test, left_out } = match &recipe.data.file {
            Some(file) => records::open(&recipe.data, file, files)?,
            None => flow_datasets::load_parts(set, files)?,
        };
        if let Some(first) = left_out.first() {
            told.say(&format!(
                "files that are no PNG, JPEG or WebP images are left out: {}, the first is {}",
                left_out.len(),
                first.display()
            ));
        }
        let Some(factor) = recipe.data.shrink else { return Ok(Self::Images { train, test }) };
        let shrunk =
            |images: Images| images.shrunk(factor).map_err(|error| usage!("data.shrink: {error}"));
        Ok(Self::Images { train: shrunk(train)?, test: shrunk(test)? })
    }

    /// Shape of one row.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::Toy(toy) => vec![toy.dim()],
            Self::Images { train, .. } => vec![train.channels, train.height, train.width],
            Self::Table(table) => vec![table.rows.encoder.width()],
            Self::Array(array) => array.rows.network_shape(),
        }
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        match self {
            Self::Toy(_) | Self::Table(_) => 0,
            Self::Images { train, .. } => train.classes(),
            Self::Array(array) => array.class_names.len(),
        }
    }

    /// Whether rows are sequences of which some end early.
    #[must_use]
    pub fn ends_early(&self) -> bool {
        self.array().is_some_and(|array| !array.rows.lengths.is_empty())
    }

    /// Numbers in the condition vector of a row, 0 for none; those that say what is missing in it
    /// are among them.
    #[must_use]
    pub fn vector(&self) -> usize {
        self.given_columns().map_or(0, TableRows::told_width)
    }

    /// How the conditions of rows become numbers: the columns of a table, or those that stand
    /// beside an array.
    #[must_use]
    pub fn given_columns(&self) -> Option<&TableRows> {
        match self {
            Self::Table(table) => Some(&table.rows),
            Self::Array(array) => array.given.as_ref().map(|given| &given.rows),
            _ => None,
        }
    }

    /// What the model is told of held-out rows, which requests take in turn: the conditions of a
    /// table, and where paths start that start from data.
    #[must_use]
    pub fn told(&self) -> Given {
        match self {
            Self::Table(table) => {
                let vectors = &table.told().vectors;
                Given {
                    vectors: (!vectors.is_empty()).then(|| vectors.clone()),
                    starts: table.before.first().map(|[_, held]| held.values.clone()),
                    ..Given::default()
                }
            }
            Self::Array(array) => match array.before.first() {
                Some([_, held]) => Given {
                    starts: Some(held.values.clone()),
                    // A start without a class may have that of any end.
                    classes: held.labels.clone(),
                    ..Given::default()
                },
                // Classes as often as they are, each with the numbers that belong to it.
                None => Given {
                    classes: array.held.labels.clone(),
                    vectors: array.held.vectors.clone(),
                    ..Given::default()
                },
            },
            _ => Given::default(),
        }
    }

    /// Whether paths start from data that have conditions of their own, which their ends share.
    #[must_use]
    pub fn has_told_starts(&self) -> bool {
        match self {
            Self::Table(table) => {
                table.before.first().is_some_and(|[train, _]| !train.vectors.is_empty())
            }
            Self::Array(array) => {
                array.before.first().is_some_and(|[train, _]| train.labels.is_some())
            }
            _ => false,
        }
    }

    /// Rows of a file that the scores of samples may look at: no more than were trained with, and
    /// of data to data, no more than paths start from. Nothing for other data.
    #[must_use]
    pub fn most_scored(&self) -> Option<usize> {
        let (train, starts) = match self {
            Self::Table(table) => (table.train.n, table.before.first().map(|[_, held]| held.n)),
            Self::Array(array) => (array.train.n, array.before.first().map(|[_, held]| held.n)),
            _ => return None,
        };
        Some(starts.map_or(train, |starts| starts.min(train)))
    }

    /// `n` held-out rows, again from the first where there are fewer.
    ///
    /// # Errors
    /// For more than memory holds, and as for [`sources`](Self::sources).
    pub fn held_rows(&self, n: usize, seed: u64) -> Result<Vec<f32>, RunError> {
        let bytes = size_of::<f32>() as f64 * n as f64 * row_size(&self.shape());
        memory::check("the number of held-out rows", "their numbers", bytes)?;
        let ends = match self {
            Self::Table(table) if !table.before.is_empty() => &table.held.values,
            Self::Array(array) if !array.before.is_empty() => &array.held.values,
            _ => {
                let [_, held] = self.sources(Changes::default())?;
                return Ok(held.draw(0..n as u64, &Streams::new(seed)).rows);
            }
        };
        let size: usize = self.shape().iter().product();
        Ok(ends.iter().copied().cycle().take(n * size).collect())
    }

    /// How many elements each of these rows has, if they are sequences of which some end early.
    ///
    /// # Errors
    /// For more than memory holds, and as for [`sources`](Self::sources).
    pub fn held_lengths(&self, n: usize, seed: u64) -> Result<Option<Vec<usize>>, RunError> {
        if !self.ends_early() {
            return Ok(None);
        }
        // They are drawn with their rows.
        let bytes = size_of::<f32>() as f64 * n as f64 * row_size(&self.shape());
        memory::check("the number of held-out rows", "their numbers", bytes)?;
        let [_, held] = self.sources(Changes::default())?;
        Ok(held.draw(0..n as u64, &Streams::new(seed)).lengths)
    }

    /// The array, if it is one.
    #[must_use]
    pub fn array(&self) -> Option<&ArrayData> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    /// When the snapshots of data to data were seen; nothing for other data.
    #[must_use]
    pub fn snapshots(&self) -> Option<&Snapshots> {
        match self {
            Self::Table(table) => table.snapshots.as_ref(),
            Self::Array(array) => array.snapshots.as_ref(),
            _ => None,
        }
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
            Self::Array(array) => &array.class_names,
        }
    }

    /// Rows to train with and rows to validate with.
    ///
    /// # Errors
    /// When pixels are to be spread that are not scaled by their range, when rows are to be
    /// mirrored that are no images, and for snapshots of which a row has a condition that none
    /// before has.
    pub fn sources(&self, changes: Changes) -> Result<[Arc<dyn DataSource>; 2], RunError> {
        Ok(match self {
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
                let shape = self.shape();
                let spread = changes.dequantise.then(|| table.spread()).flatten();
                let seen = || Seen { spread: spread.clone(), ..Seen::default() };
                let side = |at| match table.rows.holes[..] {
                    [] => source(&shape, table.snapshots_of(at), table.pairs(), seen(), None),
                    _ => Ok(Arc::new(seen().of(table.with_incomplete(at))) as Arc<dyn DataSource>),
                };
                [side(0)?, side(1)?]
            }
            Self::Array(array) => {
                let shape = self.shape();
                let gaps = changes.dequantise.then(|| array.rows.gaps()).transpose()?;
                if changes.mirror && shape.len() < 3 {
                    return Err(usage!(
                        "data.mirror turns images left to right, and the rows of this array are \
                         none: leave it out"
                    ));
                }
                // Rows that are held out are seen as they are.
                let side = |at: usize| {
                    let mirrored = changes.mirror && at == 0;
                    let seen = Seen { gaps, mirrored, ..Seen::default() };
                    let part = [&array.train, &array.held][at];
                    if let Some(pieces) = &part.pieces {
                        let mut rows = Rows::stored(shape.clone(), Arc::clone(pieces) as _);
                        if let Some(labels) = &part.labels {
                            rows = rows.with_labels(labels.clone());
                        }
                        if let Some(vectors) = &part.vectors {
                            rows = rows.with_vectors(vectors.clone());
                        }
                        return Ok(Arc::new(seen.of(rows)) as Arc<dyn DataSource>);
                    }
                    let (snapshots, lengths) = (array.snapshots_of(at), array.lengths_of(at));
                    source(&shape, snapshots, array.pairs, seen, lengths)
                };
                [side(0)?, side(1)?]
            }
        })
    }
}

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
