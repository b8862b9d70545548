//! The class `Model`.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use flow_datasets::table::Role;
use flow_datasets::{Table, TableRows};
use flow_model::{Against, Classes, DensityRequest, Guidance, Trace};
use flow_ode::{Adaptive, Method, Tolerance};
use flow_sample::{Interval, Likelihood, Probe};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::asked::{Known, host, plan};
use crate::error::{Stopped, of_table, raised};
use crate::table::{self, Cells, encoded, names, rows_of};

/// Rows whose density is solved for together.
const DENSITY_BATCH: usize = 256;

/// A column as Python gets it.
type Shown<'py> = (String, &'static str, Bound<'py, PyAny>);

/// A trained model. It is never changed, so threads may share it.
#[pyclass(frozen, module = "flowmatching._flowmatching")]
pub(crate) struct Model {
    pub(crate) inner: Arc<flow_model::Model>,
}

/// Whether Python was interrupted meanwhile.
fn heard() -> PyResult<()> {
    Python::attach(|py| py.check_signals())
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
        self.inner.vector()
    }

    /// Shape of a conditioning row, empty for none.
    #[getter]
    fn context(&self) -> Vec<usize> {
        self.inner.signature().context.clone()
    }

    /// Number of weights.
    #[getter]
    fn parameters(&self) -> usize {
        flow_model::parameter_count(self.inner.network())
    }

    /// The text of `model.toml`.
    #[getter]
    fn description(&self) -> String {
        self.inner.config().text()
    }

    /// Names of all columns, of a model of a table.
    #[getter]
    fn columns(&self) -> PyResult<Option<Vec<String>>> {
        let rows = TableRows::of(&self.inner.config().rows).map_err(of_table)?;
        Ok(rows.map(|rows| names(&rows, |_| true)))
    }

    /// Names of the columns that the model is told: of a table, or beside images, sequences and
    /// points.
    #[getter]
    fn given(&self) -> PyResult<Vec<String>> {
        let rows = TableRows::given_of(&self.inner.config().rows).map_err(of_table)?;
        Ok(rows.map_or(Vec::new(), |rows| names(&rows, |role| role == Role::Given)))
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
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let model = &self.inner;
        let mut settings = model.config().sample.clone();
        let plan = plan(&mut settings, steps, solver, sampler)?;
        if steps.is_some() {
            settings.check_jumps(model.config().learned_velocity).map_err(raised)?;
        }
        let mut request = model.request(n, seed).map_err(raised)?;
        request.batch = batch.max(1);
        if let Some(grid) = plan.grid() {
            request.grid = grid.clone();
        }
        let known = Known::read(classes, vectors, contexts)?;
        if let Some(classes) = known.classes {
            request.classes = Classes::Each(classes);
        }
        (request.vectors, request.contexts) = (known.vectors, known.contexts);
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
        let mut rows = Vec::new();
        py.detach(|| {
            model.sample_each(&request, &*sampler, |part| {
                rows.extend(part.rows);
                heard().map_err(Stopped::Python)
            })
        })?;
        Ok(rows.into_pyarray(py))
    }

    /// Where samples `0..n` of a seed start, flat.
    fn starts<'py>(&self, py: Python<'py>, n: usize, seed: u64) -> Bound<'py, PyArray1<f32>> {
        py.detach(|| self.inner.starts(seed, 0..n)).into_pyarray(py)
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
        let rows = rows.as_slice()?.to_vec();
        let n = rows.len() / signature.size().max(1);
        let known = Known::read(classes, vectors, contexts)?;
        known.check(n, &self.inner, false)?;
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
        let (found, interrupted) = py.detach(|| {
            let interrupted = RefCell::new(None);
            let some = |range: std::ops::Range<usize>| {
                let mut batch = known.rows(n, &rows, range);
                if let Err(error) = heard() {
                    // A row that is no number ends the work, and the interruption is raised.
                    interrupted.replace(Some(error));
                    batch.values.fill(f32::NAN);
                }
                batch
            };
            let found = self.inner.log_prob(n, some, &request);
            (found, interrupted.into_inner())
        });
        match interrupted {
            Some(error) => Err(error),
            None => Ok(found.map_err(raised)?.nats.into_pyarray(py)),
        }
    }

    /// The velocity at flat rows and one time.
    #[pyo3(signature = (rows, t, classes, vectors, contexts))]
    fn velocity<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray1<'py, f32>,
        t: f64,
        classes: Option<PyReadonlyArray1<'py, i64>>,
        vectors: Option<PyReadonlyArray1<'py, f32>>,
        contexts: Option<PyReadonlyArray1<'py, f32>>,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let (device, signature) = (self.inner.device(), self.inner.signature());
        let rows = rows.as_slice()?.to_vec();
        let n = rows.len() / signature.size().max(1);
        let known = Known::read(classes, vectors, contexts)?;
        known.check(n, &self.inner, true)?;
        let velocity = || self.inner.velocity(&rows, t, known.condition(n, device));
        Ok(py.detach(velocity).map_err(raised)?.into_pyarray(py))
    }

    /// Rows of a table as the numbers of the network, flat, with `ln dz/dx` of each row.
    fn encode<'py>(
        &self,
        py: Python<'py>,
        cells: Cells,
    ) -> PyResult<(Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<f64>>)> {
        let rows = rows_of(&self.inner)?;
        let numbers = encoded(&rows, &table::table(cells)?)?;
        let slopes = rows.encoder.log_jacobian(&numbers, None);
        Ok((numbers.into_pyarray(py), slopes.into_pyarray(py)))
    }

    /// Given columns as condition vectors, flat.
    fn conditions<'py>(
        &self,
        py: Python<'py>,
        cells: Cells,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let told = TableRows::given_of(&self.inner.config().rows).map_err(of_table)?;
        let told = told.ok_or_else(|| PyValueError::new_err("the model is told no columns"))?;
        let vectors = told.conditions(&table::table(cells)?).map_err(of_table)?;
        Ok(vectors.into_pyarray(py))
    }

    /// Numbers of the network as the columns of a table, with the given ones as they were given.
    #[pyo3(signature = (rows, given))]
    fn decode<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray1<'py, f32>,
        given: Option<Cells>,
    ) -> PyResult<Vec<Shown<'py>>> {
        let given = given.map(table::table).transpose()?;
        let encoder = rows_of(&self.inner)?.encoder;
        let decoded: Table = encoder.decode(rows.as_slice()?, given.as_ref()).map_err(of_table)?;
        decoded.columns().iter().map(|column| table::column(py, column)).collect()
    }

    fn __repr__(&self) -> String {
        let config = self.inner.config();
        format!("<flowmatching.Model {} of rows {:?}>", config.name, self.inner.shape())
    }
}
