//! The weights of a network as a safetensors file.
//!
//! Names are the paths of the parameters in the module, as PyTorch's are. Nothing in such a file is
//! executed, and its header says how long it is before anything else is read.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Bool, DType, Int, Shape, Tensor, TensorData};
use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensors};

/// Whose names and layout the weights of a file have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Those of the module.
    #[default]
    Ours,
    /// Those of PyTorch: the matrix of a linear layer is `[out, in]`, a norm has `weight` and
    /// `bias`, and `class`, a word of Python, is `classes`.
    Torch,
}

impl Layout {
    fn name(self, ours: &str) -> &str {
        match (self, ours) {
            (Self::Torch, "gamma") => "weight",
            (Self::Torch, "beta") => "bias",
            (Self::Torch, "class") => "classes",
            _ => ours,
        }
    }
}

/// What Burn calls the module that holds the parameters of a linear layer.
const LINEAR: &str = "Struct:Linear";

/// All parameters of a module, with a few words about them, as the bytes of a safetensors file.
///
/// The bytes are the same for the same weights: tensors are ordered by their kind and name.
pub(crate) fn to_bytes<M: Module>(
    module: &M,
    layout: Layout,
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>, String> {
    let mut collect = Collect { layout, ..Collect::default() };
    module.visit(&mut collect);
    let views = collect.found.iter().map(|(name, (shape, bytes))| {
        TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name, view))
    });
    let views = views.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let metadata = (!metadata.is_empty()).then_some(metadata);
    safetensors::serialize(views, metadata).map_err(|error| error.to_string())
}

/// The words about the weights in the bytes of a safetensors file.
pub(crate) fn metadata(bytes: &[u8]) -> Result<HashMap<String, String>, String> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    Ok(metadata.metadata().clone().unwrap_or_default())
}

/// The words about the weights in the header of a safetensors file alone: the text behind its
/// length.
pub(crate) fn header(text: &[u8]) -> Result<HashMap<String, String>, String> {
    let metadata: Metadata = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    Ok(metadata.metadata().clone().unwrap_or_default())
}

/// Fills a module with the weights in the bytes of a safetensors file: all that it has, and nothing
/// else.
///
/// Numbers of half or double precision become single.
pub(crate) fn from_bytes<M: Module>(module: M, bytes: &[u8]) -> Result<M, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    // All is looked at before anything is changed, so that the mapper can do nothing wrong.
    let mut wanted = Wanted::default();
    module.visit(&mut wanted);
    if let Some(name) = wanted.others.first() {
        return Err(format!("{name} is no floating-point parameter, which no file of ours holds"));
    }
    let mut values = BTreeMap::new();
    for (name, view) in file.tensors() {
        let Some(shape) = wanted.floats.remove(&name) else {
            return Err(format!("the network has no {name}"));
        };
        if view.shape() != shape.as_slice() {
            let (have, want) = (view.shape(), shape.to_vec());
            return Err(format!("{name} has the shape {have:?} in place of {want:?}"));
        }
        let numbers =
            numbers(&view).ok_or_else(|| format!("{name} is made of {:?}", view.dtype()))?;
        if let Some(bad) = numbers.iter().find(|x| !x.is_finite()) {
            return Err(format!("{name} holds {bad}"));
        }
        values.insert(name, TensorData::new(numbers, shape));
    }
    match wanted.floats.pop_first() {
        Some((name, _)) => Err(format!("there is no {name}")),
        None => Ok(module.map(&mut Fill { path: Vec::new(), values })),
    }
}

/// Fills a module with the weights of another one, by the paths of its parameters, and returns it
/// with the names of those parameters that the other one lacks: they keep their values.
pub(crate) fn begin<M: Module>(module: M, with: &impl Module) -> Result<(M, Vec<String>), String> {
    let (mut wanted, mut given) = (Wanted::default(), Collect::default());
    module.visit(&mut wanted);
    with.visit(&mut given);
    let mut values = BTreeMap::new();
    for (name, (have, bytes)) in given.found {
        let Some(shape) = wanted.floats.remove(&name) else {
            return Err(format!("the network has no {name}"));
        };
        if have != shape.as_slice() {
            return Err(format!("{name} has the shape {have:?} in place of {:?}", shape.to_vec()));
        }
        let numbers: Vec<f32> =
            bytes.as_chunks().0.iter().map(|&x| f32::from_le_bytes(x)).collect();
        values.insert(name, TensorData::new(numbers, shape));
    }
    let kept = wanted.floats.into_keys().collect();
    Ok((module.map(&mut Fill { path: Vec::new(), values }), kept))
}

/// Numbers of a tensor in single precision; nothing for a kind that is none of weights.
fn numbers(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let bytes = view.data();
    Some(match view.dtype() {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|&x| f32::from_le_bytes(x)).collect(),
        Dtype::F64 => bytes.as_chunks().0.iter().map(|&x| f64::from_le_bytes(x) as f32).collect(),
        Dtype::F16 => {
            bytes.as_chunks().0.iter().map(|&x| half::f16::from_le_bytes(x).to_f32()).collect()
        }
        Dtype::BF16 => {
            bytes.as_chunks().0.iter().map(|&x| half::bf16::from_le_bytes(x).to_f32()).collect()
        }
        _ => return None,
    })
}

/// Shapes and little-endian bytes of the floating-point parameters, by path.
#[derive(Default)]
struct Collect {
    layout: Layout,
    path: Vec<String>,
    /// The kind of module that holds what was entered last.
    holder: String,
    found: BTreeMap<String, (Vec<usize>, Vec<u8>)>,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, holder: &str) {
        self.path.push(self.layout.name(name).into());
        holder.clone_into(&mut self.holder);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let mut value = parameter.val();
        if self.layout == Layout::Torch && D == 2 && self.holder == LINEAR {
            value = value.transpose();
        }
        let shape = value.dims().to_vec();
        let numbers = value.into_data().convert_dtype(DType::F32);
        let bytes = numbers.iter::<f32>().flat_map(f32::to_le_bytes).collect();
        self.found.insert(self.path.join("."), (shape, bytes));
    }
}

/// Shapes of the floating-point parameters, by path, without asking for their values.
#[derive(Default)]
struct Wanted {
    path: Vec<String>,
    floats: BTreeMap<String, Shape>,
    others: Vec<String>,
}

impl ModuleVisitor for Wanted {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.floats.insert(self.path.join("."), parameter.lazy_shape());
    }

    fn visit_int<const D: usize>(&mut self, _: &Param<Tensor<D, Int>>) {
        self.others.push(self.path.join("."));
    }

    fn visit_bool<const D: usize>(&mut self, _: &Param<Tensor<D, Bool>>) {
        self.others.push(self.path.join("."));
    }
}

/// Puts values in the place of parameters, by path.
struct Fill {
    path: Vec<String>,
    values: BTreeMap<String, TensorData>,
}

impl ModuleMapper for Fill {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(value) = self.values.remove(&self.path.join(".")) else { return parameter };
        let (id, device) = (parameter.id, parameter.lazy_device());
        parameter.transform_for_load(Tensor::from_data(value, &device), id)
    }
}
