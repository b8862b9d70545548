//! Questions about held-out rows, put to models: methods that train nothing, beside a model that
//! was trained for the question.

mod asking;
mod image_scores;
mod images;
mod inquiry;
mod report;
mod row_scores;
mod rows;

use flow_run::{Model, Request};

pub use images::ImageQuestions;
pub use inquiry::Inquiry;
pub use report::{AnswersReport, AnswersRow};
pub use rows::RowQuestions;

/// What is asked about held-out rows, whatever is seen of them.
///
/// Row `i` is asked about by itself, with the seed `seed + i`. So the seconds and the memory of an
/// answer are those of `flow solve`, and all models start from the same noise.
#[derive(Clone, Copy, Debug)]
pub struct QuestionOptions {
    /// Standard deviation of the normal noise of what is seen, in units of the model: pixels from
    /// -1 to 1, columns of a table in their standard deviations.
    pub noise: f64,
    /// Held-out rows; all of them, if there are no more.
    pub n: usize,
    /// Answers to each.
    pub draws: usize,
    /// Which rows are taken, their noise, and the starts of the answers.
    pub seed: u64,
}

/// A model that was trained for a question: it is told what was seen and draws what fits.
#[derive(Clone, Copy, Debug)]
pub struct TrainedModel<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The model.
    pub model: &'a Model,
    /// Its sampler and its batch; all else of the request is the question's.
    pub way: &'a Request,
}
