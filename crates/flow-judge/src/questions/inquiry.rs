//! A question about the held-out rows of a run, put to several methods and to a model that was
//! trained for it.

use std::path::Path;

use burn::tensor::Device;
use flow_model::{AnswerMethod, AnswerPlan, Registry, SampleChanges};
use flow_run::{Data, Listener, Model, Place, Request, Run, memory};
use flow_sample::LinearOperator;

use super::images::ImageQuestions;
use super::report::{AnswersReport, AnswersRow};
use super::rows::RowQuestions;
use super::{QuestionOptions, TrainedModel};
use crate::error::{JudgeError, usage};

/// A question, and who is asked: methods that train nothing, on equal steps of one sampler, and a
/// model that was trained for it, if there is one.
///
/// Of images a question says what is seen of each, such as `upsample:4`; of a table
/// `given:COLUMN,COLUMN` are the columns that are known.
#[derive(Debug)]
pub struct Inquiry<'a> {
    question: &'a str,
    options: QuestionOptions,
    sampler: &'a str,
    steps: usize,
    /// Each method as it was typed.
    plans: Vec<(String, AnswerPlan)>,
    /// What the trained model is called, and how it is sampled, which is as the methods go.
    trained: Option<(String, Model, Request)>,
}

impl<'a> Inquiry<'a> {
    /// Held-out rows that are asked about unless another number is asked for.
    pub const ROWS: usize = 40;

    /// A question for methods as they are typed, or, if none is named, for each that there is.
    ///
    /// # Errors
    /// For a method or a sampler that there is not, and a number of steps that cannot be made. The
    /// noise and the numbers of the options are looked at when a run is asked.
    pub fn new(
        question: &'a str,
        options: QuestionOptions,
        methods: &[String],
        sampler: &'a str,
        steps: usize,
    ) -> Result<Self, JudgeError> {
        let all = || AnswerMethod::choices().into_iter().map(|choice| choice.typed).collect();
        let methods = if methods.is_empty() { all() } else { methods.to_vec() };
        let plan = |method: String| {
            let plan = AnswerPlan::typed(&method, sampler, steps)?;
            Ok((method, plan))
        };
        let plans = methods.into_iter().map(plan).collect::<Result<_, JudgeError>>()?;
        Ok(Self { question, options, sampler, steps, plans, trained: None })
    }

    /// The same with a model that was trained for the question, of a run or of a file.
    ///
    /// # Errors
    /// When the model cannot be read, or not be sampled like that.
    pub fn against(
        self,
        registry: &Registry,
        path: &Path,
        device: &Device,
    ) -> Result<Self, JudgeError> {
        let place = Place::open(registry, path, device)?;
        let (sampler, steps) = (Some(self.sampler.to_owned()), Some(self.steps));
        let changes = SampleChanges { sampler, steps, ..SampleChanges::default() };
        let way = place.request(&changes, self.options.draws, self.options.seed)?;
        let way = Request { batch: AnswerPlan::AT_ONCE, ..way };
        let trained = Some((path.display().to_string(), place.model(device)?, way));
        Ok(Self { trained, ..self })
    }

    /// Asks about rows of a run; `operator` makes what a question about images sees of the rows of
    /// its model. Memory is measured of the whole process, in which nothing else should work
    /// meanwhile.
    ///
    /// # Errors
    /// For a question that is none about such rows, as for [`ImageQuestions::new`] and
    /// [`RowQuestions::new`], when a model cannot be asked, and what `operator` returns.
    pub fn report<E: From<JudgeError>>(
        &self,
        run: &Run,
        data: &Data,
        device: &Device,
        operator: impl FnOnce(&Model) -> Result<Box<dyn LinearOperator>, E>,
        told: &dyn Listener,
    ) -> Result<AnswersReport, E> {
        let model = Model::load(run, device).map_err(JudgeError::from)?;
        let (asked, options) = (self.question, self.options);
        let trained = self.trained.as_ref();
        let trained = trained.map(|(name, model, way)| TrainedModel { name, model, way });
        let (n, classifier_accuracy, rows) = if let Data::Table(table) = data {
            let Some(known) = asked.strip_prefix("given:") else {
                return Err(usage!(
                    "--questions {asked} is none about rows of a table: name the columns that are \
                     known by given:COLUMN,COLUMN"
                )
                .into());
            };
            let known: Vec<&str> = known.split(',').filter(|name| !name.is_empty()).collect();
            let questions = RowQuestions::new(table, options, &known, trained, told)?;
            let by = |method: &str, plan: &AnswerPlan| questions.answered(method, &model, plan);
            (questions.len(), None, self.rows(by, || questions.answered_by_trained())?)
        } else {
            let operator = operator(&model)?;
            let seen = (asked, &*operator);
            let questions = ImageQuestions::new(run, data, options, seen, trained, device, told)?;
            let by = |method: &str, plan: &AnswerPlan| questions.answered(method, &model, plan);
            let accuracy = Some(questions.classifier_accuracy());
            (questions.len(), accuracy, self.rows(by, || questions.answered_by_trained())?)
        };
        Ok(AnswersReport {
            schema: 1,
            recipe: run.recipe.name.clone(),
            step: run.step().map_err(JudgeError::from)?,
            question: asked.to_owned(),
            noise: options.noise,
            n,
            draws: options.draws,
            sampler: self.sampler.to_owned(),
            steps: self.steps,
            seed: options.seed,
            classifier_accuracy,
            rows,
        })
    }

    /// What each method and the trained model answer, with the memory that it took.
    fn rows(
        &self,
        by: impl Fn(&str, &AnswerPlan) -> Result<AnswersRow, JudgeError>,
        by_trained: impl FnOnce() -> Result<Option<AnswersRow>, JudgeError>,
    ) -> Result<Vec<AnswersRow>, JudgeError> {
        let mut rows = Vec::new();
        for (method, plan) in &self.plans {
            let (row, memory) = memory::grown(|| by(method, plan));
            rows.push(AnswersRow { memory, ..row? });
        }
        let (row, memory) = memory::grown(by_trained);
        rows.extend(row?.map(|row| AnswersRow { memory, ..row }));
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_is_asked_unless_some_are_named() {
        let options = QuestionOptions { noise: 0.1, n: 2, draws: 3, seed: 0 };
        let asked = |methods: &[&str]| {
            let methods: Vec<String> = methods.iter().map(ToString::to_string).collect();
            let inquiry = Inquiry::new("upsample:2", options, &methods, AnswerPlan::SAMPLER, 4)?;
            Ok::<_, JudgeError>(inquiry.plans.into_iter().map(|(method, _)| method).collect())
        };
        let all: Vec<String> = asked(&[]).unwrap();
        assert_eq!(all, ["mmps,iterations=1", "pigdm,data_std=1", "dps,scale=1", "replacement"]);
        assert_eq!(asked(&["replacement", "mmps"]).unwrap(), ["replacement", "mmps"]);
        let error = asked(&["no-such-method"]).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains("no-such-method"), "{error}");
    }
}
