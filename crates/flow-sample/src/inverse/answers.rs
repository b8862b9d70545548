//! Several draws given one observation, with their mean and spread.

use burn::tensor::{Device, Tensor};

use super::evidence::Evidence;
use crate::error::SampleError;
use crate::noise::prior;
use crate::predictor::Predictor;
use crate::sampler::{Sampler, Seeded, Way, within};

/// How many answers are drawn, and how many of them at once.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use flow_path::{Exact, Linear, Mixture};
/// use flow_sample::{Conditioned, Ddim, Draws, Mask, Mmps, Observation, ObservationNoise, Way};
///
/// # fn main() -> Result<(), flow_sample::SampleError> {
/// let device = Device::flex();
/// let predictor = Exact::new(Mixture::ring(8, 2.0, 0.2), Linear { sigma_min: 0.0 });
/// // The first coordinate is about 2: what is the second?
/// let y = Tensor::from_data([[2.0, f32::NAN]], &device);
/// let first = Mask::new(&[true, false], 2, &device);
/// let observation = Observation::new(first, y, ObservationNoise::Gaussian { std: 0.1 })?;
/// let method = Mmps { observation: observation.clone(), iterations: 1 };
/// let conditioned = Conditioned { predictor, method };
/// let draws = Draws { draws: 16, at_once: 16, seed: 7 };
/// let way = Way::steps(20);
/// let answers =
///     draws.answer(&Ddim::default(), &conditioned, &observation, &way, [1, 2], &device)?;
/// assert_eq!(answers.x.dims(), [16, 2]);
/// assert!(answers.misfit.iter().all(|misfit| *misfit < 4.0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    /// Answers to each question.
    pub draws: usize,
    /// Draws in one batch, at least 1: memory is that of a batch of so many rows for each question.
    pub at_once: usize,
    /// Seed of their noise. Draw `k` depends on it and on `k`, not on the batch.
    pub seed: u64,
}

/// Draws given one observation or several, their mean and spread, and how well they fit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answers {
    /// All answers, `[draws * questions, d]`: those to all questions, one draw after the other.
    pub x: Tensor<2>,
    /// The mean of the answers to each question, `[questions, d]`: the best single guess, though
    /// where answers disagree it may look like none of them.
    pub mean: Tensor<2>,
    /// Their standard deviation, `[questions, d]`, if there are two or more.
    pub spread: Option<Tensor<2>>,
    /// How badly each row of `x` explains what is seen, in standard deviations of its noise: about
    /// 1 if it does. See [`Evidence::misfit`].
    pub misfit: Vec<f64>,
    /// Network calls for each answer, forward and backward ones counted once.
    pub nfe: usize,
}

/// Numbers of all answers: 1 GiB, of which there are a few copies while they are gathered.
const MOST_NUMBERS: usize = 1 << 28;

impl Draws {
    /// Refuses no draws or questions, and more answers than are held in memory.
    ///
    /// # Errors
    /// With the most draws that are.
    pub fn check(&self, [questions, size]: [usize; 2]) -> Result<(), SampleError> {
        let any = (1.0, f64::MAX);
        within("number of draws", self.draws as f64, any)?;
        within("number of questions", questions as f64, any)?;
        let most = MOST_NUMBERS / questions.saturating_mul(size).max(1);
        if most < self.draws {
            return Err(SampleError::TooManyDraws { draws: self.draws, questions, size, most });
        }
        Ok(())
    }

    /// Draws answers: data of a predictor that knows an observation, and the observation itself to
    /// see how well they fit.
    ///
    /// Starts and noise are those of the seed; of the `way` its grid and its watcher are used.
    /// There is a row for each of the `questions`, and a predictor made for so many, with a
    /// condition for each, meets them once for every draw of a batch.
    ///
    /// # Errors
    /// As for [`check`](Self::check), [`SampleError::Stopped`] when the watcher ended a walk, and
    /// when a sampler cannot go on: see [`Sampler::sample`].
    pub fn answer(
        &self,
        sampler: &dyn Sampler,
        predictor: &dyn Predictor,
        evidence: &dyn Evidence,
        way: &Way<'_>,
        [questions, size]: [usize; 2],
        device: &Device,
    ) -> Result<Answers, SampleError> {
        self.check([questions, size])?;
        let (mut rows, mut misfit, mut nfe) = (Vec::new(), Vec::new(), 0);
        for first in (0..self.draws).step_by(self.at_once.max(1)) {
            let last = self.draws.min(first + self.at_once.max(1));
            let range = first * questions..last * questions;
            let noise = Seeded { seed: self.seed, first: range.start };
            let x0 = prior(self.seed, range, size, predictor, device);
            let way = Way { noise: &noise, keep: &[], ..way.clone() };
            let generated = sampler.sample(predictor, x0, &way)?;
            if let Some(t) = generated.stopped {
                return Err(SampleError::Stopped { t });
            }
            misfit.extend(evidence.misfit(&generated.x).into_data().iter::<f64>());
            nfe = nfe.max(generated.nfe);
            rows.push(generated.x);
        }
        let x = Tensor::cat(rows, 0);
        let each = x.clone().reshape([self.draws, questions * size]);
        let mean = each.clone().mean_dim(0);
        let spread = (1 < self.draws).then(|| {
            let squares = (each - mean.clone()).square().sum_dim(0) / (self.draws - 1) as f64;
            squares.sqrt().reshape([questions, size])
        });
        Ok(Answers { x, mean: mean.reshape([questions, size]), spread, misfit, nfe })
    }
}
