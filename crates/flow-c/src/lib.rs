//! Trained flow-matching models for C: the implementation of `include/flow.h`.
//!
//! They open a model, describe it, draw samples and compute log-densities; [`flow_ask`] asks
//! anything that a server is asked. A failed call keeps its reason for [`flow_last_error`], and no
//! panic crosses the border.

// C can be called in no other way; what each function may be given stands at the function.
#![allow(unsafe_code, reason = "pointers of C are read and written here and nowhere else")]

mod call;
mod error;
mod text;

use std::alloc::Layout;
use std::ffi::{CString, c_char, c_double, c_float, c_int};
use std::path::PathBuf;
use std::slice;

use burn::tensor::Device;
use flow_api::{Api, Form, Limits};
use flow_model::{
    Asked, Classes, DensityRequest, Model, Registry, SampleConfig, SamplePlan, Trace,
    parameter_count,
};
use flow_ode::{Adaptive, Method, Tolerance};
use flow_sample::{Likelihood, Probe};

use call::{Failure, guarded, refused};
use text::from_c;

/// A model that [`flow_open`] opened, until [`flow_close`].
pub struct FlowModel {
    api: Api,
    /// `model.toml`, as C reads it.
    description: CString,
}

/// What [`flow_ask`] may ask for: a caller in the same process bounds its own requests, and the
/// library refuses what fills memory.
const LIMITS: Limits =
    Limits { n: usize::MAX, steps: usize::MAX, evaluations: usize::MAX, numbers: 1 << 28 };

/// Rows whose density is solved for together.
const DENSITY_BATCH: usize = 256;
/// Tolerance of densities: that of `flow likelihood` for points.
const DENSITY_TOLERANCE: f64 = 1e-5;

/// Opens a model that `flow export` or `flow import` wrote: a file `NAME.flow`, or a folder. Null
/// if that fails.
///
/// # Safety
/// `path` must be null or point to text that ends in a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flow_open(path: *const c_char) -> *mut FlowModel {
    guarded(std::ptr::null_mut(), || {
        // SAFETY: the caller keeps the contract above.
        let path = PathBuf::from(unsafe { from_c(path, "path") }?);
        let known = flow_import::registry(Registry::default());
        let model = Model::open_with(&known, path, &Device::flex()).map_err(Failure::from)?;
        let description = CString::new(model.config().text())
            .map_err(|_| refused("the description of the model holds a zero byte"))?;
        let api = Api::new(model, LIMITS).map_err(|error| refused(&error.to_string()))?;
        Ok(Box::into_raw(Box::new(FlowModel { api, description })))
    })
}

/// Closes a model and frees its memory. A null pointer is ignored.
///
/// # Safety
/// `model` must be null or come from [`flow_open`] and not have been closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flow_close(model: *mut FlowModel) {
    if !model.is_null() {
        // SAFETY: the caller keeps the contract above, and the box was made by `flow_open`.
        drop(unsafe { Box::from_raw(model) });
    }
}

/// The text of `model.toml`, owned by the model. Null for a null model.
///
/// # Safety
/// `model` must be null or come from [`flow_open`] and not have been closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flow_describe(model: *const FlowModel) -> *const c_char {
    // SAFETY: the caller keeps the contract above.
    unsafe { model.as_ref() }.map_or(std::ptr::null(), |model| model.description.as_ptr())
}

/// Numbers in a row, the product of its shape; 0 for a null model.
///
/// # Safety
/// `model` must be null or come from [`flow_open`] and not have been closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flow_row_size(model: *const FlowModel) -> usize {
    // SAFETY: the caller keeps the contract above.
    unsafe { model.as_ref() }.map_or(0, |model| model.api.model().signature().size())
}

/// Number of classes, 0 for none and for a null model.
///
/// # Safety
/// `model` must be null or come from [`flow_open`] and not have been closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flow_classes(model: *const FlowModel) -> usize {
    // SAFETY: the caller keeps the contract above.
    unsafe { model.as_ref() }.map_or(0, |model| model.api.model().signature().classes)
}

/// Number of weights, 0 for a null model.
///
/// # Safety
/// `model` must be null or come from [`flow_open`] and not have been closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flow_parameters(model: *const FlowModel) -> usize {
    // SAFETY: the caller keeps the contract above.
    unsafe { model.as_ref() }.map_or(0, |model| parameter_count(model.api.model().network()))
}

/// Draws samples `0..n` of a seed into `rows`, which has place for `n * flow_row_size` numbers.
///
/// The numbers are those of the network: see [`flow_log_prob`]. `class` is the class of all
/// samples, or -1 for all classes in turn. `steps` is a number of steps, or 0 for the model's own
/// settings. Returns 0, or -1 if it fails; nothing is written then.
///
/// # Safety
/// `model` must come from [`flow_open`] and not have been closed, and `rows` must have place for
/// `length` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flow_sample(
    model: *const FlowModel,
    n: usize,
    seed: u64,
    class: c_int,
    steps: usize,
    rows: *mut c_float,
    length: usize,
) -> c_int {
    guarded(-1, || {
        // SAFETY: the caller keeps the contract above.
        let model = unsafe { opened(model) }?.model();
        let size = model.signature().size();
        place(n, size, length, rows.is_null())?;
        let plan = plan(&model.config().sample, steps)?;
        let mut request = model.request(n, seed).map_err(Failure::from)?;
        if let Some(grid) = plan.grid() {
            request.grid = grid.clone();
        }
        if class != -1 {
            let class = usize::try_from(class)
                .map_err(|_| refused("the class is negative, give -1 for all in turn"))?;
            request.classes = Classes::All(class);
        }
        let samples = model.sample(&request, &*plan.sampler()).map_err(Failure::from)?;
        if n != 0 {
            // SAFETY: `rows` has place for `length` numbers, which is at least `n * size`.
            unsafe { slice::from_raw_parts_mut(rows, n * size) }.copy_from_slice(&samples.rows);
        }
        Ok(0)
    })
}

/// Log-densities, in nats, of `n` rows into `nats`, which has place for `n` numbers.
///
/// Rows and densities are those of the numbers of the network, as [`flow_sample`] draws them. For a
/// model of a table these are its columns after their transforms; [`flow_ask`] takes rows of the
/// table and answers densities in the units of its columns.
///
/// Each row is of the class `class`, or -1 for models without classes. Returns 0, or -1 if it
/// fails; nothing is written then.
///
/// # Safety
/// `model` must come from [`flow_open`] and not have been closed, `rows` must hold
/// `n * flow_row_size` numbers and `nats` have place for `n`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flow_log_prob(
    model: *const FlowModel,
    rows: *const c_float,
    n: usize,
    class: c_int,
    nats: *mut c_double,
) -> c_int {
    guarded(-1, || {
        // SAFETY: the caller keeps the contract above.
        let model = unsafe { opened(model) }?.model();
        let all = numbers::<c_float>(n, model.signature().size(), "rows")?;
        numbers::<c_double>(n, 1, "rows")?;
        if n == 0 {
            return Ok(0);
        }
        if rows.is_null() || nats.is_null() {
            return Err(refused("the rows or the place for their densities are null"));
        }
        // SAFETY: the caller keeps the contract above.
        let rows = unsafe { slice::from_raw_parts(rows, all) };
        let classes = match (class, model.signature().classes) {
            (-1, 0) => None,
            (-1, _) => return Err(refused("the model knows classes, say of which the rows are")),
            (class, known) => match usize::try_from(class) {
                Ok(class) if class < known => Some(class),
                _ => return Err(refused("the model has no such class")),
            },
        };
        let found = densities(model, rows, classes)?;
        // SAFETY: the caller keeps the contract above.
        unsafe { slice::from_raw_parts_mut(nats, n) }.copy_from_slice(&found);
        Ok(0)
    })
}

/// Asks a model what `flow serve` is asked, in the same JSON: any condition by its name or as a
/// vector, solver, steps and guidance, rows of a table in the units of its columns.
///
/// `what` is `sample`, `log_prob` or `impute`, with the `request` that a server takes at this path,
/// or `model`, with the request `{}`, for the model's card. The answer is JSON, to be given back to
/// [`flow_free`]; null if that fails.
///
/// # Safety
/// `model` must come from [`flow_open`] and not have been closed; `what` and `request` must be null
/// or point to text that ends in a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flow_ask(
    model: *const FlowModel,
    what: *const c_char,
    request: *const c_char,
) -> *mut c_char {
    guarded(std::ptr::null_mut(), || {
        // SAFETY: the caller keeps the contract above.
        let api = unsafe { opened(model) }?;
        // SAFETY: as above.
        let (what, request) = unsafe { (from_c(what, "question")?, from_c(request, "request")?) };
        let request = flow_api::object(request.as_bytes()).map_err(Failure::from)?;
        let answer = match what {
            "model" => api.card().to_string().into_bytes(),
            "sample" => api.sample(request, Form::Json).map_err(Failure::from)?.bytes,
            "log_prob" => api.log_prob(request, Form::Json).map_err(Failure::from)?.bytes,
            "impute" => api.impute(request, Form::Json).map_err(Failure::from)?.bytes,
            _ => {
                return Err(refused(&format!(
                    "there is no question `{what}`, ask for `model`, `sample`, `log_prob` or \
                     `impute`"
                )));
            }
        };
        let answer = CString::new(answer).map_err(|_| refused("the answer holds a zero byte"))?;
        Ok(answer.into_raw())
    })
}

/// Gives an answer of [`flow_ask`] back. Null is taken and nothing is done.
///
/// # Safety
/// `answer` must be null or come from [`flow_ask`] and not have been given back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flow_free(answer: *mut c_char) {
    if !answer.is_null() {
        // SAFETY: the caller keeps the contract above, and the text was made by `flow_ask`.
        drop(unsafe { CString::from_raw(answer) });
    }
}

/// Why the last call of this thread failed, until its next call; empty if it did not.
#[unsafe(no_mangle)]
pub extern "C" fn flow_last_error() -> *const c_char {
    error::last()
}

/// What stands behind a model of C.
///
/// # Safety
/// `model` must be null or come from [`flow_open`] and not have been closed.
unsafe fn opened<'a>(model: *const FlowModel) -> Result<&'a Api, Failure> {
    // SAFETY: the caller keeps the contract above.
    let model = unsafe { model.as_ref() }.ok_or_else(|| refused("the model is null"))?;
    Ok(&model.api)
}

/// Numbers of `n` rows, refused if no array of so many bytes can be.
fn numbers<T>(n: usize, size: usize, what: &str) -> Result<usize, Failure> {
    let all = n.checked_mul(size).filter(|all| Layout::array::<T>(*all).is_ok());
    all.ok_or_else(|| refused(&format!("{n} rows of {size} numbers: there are too many {what}")))
}

fn densities(model: &Model, rows: &[f32], class: Option<usize>) -> Result<Vec<f64>, Failure> {
    let size = model.signature().size();
    let tolerance = Tolerance { atol: DENSITY_TOLERANCE, rtol: DENSITY_TOLERANCE };
    let request = DensityRequest {
        likelihood: Likelihood::new(Method::Dopri5, Adaptive::new(tolerance).into()),
        trace: Trace::Exact,
        probe: Probe::default(),
        seed: 0,
        batch: DENSITY_BATCH,
        latents: 100,
    };
    let some = |range: std::ops::Range<usize>| flow_model::Rows {
        values: rows[range.start * size..range.end * size].to_vec(),
        classes: class.map(|class| vec![class; range.len()]),
        ..flow_model::Rows::default()
    };
    Ok(model.log_prob(rows.len() / size, some, &request).map_err(Failure::from)?.nats)
}

/// The way of some settings, with another number of steps unless that is 0.
fn plan(settings: &SampleConfig, steps: usize) -> Result<SamplePlan, Failure> {
    if steps == 0 {
        return settings.plan(Asked::default()).map_err(Failure::from);
    }
    let settings = SampleConfig { steps, ..settings.clone() };
    settings.check().map_err(Failure::from)?;
    settings.plan(Asked { steps: true, ..Asked::default() }).map_err(Failure::from)
}

/// Refuses a place that is too small for what is asked for.
fn place(n: usize, size: usize, length: usize, null: bool) -> Result<(), Failure> {
    let need = numbers::<c_float>(n, size, "samples")?;
    if length < need {
        return Err(refused(&format!(
            "{n} samples of {size} numbers need place for {need}, there is place for {length}"
        )));
    }
    if null && 0 < need { Err(refused("the place for the samples is null")) } else { Ok(()) }
}
