//! What a model refuses before it draws anything: requests that do not fit it.

use flow_path::Source;
use flow_sample::Interval;

use crate::error::ModelError;
use crate::finite::check_finite;
use crate::model::{Model, size};
use crate::request::{Against, Classes, Guidance, SampleRequest};

/// Samples of a seed: noise has a stream for each of them and each step, with 32 bits for the
/// sample.
const MOST_SAMPLES: u64 = u32::MAX as u64;

impl Model {
    /// Refuses a request that does not fit, before anything is drawn; the classes are looked at by
    /// [`classes_of`](Self::classes_of).
    ///
    /// # Errors
    /// With what does not fit; for a given number that is not finite, by its sample, and for more
    /// samples than a seed has.
    pub fn check(&self, request: &SampleRequest<'_>) -> Result<(), ModelError> {
        let signature = self.signature();
        if MOST_SAMPLES < request.n as u64 {
            let reason = format!("is {}, a seed has {MOST_SAMPLES} samples", request.n);
            return Err(ModelError::Setting { key: "the number of samples".into(), reason });
        }
        let rows = |what, given: Option<&Vec<f32>>, size: usize, needed: bool| match given {
            Some(_) if size == 0 => Err(ModelError::NotAsked { what }),
            None if !needed => Ok(()),
            given => {
                Self::check_part(what, given.map(Vec::len), size, request.n)?;
                check_finite(what, given.map_or(&[][..], Vec::as_slice), size, 0)
            }
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
}
