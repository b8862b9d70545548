//! Questions about held-out images: what is seen of them through an operator.

use burn::tensor::{Device, Tensor, TensorData};
use flow_datasets::Split;
use flow_model::{AnswerPlan, ModelError, Question};
use flow_path::stream::Purpose;
use flow_run::{Data, Given, Listener, Model, Request, Run, Upsampling, labels, pixels, some_of};
use flow_sample::{Evidence, LinearOperator, Observation, ObservationNoise, normal_rows};

use super::asking::{Answers, each, unless_astray};
use super::image_scores::ImageScores;
use super::report::AnswersRow;
use super::{QuestionOptions, TrainedModel};
use crate::classifier::Judge;
use crate::error::{JudgeError, usage};

/// Pixels that differ by less are the same: means of squares are taken in two orders.
const SAME: f32 = 1e-4;

/// Held-out images, and what is seen of each of them: the same for every model that is asked.
pub struct ImageQuestions<'a> {
    options: QuestionOptions,
    operator: &'a dyn LinearOperator,
    /// Channels, height and width.
    shape: [usize; 3],
    images: Vec<f32>,
    labels: Vec<usize>,
    /// `[n, m]`.
    observed: Vec<f32>,
    /// The model that was trained for the question, and by how much it enlarges.
    trained: Option<(TrainedModel<'a>, Upsampling)>,
    judge: Judge,
    device: Device,
    told: &'a dyn Listener,
}

impl<'a> ImageQuestions<'a> {
    /// Looks at held-out images of a run through an operator, which is called by `name`; last,
    /// trains the classifier of images unless it is kept.
    ///
    /// # Errors
    /// For data that are no images, an operator of other rows, noise that has no size, a trained
    /// model that was not trained for this question or is told a class besides, and when the
    /// classifier cannot be trained.
    pub fn new(
        run: &Run,
        data: &Data,
        options: QuestionOptions,
        (name, operator): (&str, &'a dyn LinearOperator),
        trained: Option<TrainedModel<'a>>,
        device: &Device,
        told: &'a dyn Listener,
    ) -> Result<Self, JudgeError> {
        let Data::Images { train, test } = data else {
            let run = run.folder.display();
            return Err(usage!(
                "{run} is a run of neither images nor tables, which are asked about"
            ));
        };
        let held = some_of(test, Split::Test, options.n, options.seed);
        if held.is_empty() {
            return Err(usage!("no held-out image is asked about: -n is 0, or there is none"));
        }
        let shape = [test.channels, test.height, test.width];
        let size: usize = shape.iter().product();
        let (reads, sees) = operator.sizes();
        if reads != size {
            return Err(usage!(
                "{name} reads {reads} numbers, and images of {shape:?} have {size}"
            ));
        }
        let images = pixels(&held);
        let seen = operator.apply(&tensor(&images, size, device));
        let trained = trained.map(|trained| {
            trained_for(&trained, name, &images, shape, &seen)
                .map(|upsampling| (trained, upsampling))
        });
        let trained = trained.transpose()?;
        let noise = normal_rows(options.seed, Purpose::Evaluation, 0..held.len(), sees);
        let noisy = seen + tensor(&noise, sees, device) * options.noise;
        let observed: Vec<f32> = noisy.into_data().iter::<f32>().collect();
        // What cannot be an observation is refused here, and not once for each method.
        observation(operator, &observed[..sees], options.noise, device)?;
        let judge = Judge::new(&run.recipe, train, test, device, told)?;
        Ok(Self {
            options,
            operator,
            shape,
            images,
            labels: labels(&held),
            observed,
            trained,
            judge,
            device: device.clone(),
            told,
        })
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
        let QuestionOptions { noise: std, draws, .. } = self.options;
        let noise = ObservationNoise::Gaussian { std };
        self.row(method, |at, seed| {
            let question = plan.question(self.operator, self.seen(at), noise, draws);
            unless_astray(model.answer(&Question { seed, ..question }, &*plan.sampler))
        })
    }

    /// What the model answers that was trained for the question, if there is one: it is told what
    /// was seen, and nothing of its noise.
    ///
    /// # Errors
    /// When it cannot be sampled.
    pub fn answered_by_trained(&self) -> Result<Option<AnswersRow>, JudgeError> {
        let Some((TrainedModel { name, model, way }, upsampling)) = &self.trained else {
            return Ok(None);
        };
        let row = self.row(name, |at, seed| {
            let contexts = Some(upsampling.enlarged(self.seen(at)));
            let given = Given { contexts, ..Given::default() };
            let request = Request { n: self.options.draws, seed, given, ..(*way).clone() };
            Ok(Some(model.sample(&request)?.into()))
        });
        row.map(Some)
    }

    /// Asks about each image, and scores what is answered.
    fn row(
        &self,
        method: &str,
        ask: impl Fn(usize, u64) -> Result<Option<Answers>, JudgeError>,
    ) -> Result<AnswersRow, JudgeError> {
        let mut scores = ImageScores::new(self.shape);
        let row = each((self.len(), &self.options), method, self.told, ask, |at, rows| {
            let misfit = self.misfit(at, rows)?;
            scores.add(&self.judge, (self.image(at), self.labels[at]), rows, misfit)
        })?;
        Ok(AnswersRow { scores: scores.scores()?, ..row })
    }

    fn image(&self, at: usize) -> &[f32] {
        let size: usize = self.shape.iter().product();
        &self.images[at * size..][..size]
    }

    fn seen(&self, at: usize) -> &[f32] {
        let (_, sees) = self.operator.sizes();
        &self.observed[at * sees..][..sees]
    }

    /// How badly answers explain what was seen of an image: the root mean square of theirs.
    fn misfit(&self, at: usize, rows: &[f32]) -> Result<f64, JudgeError> {
        let (seen, std) = (self.seen(at), self.options.noise);
        let observation = observation(self.operator, seen, std, &self.device)?;
        let rows = tensor(rows, self.shape.iter().product(), &self.device);
        Ok(observation.misfit(&rows).square().mean().sqrt().into_scalar::<f64>())
    }
}

/// By how much a model was trained to enlarge, if that is the question: it was told means of
/// squares, so that whatever the operator is called, it has to see the same of the images.
fn trained_for(
    TrainedModel { name, model, .. }: &TrainedModel<'_>,
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
    operator: &'a dyn LinearOperator,
    seen: &[f32],
    std: f64,
    device: &Device,
) -> Result<Observation<&'a dyn LinearOperator>, JudgeError> {
    let noise = ObservationNoise::Gaussian { std };
    let seen = tensor(seen, seen.len(), device);
    Ok(Observation::new(operator, seen, noise).map_err(ModelError::from)?)
}

/// Rows of so many numbers.
fn tensor(values: &[f32], columns: usize, device: &Device) -> Tensor<2> {
    let data = TensorData::new(values.to_vec(), [values.len() / columns.max(1), columns]);
    Tensor::from_data(data, device)
}
