//! The perceptron of torchcfm, whose sizes are those of its arrays.

use std::collections::BTreeMap;

use flow_model::ModelConfig;
use flow_nn::{NetworkConfig, Signature};
use flow_pickle::Array;
use toml::{Table, Value};

use crate::error::ImportError;
use crate::family::Family;
use crate::network::TorchcfmMlpConfig;
use crate::operation::Sizes;
use crate::transformer::Described;

pub(crate) fn describe(arrays: &BTreeMap<String, Array>) -> Result<Described, ImportError> {
    let depth = (0..arrays.len())
        .take_while(|i| arrays.contains_key(&format!("net.{}.weight", 2 * i)))
        .count();
    let shape = |layer: usize| {
        let name = format!("net.{}.weight", 2 * layer);
        match arrays.get(&name).map(|array| &*array.shape) {
            Some(&[out, from]) => Ok((out, from)),
            Some(shape) => {
                Err(ImportError::Shape { name, shape: shape.into(), need: "[out, in]".into() })
            }
            None => Err(ImportError::Missing { family: Family::TorchcfmMlp.name(), name }),
        }
    };
    let ((hidden, input), (dim, _)) = (shape(0)?, shape(depth.saturating_sub(1))?);
    if input != dim + 1 {
        let need = format!("[hidden, {}]: {dim} numbers and the time", dim + 1);
        let name = "net.0.weight".into();
        return Err(ImportError::Shape { name, shape: vec![hidden, input], need });
    }
    let network = TorchcfmMlpConfig { hidden, depth: depth - 1 };
    let mut section = Table::try_from(network).expect("sizes are numbers");
    section.insert("kind".into(), Value::String(TorchcfmMlpConfig::KIND.into()));
    let config = ModelConfig::new(Signature::of([dim]), section);
    Ok((config, Sizes { depth, ..Sizes::default() }))
}
