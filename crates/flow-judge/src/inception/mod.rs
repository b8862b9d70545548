//! FID proper: features of the published Inception network, from a file that the user names.

mod npy;
mod resize;
mod statistics;
mod weights;

use std::io::Read;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use flow_nn::Inception;

use crate::error::{JudgeError, size_of_image, usage};
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

    /// Features `[n, 2048]` of images `[n, c, h, w]` in `[-1, 1]` of one or three channels; none of
    /// no image.
    ///
    /// As clean-fid prepares them: rounded to bytes, resized by PIL's bicubic filter, which widens
    /// when it shrinks so that nothing is aliased, and clipped. As pytorch-fid's network expects
    /// them: in `[-1, 1]`. Grey is given to all three channels.
    ///
    /// # Errors
    /// When the rows are no whole number of such images, a pixel is no finite number, or the device
    /// does not give the features to the host.
    pub fn features(&self, rows: &[f32], shape: [usize; 3]) -> Result<Vec<f32>, JudgeError> {
        let pixels = size_of_image(rows, shape)?;
        let mut features = Vec::new();
        for batch in rows.chunks(BATCH * pixels) {
            let sides = [batch.len() / pixels, 3, Inception::SIZE, Inception::SIZE];
            let data = TensorData::new(prepared(batch, shape, pixels)?, sides);
            let found = self.network.features(Tensor::<4>::from_data(data, &self.device));
            features.extend(found.into_data().convert::<f32>().try_into_vec::<f32>()?);
        }
        Ok(features)
    }
}

/// Images of so many finite pixels as the network expects them: three channels of its size.
fn prepared(rows: &[f32], [c, h, w]: [usize; 3], pixels: usize) -> Result<Vec<f32>, JudgeError> {
    if ![1, 3].contains(&c) {
        return Err(JudgeError::Images(format!(
            "images of {c} channels are neither grey nor in colour: FID looks at 1 or 3"
        )));
    }
    let size = Inception::SIZE;
    let mut found = Vec::with_capacity(rows.len() / pixels * 3 * size * size);
    for image in rows.chunks(pixels) {
        for channel in 0..3 {
            let from = (channel % c) * h * w;
            let bytes = image[from..from + h * w].iter().map(|&x| to_byte(x)).collect();
            let resized = resize::bicubic(bytes, [h, w], [size, size]);
            found.extend(resized.iter().map(|x| x.clamp(0.0, 255.0) / 127.5 - 1.0));
        }
    }
    Ok(found)
}

/// A pixel in `[-1, 1]` as the byte that a picture of it would hold.
fn to_byte(x: f32) -> f32 {
    (x * 127.5 + 127.5).round().clamp(0.0, 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that [`Extractor::features`] does before the network.
    #[test]
    fn awkward_images_become_pixels_or_are_refused() {
        let prepared = |rows: &[f32], shape| {
            size_of_image(rows, shape).and_then(|pixels| prepared(rows, shape, pixels))
        };
        for set in flow_testing::awkward::rows(2, 12) {
            for shape in [[3, 2, 2], [1, 3, 4], [3, 4, 1], [1, 12, 1]] {
                match prepared(&set.rows, shape) {
                    Ok(pixels) => {
                        let side = Inception::SIZE;
                        assert_eq!(pixels.len(), set.rows.len() / 12 * 3 * side * side);
                        let within = pixels.iter().all(|x| (-1.0..=1.0).contains(x));
                        assert!(set.finite && within, "{}", set.name);
                    }
                    Err(error) => {
                        assert!(!set.finite, "{}: {error}", set.name);
                        assert!(error.to_string().starts_with("pixel "), "{error}");
                    }
                }
            }
            for shape in [[0, 2, 2], [1, 0, 3], [usize::MAX, 2, 2], [1, 5, 1], [2, 3, 2], [4, 3, 1]]
            {
                let refused = prepared(&set.rows, shape);
                let none = set.rows.is_empty() && shape == [1, 5, 1];
                assert!(refused.is_err() || none, "{} of {shape:?}", set.name);
            }
        }
    }
}
