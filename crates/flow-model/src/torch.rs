//! A model for PyTorch: a folder with its weights, its description, and a file that builds the
//! network.
//!
//! The files of the networks lie in `crates/flow-model/torch`, one for each kind. The Python
//! package has the same ones.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::error::ModelError;
use crate::file::{WEIGHTS, io, write};
use crate::model::Model;
use crate::weights::{Layout, to_bytes};

/// The files of a folder beside its weights.
const CONFIG: &str = "config.json";
const NETWORK: &str = "network.py";

/// What several networks are made of.
const PARTS: &str = include_str!("../torch/parts.py");

/// Kinds of networks, and the file that builds each.
const NETWORKS: [(&str, &str); 6] = [
    ("adm-unet", include_str!("../torch/adm_unet.py")),
    ("dit", include_str!("../torch/dit.py")),
    ("mlp", include_str!("../torch/mlp.py")),
    ("split-mlp", include_str!("../torch/split_mlp.py")),
    ("torchcfm-mlp", include_str!("../torch/torchcfm_mlp.py")),
    ("unet", include_str!("../torch/unet.py")),
];

impl Model {
    /// Writes a folder for programs that have PyTorch and nothing of this project:
    ///
    /// | file | holds |
    /// |---|---|
    /// | `weights.safetensors` | the state dict of the network, in PyTorch's names and layout |
    /// | `config.json` | the description of the model |
    /// | `network.py` | the network in plain torch: `Network.load(folder)` is a `torch.nn.Module` |
    ///
    /// The folder is made if it is not there. Each file is whole or not there.
    ///
    /// # Errors
    /// For a kind of network that no such file is for, and when the place cannot be written.
    pub fn save_torch(&self, folder: impl AsRef<Path>) -> Result<(), ModelError> {
        let folder = folder.as_ref();
        let kind = self.config().network.get("kind").and_then(toml::Value::as_str);
        let source = source(kind.unwrap_or_default())?;
        let failed = |reason| ModelError::Weights { reason };
        let weights = to_bytes(self.network(), Layout::Torch, HashMap::new()).map_err(failed)?;
        let config = serde_json::to_string_pretty(self.config())
            .map_err(|error| ModelError::Format { reason: error.to_string() })?;
        fs::create_dir_all(folder).map_err(|source| io("make", folder, source))?;
        write(&folder.join(WEIGHTS), &weights)?;
        write(&folder.join(CONFIG), config.as_bytes())?;
        write(&folder.join(NETWORK), source.as_bytes())
    }
}

/// What stands between the definitions of a file, and before the first of them behind its head,
/// which says what it is and imports.
const BETWEEN: &str = "\n\n\n";

/// The file that builds a network of a kind and needs no other file: of the parts it has those that
/// it uses.
fn source(kind: &str) -> Result<String, ModelError> {
    let Some((_, network)) = NETWORKS.iter().find(|(known, _)| *known == kind) else {
        let known = NETWORKS.map(|(known, _)| known).join(", ");
        return Err(ModelError::NoTorch { kind: kind.into(), known });
    };
    let (head, parts) = PARTS.split_once(BETWEEN).unwrap_or_default();
    let (_, network) = network.split_once(BETWEEN).unwrap_or_default();
    let mut text = network.to_owned();
    // A part uses those before it alone.
    for part in parts.trim_end().rsplit(BETWEEN) {
        if text.contains(name(part)) {
            text = format!("{part}{BETWEEN}{text}");
        }
    }
    Ok(format!("{head}{BETWEEN}{text}"))
}

/// The name of the class or the function that a definition is of.
fn name(definition: &str) -> &str {
    let (_, named) = definition.split_once(' ').unwrap_or_default();
    named.split(['(', ':']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_and_its_parts_are_one_file() {
        for (kind, _) in NETWORKS {
            let text = source(kind).unwrap();
            assert!(text.starts_with("\"\"\"A network of flow matching in plain torch"), "{kind}");
            assert_eq!(text.matches("from __future__").count(), 1, "{kind}");
            assert!(!text.contains("from .") && !text.contains("import math"), "{kind}");
            assert!(text.contains("\n\n\nclass Network(Described, "), "{kind}");
            assert!(text.ends_with('\n') && !text.contains("\n\n\n\n"), "{kind}");
        }
    }

    #[test]
    fn a_file_has_the_parts_that_it_uses() {
        let has = |kind: &str, parts: [&str; 4]| {
            let text = source(kind).unwrap();
            parts.map(|part| text.contains(part))
        };
        let parts = ["class Described:", "class Told(", "def shown(", "def within("];
        assert_eq!(has("torchcfm-mlp", parts), [true, false, false, false]);
        assert_eq!(has("adm-unet", parts), [true, true, true, true]);
        assert_eq!(has("split-mlp", parts), [true, false, false, true]);
        assert_eq!(has("mlp", parts), [true, true, true, false]);
        assert_eq!(has("dit", parts), [true, true, true, true]);
        assert_eq!(name("class Told(nn.Module):\n    pass"), "Told");
        assert_eq!(name("class Described:\n    pass"), "Described");
    }

    #[test]
    fn a_network_of_another_kind_is_refused() {
        let error = source("residual").unwrap_err().to_string();
        assert!(error.contains("the kind residual") && error.contains("mlp, split-mlp"), "{error}");
    }
}
