//! Networks whose features are scored: the classifier, and that of FID, by all processes in turn.

use std::path::Path;

use burn::tensor::Device;
use flow_datasets::Images;
use flow_eval::{Moments, Points};
use flow_nn::Inception;
use flow_run::{Listener, together};
use flow_train::Group;

use crate::classifier::{self, Judge};
use crate::error::JudgeError;
use crate::inception::{self, Extractor, Origin, Statistics};
use crate::subject::Subject;

/// Images whose features are found together.
const PART: usize = 64;

/// Looks at images. All processes must show it something at the same time: those of the first are
/// seen, by all of them in turn, and the first gets what is found.
pub(crate) struct Viewer<'a> {
    pub judge: Judge,
    extractor: Option<&'a Extractor>,
    group: &'a dyn Group,
    told: &'a dyn Listener,
}

impl<'a> Viewer<'a> {
    /// With the classifier of a set, and the network of FID if it is at hand.
    pub(crate) fn new(
        set: &str,
        [train, test]: [&Images; 2],
        extractor: Option<&'a Extractor>,
        device: &Device,
        group: &'a dyn Group,
        told: &'a dyn Listener,
    ) -> Result<Self, JudgeError> {
        let judge = Judge::shared(set, [train, test], device, group, told)?;
        Ok(Self { judge, extractor, group, told })
    }

    /// Describes images by their features.
    pub(crate) fn subject(
        &self,
        rows: &[f32],
        labels: Option<Vec<usize>>,
    ) -> Result<Subject, JudgeError> {
        let mut inception = Vec::new();
        self.inception(rows, |features| {
            inception.extend(features);
            Ok(())
        })?;
        let mut verdict = self.judge.judge_together(self.group, rows, self.told)?;
        let rows = std::mem::take(&mut verdict.features);
        let (dim, verdict) = (verdict.dim, Some(verdict));
        Ok(Subject { rows, dim, verdict, labels, inception, ..Subject::default() })
    }

    /// The statistics in the file; if there is none, those of all training images, which are then
    /// kept there. Without a file they are those of the `real` images that the scores look at. None
    /// without the network of FID, and in processes other than the first.
    pub(crate) fn statistics(
        &self,
        set: &str,
        train: &Images,
        real: &Subject,
        file: Option<&Path>,
    ) -> Result<Option<Statistics>, JudgeError> {
        let Some(extractor) = self.extractor else { return Ok(None) };
        let origin = |images| Origin {
            images,
            set: classifier::name(set, train),
            weights: extractor.sha256.clone(),
        };
        let is_first = self.group.is_first();
        let Some(file) = file else {
            if !is_first {
                return Ok(None);
            }
            let moments = Moments::of(Points::new(&real.inception, Inception::FEATURES)?);
            let origin = Some(origin(moments.n()));
            return Ok(Some(Statistics { moments, origin }));
        };
        // What the first process sees decides what all of them do.
        let kept = self.group.broadcast(&[u8::from(file.exists())]);
        if kept.map_err(flow_run::RunError::from)? == [1] {
            if !is_first {
                return Ok(None);
            }
            let kept = inception::read_statistics(file)?;
            let known = kept.origin.clone();
            let moments = kept.of(&origin(train.len()), file)?;
            return Ok(Some(Statistics { moments, origin: known }));
        }
        let mut moments = Moments::new(Inception::FEATURES);
        let rows = if is_first { flow_run::pixels(train) } else { Vec::new() };
        self.inception(&rows, |features| {
            moments.push(Points::new(features, Inception::FEATURES)?);
            Ok(())
        })?;
        if !is_first {
            return Ok(None);
        }
        let statistics = Statistics { moments, origin: Some(origin(train.len())) };
        inception::write_statistics(file, &statistics)?;
        Ok(Some(statistics))
    }

    /// The features of images by the network of FID, a part after the other: it is slow.
    ///
    /// They are sent rather than their moments: 8 KiB for an image, where the moments of a part
    /// take 32 MiB. So the sums are those of one process.
    fn inception(
        &self,
        rows: &[f32],
        mut take: impl FnMut(&[f32]) -> Result<(), JudgeError>,
    ) -> Result<(), JudgeError> {
        let Some(extractor) = self.extractor else { return Ok(()) };
        let shape = self.judge.shape;
        let size: usize = shape.iter().product();
        let mut meter = self.told.meter(0, rows.len() / size, "images");
        let mut seen = 0;
        let work = |part: &[f32]| extractor.features(part, shape);
        together::each_part(self.group, rows, PART * size, work, |features| {
            seen += features.len() / Inception::FEATURES;
            meter.at(seen, "looked at for FID");
            take(features)
        })
    }
}
