//! The files of a checkpoint, looked at before Burn reads them: it panics where this says what is
//! wrong.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::store::RecordError;
use burn::tensor::{Bool, Bytes, DType, Int, Shape, Tensor};
use burn_pack::{Reader, Writer};

use crate::error::TrainError;

/// What the names of averaged weights begin with: see [`Trainee`](crate::trainee::Trainee).
const AVERAGE: &str = "average.";

/// The shape of each parameter, by its identity.
pub(crate) type Shapes = BTreeMap<u64, Shape>;

/// The averaged weights among those of a network in training, under the names of the network's own.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn average(path: &Path, bytes: Bytes) -> Result<Bytes, TrainError> {
    let misfit = |error: burn_pack::Error| TrainError::Weights {
        path: path.into(),
        reason: error.to_string(),
    };
    let tensors = Reader::from_bytes(bytes).and_then(Reader::into_tensors).map_err(misfit)?;
    let averaged = tensors.into_iter().filter_map(|mut tensor| {
        tensor.name = tensor.name.strip_prefix(AVERAGE)?.to_owned();
        Some(tensor)
    });
    Writer::new(averaged.collect()).into_bytes().map_err(misfit)
}

/// Compares the weights in `bytes`, read from `path`, with the parameters of a module: names,
/// shapes, kinds of numbers.
///
/// # Errors
/// When one differs, or a number is not finite.
pub(crate) fn check_weights<M: Module>(
    module: &M,
    path: &Path,
    bytes: Bytes,
) -> Result<Shapes, TrainError> {
    let misfit = |reason| TrainError::Weights { path: path.into(), reason };
    let tensors = Reader::from_bytes(bytes)
        .and_then(Reader::into_tensors)
        .map_err(|error| misfit(error.to_string()))?;
    let mut wanted = Parameters::default();
    module.visit(&mut wanted);
    let mut shapes = Shapes::new();
    for tensor in tensors {
        let name = &tensor.name;
        let Some((shape, kind)) = wanted.found.remove(name) else {
            return Err(misfit(format!("the network has no {name}")));
        };
        if shape != tensor.shape {
            let [have, shape] = [&tensor.shape, &shape].map(burn::tensor::Shape::to_vec);
            return Err(misfit(format!("{name} has the shape {have:?} in place of {shape:?}")));
        }
        if !kind(tensor.dtype) {
            return Err(misfit(format!("{name} is made of {:?}", tensor.dtype)));
        }
        let bytes = tensor.to_bytes().map_err(|error| misfit(error.to_string()))?;
        if !is_finite(&bytes, tensor.dtype) {
            let parameter = name.clone();
            return Err(TrainError::NotFinite { path: path.into(), parameter });
        }
        shapes.extend(tensor.param_id.map(|id| (id, shape)));
    }
    match wanted.found.pop_first() {
        Some((name, _)) => Err(misfit(format!("there is no {name}"))),
        None => Ok(shapes),
    }
}

/// Whether an optimizer's state is that of the parameters with these `shapes` after `step` steps.
///
/// # Errors
/// With the reason, if it is that of other weights or of another step.
pub(crate) fn check_optimizer(path: &Path, shapes: &Shapes, step: usize) -> Result<(), TrainError> {
    let damaged = |reason| TrainError::Damaged { path: path.into(), reason };
    let reader = check_step(path, "time", step)?;
    for tensor in reader.into_tensors().map_err(|error| damaged(error.to_string()))? {
        let shape = tensor.param_id.and_then(|id| shapes.get(&id));
        if shape != Some(&tensor.shape) || !tensor.dtype.is_float() {
            return Err(damaged("its state is that of other weights".into()));
        }
    }
    Ok(())
}

/// Whether the largest of the numbers `name` in a file, which count steps, is `step`.
///
/// # Errors
/// With the reason, if it is another or there is none.
pub(crate) fn check_step(path: &Path, name: &str, step: usize) -> Result<Reader, TrainError> {
    let damaged = |reason| TrainError::Damaged { path: path.into(), reason };
    let reader = Reader::from_file(path).map_err(|error| damaged(error.to_string()))?;
    let counts = reader.scalars().iter().filter(|(key, _)| key.rsplit('.').next() == Some(name));
    match counts.filter_map(|(_, &count)| usize::try_from(count).ok()).max() {
        Some(count) if count == step => Ok(reader),
        Some(count) => Err(damaged(format!("its state is that of step {count}"))),
        None => Err(damaged("its state is empty".into())),
    }
}

/// Writes an optimizer's state with its tensors in order.
///
/// Burn keeps them in a hash map: equal states would become unequal files.
///
/// # Errors
/// `Ok(Err(parameter))` names one whose state is not finite; nothing is written then.
pub(crate) fn save_sorted(bytes: Bytes, path: &Path) -> Result<Result<(), String>, RecordError> {
    let reader = Reader::from_bytes(bytes)?;
    let (scalars, names) = (reader.scalars().clone(), reader.metadata().clone());
    let tensors = reader.into_tensors()?;
    for tensor in &tensors {
        if !is_finite(&tensor.to_bytes()?, tensor.dtype) {
            let id = tensor.param_id.map(|id| id.to_string()).unwrap_or_default();
            return Ok(Err(names.get(&id).unwrap_or(&tensor.name).clone()));
        }
    }
    let mut writer = Writer::new(tensors);
    for (key, value) in &scalars {
        writer = writer.with_scalar(key, *value);
    }
    for (key, value) in &names {
        writer = writer.with_metadata(key, value);
    }
    writer.write_to_file(path)?;
    Ok(Ok(()))
}

/// Whether all numbers are finite; numbers of a kind that is never trained pass.
fn is_finite(bytes: &[u8], dtype: DType) -> bool {
    match dtype {
        DType::F32 => bytes.as_chunks().0.iter().all(|&x| f32::from_le_bytes(x).is_finite()),
        DType::F64 => bytes.as_chunks().0.iter().all(|&x| f64::from_le_bytes(x).is_finite()),
        _ => true,
    }
}

/// Whether numbers of a kind may fill a parameter.
type Kind = Box<dyn Fn(DType) -> bool>;

/// Shapes of parameters and the kind of their numbers, by path.
#[derive(Default)]
struct Parameters {
    path: Vec<String>,
    found: BTreeMap<String, (Shape, Kind)>,
}

impl Parameters {
    fn insert(&mut self, shape: Shape, kind: impl Fn(DType) -> bool + 'static) {
        self.found.insert(self.path.join("."), (shape, Box::new(kind)));
    }
}

impl ModuleVisitor for Parameters {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let own = parameter.clone();
        // Asking for its own kind draws a parameter that nothing has used yet.
        let kind = move |dtype| dtype == DType::F32 || dtype == own.val().dtype();
        self.insert(parameter.lazy_shape(), kind);
    }

    fn visit_int<const D: usize>(&mut self, parameter: &Param<Tensor<D, Int>>) {
        self.insert(parameter.lazy_shape(), |dtype| dtype.is_int() || dtype.is_uint());
    }

    fn visit_bool<const D: usize>(&mut self, parameter: &Param<Tensor<D, Bool>>) {
        self.insert(parameter.lazy_shape(), |dtype| dtype.is_bool());
    }
}
