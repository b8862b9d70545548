//! Models as files: `model.toml` with `weights.safetensors` in a folder, or both in one file.
//!
//! A file `NAME.flow` is a safetensors file whose metadata hold the text of `model.toml`, so that
//! any reader of safetensors opens it too. The text holds the SHA-256 of the weights.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use flow_nn::{DynNetwork, Footprint};
use sha2::{Digest, Sha256};

use crate::config::ModelConfig;
use crate::error::ModelError;
use crate::model::Model;
use crate::registry::Registry;
use crate::weights::{self, Layout};

/// The files of a folder.
const CONFIG: &str = "model.toml";
pub(crate) const WEIGHTS: &str = "weights.safetensors";
/// The key of the metadata under which a file holds the text of `model.toml`. It is the only one:
/// the order of several would differ from one writing to the next.
const CONFIG_KEY: &str = "flow.model";
/// Endings of single files.
const ENDINGS: [&str; 2] = ["flow", "safetensors"];
/// Bytes of a text that no model's description reaches.
const LONGEST_CONFIG: u64 = 16 << 20;
/// Bytes of the longest header that safetensors takes.
const LONGEST_HEADER: u64 = 100_000_000;

impl ModelConfig {
    /// The description alone of a model in a file or a folder: its weights are not read.
    ///
    /// # Errors
    /// When a file is missing, or is none of a model.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        let path = path.as_ref();
        let text = if path.is_dir() { read_text(&path.join(CONFIG)) } else { text_in(path) };
        let read = text.and_then(|text| Self::parse(&text));
        read.map_err(|error| ModelError::In { path: path.into(), source: Box::new(error) })
    }
}

/// The text of `model.toml` in the header of a file.
fn text_in(path: &Path) -> Result<String, ModelError> {
    let failed = |source| io("read", path, source);
    let file = File::open(path).map_err(failed)?;
    let mut length = Vec::new();
    (&file).take(8).read_to_end(&mut length).map_err(failed)?;
    let length = length.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
    let mut header = Vec::new();
    file.take(length.min(LONGEST_HEADER)).read_to_end(&mut header).map_err(failed)?;
    text_of(weights::header(&header))
}

/// The text of `model.toml` among the words about the weights of a file.
fn text_of(words: Result<HashMap<String, String>, String>) -> Result<String, ModelError> {
    let mut words = words.map_err(|reason| ModelError::Format { reason })?;
    words.remove(CONFIG_KEY).ok_or_else(|| ModelError::Format {
        reason: format!("it has no `{CONFIG_KEY}` in its metadata, as weights alone have not"),
    })
}

impl Model {
    /// SHA-256 of the weights of a model in a file or a folder, as its description holds it.
    ///
    /// # Errors
    /// When a file is missing, or is none of weights.
    pub fn sha256(path: impl AsRef<Path>) -> Result<String, ModelError> {
        let path = path.as_ref();
        let file = if path.is_dir() { path.join(WEIGHTS) } else { path.to_path_buf() };
        digest(&read(&file)?).map_err(|reason| ModelError::In {
            path: file,
            source: Box::new(ModelError::Format { reason }),
        })
    }

    /// Opens a model of the networks of flow-nn: a file `NAME.flow`, or a folder with `model.toml`
    /// and `weights.safetensors`.
    ///
    /// # Errors
    /// When a file is missing, is none of a model or damaged, or its weights do not fit.
    pub fn open(path: impl AsRef<Path>, device: &Device) -> Result<Self, ModelError> {
        Self::open_with(&Registry::default(), path, device)
    }

    /// As [`Model::open`], with networks and sources of the caller's own.
    ///
    /// # Errors
    /// As for [`Model::open`], and for a kind of network that the registry does not know.
    pub fn open_with(
        registry: &Registry,
        path: impl AsRef<Path>,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let path = path.as_ref();
        let opened = if path.is_dir() {
            let config = path.join(CONFIG);
            let text = read_text(&config)?;
            Self::from_bytes(registry, &text, &read(&path.join(WEIGHTS))?, device)
        } else {
            Self::from_file_bytes(registry, &read(path)?, device)
        };
        opened.map_err(|error| ModelError::In { path: path.into(), source: Box::new(error) })
    }

    /// A model from the bytes of a file `NAME.flow`.
    ///
    /// # Errors
    /// When they are none of a model or damaged, or the weights do not fit.
    pub fn from_file_bytes(
        registry: &Registry,
        bytes: &[u8],
        device: &Device,
    ) -> Result<Self, ModelError> {
        Self::from_bytes(registry, &text_of(weights::metadata(bytes))?, bytes, device)
    }

    /// A model from the text of `model.toml` and the bytes of `weights.safetensors`, for programs
    /// without a file system.
    ///
    /// # Errors
    /// As for [`Model::open`].
    pub fn from_bytes(
        registry: &Registry,
        config: &str,
        bytes: &[u8],
        device: &Device,
    ) -> Result<Self, ModelError> {
        let mut config = ModelConfig::parse(config)?;
        let misfit = |reason| ModelError::Weights { reason };
        let stored = std::mem::take(&mut config.sha256);
        if !stored.is_empty() && stored != digest(bytes).map_err(misfit)? {
            return Err(misfit("their SHA-256 is not the stored one, the file is damaged".into()));
        }
        check_size(&registry.footprint(&config.network, &config.signature)?, bytes.len())?;
        let empty = registry.build_empty(&config.network, &config.signature, device)?;
        let network: DynNetwork = weights::from_bytes(empty, bytes).map_err(misfit)?;
        Self::new(registry, config, network, device)
    }

    /// Writes the model: one file for a name that ends in `.flow` or `.safetensors`, else a folder.
    ///
    /// Each file is whole or not there.
    ///
    /// # Errors
    /// When the place cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ModelError> {
        let path = path.as_ref();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if ENDINGS.contains(&ending) {
            let bytes = self.to_file_bytes()?;
            return write(path, &bytes);
        }
        fs::create_dir_all(path).map_err(|source| io("make", path, source))?;
        // The weights first: a folder with a description is whole.
        let (text, bare) = self.described()?;
        write(&path.join(WEIGHTS), &bare)?;
        write(&path.join(CONFIG), text.as_bytes())
    }

    /// The bytes of a file `NAME.flow`.
    ///
    /// # Errors
    /// When the weights cannot be laid out as safetensors.
    pub fn to_file_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let (text, _) = self.described()?;
        let metadata = HashMap::from([(CONFIG_KEY.into(), text)]);
        weights::to_bytes(self.network(), Layout::Ours, metadata)
            .map_err(|reason| ModelError::Weights { reason })
    }

    /// The text of `model.toml` with the digest of the weights, and the weights alone.
    fn described(&self) -> Result<(String, Vec<u8>), ModelError> {
        let misfit = |reason| ModelError::Weights { reason };
        let bare =
            weights::to_bytes(self.network(), Layout::Ours, HashMap::new()).map_err(misfit)?;
        let sha256 = digest(&bare).map_err(misfit)?;
        Ok((ModelConfig { sha256, ..self.config().clone() }.text(), bare))
    }
}

/// Numbers in the widest layer of a row that no model comes near: 2 GiB of them.
const WIDEST: f64 = (1 << 29) as f64;

/// Refuses a description of a network that the weights beside it cannot be of, or of rows that no
/// memory holds, before anything is made of it: a description may be damaged or a lie.
fn check_size(footprint: &Footprint, bytes: usize) -> Result<(), ModelError> {
    let Footprint { parameters, widest, .. } = *footprint;
    // A number of the shortest kind has two bytes.
    if (bytes as f64) < 2.0 * parameters {
        let reason =
            format!("it has {parameters:.0} parameters, which are not in a file of {bytes} bytes");
        return Err(ModelError::Weights { reason });
    }
    if WIDEST < widest {
        let reason = format!("its widest layer has {widest:.0} numbers for a single row");
        return Err(ModelError::Format { reason });
    }
    Ok(())
}

/// SHA-256 of the tensors of a safetensors file: all behind its header.
fn digest(bytes: &[u8]) -> Result<String, String> {
    let (header, _) =
        safetensors::SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let tensors = bytes.get(8 + header..).unwrap_or_default();
    Ok(format!("{:x}", Sha256::digest(tensors)))
}

pub(crate) fn io(action: &'static str, path: &Path, source: std::io::Error) -> ModelError {
    ModelError::Io { action, path: PathBuf::from(path), source }
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    fs::read(path).map_err(|source| io("read", path, source))
}

/// A text that is not absurdly long.
fn read_text(path: &Path) -> Result<String, ModelError> {
    let size = fs::metadata(path).map_err(|source| io("read", path, source))?.len();
    if LONGEST_CONFIG < size {
        return Err(ModelError::Format { reason: format!("{} has {size} bytes", path.display()) });
    }
    fs::read_to_string(path).map_err(|source| io("read", path, source))
}

/// Writes a file under another name and gives it its own when it is whole.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let failed = |source| io("write", path, source);
    #[cfg_attr(not(unix), allow(unused_mut, reason = "permissions are those of Unix"))]
    let mut builder = tempfile::Builder::new();
    // As any file that a program writes, in place of one for its owner alone.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut draft = builder.tempfile_in(folder).map_err(failed)?;
    draft.write_all(bytes).and_then(|()| draft.as_file().sync_all()).map_err(failed)?;
    draft.persist(path).map_err(|error| io("write", path, error.error))?;
    Ok(())
}
