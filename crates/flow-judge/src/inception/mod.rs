//! FID proper: features of the published Inception network, from a file that the user names.

mod npy;
mod pickle;
mod resize;
mod statistics;
mod weights;

use std::io::Read;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use flow_nn::Inception;

use crate::error::{JudgeError, usage};
use crate::malformed::{Malformed, ensure};
pub use statistics::{Origin, Statistics, read as read_statistics, write as write_statistics};

/// What to do for FID when there is no file.
pub const ADVICE: &str = "FID is defined on one published network: get \
    pt_inception-2015-12-05-6726825d.pth from the releases of \
    https://github.com/mseitzer/pytorch-fid and name it with --inception FILE; `frechet` needs no file \
    and is a distance on the features of our own classifier (FD-clf)";

/// Images that go through the network together.
const BATCH: usize = 8;

/// What a file of weights or statistics may take, packed or not: ten times those of the network of
/// FID.
const MOST_BYTES: u64 = 1 << 30;

/// All bytes of a file from elsewhere, which are refused beyond a limit, whatever its head says.
fn at_most(file: impl Read, most: u64) -> Result<Vec<u8>, Malformed> {
    let mut bytes = Vec::new();
    // One more than allowed tells a file that ends at the limit from a longer one.
    file.take(most + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= most, "a part of it holds more than {most} bytes");
    Ok(bytes)
}

/// The network with the weights of a file.
#[derive(Debug)]
pub struct Extractor {
    network: Inception,
    device: Device,
    /// The file.
    pub file: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
}

impl Extractor {
    /// Reads a `.pth` or `.safetensors` file.
    ///
    /// # Errors
    /// When there is none, or it holds something else than that network.
    pub fn open(file: &Path, device: &Device) -> Result<Self, JudgeError> {
        if !file.is_file() {
            return Err(usage!("there is no file {}. {ADVICE}", file.display()));
        }
        let (weights, sha256) = weights::read(file)?;
        let path = file.to_path_buf();
        let network = Inception::new(&weights, device)
            .map_err(|source| JudgeError::Weights { path: path.clone(), source })?;
        Ok(Self { network, device: device.clone(), file: path, sha256 })
    }

    /// Features `[n, 2048]` of images `[n, c, h, w]` in `[-1, 1]` of one or three channels.
    ///
    /// As clean-fid prepares them: rounded to bytes, resized by PIL's bicubic filter, which widens
    /// when it shrinks so that nothing is aliased, and clipped. As pytorch-fid's network expects
    /// them: in `[-1, 1]`. Grey is given to all three channels.
    ///
    /// # Errors
    /// When the device does not give the features to the host.
    pub fn features(&self, rows: &[f32], [c, h, w]: [usize; 3]) -> Result<Vec<f32>, JudgeError> {
        let size = Inception::SIZE;
        let mut features = Vec::new();
        for batch in rows.chunks(BATCH * c * h * w) {
            let n = batch.len() / (c * h * w);
            let mut pixels = Vec::with_capacity(n * 3 * size * size);
            for image in batch.chunks(c * h * w) {
                for channel in 0..3 {
                    let from = (channel % c) * h * w;
                    let bytes = image[from..from + h * w].iter().map(|&x| to_byte(x)).collect();
                    let resized = resize::bicubic(bytes, [h, w], [size, size]);
                    pixels.extend(resized.iter().map(|x| x.clamp(0.0, 255.0) / 127.5 - 1.0));
                }
            }
            let data = TensorData::new(pixels, [n, 3, size, size]);
            let found = self.network.features(Tensor::<4>::from_data(data, &self.device));
            features.extend(found.into_data().convert::<f32>().try_into_vec::<f32>()?);
        }
        Ok(features)
    }
}

/// A pixel in `[-1, 1]` as the byte that a picture of it would hold.
fn to_byte(x: f32) -> f32 {
    (x * 127.5 + 127.5).round().clamp(0.0, 255.0)
}
