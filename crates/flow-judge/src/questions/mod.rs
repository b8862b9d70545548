//! Questions about held-out images, put to models: methods that train nothing, beside a model that
//! was trained for the question.

mod report;
mod score;

use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use flow_datasets::Split;
use flow_model::{AnswerPlan, ModelError, Question};
use flow_path::stream::Purpose;
use flow_run::{Data, Given, Listener, Model, Request, Run, Upsampling, labels, pixels, some_of};
use flow_sample::{
    Evidence, LinearOperator, Observation, ObservationNoise, SampleError, normal_rows,
};

use crate::classifier::Judge;
use crate::error::{JudgeError, usage};

pub use report::{AnswersReport, AnswersRow};
use score::Scored;

/// Pixels that differ by less are the same: means of squares are taken in two orders.
const SAME: f32 = 1e-4;

/// What is asked about held-out images.
#[derive(Clone, Copy, Debug)]
pub struct QuestionOptions<'a> {
    /// The operator as it was typed, such as `upsample:4`.
    pub name: &'a str,
    /// What is seen of an image.
    pub operator: &'a dyn LinearOperator,
    /// Standard deviation of the normal noise of what is seen, on pixels from -1 to 1.
    pub noise: f64,
    /// Held-out images; all of them, if there are no more.
    pub n: usize,
    /// Answers to each.
    pub draws: usize,
    /// Which images are taken, their noise, and the starts of the answers.
    pub seed: u64,
    /// A model that was trained for the question.
    pub trained: Option<TrainedModel<'a>>,
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

/// Held-out images, and what is seen of each of them: the same for every model that is asked.
///
/// Image `i` is asked about by itself, in one batch or several, with the seed `seed + i`. So the
/// seconds and the memory of an answer are those of `flow solve`, and all models start from the
/// same noise.
pub struct Questions<'a> {
    options: QuestionOptions<'a>,
    /// Channels, height and width.
    shape: [usize; 3],
    images: Vec<f32>,
    labels: Vec<usize>,
    /// `[n, m]`.
    observed: Vec<f32>,
    /// By how much the trained model enlarges.
    upsampling: Option<Upsampling>,
    judge: Judge,
    device: Device,
    told: &'a dyn Listener,
}

/// The answers of a model about one image, and what each of them took.
struct Answers {
    rows: Vec<f32>,
    evaluations: f64,
    gradients: usize,
}

impl<'a> Questions<'a> {
    /// Looks at held-out images of a run through the operator; last, trains the classifier of
    /// images unless it is kept.
    ///
    /// # Errors
    /// For data that are no images, an operator of other rows, noise that has no size, a trained
    /// model that was not trained for this question or is told a class besides, and when the
    /// classifier cannot be trained.
    pub fn new(
        run: &Run,
        data: &Data,
        options: QuestionOptions<'a>,
        device: &Device,
        told: &'a dyn Listener,
    ) -> Result<Self, JudgeError> {
        let Data::Images { train, test } = data else {
            return Err(usage!(
                "--questions are about held-out images, and {} is no run of images: holes of \
                 tables are filled by `flow impute`",
                run.folder.display()
            ));
        };
        let held = some_of(test, Split::Test, options.n, options.seed);
        if held.is_empty() {
            return Err(usage!("no held-out image is asked about: -n is 0, or there is none"));
        }
        let shape = [test.channels, test.height, test.width];
        let size: usize = shape.iter().product();
        let (reads, sees) = options.operator.sizes();
        if reads != size {
            let name = options.name;
            return Err(usage!(
                "{name} reads {reads} numbers, and images of {shape:?} have {size}"
            ));
        }
        let images = pixels(&held);
        let seen = options.operator.apply(&tensor(&images, size, device));
        let upsampling = match options.trained {
            Some(trained) => Some(trained_for(trained, options.name, &images, shape, &seen)?),
            None => None,
        };
        let noise = normal_rows(options.seed, Purpose::Evaluation, 0..held.len(), sees);
        let noisy = seen + tensor(&noise, sees, device) * options.noise;
        let observed: Vec<f32> = noisy.into_data().iter::<f32>().collect();
        // What cannot be an observation is refused here, and not once for each method.
        observation(&options, &observed[..sees], device)?;
        let judge = Judge::new(&run.recipe.data.set, train, test, device, told)?;
        let (labels, device) = (labels(&held), device.clone());
        Ok(Self { options, shape, images, labels, observed, upsampling, judge, device, told })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none, which [`new`](Self::new) refuses.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// How often the classifier is right about real test images.
    #[must_use]
    pub fn classifier_accuracy(&self) -> f64 {
        self.judge.accuracy
    }

    /// What a model of images that knows nothing of the question answers, by the method of a plan.
    /// It is asked without a class. Images whose answers go astray are counted and not scored.
    ///
    /// # Errors
    /// When the model cannot be asked, or the sampler cannot go on.
    pub fn answered(
        &self,
        method: &str,
        model: &Model,
        plan: &AnswerPlan,
    ) -> Result<AnswersRow, JudgeError> {
        let QuestionOptions { operator, noise: std, draws, .. } = self.options;
        let noise = ObservationNoise::Gaussian { std };
        self.row(method, |at, seed| {
            let question = plan.question(operator, self.seen(at), noise, draws);
            match model.answer(&Question { seed, ..question }, &*plan.sampler) {
                Ok(found) => Ok(Some(Answers {
                    rows: found.rows,
                    evaluations: found.nfe as f64,
                    gradients: found.gradients,
                })),
                Err(
                    ModelError::Astray { .. } | ModelError::Sample(SampleError::NotFinite { .. }),
                ) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// What the model answers that was trained for the question, if there is one: it is told what
    /// was seen, and nothing of its noise.
    ///
    /// # Errors
    /// When it cannot be sampled.
    pub fn answered_by_trained(&self) -> Result<Option<AnswersRow>, JudgeError> {
        let (Some(trained), Some(upsampling)) = (self.options.trained, self.upsampling) else {
            return Ok(None);
        };
        let row = self.row(trained.name, |at, seed| {
            let contexts = Some(upsampling.enlarged(self.seen(at)));
            let given = Given { contexts, ..Given::default() };
            let request = Request { n: self.options.draws, seed, given, ..trained.way.clone() };
            let samples = trained.model.sample(&request)?;
            Ok(Some(Answers { rows: samples.rows, evaluations: samples.nfe, gradients: 0 }))
        });
        row.map(Some)
    }

    /// Asks about each image, and scores what is answered.
    fn row(
        &self,
        method: &str,
        ask: impl Fn(usize, u64) -> Result<Option<Answers>, JudgeError>,
    ) -> Result<AnswersRow, JudgeError> {
        self.told.say(&format!("asking about {} images by {method}", self.len()));
        let mut meter = self.told.meter(0, self.len(), "images");
        let mut scored = Scored::new(self.shape);
        let (mut evaluations, mut gradients, mut seconds) = (0.0_f64, 0, 0.0);
        for at in 0..self.len() {
            let started = Instant::now();
            let found = ask(at, self.options.seed.wrapping_add(at as u64))?;
            seconds += started.elapsed().as_secs_f64();
            if let Some(Answers { rows, evaluations: calls, gradients: of_them }) = found {
                (evaluations, gradients) = (evaluations.max(calls), gradients.max(of_them));
                let misfit = self.misfit(at, &rows)?;
                scored.add(&self.judge, (self.image(at), self.labels[at]), &rows, misfit)?;
            }
            meter.at(at + 1, method);
        }
        Ok(AnswersRow {
            method: method.to_owned(),
            scores: scored.scores()?,
            astray: self.len() - scored.len(),
            evaluations,
            gradients,
            seconds: seconds / self.len() as f64,
            memory: None,
        })
    }

    fn image(&self, at: usize) -> &[f32] {
        let size: usize = self.shape.iter().product();
        &self.images[at * size..][..size]
    }

    fn seen(&self, at: usize) -> &[f32] {
        let (_, sees) = self.options.operator.sizes();
        &self.observed[at * sees..][..sees]
    }

    /// How badly answers explain what was seen of an image: the root mean square of theirs.
    fn misfit(&self, at: usize, rows: &[f32]) -> Result<f64, JudgeError> {
        let observation = observation(&self.options, self.seen(at), &self.device)?;
        let rows = tensor(rows, self.shape.iter().product(), &self.device);
        Ok(observation.misfit(&rows).square().mean().sqrt().into_scalar::<f64>())
    }
}

/// By how much a model was trained to enlarge, if that is the question: it was told means of
/// squares, so that whatever the operator is called, it has to see the same of the images.
fn trained_for(
    TrainedModel { name, model, .. }: TrainedModel<'_>,
    asked: &str,
    images: &[f32],
    shape: [usize; 3],
    seen: &Tensor<2>,
) -> Result<Upsampling, JudgeError> {
    let Some(upsampling) = model.upsampling()? else {
        return Err(usage!(
            "--against {name} was trained for no question about images: train one with \
             data.upsample, such as the recipe digits-upsample"
        ));
    };
    if 0 < model.classes() {
        return Err(usage!(
            "--against {name} is told a class besides what was seen, and {asked} is asked without \
             one: train it with data.conditional=false"
        ));
    }
    let told = upsampling.shrunk(images);
    let [n, sees] = seen.dims();
    let same = upsampling.shape == shape && told.len() == n * sees && {
        let told = tensor(&told, sees, &seen.device());
        (seen.clone() - told).abs().max().into_scalar::<f32>() < SAME
    };
    if same {
        return Ok(upsampling);
    }
    let (factor, [c, h, w]) = (upsampling.factor, upsampling.shape);
    Err(usage!(
        "--against {name} enlarges images {factor} times, to {c} x {h} x {w}, and that is not what \
         {asked} asks for"
    ))
}

fn observation<'a>(
    options: &QuestionOptions<'a>,
    seen: &[f32],
    device: &Device,
) -> Result<Observation<&'a dyn LinearOperator>, JudgeError> {
    let noise = ObservationNoise::Gaussian { std: options.noise };
    let seen = tensor(seen, seen.len(), device);
    Ok(Observation::new(options.operator, seen, noise).map_err(ModelError::from)?)
}

/// Rows of so many numbers.
fn tensor(values: &[f32], columns: usize, device: &Device) -> Tensor<2> {
    let data = TensorData::new(values.to_vec(), [values.len() / columns.max(1), columns]);
    Tensor::from_data(data, device)
}
