//! Files of other programs with what went in and came out.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use flow_model::Model;
use flow_nn::{Condition, Network, Time};
use flow_pickle::{Array, Checkpoint, Part};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

pub(crate) type Arrays = BTreeMap<String, Array>;

pub(crate) fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name)
}

pub(crate) fn config(name: &str) -> PathBuf {
    reference(&format!("{name}.json"))
}

fn part(path: &Path) -> Part {
    Checkpoint::open(path, 1 << 24).unwrap().part("").unwrap()
}

/// The largest difference.
pub(crate) fn largest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The output of a model's network for the rows of a file, at times of ours.
pub(crate) fn output(model: &Model, io: &Io, t: Vec<f32>) -> Vec<f32> {
    let device = Device::flex();
    let x = io.rows("x");
    let classes = io.classes();
    let condition = classes.map_or_else(Condition::none, |y| Condition::classes(&y, &device));
    let t = Tensor::<1>::from_floats(&*t, &device);
    let y = model.network().forward(x, Time::at(t), &condition);
    y.into_data().try_into_vec().unwrap()
}

/// What goes into a network and what comes out.
pub(crate) struct Io {
    part: Part,
    bytes: Vec<u8>,
}

impl Io {
    pub(crate) fn open(name: &str) -> Self {
        let path = reference(&format!("{name}.safetensors"));
        Self { part: part(&path), bytes: std::fs::read(&path).unwrap() }
    }

    pub(crate) fn numbers(&self, name: &str) -> Vec<f32> {
        self.part.arrays[name].numbers.clone()
    }

    /// Numbers as rows.
    pub(crate) fn rows(&self, name: &str) -> Tensor<2> {
        let Array { shape, numbers } = self.part.arrays[name].clone();
        let size = numbers.len() / shape[0];
        Tensor::from_data(TensorData::new(numbers, [shape[0], size]), &Device::flex())
    }

    /// Numbers of double precision.
    pub(crate) fn doubles(&self, name: &str) -> Vec<f64> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let bytes = file.tensor(name).unwrap().data().to_vec();
        bytes.as_chunks().0.iter().map(|&x| f64::from_le_bytes(x)).collect()
    }

    /// The class of each row, if there are classes.
    pub(crate) fn classes(&self) -> Option<Vec<usize>> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let bytes = file.tensor("y").ok()?.data().to_vec();
        Some(bytes.as_chunks().0.iter().map(|&x| i64::from_le_bytes(x) as usize).collect())
    }
}

/// Writes the arrays of a file again, after a change.
pub(crate) fn changed(from: &Path, to: &Path, change: impl FnOnce(&mut Arrays)) {
    let mut arrays = part(from).arrays;
    change(&mut arrays);
    let bytes: BTreeMap<&String, Vec<u8>> = arrays
        .iter()
        .map(|(name, array)| {
            (name, array.numbers.iter().copied().flat_map(f32::to_le_bytes).collect())
        })
        .collect();
    let views = bytes.iter().map(|(name, bytes)| {
        (name, TensorView::new(Dtype::F32, arrays[*name].shape.clone(), bytes).unwrap())
    });
    std::fs::write(to, safetensors::serialize(views, None).unwrap()).unwrap();
}
