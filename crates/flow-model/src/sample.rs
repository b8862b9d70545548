//! Samples of a model, whatever the sampler.

use std::ops::Range;

use burn::tensor::Tensor;
use flow_kernels::on_pool;
use flow_nn::Condition;
use flow_path::Source;
use flow_sample::{
    Guided, Interruptible, Interval, Noise, Predictor, Sampler, Seeded, Way, latents, lengths,
    starts,
};

use crate::changes::SampleChanges;
use crate::error::ModelError;
use crate::model::{Model, host, size};
use crate::request::{Against, Classes, Guidance, SampleRequest, Samples};
use crate::settings::Asked;

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

    /// The classes of some samples; none for a model that knows none.
    ///
    /// # Errors
    /// When the model has no such class, or none at all and one is asked for.
    pub fn classes_of(
        &self,
        classes: &Classes,
        range: Range<usize>,
    ) -> Result<Option<Vec<usize>>, ModelError> {
        let known = self.signature().classes;
        let asked = match classes {
            Classes::InTurn if known == 0 => return Ok(None),
            _ if known == 0 => return Err(ModelError::NoClasses),
            Classes::InTurn => range.map(|i| i % known).collect(),
            Classes::All(class) => vec![*class; range.len()],
            Classes::Each(each) => each[range].to_vec(),
        };
        match asked.iter().find(|class| known <= **class) {
            None => Ok(Some(asked)),
            Some(&class) => {
                let names = self.class_names().join(", ");
                let names = if names.is_empty() { names } else { format!(" ({names})") };
                Err(ModelError::NoSuchClass { class, last: known - 1, names })
            }
        }
    }

    /// The class of this name.
    ///
    /// # Errors
    /// When the model has none of this name.
    pub fn class_named(&self, name: &str) -> Result<usize, ModelError> {
        let names = self.class_names();
        names.iter().position(|known| known == name).ok_or_else(|| {
            let known = if names.is_empty() { "none".into() } else { names.join(", ") };
            ModelError::NoClassNamed { name: name.into(), known }
        })
    }

    /// How many elements some samples have, of a model of sequences that may end early: as they are
    /// asked for, else drawn as those of the data are.
    #[must_use]
    pub fn lengths_of(
        &self,
        request: &SampleRequest<'_>,
        range: Range<usize>,
    ) -> Option<Vec<usize>> {
        if !self.signature().lengths {
            return None;
        }
        if let Some(given) = &request.lengths {
            return Some(given[range].to_vec());
        }
        Some(lengths(request.seed, range, &self.config().lengths))
    }

    /// Where the paths of samples of a seed start, row-major: the noise that programs without our
    /// random numbers, such as those that run ONNX, need to draw the same samples.
    #[must_use]
    pub fn starts(&self, seed: u64, range: Range<usize>) -> Vec<f32> {
        let (size, predictor) = (self.signature().size(), self.predictor(Condition::none()));
        host(starts(seed, range, size, &self.source, &predictor, &self.device))
    }

    /// Refuses a request that does not fit, before anything is drawn; the classes are looked at by
    /// [`classes_of`](Self::classes_of).
    ///
    /// # Errors
    /// With what does not fit.
    pub fn check(&self, request: &SampleRequest<'_>) -> Result<(), ModelError> {
        let signature = self.signature();
        let rows = |what, given: Option<&Vec<f32>>, size: usize, needed: bool| match given {
            Some(_) if size == 0 => Err(ModelError::NotAsked { what }),
            None if !needed => Ok(()),
            given => Self::check_part(what, given.map(Vec::len), size, request.n),
        };
        rows("condition vector", request.vectors.as_ref(), self.vector(), true)?;
        rows("conditioning row", request.contexts.as_ref(), size(&signature.context), true)?;
        let from_data = matches!(self.source, Source::Given);
        rows("start", request.starts.as_ref(), signature.size(), from_data)?;
        rows("latent", request.latents.as_ref(), signature.latent, false)?;
        if let Some(lengths) = &request.lengths {
            let most = if signature.lengths { signature.shape[0] } else { 0 };
            let bad = lengths.iter().find(|length| !(1..=most).contains(*length));
            if bad.is_some() || lengths.len() != request.n {
                let known = match most {
                    0 => "rows of this model have one length, leave it out".to_owned(),
                    most => format!("the model needs one for each sample, from 1 to {most}"),
                };
                let (n, length) = (request.n, bad.copied().unwrap_or(most));
                return Err(ModelError::Length { n, length, known });
            }
        }
        if let Classes::Each(each) = &request.classes
            && each.len() != request.n
        {
            let (n, got) = (request.n, each.len());
            return Err(ModelError::Rows { what: "class", n, size: 1, got });
        }
        match &request.guidance {
            Some(Guidance { against: Against::Model(weaker), .. }) => self.check_guide(weaker),
            Some(Guidance { against: Against::Unconditional, scale, interval }) => {
                self.check_strength(*scale, *interval)
            }
            None => Ok(()),
        }
    }

    /// Refuses what each of `n` rows is told, if it is missing or of another size than the network
    /// reads.
    pub(crate) fn check_part(
        what: &'static str,
        given: Option<usize>,
        size: usize,
        n: usize,
    ) -> Result<(), ModelError> {
        match given {
            None if 0 < size => Err(ModelError::Missing { what, size }),
            Some(got) if n.checked_mul(size) != Some(got) => {
                Err(ModelError::Rows { what, n, size, got })
            }
            _ => Ok(()),
        }
    }

    /// Refuses guidance that the model has not learned: of a strength that is not baked in, or away
    /// from no condition.
    fn check_strength(&self, asked: f64, interval: Interval) -> Result<(), ModelError> {
        match self.config().strengths {
            Some(known) if !known.hold(asked) => {
                Err(ModelError::Strength { asked, known: known.to_string() })
            }
            Some(_) if interval != Interval::default() => Err(ModelError::StrengthAtAllTimes),
            None if !self.config().learned_without => Err(ModelError::NotLearnedWithout),
            _ => Ok(()),
        }
    }

    /// Refuses to follow a velocity that this model, or the one that guides it, has not learned.
    pub(crate) fn check_velocity(&self, request: &SampleRequest<'_>) -> Result<(), ModelError> {
        let guide = match &request.guidance {
            Some(Guidance { against: Against::Model(weaker), .. }) => *weaker,
            _ => self,
        };
        let learned = [self, guide].iter().all(|model| model.config().learned_velocity);
        if learned { Ok(()) } else { Err(ModelError::NoVelocity) }
    }

    /// Refuses a guide of other rows, or that needs to know what this model does not.
    ///
    /// # Errors
    /// With what differs.
    pub fn check_guide(&self, weaker: &Self) -> Result<(), ModelError> {
        let (own, other) = (self.signature(), weaker.signature());
        if own.shape != other.shape {
            let (expected, got) = (own.shape.clone(), other.shape.clone());
            return Err(ModelError::GuideRows { expected, got });
        }
        for (what, expected, got) in [
            ("classes", own.classes, other.classes),
            ("numbers in a condition vector", self.vector(), weaker.vector()),
            ("numbers in a conditioning row", size(&own.context), size(&other.context)),
            ("numbers in a latent", own.latent, other.latent),
        ] {
            if ![0, expected].contains(&got) {
                return Err(ModelError::GuideCondition { what, expected, got });
            }
        }
        Ok(())
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

    /// The classes of all samples of some pieces.
    fn classes_of_pieces(&self, pieces: &[Piece<'_>]) -> Result<Option<Vec<usize>>, ModelError> {
        let of =
            |Piece { request, range }: &Piece<'_>| self.classes_of(&request.classes, range.clone());
        let classes: Option<Vec<Vec<usize>>> = pieces.iter().map(of).collect::<Result<_, _>>()?;
        Ok(classes.map(|classes| classes.concat()))
    }

    /// The lengths of all samples of some pieces.
    fn lengths_of_pieces(&self, pieces: &[Piece<'_>]) -> Option<Vec<usize>> {
        let of = |Piece { request, range }: &Piece<'_>| self.lengths_of(request, range.clone());
        let lengths: Option<Vec<Vec<usize>>> = pieces.iter().map(of).collect();
        lengths.map(|lengths| lengths.concat())
    }

    /// Zeros behind the end of each sequence, in place of the noise that nothing has moved.
    fn cut(&self, rows: &mut [f32], lengths: Option<&[usize]>) {
        let (size, shape) = (self.signature().size(), self.shape());
        for (row, length) in rows.chunks_mut(size).zip(lengths.into_iter().flatten()) {
            row[length * (size / shape[0])..].fill(0.0);
        }
    }

    /// All that is known of some samples.
    fn condition_of(&self, pieces: &[Piece<'_>], classes: Option<&[usize]>) -> Condition {
        let signature = self.signature();
        // A request has rows of its own for each sample, or none has: `check` has seen to it.
        let rows = |all: Own, size: usize| {
            let mut rows = Vec::new();
            for Piece { request, range } in pieces {
                rows.extend_from_slice(&all(request)?[range.start * size..range.end * size]);
            }
            Some(self.tensor(&rows, size))
        };
        let mut condition = classes
            .map_or_else(Condition::none, |classes| Condition::classes(classes, &self.device));
        if let Some(vectors) = rows(|request| request.vectors.as_deref(), self.vector()) {
            condition = condition.with_vector(vectors);
        }
        if let Some(contexts) =
            rows(|request| request.contexts.as_deref(), size(&signature.context))
        {
            condition = condition.with_context(contexts);
        }
        if let Some(lengths) = self.lengths_of_pieces(pieces) {
            condition = condition.with_lengths(&lengths);
        }
        match signature.latent {
            0 => condition,
            size => {
                condition.with_latent(joined(pieces, |Piece { request, range }| {
                    match &request.latents {
                        Some(given) => {
                            self.tensor(&given[range.start * size..range.end * size], size)
                        }
                        None => latents(request.seed, range.clone(), size, &self.device),
                    }
                }))
            }
        }
    }

    /// Where the paths of some pieces start.
    fn starts_of(&self, pieces: &[Piece<'_>], predictor: &dyn Predictor) -> Tensor<2> {
        let size = self.signature().size();
        joined(pieces, |Piece { request, range }| match &request.starts {
            Some(rows) => self.tensor(&rows[range.start * size..range.end * size], size),
            None => {
                starts(request.seed, range.clone(), size, &self.source, predictor, &self.device)
            }
        })
    }
}

/// Rows of a request's own.
type Own = for<'r> fn(&'r SampleRequest<'r>) -> Option<&'r [f32]>;

/// Some samples of a request.
pub(crate) struct Piece<'a> {
    pub(crate) request: &'a SampleRequest<'a>,
    pub(crate) range: Range<usize>,
}

/// The rows of all pieces, one piece after the other.
fn joined(pieces: &[Piece<'_>], rows: impl Fn(&Piece<'_>) -> Tensor<2>) -> Tensor<2> {
    match pieces {
        [piece] => rows(piece),
        pieces => Tensor::cat(pieces.iter().map(rows).collect(), 0),
    }
}

/// The noise of a batch of pieces: each meets that of its own seed.
struct Noises<'a>(&'a [Piece<'a>]);

impl Noise for Noises<'_> {
    fn draw(&self, step: usize, like: &Tensor<2>) -> Tensor<2> {
        let mut first = 0;
        let parts = self.0.iter().map(|Piece { request, range }| {
            let rows = first..first + range.len();
            first = rows.end;
            let own = Seeded::new(request.seed).starting_at(range.start);
            own.draw(step, &like.clone().slice([rows]))
        });
        Tensor::cat(parts.collect(), 0)
    }
}
