//! Samples of a model, whatever the sampler.

use std::ops::Range;

use flow_kernels::on_pool;
use flow_nn::Condition;
use flow_sample::{Guided, Interruptible, Predictor, Sampler, Way, starts};

use crate::changes::SampleChanges;
use crate::error::ModelError;
use crate::model::{Model, host};
use crate::piece::{Noises, Piece};
use crate::plan::Asked;
use crate::request::{Against, Guidance, SampleRequest, Samples};

impl Model {
    /// The sampler of the model's own settings, and its grid: what is meant by
    /// [`SampleConfig::plan`](crate::SampleConfig::plan) when nothing else is asked for.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub fn sampler(&self) -> Result<Box<dyn Sampler>, ModelError> {
        Ok(self.config().sample.plan(Asked::default())?.sampler())
    }

    /// A request for samples as the model's own settings draw them: their grid, their guidance.
    /// How many they may be is looked at when they are drawn.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub fn request(&self, n: usize, seed: u64) -> Result<SampleRequest<'static>, ModelError> {
        Ok(self.request_with(&SampleChanges::default(), n, seed)?.0)
    }

    /// Draws samples.
    ///
    /// # Errors
    /// When the request does not fit the model, a solve fails, or a sample is not made of finite
    /// numbers.
    pub fn sample(
        &self,
        request: &SampleRequest<'_>,
        sampler: &dyn Sampler,
    ) -> Result<Samples, ModelError> {
        let mut all = Samples::none(self.signature(), request.keep.len());
        self.sample_each(request, sampler, |part| {
            all.append(part);
            Ok::<(), ModelError>(())
        })?;
        Ok(all)
    }

    /// Draws samples batch by batch, in their order, and holds no more than a batch; their `nfe` is
    /// the mean so far.
    ///
    /// # Errors
    /// As for [`sample`](Self::sample), and what `take` returns.
    pub fn sample_each<E: From<ModelError>>(
        &self,
        request: &SampleRequest<'_>,
        sampler: &dyn Sampler,
        mut take: impl FnMut(Samples) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check(request)?;
        let mut calls = 0.0;
        for start in (0..request.n).step_by(request.batch.max(1)) {
            let range = start..(start + request.batch.max(1)).min(request.n);
            let (n, end) = (range.len(), range.end);
            let part = self.sample_batch(request, sampler, range)?;
            calls += part.nfe * n as f64;
            take(Samples { nfe: calls / end as f64, ..part })?;
        }
        Ok(())
    }

    /// Draws some of the samples of a request, all in one batch.
    ///
    /// They are those that the request has at these places, whatever else is drawn: the bits are
    /// those of [`sample_each`](Self::sample_each), if the sampler takes fixed steps or the batch
    /// is one of its batches.
    ///
    /// # Errors
    /// As for [`sample`](Self::sample).
    ///
    /// # Panics
    /// When the range does not lie within the request.
    pub fn sample_batch(
        &self,
        request: &SampleRequest<'_>,
        sampler: &dyn Sampler,
        range: Range<usize>,
    ) -> Result<Samples, ModelError> {
        self.check(request)?;
        let (end, n) = (range.end, request.n);
        assert!(range.start < end && end <= n, "expected samples among {n}, got {range:?}");
        let piece = Piece { request, range };
        on_pool(&self.device, || self.part(&[piece], sampler, &|| true))
    }

    /// Where the paths of samples of a seed start, row-major: the noise that programs without our
    /// random numbers, such as those that run ONNX, need to draw the same samples; none of an empty
    /// range, and as many as the memory must hold of a long one.
    ///
    /// # Panics
    /// If paths of the model start from given data, of which none is drawn.
    #[must_use]
    pub fn starts(&self, seed: u64, range: Range<usize>) -> Vec<f32> {
        let (size, predictor) = (self.signature().size(), self.predictor(Condition::none()));
        host(starts(seed, range, size, &self.source, &predictor, &self.device))
    }

    /// One batch, with its own network calls: pieces of one request, or of several with the same
    /// settings, which are those of the first.
    pub(crate) fn part(
        &self,
        pieces: &[Piece<'_>],
        sampler: &dyn Sampler,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Samples, ModelError> {
        if !sampler.jumps() {
            pieces.iter().try_for_each(|piece| self.check_velocity(piece.request))?;
        }
        self.asked(pieces, |predictor| {
            let predictor = Interruptible::new(predictor, go_on);
            let (noise, watch) = (Noises(pieces), predictor.watch());
            let way = Way::along(pieces[0].request.grid.clone()).watched_by(&watch);
            let way = way.with_noise(&noise).keeping(&pieces[0].request.keep);
            let generated = sampler.sample(&predictor, self.starts_of(pieces, &predictor), &way);
            if predictor.is_stopped() {
                return Err(ModelError::Stopped);
            }
            let generated = generated?;
            let mut rows = host(generated.x);
            if let Some(at) = rows.iter().position(|x| !x.is_finite()) {
                let row = at / self.signature().size();
                let numbers = pieces.iter().flat_map(|piece| piece.range.clone());
                let sample = numbers.into_iter().nth(row).unwrap_or(row);
                return Err(ModelError::NotFinite { sample, value: rows[at] });
            }
            let mut states: Vec<Vec<f32>> = generated.states.into_iter().map(host).collect();
            let lengths = self.lengths_of_pieces(pieces);
            for rows in states.iter_mut().chain([&mut rows]) {
                self.cut(rows, lengths.as_deref());
            }
            Ok(Samples { rows, states, lengths, nfe: generated.nfe as f64, ..Samples::default() })
        })
    }

    /// What `draw` makes of the predictor of some samples: guided, and told all that is known.
    pub(crate) fn asked(
        &self,
        pieces: &[Piece<'_>],
        draw: impl FnOnce(&dyn Predictor) -> Result<Samples, ModelError>,
    ) -> Result<Samples, ModelError> {
        let Some(Piece { request, .. }) = pieces.first() else { return Ok(Samples::default()) };
        let classes = self.classes_of_pieces(pieces)?;
        let condition = self.condition_of(pieces, classes.as_deref());
        let along = request.along.as_ref();
        let (baked, against) = match &request.guidance {
            Some(guidance) if guidance.is_baked(self) => (Some(guidance.scale), None),
            guidance => (None, guidance.as_ref()),
        };
        let with = self.predictor_along(condition.clone(), along, baked);
        let (guided, without);
        let predictor: &dyn Predictor = match against {
            None => &*with,
            Some(Guidance { scale, interval, against }) => {
                without = match against {
                    Against::Unconditional => {
                        self.predictor_along(condition.hide(self.signature()), along, None)
                    }
                    Against::Model(weaker) => {
                        weaker.predictor_along(condition, along.or(Some(&self.schedule)), None)
                    }
                };
                guided =
                    Guided { with: &*with, without: &*without, scale: *scale, interval: *interval };
                &guided
            }
        };
        Ok(Samples { classes, ..draw(predictor)? })
    }

    /// Zeros behind the end of each sequence, in place of the noise that nothing has moved.
    fn cut(&self, rows: &mut [f32], lengths: Option<&[usize]>) {
        let (size, shape) = (self.signature().size(), self.shape());
        for (row, length) in rows.chunks_mut(size).zip(lengths.into_iter().flatten()) {
            row[length * (size / shape[0])..].fill(0.0);
        }
    }
}
