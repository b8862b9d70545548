//! Scores of answers about images, beside the images themselves.

use flow_eval::{Points, Score, psnr, ssim};
use flow_run::Silent;

use crate::classifier::Judge;
use crate::enlarged::{RANGE, WINDOW};
use crate::error::JudgeError;
use crate::likelihood::Estimate;

/// What is found image by image.
pub(super) struct ImageScores {
    shape: [usize; 3],
    /// Of each image: the share of answers that are of its class, and their misfit.
    agreement: Vec<f64>,
    misfit: Vec<f64>,
    /// The images, and the means of their answers.
    images: Vec<f32>,
    means: Vec<f32>,
}

impl ImageScores {
    pub(super) fn new(shape: [usize; 3]) -> Self {
        let (agreement, misfit, images, means) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { shape, agreement, misfit, images, means }
    }

    /// How many images have answers.
    pub(super) fn len(&self) -> usize {
        self.misfit.len()
    }

    /// Takes the answers about an image and their misfit.
    pub(super) fn add(
        &mut self,
        judge: &Judge,
        (image, label): (&[f32], usize),
        answers: &[f32],
        misfit: f64,
    ) -> Result<(), JudgeError> {
        let within = |x: f32| x.clamp(-1.0, 1.0);
        let clipped: Vec<f32> = answers.iter().map(|&x| within(x)).collect();
        let classes = judge.judge(&clipped, &Silent)?.classes;
        let right = classes.iter().filter(|class| **class == label).count();
        self.agreement.push(right as f64 / classes.len() as f64);
        self.misfit.push(misfit);
        self.images.extend(image);
        self.means.extend(mean(answers, image.len()).into_iter().map(within));
        Ok(())
    }

    /// The means over images with their standard errors; none where no image has answers.
    pub(super) fn scores(&self) -> Result<Vec<Score>, JudgeError> {
        if self.misfit.is_empty() {
            return Ok(Vec::new());
        }
        let [_, h, w] = self.shape;
        let size = self.shape.iter().product();
        let (images, means) = (Points::new(&self.images, size)?, Points::new(&self.means, size)?);
        let of_mean = |mut score: Score| {
            score.name.push_str(" of the mean");
            score
        };
        let agreement = Score::higher("agreement", 0.0, self.len());
        let misfit = Score::lower("misfit", 0.0, self.len());
        let mut scores = vec![with_mean(agreement, &self.agreement)];
        scores.push(of_mean(psnr(images, means, RANGE)?));
        if WINDOW <= h && WINDOW <= w {
            scores.push(of_mean(ssim(images, means, self.shape, RANGE)?));
        }
        scores.push(with_mean(misfit, &self.misfit));
        Ok(scores)
    }
}

/// The mean of rows.
fn mean(rows: &[f32], size: usize) -> Vec<f32> {
    let n = (rows.len() / size) as f64;
    let at = |i: usize| rows.iter().skip(i).step_by(size).map(|&x| f64::from(x)).sum::<f64>() / n;
    (0..size).map(|i| at(i) as f32).collect()
}

/// A score that is the mean of values, with the standard error of that mean.
pub(super) fn with_mean(mut score: Score, values: &[f64]) -> Score {
    let Estimate { mean, std_error, .. } = Estimate::of(values);
    (score.value, score.std_error) = (mean, std_error);
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_rows_is_taken_number_by_number() {
        assert_eq!(mean(&[1.0, 2.0, 3.0, 6.0, 5.0, -2.0], 2), [3.0, 2.0]);
    }

    #[test]
    fn a_mean_over_images_has_the_error_of_that_mean() {
        // Variance (1 + 0 + 1) / 2, hence 1 / sqrt(3).
        let score = with_mean(Score::lower("misfit", 0.0, 3), &[1.0, 2.0, 3.0]);
        assert_eq!((score.value, score.std_error), (2.0, Some((1.0_f64 / 3.0).sqrt())));
        assert_eq!(with_mean(Score::lower("misfit", 0.0, 1), &[4.0]).std_error, None);
    }
}
