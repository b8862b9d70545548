//! The reference data of a run and scores with their floors, by all processes that share them.

use std::path::Path;

use burn::tensor::Device;
use flow_datasets::{Images, Split};
use flow_eval::Score;
use flow_model::Samples;
use flow_path::stream::{Purpose, Streams};
use flow_run::array::ArrayPart;
use flow_run::{Data, Listener, Recipe, some_places};
use flow_train::Group;

use crate::classifier::{Judge, judged_set};
use crate::error::JudgeError;
use crate::inception::Extractor;
use crate::metric::Metric;
use crate::standard::{Drawn, Standard};
use crate::subject::Subject;
use crate::table::TableSpace;
use crate::viewer::Viewer;

/// Scores samples against real data.
///
/// All processes look at images in turn; what they find is scored by the first one.
pub(crate) struct Examiner<'a> {
    viewer: Option<Viewer<'a>>,
    /// None in processes other than the first.
    standard: Option<Standard<'a>>,
}

/// Settings of the scores.
pub(crate) struct Exam<'a> {
    pub metrics: Vec<&'static Metric>,
    /// Real rows to compare with, and others for the floors; of images at most as many as each part
    /// has, chosen at random by the seed.
    pub n: usize,
    pub seed: u64,
    /// The network of FID.
    pub extractor: Option<&'a Extractor>,
    /// Where the moments of its reference features are, or go.
    pub reference: Option<&'a Path>,
    /// The processes that share the work.
    pub group: &'a dyn Group,
}

impl<'a> Examiner<'a> {
    /// Draws the real data and scores them against each other.
    pub(crate) fn new(
        recipe: &Recipe,
        data: &'a Data,
        exam: Exam<'a>,
        device: &Device,
        told: &'a dyn Listener,
    ) -> Result<Self, JudgeError> {
        let Exam { metrics, n, seed, extractor, reference: file, group } = exam;
        let (mut viewer, mut reference, mut accuracy, mut table) = (None, None, 0.0, None);
        let (real, held_out) = match data {
            Data::Images { train, test } => {
                let set = judged_set(recipe);
                let seen = Viewer::new(set, [train, test], extractor, device, group, told)?;
                let n = n.min(train.len()).min(test.len());
                let subject = |images: &Images, part: Split| {
                    if !group.is_first() {
                        return seen.subject(&[], None);
                    }
                    let some = flow_run::some_of(images, part, n, seed);
                    seen.subject(&flow_run::pixels(&some), Some(flow_run::labels(&some)))
                };
                let real = subject(train, Split::Train)?;
                let held_out = subject(test, Split::Test)?;
                reference = seen.statistics(set, train, &real, file)?;
                accuracy = seen.judge.accuracy;
                viewer = Some(seen);
                (real, held_out)
            }
            // Only images are looked at together.
            _ if !group.is_first() => (Subject::default(), Subject::default()),
            Data::Toy(toy) => {
                let streams = Streams::new(seed);
                let draw = |index| Subject {
                    rows: toy.sample(n, &mut streams.rng(index, Purpose::Evaluation)),
                    dim: toy.dim(),
                    ..Subject::default()
                };
                (draw(0), draw(1))
            }
            Data::Table(rows) => {
                let space = TableSpace::new(rows)?;
                // Held-out rows are the reference, and training rows what real rows score.
                let (held, train) = (space.real(&rows.held, n)?, space.real(&rows.train, n)?);
                table = Some(space);
                (held, train)
            }
            Data::Array(array) => {
                let subject = |rows: &ArrayPart, part: Split| {
                    let (dim, some) = (array.rows.size(), some_places(rows.n, part, n, seed));
                    let rows = rows.rows_at(&some, dim)?;
                    Ok::<_, JudgeError>(Subject { rows, dim, ..Subject::default() })
                };
                // Held-out rows are the reference, and training rows what real rows score.
                let held = subject(&array.held, Split::Test)?;
                (held, subject(&array.train, Split::Train)?)
            }
        };
        let drawn = Drawn { metrics, real, held_out, table, reference, accuracy, seed };
        let standard = group.is_first().then(|| Standard::new(recipe, data, drawn)).transpose()?;
        Ok(Self { viewer, standard })
    }

    /// Images whose features are the reference of FID, if there is one and it says how many.
    pub(crate) fn reference_n(&self) -> Option<usize> {
        self.standard.as_ref()?.reference_n()
    }

    /// The classifier of images.
    pub(crate) fn judge(&self) -> Option<&Judge> {
        self.viewer.as_ref().map(|viewer| &viewer.judge)
    }

    /// Scores with their floors; none in processes other than the first.
    pub(crate) fn scores(&self, samples: &Samples) -> Result<Vec<Score>, JudgeError> {
        let rows = &samples.rows;
        let seen = self.viewer.as_ref();
        let seen = seen.map(|viewer| viewer.subject(rows, samples.classes.clone())).transpose()?;
        let Some(standard) = &self.standard else { return Ok(Vec::new()) };
        let subject = match seen {
            Some(seen) if standard.looks_at_pixels() => Subject { pixels: rows.clone(), ..seen },
            Some(seen) => seen,
            None => standard.generated(rows)?,
        };
        standard.scores(&subject)
    }
}
