//! An observation of a sample as it is typed, and its answers in a folder.

use std::fmt;
use std::path::Path;
use std::time::Instant;

use burn::tensor::Device;
use flow_datasets::counted;
use flow_model::{AnswerPlan, Question};
use flow_run::{Model, memory};
use flow_sample::{LinearOperator, ObservationNoise};

use crate::answers::{AnswersNote, back_projection, observed, save_answers};
use crate::error::{ReportError, usage};
use crate::operator::{mask, operator};

/// What was seen of a sample of a model.
#[derive(Debug)]
pub struct Seen<'a> {
    /// What `answers.json` calls the operator.
    name: String,
    operator: Box<dyn LinearOperator>,
    file: &'a Path,
    values: Vec<f32>,
    noise: ObservationNoise,
}

/// Who is asked, and how: as it was typed.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Where the model is.
    pub model: &'a Path,
    /// The class of the answers, if one is asked for.
    pub class: Option<usize>,
    /// The columns that the answers are told, as they were typed and as the network takes them.
    pub given: Option<(&'a str, &'a [f32])>,
    /// The method.
    pub method: &'a str,
    /// The sampler.
    pub sampler: &'a str,
    /// Number of its steps.
    pub steps: usize,
}

/// What answers took, and how well they explain what was seen.
#[derive(Clone, Copy, Debug)]
pub struct Explained {
    /// Answers.
    pub draws: usize,
    /// Evaluations of the network for each of them.
    pub nfe: usize,
    /// How many of them have a gradient.
    pub gradients: usize,
    /// Seconds for all of them.
    pub seconds: f64,
    /// How far what would be seen of an answer is from what was, in standard deviations of the
    /// noise: about 1 explains it. Mean over the answers.
    pub misfit: f64,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} each, {} of them with a gradient, {:.1} s, misfit {:.2} (about 1 explains what \
             was seen)",
            counted(self.draws, "answer"),
            counted(self.nfe, "evaluation"),
            self.gradients,
            self.seconds,
            self.misfit
        )
    }
}

impl<'a> Seen<'a> {
    /// Reads what was seen of a sample of a model: through an operator as [`operator()`] takes it,
    /// or through a mask in a file.
    ///
    /// # Errors
    /// For a model of a table, without an operator and a mask, without a file, and as for
    /// [`operator()`], [`mask`] and [`observed`].
    pub fn read(
        through: Option<&str>,
        known: Option<&Path>,
        file: Option<&'a Path>,
        noise: ObservationNoise,
        model: &Model,
        device: &Device,
    ) -> Result<Self, ReportError> {
        if model.table()?.is_some() {
            return Err(usage!("holes of a table are filled by `flow impute`"));
        }
        let (name, operator) = match (through, known) {
            (Some(name), _) => (name.to_owned(), operator(name, model, device)?),
            (None, Some(file)) => (format!("mask:{}", file.display()), mask(file, model, device)?),
            (None, None) => return Err(usage!("name what was seen by --operator or --mask")),
        };
        let Some(file) = file else {
            return Err(usage!("name what was seen by --observe or --known"));
        };
        let values = observed(file, &*operator, noise, model)?;
        Ok(Self { name, operator, file, values, noise })
    }

    /// Asks a model for answers by a plan, and makes the folder `out` for them: as
    /// [`save_answers`] does. Memory is measured of the whole process, in which nothing else should
    /// work meanwhile.
    ///
    /// # Errors
    /// When the model cannot be asked, and when a file cannot be written.
    pub fn answer(
        &self,
        model: &Model,
        plan: &AnswerPlan,
        draws: usize,
        asked: Asked<'_>,
        out: &Path,
    ) -> Result<Explained, ReportError> {
        let Asked { model: place, class, given, method, sampler, steps } = asked;
        let classes = class.map(|class| vec![class]);
        let question = Question {
            classes: classes.as_deref(),
            vectors: given.map(|(_, vector)| vector),
            ..plan.question(&*self.operator, &self.values, self.noise, draws)
        };
        let started = Instant::now();
        let (answered, memory) = memory::grown(|| model.answer(&question, &*plan.sampler));
        let (answered, seconds) = (answered?, started.elapsed().as_secs_f64());
        let note = AnswersNote {
            model: place,
            operator: &self.name,
            observed: self.file,
            noise: self.noise,
            class,
            given: given.map(|(text, _)| text),
            method,
            sampler,
            steps,
            at_once: plan.at_once,
            seed: plan.seed,
            seconds,
            memory,
        };
        let seen = back_projection(&*self.operator, &self.values, self.noise, model.device());
        save_answers(out, model, &seen, &answered, note)?;
        let (nfe, gradients) = (answered.nfe, answered.gradients);
        let misfit = answered.misfit.iter().sum::<f64>() / answered.misfit.len() as f64;
        Ok(Explained { draws, nfe, gradients, seconds, misfit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_took_is_one_sentence() {
        let found = Explained { draws: 2, nfe: 1, gradients: 0, seconds: 0.26, misfit: 1.0 / 3.0 };
        assert_eq!(
            found.to_string(),
            "2 answers, 1 evaluation each, 0 of them with a gradient, 0.3 s, misfit 0.33 (about 1 \
             explains what was seen)"
        );
    }
}
