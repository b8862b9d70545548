//! Sizes of a diffusion transformer and the check that they fit together.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::block::{Block, EPSILON, Head, MLP_RATIO, xavier};
use super::embedding::{Embedding, SINUSOIDS};
use super::tokens::Grid;
use super::{Dit, Given};
use crate::config::{NetworkConfig, Preset};
use crate::embed::Band;
use crate::error::{NetworkError, frequency, multiple, positive};
use crate::footprint::Footprint;
use crate::signature::Signature;

/// Sizes of a [`Dit`]. `kind = "dit"` alone is a small one for a CPU, 1.5 million numbers.
///
/// The sizes of the paper are [`s`](Self::s), [`b`](Self::b), [`l`](Self::l) and [`xl`](Self::xl);
/// in a recipe they are presets, `network = { kind = "dit", preset = "S", patch = 2 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DitConfig {
    /// Numbers of a token, a multiple of 4 and of the heads.
    pub hidden: usize,
    /// Number of blocks.
    pub depth: usize,
    /// Heads of each attention.
    pub heads: usize,
    /// Side of a patch of an image in pixels; sequences and tables do not read it.
    pub patch: usize,
    /// Angular frequencies of the time, in radians per unit: 256 sinusoids between them. The
    /// duration of a flow map has those of them up to 20.
    pub time: Band,
    /// Whether blocks share one embedding of time and conditions.
    #[serde(skip_serializing_if = "Embeddings::is_default")]
    pub embeddings: Embeddings,
    /// Added to the variance of a token before the MLP. Before the attention it is always 1e-6.
    #[serde(skip_serializing_if = "is_usual")]
    pub mlp_epsilon: f64,
}

/// How many embeddings of time and conditions a [`Dit`] has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Embeddings {
    /// One for all blocks, as in the paper.
    #[default]
    Shared,
    /// One for each block, as in files of the library diffusers; the last layer reads the first.
    EachBlock,
}

impl Embeddings {
    // Serde calls this with a reference.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_usual(epsilon: &f64) -> bool {
    epsilon.total_cmp(&EPSILON).is_eq()
}

impl Default for DitConfig {
    fn default() -> Self {
        Self {
            hidden: 128,
            depth: 4,
            heads: 4,
            patch: 2,
            time: Band { lowest: 0.1, highest: 1000.0 },
            embeddings: Embeddings::default(),
            mlp_epsilon: EPSILON,
        }
    }
}

/// The sizes of Peebles & Xie (2023), arXiv:2212.09748, table 1.
impl DitConfig {
    /// Small: 12 blocks of 384 numbers and 6 heads, 33 million numbers.
    #[must_use]
    pub fn s(patch: usize) -> Self {
        Self { hidden: 384, depth: 12, heads: 6, patch, ..Self::default() }
    }

    /// Base: 12 blocks of 768 numbers and 12 heads, 130 million numbers.
    #[must_use]
    pub fn b(patch: usize) -> Self {
        Self { hidden: 768, depth: 12, heads: 12, patch, ..Self::default() }
    }

    /// Large: 24 blocks of 1,024 numbers and 16 heads, 458 million numbers.
    #[must_use]
    pub fn l(patch: usize) -> Self {
        Self { hidden: 1024, depth: 24, heads: 16, patch, ..Self::default() }
    }

    /// Extra large: 28 blocks of 1,152 numbers and 16 heads, 675 million numbers.
    #[must_use]
    pub fn xl(patch: usize) -> Self {
        Self { hidden: 1152, depth: 28, heads: 16, patch, ..Self::default() }
    }

    /// Refuses sizes that do not fit together.
    fn check(&self) -> Result<(), NetworkError> {
        positive("hidden", self.hidden)?;
        positive("depth", self.depth)?;
        positive("heads", self.heads)?;
        multiple("hidden", self.hidden, 4)?;
        multiple("hidden", self.hidden, self.heads)?;
        frequency("time.lowest", self.time.lowest)?;
        frequency("time.highest", self.time.highest)?;
        // A variance that is not a number or negative makes every token so.
        if 0.0 < self.mlp_epsilon && self.mlp_epsilon < 1.0 {
            return Ok(());
        }
        let (field, need) = ("mlp_epsilon", "positive and below 1");
        Err(NetworkError::OutOfRange { field, value: self.mlp_epsilon, need })
    }

    /// The tokens of a context and how they are read, if there is one.
    fn given(&self, signature: &Signature, rows: &Grid) -> Result<Option<Given>, NetworkError> {
        if signature.context.is_empty() {
            return Ok(None);
        }
        let grid = Grid::of(&signature.context, self.patch)?;
        Ok(Some(if grid.lies_on(rows) { Given::Joined(grid) } else { Given::Tokens(grid) }))
    }

    fn count(&self) -> usize {
        match self.embeddings {
            Embeddings::Shared => 1,
            Embeddings::EachBlock => self.depth,
        }
    }
}

/// Refuses lengths of other rows than sequences, and beside tokens of a context: what is there must
/// come first.
fn check_lengths(grid: &Grid, given: Option<&Given>) -> Result<(), NetworkError> {
    let (kind, sequences) = (DitConfig::KIND, matches!(grid, Grid::Elements { .. }));
    let further = matches!(given, Some(Given::Tokens(_)));
    Signature::refuse(
        kind,
        &[
            ("lengths of other rows than sequences", !sequences),
            ("lengths beside a context of another length", further),
        ],
    )
}

impl NetworkConfig for DitConfig {
    const KIND: &'static str = "dit";
    const ABOUT: &'static str = "a diffusion transformer for images, sequences and tables";
    const PRESETS: &'static [Preset<Self>] =
        &[("S", || Self::s(2)), ("B", || Self::b(2)), ("L", || Self::l(2)), ("XL", || Self::xl(2))];
    const TIME_SCALE_KEY: &'static [&'static str] = &["time", "highest"];
    type Network = Dit;

    /// # Errors
    /// When a size is zero, `hidden` is no multiple of 4 and of the heads, the patch does not
    /// divide an image, rows or context have more than three sides, a frequency is not positive, or
    /// other rows than sequences are to end early.
    fn init(&self, signature: &Signature, device: &Device) -> Result<Dit, NetworkError> {
        self.check()?;
        let grid = Grid::of(&signature.shape, self.patch)?;
        let given = self.given(signature, &grid)?;
        let &Self { hidden, depth, heads, mlp_epsilon, .. } = self;
        if signature.lengths {
            check_lengths(&grid, given.as_ref())?;
        }
        let (joined, further) = match &given {
            None => (0, None),
            Some(Given::Joined(context)) => (context.width() + 1, None),
            Some(Given::Tokens(context)) => (0, Some(context)),
        };
        let mut positions = vec![grid.positions(hidden, device)];
        positions.extend(further.map(|context| context.positions(hidden, device)));
        let context = further.map(|context| xavier(context.width() + 1, hidden, device));
        let embedding = |_| Embedding::new(hidden, self.time, signature, device);
        Ok(Dit {
            embeddings: (0..self.count()).map(embedding).collect(),
            input: xavier(grid.width() + joined, hidden, device),
            context,
            blocks: (0..depth).map(|_| Block::new(hidden, heads, mlp_epsilon, device)).collect(),
            head: Head::new(hidden, grid.width(), device),
            positions: Tensor::cat(positions, 1),
            grid,
            given,
            signature: signature.clone(),
            recompute: false,
        })
    }

    /// The weights that attention gives to tokens are not counted.
    fn footprint(&self, signature: &Signature) -> Footprint {
        let Ok(grid) = Grid::of(&signature.shape, self.patch) else { return Footprint::default() };
        let Ok(given) = self.given(signature, &grid) else { return Footprint::default() };
        let [width, rows] = [self.hidden, grid.count()].map(|n| n as f64);
        let mut all = Footprint::default();
        let mut tokens = rows;
        match given {
            None => all.each(grid.width() as f64, width, rows),
            Some(Given::Joined(context)) => {
                all.each(grid.width() as f64 + context.width() as f64 + 1.0, width, rows);
            }
            Some(Given::Tokens(context)) => {
                all.each(grid.width() as f64, width, rows);
                all.each(context.width() as f64 + 1.0, width, context.count() as f64);
                tokens += context.count() as f64;
            }
        }
        let mut embedding = Footprint::default();
        embedding.time(SINUSOIDS as f64, width);
        embedding.classes(signature.classes, width);
        embedding.vector(signature.vector, width);
        if 0 < signature.latent {
            embedding.stack(signature.latent as f64, width, 2);
        }
        if signature.two_times {
            embedding.time(SINUSOIDS as f64, width);
        }
        all.add(self.count() as f64, &embedding);
        let mut block = Footprint::default();
        let hidden = MLP_RATIO as f64 * width;
        block.linear(width, 6.0 * width);
        block.each(width, 3.0 * width, tokens);
        block.attention(width, tokens);
        block.each(width, width, tokens);
        block.each(width, hidden, tokens);
        block.each(hidden, width, tokens);
        all.add(self.depth as f64, &block);
        all.linear(width, 2.0 * width);
        all.each(width, grid.width() as f64, rows);
        all
    }
}
