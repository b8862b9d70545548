//! Random numbers by name: one independent stream for each (seed, index, purpose).
//!
//! Every draw of a run comes from a stream that is found, not continued: step 700 of seed 3 draws
//! the same noise in a fresh process, in a resumed run and on another machine, and adding a draw
//! for one purpose moves no other. The generator is ChaCha with 8 rounds (Bernstein 2008), whose
//! numbers are the same on every platform.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The purpose of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// Drawing or shuffling the data.
    Data,
    /// The noise `x_0`.
    Noise,
    /// The times `t`.
    Time,
    /// Pairing noise with data.
    Coupling,
    /// Dropping labels for classifier-free guidance.
    LabelDrop,
    /// A latent variable.
    Latent,
    /// The noise of a stochastic sampler.
    Sampler,
    /// The probe of a trace estimate.
    Probe,
    /// Uniform noise added to integer pixels.
    Dequantise,
    /// Scores: reference draws, projections, bootstrap.
    Evaluation,
    /// Random changes of the data, such as flips.
    Augment,
    /// Noise around the line between a pair.
    Blur,
    /// The noise `x_0` from which a sample starts. Training draws [`Purpose::Noise`], so that no
    /// sample begins where a step of training with the same seed began.
    Start,
    /// The latent variable of a sample; training draws [`Purpose::Latent`].
    SampleLatent,
    /// The starts of the pairs that reflow trains on, which no sample of any seed has again.
    Reflow,
    /// The latent variables of those pairs.
    ReflowLatent,
    /// Which rows of a data set a score looks at.
    Subset,
    /// The points whose likelihood is scored.
    LikelihoodPoints,
    /// The points at which a learned field is compared with the exact one.
    FieldError,
    /// Latent variables drawn from their prior for the report on a posterior.
    Prior,
    /// Latent variables that are crossed with starts, to see what each of them controls.
    Control,
    /// The velocities of many pairs through one point.
    Ambiguity,
    /// Where the jumps of a flow map start and arrive.
    Jump,
    /// Hiding condition vectors and conditioning rows for classifier-free guidance.
    ConditionDrop,
    /// How many elements a sampled sequence has.
    Length,
    /// Hiding single conditions of a condition vector, each at its own rate.
    PartDrop,
}

impl Purpose {
    /// A number that stays the same when variants are added.
    fn tag(self) -> u64 {
        match self {
            Self::Data => 1,
            Self::Noise => 2,
            Self::Time => 3,
            Self::Coupling => 4,
            Self::LabelDrop => 5,
            Self::Latent => 6,
            Self::Sampler => 7,
            Self::Probe => 8,
            Self::Dequantise => 9,
            Self::Evaluation => 10,
            Self::Augment => 11,
            Self::Blur => 12,
            Self::Start => 13,
            Self::SampleLatent => 14,
            Self::Reflow => 15,
            Self::ReflowLatent => 16,
            Self::Subset => 17,
            Self::LikelihoodPoints => 18,
            Self::FieldError => 19,
            Self::Prior => 20,
            Self::Control => 21,
            Self::Ambiguity => 22,
            Self::Jump => 23,
            Self::ConditionDrop => 24,
            Self::Length => 25,
            Self::PartDrop => 26,
        }
    }
}

/// All random streams of one seed.
///
/// ```
/// use flow_path::stream::{Purpose, Streams};
/// use rand::Rng;
///
/// let streams = Streams::new(3);
/// let noise = streams.rng(700, Purpose::Noise).next_u64();
/// assert_eq!(noise, Streams::new(3).rng(700, Purpose::Noise).next_u64());
/// assert_ne!(noise, streams.rng(700, Purpose::Time).next_u64());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// The streams of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The stream for `purpose` at `index`: a step of training, or a sample of a batch.
    #[must_use]
    pub fn rng(&self, index: u64, purpose: Purpose) -> ChaCha8Rng {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&index.to_le_bytes());
        key[16..24].copy_from_slice(&purpose.tag().to_le_bytes());
        ChaCha8Rng::from_seed(key)
    }
}
