//! Trained flow-matching models for Python: what `flowmatching/__init__.py` stands on.
//!
//! Arrays cross flat: Python reshapes them. Tables cross as columns of cells.

mod asked;
mod error;
mod model;
mod table;

use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Device;
use flow_model::Registry;
use pyo3::prelude::*;

use crate::error::raised;
use crate::model::Model;

/// Opens a model that `flow export` or `flow import` wrote: a file `NAME.flow`, or a folder.
#[pyfunction]
fn open(py: Python<'_>, path: PathBuf) -> PyResult<Model> {
    let known = flow_import::registry(Registry::default());
    let opened = py.detach(|| flow_model::Model::open_with(&known, path, &Device::flex()));
    let inner = opened.map_err(raised)?;
    Ok(Model { inner: Arc::new(inner) })
}

/// What `flowmatching` is made of.
#[pymodule]
fn _flowmatching(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Model>()?;
    module.add_function(wrap_pyfunction!(open, module)?)
}
