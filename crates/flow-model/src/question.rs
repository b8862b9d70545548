//! Questions put to a model: rows that explain an observation.

use burn::tensor::Tensor;
use flow_kernels::on_pool;
use flow_nn::Condition;
use flow_path::stream::Purpose;
use flow_sample::{
    Conditioned, Counted, Draws, Evidence, Grid, Interruptible, LinearOperator, Observation,
    ObservationNoise, Sampler, Way, normal_rows,
};

use crate::config::DATA;
use crate::error::ModelError;
use crate::method::AnswerMethod;
use crate::model::{Model, host};
use crate::request::Classes;

/// A linear observation of rows, and how rows that explain it are drawn.
///
/// Numbers are those of the model: pixels from -1 to 1, columns of a table as its transforms leave
/// them.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What is seen of a row.
    pub operator: &'a dyn LinearOperator,
    /// What was seen, `[questions, m]` row-major; what a mask hides may be NaN.
    pub observed: &'a [f32],
    /// How noisy that is.
    pub noise: ObservationNoise,
    /// How the observation is brought in.
    pub method: AnswerMethod,
    /// Times of the steps.
    pub grid: &'a Grid,
    /// Answers to each question.
    pub draws: usize,
    /// Draws that are computed together at most: memory is that of so many rows for each question.
    pub at_once: usize,
    /// Seed of their noise.
    pub seed: u64,
    /// The class of each question, for models that know any.
    pub classes: Option<&'a [usize]>,
    /// A condition vector for each question, row-major, for models that read one.
    pub vectors: Option<&'a [f32]>,
}

impl Question<'_> {
    fn draws(&self) -> Draws {
        let at_once = self.at_once.clamp(1, self.draws.max(1));
        Draws { draws: self.draws, at_once, seed: self.seed }
    }
}

/// An answer that explains what was seen worse than this many times as pure noise does is none.
const FAR: f64 = 10.0;

/// Rows that explain an observation.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Answered {
    /// `[draws, questions, d]`, row-major: all questions once, then once more.
    pub rows: Vec<f32>,
    /// The mean of the answers to each question, `[questions, d]`.
    pub mean: Vec<f32>,
    /// Their standard deviation, `[questions, d]`; empty for a single draw.
    pub spread: Vec<f32>,
    /// How badly each row explains what was seen, in standard deviations of its noise: about 1 if
    /// it does.
    pub misfit: Vec<f64>,
    /// Network evaluations for each answer; one with a gradient counts once.
    pub nfe: usize,
    /// How many of them have a gradient, each of which takes about twice as long.
    pub gradients: usize,
}

impl Model {
    /// Draws rows that explain an observation.
    ///
    /// The gradient goes through the network: the device of the model must be one without autodiff,
    /// which the method adds.
    ///
    /// # Errors
    /// When the observation has another size than the operator sees, is not finite where it is seen
    /// or shows nothing of a sample, its noise has no size, a value of the method or the number of
    /// draws cannot be, the model is told too little or what it does not know, a sampler cannot go
    /// on, or answers go astray: their misfit is more than ten times that of pure noise. A row of a
    /// table may lack all that the model draws.
    pub fn answer(
        &self,
        question: &Question<'_>,
        sampler: &dyn Sampler,
    ) -> Result<Answered, ModelError> {
        self.answer_while(question, sampler, &|| true)
    }

    /// The same for as long as `go_on`, which is asked before each evaluation of the network and
    /// may be called from another thread, says yes.
    ///
    /// # Errors
    /// As for [`answer`](Self::answer), and [`ModelError::Stopped`] when `go_on` said no.
    pub fn answer_while(
        &self,
        question: &Question<'_>,
        sampler: &dyn Sampler,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Answered, ModelError> {
        let size = self.signature().size();
        let (reads, sees) = question.operator.sizes();
        let questions = question.observed.len() / sees.max(1);
        if reads != size || questions == 0 || question.observed.len() != questions * sees {
            return Err(ModelError::Observation {
                reads,
                sees,
                size,
                got: question.observed.len(),
            });
        }
        if !self.config().learned_velocity {
            return Err(ModelError::NoVelocity);
        }
        question.method.check()?;
        question.draws().check([questions, size])?;
        self.check_told(question, questions)?;
        let all = Tensor::ones([questions, sees], &self.device);
        let seen: f32 = question.operator.seen(&all).sum().into_scalar();
        if self.config().rows.is_empty() && seen < 0.5 {
            return Err(ModelError::NothingSeen);
        }
        on_pool(&self.device, || self.answers(question, (sampler, go_on), [questions, size]))
    }

    /// Refuses a question that tells the model too little, too much or what it does not know.
    fn check_told(&self, question: &Question<'_>, questions: usize) -> Result<(), ModelError> {
        let signature = self.signature();
        if self.config().source == DATA {
            return Err(ModelError::StartsFromData);
        }
        for (what, reads) in [
            ("latent", 0 < signature.latent),
            ("conditioning row", !signature.context.is_empty()),
            ("length", signature.lengths),
        ] {
            if reads {
                return Err(ModelError::CannotAnswer { what });
            }
        }
        let what = "condition vector";
        if question.vectors.is_some() && self.vector() == 0 {
            return Err(ModelError::NotAsked { what });
        }
        Self::check_part(what, question.vectors.map(<[f32]>::len), self.vector(), questions)?;
        match question.classes {
            Some(classes) => {
                Self::check_part("class", Some(classes.len()), 1, questions)?;
                self.classes_of(&Classes::Each(classes.to_vec()), 0..questions).map(drop)
            }
            None if 0 < signature.classes && !self.config().learned_without => {
                Err(ModelError::ClassNeeded)
            }
            None => Ok(()),
        }
    }

    fn answers(
        &self,
        question: &Question<'_>,
        (sampler, go_on): (&dyn Sampler, &(dyn Fn() -> bool + Sync)),
        [questions, size]: [usize; 2],
    ) -> Result<Answered, ModelError> {
        // The condition holds for whole batches: each has as many draws.
        let draws = question.draws();
        let divides = |at_once: &usize| question.draws.is_multiple_of(*at_once);
        let at_once = (1..=draws.at_once).rev().find(divides).unwrap_or(1);
        let mut condition = match question.classes {
            Some(classes) => Condition::classes(classes, &self.device),
            None => Condition::none(),
        };
        if let Some(vectors) = question.vectors {
            condition = condition.with_vector(self.tensor(vectors, vectors.len() / questions));
        }
        let y: Tensor<2> = self.tensor(question.observed, question.observed.len() / questions);
        let observation = Observation::new(question.operator, y, question.noise)?;
        let far = self.far(&observation, question.seed, [questions, size]);
        let counted = Counted::new(self.predictor(condition.repeat(at_once)));
        let predictor = Interruptible::new(&counted, go_on);
        let watch = predictor.watch();
        let conditioned = Conditioned {
            predictor: &predictor,
            method: question.method.over(observation.clone()),
        };
        let found = Draws { at_once, ..draws }.answer(
            sampler,
            &conditioned,
            &observation,
            &Way::along(question.grid.clone()).watched_by(&watch),
            [questions, size],
            &self.device,
        );
        if predictor.is_stopped() {
            return Err(ModelError::Stopped);
        }
        let found = found?;
        let mut fits = found.misfit.iter().zip(far.iter().cycle());
        if let Some(answer) = fits.position(|(misfit, far)| misfit.is_nan() || far < misfit) {
            return Err(ModelError::Astray { answer, misfit: found.misfit[answer] });
        }
        Ok(Answered {
            rows: host(found.x),
            mean: host(found.mean),
            spread: found.spread.map(host).unwrap_or_default(),
            misfit: found.misfit,
            nfe: found.nfe,
            // All batches are as large and go the same way.
            gradients: counted.gradients() / (question.draws / at_once),
        })
    }

    /// The misfit of each question beyond which an answer is none: that of a few rows of pure
    /// noise, which know nothing of what was seen, many times over.
    fn far(
        &self,
        observation: &Observation<&dyn LinearOperator>,
        seed: u64,
        [questions, size]: [usize; 2],
    ) -> Vec<f64> {
        const COPIES: usize = 8;
        let mut squares = vec![0.0; questions];
        for copy in 0..COPIES {
            let range = copy * questions..(copy + 1) * questions;
            let noise = normal_rows(seed, Purpose::Evaluation, range, size);
            let misfit = observation.misfit(&self.tensor(&noise, size)).into_data();
            squares.iter_mut().zip(misfit.iter::<f64>()).for_each(|(sum, one)| *sum += one * one);
        }
        let far = |sum: f64| FAR * (sum / COPIES as f64).sqrt().max(1.0);
        squares.into_iter().map(far).collect()
    }
}
