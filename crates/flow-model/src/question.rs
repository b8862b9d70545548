//! Questions put to a model: rows that explain an observation.

use std::str::FromStr;

use burn::tensor::Tensor;
use flow_kernels::on_pool;
use flow_nn::Condition;
use flow_path::config::text;
use flow_sample::{
    Conditioned, Conditioning, Dps, Draws, Grid, LinearOperator, Mmps, Observation,
    ObservationNoise, PiGdm, Replacement, Sampler, Way,
};
use serde::{Deserialize, Serialize};
use toml::Value;

use crate::error::ModelError;
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

/// How an observation is brought into a sampler; see the table of [`flow_sample`]'s methods.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AnswerMethod {
    /// Known entries are put in: the cheap control.
    Replacement {},
    /// Diffusion posterior sampling: the data that are expected are taken for known.
    Dps {
        /// Strength: 1 is Bayes' rule.
        #[serde(default = "one")]
        scale: f64,
    },
    /// Data of one variance for all numbers.
    Pigdm {
        /// Standard deviation of the data.
        #[serde(default = "one")]
        data_std: f64,
    },
    /// Data of the covariance that the network itself has.
    Mmps {
        /// Iterations of conjugate gradients, each an evaluation.
        #[serde(default = "once")]
        iterations: usize,
    },
}

fn one() -> f64 {
    1.0
}

fn once() -> usize {
    1
}

impl Default for AnswerMethod {
    fn default() -> Self {
        Self::Mmps { iterations: once() }
    }
}

impl AnswerMethod {
    /// As it is typed, with its values, and what it is.
    pub const CHOICES: [(&'static str, &'static str); 4] = [
        ("mmps,iterations=1", "data of the covariance that the network itself has"),
        ("pigdm,data_std=1", "data of one variance for all numbers"),
        ("dps,scale=1", "the data that are expected are taken for known: too narrow"),
        ("replacement", "known entries are put in: the cheap control"),
    ];

    fn over<'a>(
        self,
        observation: Observation<&'a dyn LinearOperator>,
    ) -> Box<dyn Conditioning + 'a> {
        match self {
            Self::Replacement {} => Box::new(Replacement { observation, iterations: MOST_SOLVED }),
            Self::Dps { scale } => Box::new(Dps { evidence: observation, scale }),
            Self::Pigdm { data_std } => {
                Box::new(PiGdm { observation, data_std, iterations: MOST_SOLVED })
            }
            Self::Mmps { iterations } => Box::new(Mmps { observation, iterations }),
        }
    }
}

/// Iterations by which a system of the operator alone is solved; a mask needs one.
const MOST_SOLVED: usize = 10;

impl FromStr for AnswerMethod {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let known = || Self::CHOICES.map(|(choice, _)| choice).join("; ");
        let refused = |error: String| format!("`{typed}` is no method ({error}), use {}", known());
        let table = text::table(typed).map_err(|error| refused(error.to_string()))?;
        let method = Value::Table(table).try_into();
        let method =
            method.map_err(|error: toml::de::Error| refused(error.message().to_owned()))?;
        let positive = match method {
            Self::Dps { scale: value } | Self::Pigdm { data_std: value } => {
                value.is_finite() && 0.0 < value
            }
            Self::Mmps { iterations } => 0 < iterations,
            Self::Replacement {} => true,
        };
        if positive { Ok(method) } else { Err(refused("its value must be positive".into())) }
    }
}

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
}

impl Model {
    /// Draws rows that explain an observation.
    ///
    /// The gradient goes through the network: the device of the model must be one without autodiff,
    /// which the method adds.
    ///
    /// # Errors
    /// When answers go astray, the observation has another size than the operator sees, is not
    /// finite where it is seen, its noise has no size, the model is told too little or what it does
    /// not know, or a sampler cannot go on.
    pub fn answer(
        &self,
        question: &Question<'_>,
        sampler: &dyn Sampler,
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
        self.check_told(question, questions)?;
        on_pool(&self.device, || self.answers(question, sampler, [questions, size]))
    }

    /// Refuses a question that tells the model too little, too much or what it does not know.
    fn check_told(&self, question: &Question<'_>, questions: usize) -> Result<(), ModelError> {
        let signature = self.signature();
        for (what, reads) in [
            ("latent", 0 < signature.latent),
            ("conditioning row", !signature.context.is_empty()),
            ("length", signature.lengths),
        ] {
            if reads {
                return Err(ModelError::CannotAnswer { what });
            }
        }
        let (what, size) = ("condition vector", self.vector());
        match question.vectors {
            Some(_) if size == 0 => return Err(ModelError::NotAsked { what }),
            None if 0 < size => return Err(ModelError::Missing { what, size }),
            Some(given) if given.len() != questions * size => {
                return Err(ModelError::Rows { what, n: questions, size, got: given.len() });
            }
            _ => {}
        }
        match question.classes {
            Some(classes) if classes.len() != questions => {
                let got = classes.len();
                Err(ModelError::Rows { what: "class", n: questions, size: 1, got })
            }
            Some(classes) => {
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
        sampler: &dyn Sampler,
        [questions, size]: [usize; 2],
    ) -> Result<Answered, ModelError> {
        // The condition holds for whole batches: each has as many draws.
        let most = question.at_once.clamp(1, question.draws.max(1));
        let divides = |at_once: &usize| question.draws.is_multiple_of(*at_once);
        let at_once = (1..=most).rev().find(divides).unwrap_or(1);
        let mut condition = match question.classes {
            Some(classes) => Condition::classes(classes, &self.device),
            None => Condition::none(),
        };
        if let Some(vectors) = question.vectors {
            condition = condition.with_vector(self.tensor(vectors, vectors.len() / questions));
        }
        let y: Tensor<2> = self.tensor(question.observed, question.observed.len() / questions);
        let observation = Observation::new(question.operator, y, question.noise)?;
        let conditioned = Conditioned {
            predictor: self.predictor(condition.repeat(at_once)),
            method: question.method.over(observation.clone()),
        };
        let draws = Draws { draws: question.draws, at_once, seed: question.seed };
        let way = Way::along(question.grid.clone());
        let found = draws.answer(
            sampler,
            &conditioned,
            &observation,
            &way,
            [questions, size],
            &self.device,
        )?;
        if let Some(answer) = found.misfit.iter().position(|misfit| !misfit.is_finite()) {
            return Err(ModelError::Astray { answer, misfit: found.misfit[answer] });
        }
        Ok(Answered {
            rows: host(found.x),
            mean: host(found.mean),
            spread: found.spread.map(host).unwrap_or_default(),
            misfit: found.misfit,
            nfe: found.nfe,
        })
    }
}
