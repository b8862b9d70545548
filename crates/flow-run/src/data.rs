//! Data sets by name.

use std::path::Path;
use std::sync::Arc;

use flow_datasets::{Download, Files, Images, Parts, Split, Toy};
use flow_path::stream::Streams;
use flow_train::{DataSource, Rows};

use crate::array::{ARRAY, ArrayData, ArrayRows};
use crate::error::{RunError, usage};
use crate::given::Given;
use crate::listener::Listener;
use crate::memory::{self, row_size};
use crate::recipe::Recipe;
use crate::records;
use crate::snapshots::{Seen, Snapshots, source};
use crate::subset::{image_rows, pixels, some_of};
use crate::table::{TABLE, TableData, TableRows};
use crate::toys::ToyRows;

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
