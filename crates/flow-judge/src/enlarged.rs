//! Scores of images that a model enlarged, beside the images whose small copies it was told.

use flow_eval::{EvalError, Points, Score, psnr, ssim};
use flow_run::{Data, Recipe, RunError, Upsampling};

/// From black to white: pixels lie in [-1, 1].
pub(crate) const RANGE: f64 = 2.0;

/// Side of the windows of structural similarity: smaller images have none.
pub(crate) const WINDOW: usize = 11;

/// The held-out images whose small copies a model is told, in turn.
#[derive(Debug)]
pub(crate) struct Enlarged {
    upsampling: Upsampling,
    images: Vec<f32>,
    /// Grey levels between black and white.
    levels: f64,
}

impl Enlarged {
    /// Those of a recipe that asks for them.
    pub(crate) fn of(recipe: &Recipe, data: &Data) -> Result<Option<Self>, RunError> {
        let Data::Images { test, .. } = data else { return Ok(None) };
        let found = Upsampling::of(recipe, &data.shape())?;
        Ok(found.map(|upsampling| Self {
            upsampling,
            images: data.told_images(),
            levels: f64::from(test.max_value),
        }))
    }

    /// Signal to noise and structural similarity of each sample beside the image that it may have
    /// been, and how far its own small copy is from what it was told, in grey levels.
    ///
    /// A model of the law draws one of the images that are possible, so that its signal to noise
    /// is half (3 dB less) of the mean's, which a regression gives and which looks like none of
    /// them.
    pub(crate) fn scores(&self, samples: &[f32]) -> Result<Vec<Score>, EvalError> {
        let [c, h, w] = self.upsampling.shape;
        let size = c * h * w;
        let real: Vec<f32> = self.images.iter().copied().cycle().take(samples.len()).collect();
        let clipped: Vec<f32> = samples.iter().map(|x| x.clamp(-1.0, 1.0)).collect();
        let (a, b) = (Points::new(&clipped, size)?, Points::new(&real, size)?);
        let [told, drawn] = [&real, &clipped].map(|rows| self.upsampling.shrunk(rows));
        let differences = told.iter().zip(&drawn).map(|(a, b)| f64::from((a - b).abs()));
        let levels = self.levels / RANGE;
        let mean = levels * differences.sum::<f64>() / told.len() as f64;
        let distance = Score::lower("distance of the small copy", mean, a.len());
        let mut scores = vec![psnr(a, b, RANGE)?, distance.with_unit("grey levels")];
        if WINDOW <= h && WINDOW <= w {
            scores.push(ssim(a, b, self.upsampling.shape, RANGE)?);
        }
        Ok(scores)
    }
}
