//! Requests for samples of a model, and the samples.

use std::sync::Arc;

use flow_nn::Signature;
use flow_path::Schedule;
use flow_sample::{Grid, Interval};

use crate::model::Model;

/// What to draw.
///
/// Everything that is drawn follows from the seed and the number of a sample: sample `i` of a seed
/// is the same whatever `n` and, with fixed steps, whatever the batch.
#[derive(Clone, Debug)]
pub struct SampleRequest<'a> {
    /// Number of samples.
    pub n: usize,
    /// Seed of their starts, latents and noise.
    pub seed: u64,
    /// Samples that are drawn together.
    pub batch: usize,
    /// The class of each sample, for models that know any.
    pub classes: Classes,
    /// A condition vector for each sample, row-major, for models that read one.
    pub vectors: Option<Vec<f32>>,
    /// A conditioning row for each sample, row-major, for models that read one.
    pub contexts: Option<Vec<f32>>,
    /// Starts of the paths, row-major, in place of drawn ones.
    pub starts: Option<Vec<f32>>,
    /// Latents, row-major, in place of drawn ones.
    pub latents: Option<Vec<f32>>,
    /// How many elements each sample has, for models of sequences that may end early, in place of
    /// lengths drawn as those of the data are.
    pub lengths: Option<Vec<usize>>,
    /// Guidance; without it the model answers alone, one with guidance baked in by its least
    /// strength.
    pub guidance: Option<Guidance<'a>>,
    /// Schedule to sample along, if not that of the training.
    pub along: Option<Arc<dyn Schedule>>,
    /// The times of samplers that step along a grid.
    pub grid: Grid,
    /// Times, in increasing order, whose states are kept.
    pub keep: Vec<f64>,
}

impl SampleRequest<'_> {
    /// Samples `0..n` of a seed, without guidance, on 20 equal steps for samplers that take a grid.
    /// How many they may be is looked at by [`Model::check`], when they are drawn.
    #[must_use]
    pub fn new(n: usize, seed: u64) -> Self {
        Self {
            n,
            seed,
            batch: 500,
            classes: Classes::InTurn,
            vectors: None,
            contexts: None,
            starts: None,
            latents: None,
            lengths: None,
            guidance: None,
            along: None,
            grid: Grid::Uniform { steps: 20 },
            keep: Vec::new(),
        }
    }
}

/// The classes of samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Classes {
    /// Sample `i` is of class `i mod classes`.
    #[default]
    InTurn,
    /// All are of one class.
    All(usize),
    /// One for each.
    Each(Vec<usize>),
}

/// How far a prediction is moved away from a weaker one: see [`flow_sample::Guided`].
#[derive(Clone, Copy, Debug)]
pub struct Guidance<'a> {
    /// How far: 1 is no guidance.
    pub scale: f64,
    /// When.
    pub interval: Interval,
    /// What it moves away from.
    pub against: Against<'a>,
}

impl Guidance<'_> {
    /// Whether a model answers with it by itself, in one evaluation.
    pub(crate) fn is_baked(&self, model: &Model) -> bool {
        model.config().strengths.is_some() && matches!(self.against, Against::Unconditional)
    }
}

/// What guidance moves away from.
#[derive(Clone, Copy, Debug)]
pub enum Against<'a> {
    /// The model itself, without its class, vector and context: classifier-free guidance, in two
    /// evaluations, or in one of a model with guidance baked in, which knows its own strengths.
    Unconditional,
    /// A weaker model of the same rows, whatever its network: autoguidance (Karras et al. 2024,
    /// arXiv:2406.02507). It is told as much of the condition as it knows.
    Model(&'a Model),
}

/// Samples on the host, row-major, and what they cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// `[n, ..]`, rows of the model's shape.
    pub rows: Vec<f32>,
    /// States at each time asked for, each `[n, ..]`.
    pub states: Vec<Vec<f32>>,
    /// The class of each, of a model that knows any.
    pub classes: Option<Vec<usize>>,
    /// How many elements each has, of a model of sequences that may end early: zeros follow.
    pub lengths: Option<Vec<usize>>,
    /// Network calls for each sample, mean over batches.
    pub nfe: f64,
}

impl Samples {
    /// No samples yet, of a model of this signature, with states at so many times: a list for each,
    /// empty so far.
    #[must_use]
    pub fn none(signature: &Signature, times: usize) -> Self {
        Self {
            rows: Vec::new(),
            states: vec![Vec::new(); times],
            classes: (0 < signature.classes).then(Vec::new),
            lengths: signature.lengths.then(Vec::new),
            nfe: 0.0,
        }
    }

    /// Puts samples behind these, which have states at the same times; their `nfe` is that of all.
    pub fn append(&mut self, more: Self) {
        self.rows.extend(more.rows);
        for (all, more) in self.states.iter_mut().zip(more.states) {
            all.extend(more);
        }
        for (all, more) in [(&mut self.classes, more.classes), (&mut self.lengths, more.lengths)] {
            all.iter_mut().zip(more).for_each(|(all, more)| all.extend(more));
        }
        self.nfe = more.nfe;
    }
}
