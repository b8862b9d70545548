//! From a file of another program to a model.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use flow_model::{Model, ModelError, Registry};
use flow_pickle::{Array, Checkpoint, Part};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::error::ImportError;
use crate::family::Family;
use crate::known::json;
use crate::scheduler::Scheduler;
use crate::transformer::{Described, DiffusersConfig, SitConfig};
use crate::unet::{TorchcfmUNetConfig, UNet2dConfig};
use crate::{claims, mlp, network};

/// Bytes of a file of weights, and of the arrays in it: the largest transformers of the papers take
/// three gibibytes.
const MOST_BYTES: u64 = 16 << 30;

/// Where a folder has the configuration of its network; the first one is named where there is none.
const NETWORKS: [&str; 3] = ["config.json", "transformer/config.json", "unet/config.json"];

/// What programs that train on several machines, or compile, put before each name.
const PREFIXES: [&str; 2] = ["module.", "_orig_mod."];

/// How families call the vectors of their classes.
const CLASS_TABLES: [&str; 3] =
    ["embedding_table.weight", "label_emb.weight", "class_embedding.weight"];

/// A network that is to be imported.
///
/// ```no_run
/// use burn::tensor::Device;
/// use flow_import::{Family, Import};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let import = Import::new(Family::Sit, "SiT-S-2.pt").with_config("config.json");
/// let imported = import.run(&Device::flex())?;
/// println!("{}", imported.notes.join("\n"));
/// imported.model.save("sit-s-2.flow")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Import {
    family: Family,
    weights: PathBuf,
    config: Option<PathBuf>,
    part: Option<String>,
    registry: Registry,
}

/// A network that was imported.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Imported {
    /// The model.
    pub model: Model,
    /// What was chosen, converted and left out, a sentence each.
    pub notes: Vec<String>,
}

impl Import {
    /// The weights of a file of a family.
    #[must_use]
    pub fn new(family: Family, weights: impl AsRef<Path>) -> Self {
        let registry = network::registry(Registry::default());
        Self { family, weights: weights.as_ref().into(), config: None, part: None, registry }
    }

    /// The same with the JSON file that describes the network, or the folder of a model of
    /// diffusers with the files of its network and of its scheduler.
    #[must_use]
    pub fn with_config(self, config: impl AsRef<Path>) -> Self {
        Self { config: Some(config.as_ref().into()), ..self }
    }

    /// The same with the part of the file to take, such as `ema_model`. By default it is
    /// the only one, or the only one whose name tells of an average (`ema`).
    #[must_use]
    pub fn with_part(self, part: impl Into<String>) -> Self {
        Self { part: Some(part.into()), ..self }
    }

    /// Reads the file and makes the model.
    ///
    /// The file and its configuration may be anybody's: no number in them makes anything larger
    /// than the file is.
    ///
    /// # Errors
    /// When a file cannot be read or is of another family, an array is missing, left over, of
    /// another shape or holds a number that is not finite, or the network is one that ours cannot
    /// be, by the key or the array that says so.
    pub fn run(&self, device: &Device) -> Result<Imported, ImportError> {
        let checkpoint = Checkpoint::open(&self.weights, MOST_BYTES)?;
        let name = self.choose(&checkpoint)?;
        let Part { arrays, others, .. } = checkpoint.part(&name)?;
        drop(checkpoint);
        let arrays = without_prefix(arrays);
        // What is missing may be there, as numbers of a kind that is not read.
        let unread = |error| match error {
            ImportError::Missing { name, .. } if others.contains(&name) => {
                ImportError::Kind { name }
            }
            other => other,
        };
        self.family.recognise(&arrays).map_err(unread)?;
        let ((mut config, sizes), scheduler) = self.describe(&arrays).map_err(unread)?;
        claims::check(&arrays, &sizes.claims)?;
        let map = self.family.map();
        // A vector for no class is there when the network was trained without classes now and then.
        let with_none = sizes.classes.checked_add(1);
        config.learned_without = arrays.iter().any(|(name, array)| {
            CLASS_TABLES.iter().any(|table| name.ends_with(table))
                && array.shape.first().copied() == with_none
        });
        let rows = arrays.len();
        let ours = map.apply(self.family.name(), arrays, &sizes).map_err(unread)?;
        let file = self.weights.file_name().map(|name| name.to_string_lossy().into_owned());
        config.name = self.weights.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        config.about.clone_from(&map.about);
        config.made = Table::from_iter([
            ("program".to_owned(), Value::String("flow import".into())),
            ("family".to_owned(), Value::String(self.family.name().into())),
            ("file".to_owned(), Value::String(file.unwrap_or_default())),
            ("part".to_owned(), Value::String(name.clone())),
        ]);
        let bytes = safetensors_of(&ours.arrays)?;
        let model = Model::from_bytes(&self.registry, &config.text(), &bytes, device);
        let model = model.map_err(|error| ours.named(error))?;
        let mut notes = vec![map.about, format!("{rows} arrays became {}", ours.arrays.len())];
        notes.extend(scheduler);
        if !name.is_empty() {
            notes.push(format!("of the states in the file `{name}` was taken"));
        }
        if !others.is_empty() {
            notes.push(format!("arrays of whole numbers were left out: {}", others.join(", ")));
        }
        Ok(Imported { model, notes })
    }

    /// The part of a file that is meant.
    fn choose(&self, checkpoint: &Checkpoint) -> Result<String, ImportError> {
        if let Some(part) = &self.part {
            return Ok(part.clone());
        }
        let parts = checkpoint.parts();
        let averages: Vec<&String> = parts.iter().filter(|part| is_average(part)).collect();
        match (&*parts, &*averages) {
            ([only], _) => Ok(only.clone()),
            (_, [average]) => Ok((*average).clone()),
            _ => Err(ImportError::Ambiguous { known: parts.join(", ") }),
        }
    }

    /// What the network is, and in words how it was trained if its family does not say.
    fn describe(
        &self,
        arrays: &BTreeMap<String, Array>,
    ) -> Result<(Described, Option<String>), ImportError> {
        let family = self.family;
        let described = match family {
            Family::TorchcfmMlp if self.config.is_some() => {
                return Err(ImportError::ConfigNotTaken { family: family.name() });
            }
            Family::TorchcfmMlp => mlp::describe(arrays),
            Family::TorchcfmUnet => {
                self.config::<TorchcfmUNetConfig>(TorchcfmUNetConfig::KEYS)?.0.describe()
            }
            Family::Sit => self.config::<SitConfig>(SitConfig::KEYS)?.0.describe(),
            Family::DiffusersUnet2d => {
                let (config, scheduler) = self.config::<UNet2dConfig>(UNet2dConfig::KEYS)?;
                return scheduled(family, config.describe()?, &scheduler);
            }
            Family::DiffusersDit => {
                let (config, scheduler) = self.config::<DiffusersConfig>(DiffusersConfig::KEYS)?;
                return scheduled(family, config.describe()?, &scheduler);
            }
        };
        Ok((described?, None))
    }

    /// The configuration of the network as its family writes it, and of families of diffusers how
    /// it was trained.
    fn config<C: DeserializeOwned>(
        &self,
        keys: &'static str,
    ) -> Result<(C, Scheduler), ImportError> {
        let Some(config) = &self.config else {
            return Err(ImportError::NoConfig { family: self.family.name(), keys });
        };
        let files = NETWORKS.map(|file| config.join(file));
        let path = if config.is_dir() {
            files.iter().find(|file| file.is_file()).unwrap_or(&files[0])
        } else {
            config
        };
        let mut read = json(path)?;
        let diffusers = matches!(self.family, Family::DiffusersDit | Family::DiffusersUnet2d);
        let scheduler =
            if diffusers { Scheduler::find(config, &mut read)? } else { Scheduler::default() };
        let read = serde_json::from_value(read.into_iter().collect());
        let broken = |reason: String| ImportError::Config { path: path.clone(), reason };
        Ok((read.map_err(|error| broken(error.to_string()))?, scheduler))
    }
}

/// Whether a part of a file is called an average of weights, as `ema_model` or `model_EMA` are.
fn is_average(part: &str) -> bool {
    let lower = part.to_lowercase();
    lower.split(|letter: char| !letter.is_alphanumeric()).any(|word| word.starts_with("ema"))
}

/// A description with what its scheduler says of it.
fn scheduled(
    family: Family,
    (mut config, sizes): Described,
    scheduler: &Scheduler,
) -> Result<(Described, Option<String>), ImportError> {
    scheduler.describe(family.name(), &mut config)?;
    Ok(((config, sizes), Some(scheduler.note())))
}

/// The arrays without what all of their names begin with and no network calls so.
fn without_prefix(mut arrays: BTreeMap<String, Array>) -> BTreeMap<String, Array> {
    let of_all = |arrays: &BTreeMap<String, Array>| {
        let begins = |prefix: &&str| arrays.keys().all(|name| name.starts_with(*prefix));
        PREFIXES.into_iter().find(|prefix| !arrays.is_empty() && begins(prefix))
    };
    // They stand in any order, and more than once.
    while let Some(prefix) = of_all(&arrays) {
        let short = |name: String| name[prefix.len()..].to_owned();
        arrays = arrays.into_iter().map(|(name, array)| (short(name), array)).collect();
    }
    arrays
}

/// Arrays as the bytes of a safetensors file, which is how a model reads its weights.
fn safetensors_of(arrays: &BTreeMap<String, Array>) -> Result<Vec<u8>, ImportError> {
    let bytes: Vec<(&String, &Array, Vec<u8>)> = arrays
        .iter()
        .map(|(name, array)| {
            (name, array, array.numbers.iter().copied().flat_map(f32::to_le_bytes).collect())
        })
        .collect();
    let views = bytes.iter().map(|(name, array, bytes)| {
        TensorView::new(Dtype::F32, array.shape.clone(), bytes).map(|view| (name, view))
    });
    let reason = |error: safetensors::SafeTensorError| {
        ImportError::Model(ModelError::Weights { reason: error.to_string() })
    };
    let views = views.collect::<Result<Vec<_>, _>>().map_err(reason)?;
    safetensors::serialize(views, Some(HashMap::new())).map_err(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_known_by_a_word_of_their_name() {
        for (part, average) in [
            ("ema", true),
            ("ema_model", true),
            ("model_EMA", true),
            ("state/ema", true),
            ("schema", false),
            ("net_model", false),
        ] {
            assert_eq!(is_average(part), average, "{part}");
        }
    }

    #[test]
    fn prefixes_go_in_any_order() {
        let array = || Array { shape: vec![1], numbers: vec![0.0] };
        for name in ["module.a", "_orig_mod.module.a", "module._orig_mod.a", "module.module.a", "a"]
        {
            let arrays = without_prefix(BTreeMap::from([(name.to_owned(), array())]));
            assert_eq!(arrays.keys().collect::<Vec<_>>(), ["a"], "{name}");
        }
        assert!(without_prefix(BTreeMap::new()).is_empty());
    }
}
