//! What Python asks for, as the model takes it.

use burn::tensor::{Device, Tensor, TensorData};
use flow_model::{Asked, Model, Rows, SampleConfig, SamplePlan};
use flow_nn::Condition;
use flow_sample::SamplerConfig;
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::raised;

/// What is known of rows, flat.
#[derive(Clone, Default)]
pub(crate) struct Known {
    pub(crate) classes: Option<Vec<usize>>,
    pub(crate) vectors: Option<Vec<f32>>,
    pub(crate) contexts: Option<Vec<f32>>,
}

impl Known {
    pub(crate) fn read(
        classes: Option<PyReadonlyArray1<'_, i64>>,
        vectors: Option<PyReadonlyArray1<'_, f32>>,
        contexts: Option<PyReadonlyArray1<'_, f32>>,
    ) -> PyResult<Self> {
        Ok(Self { classes: labels(classes)?, vectors: host(vectors)?, contexts: host(contexts)? })
    }

    /// Refuses what is not there for each of `n` rows, or that a model does not know.
    ///
    /// `null` says whether rows may do without a class: they are then of the null class.
    pub(crate) fn check(&self, n: usize, model: &Model, null: bool) -> PyResult<()> {
        let signature = model.signature();
        let context: usize =
            if signature.context.is_empty() { 0 } else { signature.context.iter().product() };
        let given = |name: &str, have: Option<usize>, need: usize| match have {
            None if need == 0 => Ok(()),
            Some(have) if have == need * n && 0 < need => Ok(()),
            None => Err(PyValueError::new_err(format!("the model is told {name}: give them"))),
            Some(_) if need == 0 => {
                Err(PyValueError::new_err(format!("the model is told no {name}: leave them out")))
            }
            Some(have) => Err(PyValueError::new_err(format!(
                "{n} rows need {} numbers of {name}, got {have}",
                need * n
            ))),
        };
        let classes = self.classes.as_ref().map(Vec::len);
        if !(null && classes.is_none()) {
            given("classes", classes, usize::from(0 < signature.classes))?;
        }
        given("condition vectors", self.vectors.as_ref().map(Vec::len), model.vector())?;
        given("conditioning rows", self.contexts.as_ref().map(Vec::len), context)?;
        match self.classes.iter().flatten().find(|class| signature.classes <= **class) {
            Some(class) => {
                let last = signature.classes - 1;
                let text = format!("class {class} is asked for, the model has 0 to {last}");
                Err(PyValueError::new_err(text))
            }
            None => Ok(()),
        }
    }

    /// The rows of a range, whose numbers are `values`.
    pub(crate) fn rows(&self, n: usize, values: &[f32], range: std::ops::Range<usize>) -> Rows {
        let part = |all: &[f32]| {
            let size = all.len() / n.max(1);
            all[range.start * size..range.end * size].to_vec()
        };
        Rows {
            values: part(values),
            classes: self.classes.as_ref().map(|classes| classes[range.clone()].to_vec()),
            vectors: self.vectors.as_deref().map(part),
            contexts: self.contexts.as_deref().map(part),
        }
    }

    /// What is known of all `n` rows.
    pub(crate) fn condition(&self, n: usize, device: &Device) -> Condition {
        let tensor = |all: &Vec<f32>| -> Tensor<2> {
            let data = TensorData::new(all.clone(), [n, all.len() / n.max(1)]);
            Tensor::from_data(data, device)
        };
        let mut condition = match &self.classes {
            Some(classes) => Condition::classes(classes, device),
            None => Condition::none(),
        };
        if let Some(vectors) = &self.vectors {
            condition = condition.with_vector(tensor(vectors));
        }
        if let Some(contexts) = &self.contexts {
            condition = condition.with_context(tensor(contexts));
        }
        condition
    }
}

/// Numbers of an array.
pub(crate) fn host(array: Option<PyReadonlyArray1<'_, f32>>) -> PyResult<Option<Vec<f32>>> {
    let whole = |array: PyReadonlyArray1<'_, f32>| Ok(array.as_slice()?.to_vec());
    array.map(whole).transpose()
}

fn labels(array: Option<PyReadonlyArray1<'_, i64>>) -> PyResult<Option<Vec<usize>>> {
    let Some(array) = array else { return Ok(None) };
    let class = |class: &i64| {
        usize::try_from(*class)
            .map_err(|_| PyValueError::new_err(format!("class {class} is below 0")))
    };
    array.as_slice()?.iter().map(class).collect::<PyResult<_>>().map(Some)
}

/// The sampler of some settings with what Python asks for.
pub(crate) fn plan(
    settings: &mut SampleConfig,
    steps: Option<usize>,
    solver: Option<String>,
    sampler: Option<String>,
) -> PyResult<SamplePlan> {
    let asked = Asked { steps: steps.is_some(), solver: solver.is_some(), tolerances: false };
    if let Some(sampler) = sampler {
        let chosen = sampler.parse::<SamplerConfig>();
        settings.sampler = chosen.map_err(|error| PyValueError::new_err(error.to_string()))?;
    } else if solver.is_some() {
        settings.sampler = SamplerConfig::default();
    }
    if let Some(solver) = solver {
        settings.solver = solver;
    }
    settings.steps = steps.unwrap_or(settings.steps);
    settings.check().map_err(raised)?;
    settings.plan(asked).map_err(raised)
}
