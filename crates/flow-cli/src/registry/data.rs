//! Data sets by name.

use std::sync::Arc;

use anyhow::Result;
use flow_datasets::{Images, Source, Split, Toy};
use flow_path::stream::{Purpose, Streams};
use flow_path::{Checkerboard, Gaussian, Mixture, Target};
use flow_train::{DataSource, Draw, Rows};

use crate::exit::usage;
use crate::recipe::Recipe;

/// What a data set is made of.
#[derive(Debug)]
pub(crate) enum Data {
    /// Points drawn afresh.
    Toy(Arc<dyn Toy>),
    /// Images, to train with and held out.
    Images { train: Images, test: Images },
}

/// What training does to images before it sees them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Changes {
    /// Mirrors them left to right with probability one half, to train with only.
    pub(crate) mirror: bool,
    /// Spreads their pixels over the gaps between the values.
    pub(crate) dequantise: bool,
}

impl Data {
    /// Opens the data set of a recipe.
    pub(crate) fn open(recipe: &Recipe, source: &Source) -> Result<Self> {
        let set = recipe.data.set.as_str();
        if let Some(toy) = flow_datasets::toy(set) {
            return Ok(Self::Toy(toy.into()));
        }
        if !flow_datasets::IMAGE_SETS.contains(&set) {
            return Err(usage!(
                "there is no data set `{set}`, known are {}, {}",
                flow_datasets::TOYS.join(", "),
                flow_datasets::IMAGE_SETS.join(", ")
            ));
        }
        let train = flow_datasets::load(set, Split::Train, source)?;
        let test = flow_datasets::load(set, Split::Test, source)?;
        Ok(Self::Images { train, test })
    }

    /// Shape of one row.
    pub(crate) fn shape(&self) -> Vec<usize> {
        match self {
            Self::Toy(toy) => vec![toy.dim()],
            Self::Images { train, .. } => vec![train.channels, train.height, train.width],
        }
    }

    /// Number of classes.
    pub(crate) fn classes(&self) -> usize {
        match self {
            Self::Toy(_) => 0,
            Self::Images { train, .. } => train.classes,
        }
    }

    /// Rows to train with and rows to validate with.
    pub(crate) fn sources(&self, changes: Changes) -> [Arc<dyn DataSource>; 2] {
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
        }
    }
}

/// Images as rows in [-1, 1].
pub(crate) fn image_rows(images: &Images) -> Rows {
    let shape = vec![images.channels, images.height, images.width];
    let pixels = (0..images.len()).flat_map(|i| images.normalised(i)).collect();
    let labels = images.labels.iter().map(|&label| usize::from(label)).collect();
    Rows::new(shape, pixels, Some(labels))
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
pub(crate) fn target(set: &str) -> Option<Arc<dyn Target>> {
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
