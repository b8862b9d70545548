//! A graph and the description of its model, as the bytes of a file.

use flow_model::{Model, parameter_count};
use prost::Message;

use crate::builder::Builder;
use crate::error::OnnxError;
use crate::proto::{self, Entry, FLOAT, Graph, IR_VERSION, OPSET, OperatorSet, Tensor, ValueInfo};

/// A message has less than 2 GiB, and the nodes need some of that.
const MOST_PARAMETERS: usize = 500_000_000;

/// Refuses a network that no file holds, before memory is taken for it, and settings that the
/// description in a file may not have.
pub(crate) fn check(model: &Model) -> Result<(), OnnxError> {
    model.config().sample.check()?;
    match parameter_count(model.network()) {
        parameters if MOST_PARAMETERS < parameters => {
            Err(OnnxError::TooLarge { parameters, most: MOST_PARAMETERS })
        }
        _ => Ok(()),
    }
}

/// The bytes of a file, whose metadata hold the text of `model.toml` under `flow.model`, as those
/// of a `.flow` file do; refused if a weight is no finite number.
pub(crate) fn bytes(
    model: &Model,
    builder: Builder,
    name: &str,
    about: &str,
    input: Vec<ValueInfo>,
    output: ValueInfo,
) -> Result<Vec<u8>, OnnxError> {
    let (node, initializer) = builder.finish();
    let weights = initializer.iter().filter(|tensor| tensor.data_type == FLOAT);
    for Tensor { name, raw_data, .. } in weights {
        let mut numbers = raw_data.as_chunks().0.iter().map(|&x| f32::from_le_bytes(x));
        if let Some(value) = numbers.find(|x| !x.is_finite()) {
            return Err(OnnxError::NotFinite { name: name.clone(), value });
        }
    }
    let output = vec![output];
    let graph = Graph { node, name: name.into(), initializer, input, output };
    let config = model.config();
    let entry = |key: &str, value: &str| Entry { key: key.into(), value: value.into() };
    let model = proto::Model {
        ir_version: IR_VERSION,
        producer_name: "flow".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        doc_string: about.into(),
        graph: Some(graph),
        opset_import: vec![OperatorSet { domain: Some(String::new()), version: OPSET }],
        metadata_props: vec![
            entry("flow.graph", name),
            entry("flow.model", &config.text()),
            entry("name", &config.name),
            entry("about", &config.about),
        ],
    };
    Ok(model.encode_to_vec())
}
