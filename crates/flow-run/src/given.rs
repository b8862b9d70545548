//! Conditions and starts that samples are given instead of drawing them.

/// What is given instead of drawn, a row for each sample.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Where the paths start.
    pub starts: Option<Vec<f32>>,
    /// What the latents are.
    pub latents: Option<Vec<f32>>,
    /// Condition vectors, for models that are told numbers; taken in turn, so that one row holds
    /// for all samples.
    pub vectors: Option<Vec<f32>>,
    /// Conditioning rows, for models that are told an image; taken in turn too.
    pub contexts: Option<Vec<f32>>,
    /// How many elements each sequence has, in turn, for models of sequences that may end early.
    pub lengths: Option<Vec<usize>>,
    /// The class of each sample, in turn.
    pub classes: Option<Vec<usize>>,
}
