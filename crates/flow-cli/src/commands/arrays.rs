//! Samples of a model of an array: of the shape, type and scale of what it was trained on.

use std::path::Path;

use anyhow::Result;
use flow_datasets::array::{ArrayForm, write_array};
use flow_run::array::ArrayRows;
use flow_run::files::write_npy;
use flow_run::{Listener, Model, Request, RunError};

use crate::listener::Terminal;

/// Endings of the names of files that hold arrays.
pub(crate) const ENDINGS: [&str; 3] = ["npy", "npz", "safetensors"];

/// The name of an array that came without one.
const ROWS: &str = "x";

/// Draws the samples and writes them a batch at a time, with their classes: beside them in one
/// file, or for npy in a file of their own. Returns the evaluations.
pub(crate) fn save(model: &Model, request: &Request, array: &ArrayRows, out: &Path) -> Result<f64> {
    let size = model.signature().size();
    let (mut bar, mut done, mut nfe) = (Terminal.meter(0, request.n, "samples"), 0, 0.0);
    let labels = model.labels(request, 0..request.n)?;
    let classes = labels.map(|labels| numbered(model.class_names(), &labels));
    let of_its_own = out.extension().is_some_and(|ending| ending == "npy");
    let shape: Vec<usize> = [request.n].iter().chain(&array.shape).copied().collect();
    let beside = classes.as_deref().filter(|_| !of_its_own);
    write_array(out, &form(array, shape), beside, |put| {
        model.sample_each(request, |part| -> Result<(), RunError> {
            done += part.rows.len() / size;
            nfe = part.nfe;
            put(&array.decode_within(&part.rows, part.lengths.as_deref()))?;
            bar.at(done, "");
            Ok(())
        })
    })?;
    if let (Some(classes), true) = (&classes, of_its_own) {
        let file = out.with_extension("labels.npy");
        write_npy(&file, &[request.n], |write| -> Result<(), RunError> { write(classes) })?;
    }
    Ok(nfe)
}

/// What an array of this shape is called, and of what numbers it is.
pub(crate) fn form(array: &ArrayRows, shape: Vec<usize>) -> ArrayForm {
    let name = array.name.clone().unwrap_or_else(|| ROWS.to_owned());
    ArrayForm { name, element: array.element, shape }
}

/// Classes by the numbers that the file has for them; by their indices, where it has names.
pub(crate) fn numbered(names: &[String], labels: &[usize]) -> Vec<i64> {
    let number = |&label: &usize| {
        let known = names.get(label).and_then(|name| name.parse().ok());
        known.unwrap_or_else(|| i64::try_from(label).expect("a class fits in 63 bits"))
    };
    labels.iter().map(number).collect()
}
