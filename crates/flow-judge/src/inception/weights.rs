//! Arrays of a `.safetensors` or a PyTorch file as the network of FID wants them.

use std::fmt::Write as _;
use std::path::Path;

use burn::tensor::TensorData;
use flow_nn::Weights;
use flow_pickle::Checkpoint;
use sha2::{Digest, Sha256};

use super::MOST_BYTES;
use crate::error::{JudgeError, usage};

/// The arrays of a file, and its SHA-256.
pub(super) fn read(path: &Path) -> Result<(Weights, String), JudgeError> {
    let ending = path.extension().and_then(|extension| extension.to_str());
    if !matches!(ending, Some("safetensors" | "pth" | "pt")) {
        return Err(usage!("{} ends neither in .pth nor in .safetensors", path.display()));
    }
    let checkpoint = Checkpoint::open(path, MOST_BYTES)?;
    let mut sha256 = String::new();
    for byte in Sha256::digest(checkpoint.bytes()) {
        let _ = write!(sha256, "{byte:02x}");
    }
    let arrays = checkpoint.part("")?.arrays.into_iter();
    let weights = arrays.map(|(name, array)| (name, TensorData::new(array.numbers, array.shape)));
    Ok((weights.collect(), sha256))
}
