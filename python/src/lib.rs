//! Trained flow-matching models for Python: what `flowmatching/__init__.py` stands on.

use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Device;
use flow_model::{
    Against, Asked, Classes, DensityRequest, Guidance, ModelError, Rows, SampleConfig, SamplePlan,
    Trace,
};
use flow_nn::Condition;
use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_sample::{Interval, Likelihood, Probe, SamplerConfig};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// Rows whose density is solved for together.
const DENSITY_BATCH: usize = 256;

/// A trained model. It is never changed, so threads may share it.
#[pyclass(frozen, module = "flowmatching._flowmatching")]
struct Model {
    inner: Arc<flow_model::Model>,
}

/// What Python raises: ValueError for what was asked for, OSError for files, else RuntimeError.
fn raised(error: ModelError) -> PyErr {
    let text = error.to_string();
    match error {
        ModelError::Io { .. } => PyOSError::new_err(text),
        ModelError::In { source, .. } if matches!(*source, ModelError::Io { .. }) => {
            PyOSError::new_err(text)
        }
        error if error.is_usage() => PyValueError::new_err(text),
        _ => PyRuntimeError::new_err(text),
    }
}

/// An error of a batch: of the model, or an interruption that Python has heard.
enum Stopped {
    Model(ModelError),
    Python(PyErr),
}

impl From<ModelError> for Stopped {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<Stopped> for PyErr {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Model(error) => raised(error),
            Stopped::Python(error) => error,
        }
    }
}

fn host(array: Option<PyReadonlyArray1<'_, f32>>) -> PyResult<Option<Vec<f32>>> {
    let whole = |array: PyReadonlyArray1<'_, f32>| Ok(array.as_slice()?.to_vec());
    array.map(whole).transpose()
}

fn labels(array: Option<PyReadonlyArray1<'_, i64>>) -> PyResult<Option<Vec<usize>>> {
    let Some(array) = array else { return Ok(None) };
    let class = |class: &i64| {
        usize::try_from(*class).map_err(|_| PyValueError::new_err(format!("class {class} is below 0")))
    };
    array.as_slice()?.iter().map(class).collect::<PyResult<_>>().map(Some)
}

#[pymethods]
impl Model {
    /// Shape of one sample.
    #[getter]
    fn shape(&self) -> Vec<usize> {
        self.inner.shape().to_vec()
    }

    /// Number of classes, 0 for none.
    #[getter]
    fn classes(&self) -> usize {
        self.inner.signature().classes
    }

    /// What the classes are called, if anybody said.
    #[getter]
    fn class_names(&self) -> Vec<String> {
        self.inner.class_names().to_vec()
    }

    /// Numbers in a condition vector, 0 for none.
    #[getter]
    fn vector(&self) -> usize {
        self.inner.signature().vector
    }

    /// Number of weights.
    #[getter]
    fn parameters(&self) -> usize {
        flow_model::parameters(self.inner.network())
    }

    /// The text of `model.toml`.
    #[getter]
    fn description(&self) -> String {
        self.inner.config().text()
    }

    /// Writes the model: one file for a name that ends in `.flow`, else a folder.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.inner.save(path)).map_err(raised)
    }

    /// Draws samples `0..n` of a seed, flat.
    #[pyo3(signature = (
        n, seed, batch, steps, solver, sampler, classes, vectors, contexts, guidance, starts
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        n: usize,
        seed: u64,
        batch: usize,
        steps: Option<usize>,
        solver: Option<String>,
        sampler: Option<String>,
        classes: Option<PyReadonlyArray1<'py, i64>>,
        vectors: Option<PyReadonlyArray1<'py, f32>>,
        contexts: Option<PyReadonlyArray1<'py, f32>>,
        guidance: Option<f64>,
        starts: Option<PyReadonlyArray1<'py, f32>>,
    ) -> PyResult<(Bound<'py, PyArray1<f32>>, f64)> {
        let model = &self.inner;
        let mut settings = model.config().sample.clone();
        let plan = plan(&mut settings, steps, solver, sampler)?;
        let mut request = model.request(n, seed).map_err(raised)?;
        request.batch = batch.max(1);
        if let Some(grid) = plan.grid() {
            request.grid = grid.clone();
        }
        if let Some(classes) = labels(classes)? {
            request.classes = Classes::Each(classes);
        }
        request.vectors = host(vectors)?;
        request.contexts = host(contexts)?;
        request.starts = host(starts)?;
        if let Some(scale) = guidance {
            let [start, end] = settings.guidance_interval;
            #[expect(clippy::float_cmp, reason = "exactly 1 means no guidance")]
            let guided = scale != 1.0;
            request.guidance = guided.then_some(Guidance {
                scale,
                interval: Interval { start, end },
                against: Against::Unconditional,
            });
        }
        let sampler = plan.sampler();
        let (mut rows, mut nfe) = (Vec::with_capacity(n * model.signature().size()), 0.0);
        py.detach(|| {
            model.sample_each(&request, &*sampler, |part| {
                rows.extend(part.rows);
                nfe = part.nfe;
                // Between batches, so that Ctrl-C is heard.
                Python::attach(|py| py.check_signals()).map_err(Stopped::Python)
            })
        })?;
        Ok((rows.into_pyarray(py), nfe))
    }

    /// Log-densities of flat rows, in nats.
    #[pyo3(signature = (rows, classes, vectors, contexts, rtol, atol, probes, seed))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn log_prob<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray1<'py, f32>,
        classes: Option<PyReadonlyArray1<'py, i64>>,
        vectors: Option<PyReadonlyArray1<'py, f32>>,
        contexts: Option<PyReadonlyArray1<'py, f32>>,
        rtol: f64,
        atol: f64,
        probes: Option<usize>,
        seed: u64,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let signature = self.inner.signature();
        let (size, vector) = (signature.size(), signature.vector);
        let context: usize = if signature.context.is_empty() { 0 } else { signature.context.iter().product() };
        let (rows, classes) = (rows.as_slice()?.to_vec(), labels(classes)?);
        let (vectors, contexts) = (host(vectors)?, host(contexts)?);
        let n = rows.len() / size.max(1);
        let given = |name: &str, have: Option<usize>, need: usize| match have {
            None if need == 0 => Ok(()),
            Some(have) if have == need * n => Ok(()),
            _ => Err(PyValueError::new_err(format!(
                "{n} rows need {} numbers of {name}, got {}",
                need * n,
                have.unwrap_or_default()
            ))),
        };
        given("classes", classes.as_ref().map(Vec::len), usize::from(0 < signature.classes))?;
        given("condition vectors", vectors.as_ref().map(Vec::len), vector)?;
        given("conditioning rows", contexts.as_ref().map(Vec::len), context)?;
        if let Some(class) = classes.iter().flatten().find(|class| signature.classes <= **class) {
            return Err(PyValueError::new_err(format!("the model has no class {class}")));
        }
        let request = DensityRequest {
            likelihood: Likelihood::new(
                Method::Dopri5,
                Adaptive::new(Tolerance { atol, rtol }).into(),
            ),
            trace: probes.map_or(Trace::Exact, Trace::Probes),
            probe: Probe::default(),
            seed,
            batch: DENSITY_BATCH,
            latents: 100,
        };
        let part = |all: &Option<Vec<f32>>, range: &std::ops::Range<usize>, size: usize| {
            all.as_ref().map(|all| all[range.start * size..range.end * size].to_vec())
        };
        let some = |range: std::ops::Range<usize>| Rows {
            values: rows[range.start * size..range.end * size].to_vec(),
            classes: classes.as_ref().map(|classes| classes[range.clone()].to_vec()),
            vectors: part(&vectors, &range, vector),
            contexts: part(&contexts, &range, context),
        };
        let found = py.detach(|| self.inner.log_prob(n, some, &request)).map_err(raised)?;
        Ok(found.nats.into_pyarray(py))
    }

    /// The velocity at flat rows and one time.
    #[pyo3(signature = (rows, t, classes, vectors))]
    fn velocity<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray1<'py, f32>,
        t: f64,
        classes: Option<PyReadonlyArray1<'py, i64>>,
        vectors: Option<PyReadonlyArray1<'py, f32>>,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let (device, signature) = (self.inner.device(), self.inner.signature());
        let (rows, classes, vectors) = (rows.as_slice()?.to_vec(), labels(classes)?, host(vectors)?);
        let n = rows.len() / signature.size().max(1);
        let mut condition = match &classes {
            Some(classes) if classes.len() == n => Condition::classes(classes, device),
            None => Condition::none(),
            Some(classes) => {
                let got = classes.len();
                return Err(PyValueError::new_err(format!("{n} rows need {n} classes, got {got}")));
            }
        };
        if let Some(vectors) = vectors {
            if vectors.len() != n * signature.vector {
                return Err(PyValueError::new_err("the condition vectors are of another size"));
            }
            let data = burn::tensor::TensorData::new(vectors, [n, signature.vector]);
            condition = condition.with_vector(burn::tensor::Tensor::from_data(data, device));
        }
        Ok(py.detach(|| self.inner.velocity(&rows, t, condition)).into_pyarray(py))
    }

    fn __repr__(&self) -> String {
        let config = self.inner.config();
        format!("<flowmatching.Model {} of rows {:?}>", config.name, self.inner.shape())
    }
}

/// The sampler of some settings with what Python asks for.
fn plan(
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
    match (settings.plan(asked).map_err(raised)?, steps) {
        (SamplePlan::Solver(method, _), Some(steps)) => {
            Ok(SamplePlan::Solver(method, Stepping::Count(steps)))
        }
        (plan, _) => Ok(plan),
    }
}

/// Opens a model that `flow export` wrote: a file `NAME.flow`, or a folder.
#[pyfunction]
fn open(py: Python<'_>, path: PathBuf) -> PyResult<Model> {
    let inner = py.detach(|| flow_model::Model::open(path, &Device::flex())).map_err(raised)?;
    Ok(Model { inner: Arc::new(inner) })
}

/// What `flowmatching` is made of.
#[pymodule]
fn _flowmatching(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Model>()?;
    module.add_function(wrap_pyfunction!(open, module)?)
}
