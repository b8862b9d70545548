//! Mean and covariance of reference features, in pytorch-fid's `.npz` files.

use std::fmt;
use std::fs::File;
use std::io::{Cursor, Write as _};
use std::path::Path;

use flow_eval::Moments;
use flow_run::files;
use zip::write::FileOptions;
use zip::{ZipArchive, ZipWriter};

use super::npy::{self, Array};
use super::{MOST_BYTES, at_most};
use crate::error::{JudgeError, usage};
use crate::malformed::{Malformed, OrMalformed, ensure};

/// Number of images where the file does not say it, as pytorch-fid's do not.
const UNKNOWN: usize = 1 << 40;

/// Bytes of a small array: a mean of 130,000 numbers, or a name, with room for its head.
const SMALL: u64 = 1 << 20;

/// What is known of reference features.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Their mean and covariance.
    pub moments: Moments,
    /// What the features are of; files of pytorch-fid do not say it.
    pub origin: Option<Origin>,
}

impl Statistics {
    /// The moments, unless the file says that they are of other images or another network. One that
    /// says the number of its images alone, and too small a one, was written by an earlier version.
    ///
    /// # Errors
    /// When they are of others.
    pub fn of(self, wanted: &Origin, path: &Path) -> Result<Moments, JudgeError> {
        let n = self.moments.n();
        let found = match self.origin {
            Some(origin) if origin != *wanted => origin.to_string(),
            None if n < wanted.images => format!("{n} images"),
            _ => return Ok(self.moments),
        };
        Err(usage!(
            "{} holds statistics of {found}, and {wanted} are asked for: name another file to \
             write them to, or remove it",
            path.display()
        ))
    }
}

/// Which images went through which network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// How many images.
    pub images: usize,
    /// The name of their set.
    pub set: String,
    /// SHA-256 of the weights.
    pub weights: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { images, set, weights } = self;
        write!(f, "{images} images of `{set}` by the weights {weights:.12}")
    }
}

/// Reads `mu` and `sigma`, and where the file says it what they are of.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub fn read(path: &Path) -> Result<Statistics, JudgeError> {
    let cannot = JudgeError::io(format!("cannot read {}", path.display()));
    let file = File::open(path).map_err(cannot)?;
    let statistics = || -> Result<Statistics, Malformed> {
        let mut archive = ZipArchive::new(file)?;
        let mean = Array::read(&bytes(&mut archive, "mu", SMALL)?)?.numbers()?;
        let dim = mean.len();
        let size = (dim as u64).checked_pow(2).and_then(|count| count.checked_mul(8));
        let size = size.filter(|&size| size <= MOST_BYTES).or_malformed("mu is too long")?;
        let covariance = bytes(&mut archive, "sigma", size + SMALL)?;
        let covariance = Array::read(&covariance)?;
        ensure!(covariance.shape() == [dim, dim], "sigma is not {dim} by {dim}");
        let images = number(&mut archive);
        let moments =
            Moments::from_parts(images.unwrap_or(UNKNOWN), &mean, &covariance.numbers()?)?;
        let mut text =
            |name| Array::read(&bytes(&mut archive, name, SMALL).ok()?).ok()?.text().ok();
        let (set, weights) = (text("set"), text("weights"));
        let origin = images.zip(set).zip(weights);
        let origin = origin.map(|((images, set), weights)| Origin { images, set, weights });
        Ok(Statistics { moments, origin })
    };
    statistics().map_err(|source| {
        let path = path.display();
        let doing = format!("{path} holds no mu and sigma as pytorch-fid writes them");
        JudgeError::Malformed { doing, source }
    })
}

/// The bytes of an array's file, up to a limit.
fn bytes(archive: &mut ZipArchive<File>, name: &str, most: u64) -> Result<Vec<u8>, Malformed> {
    at_most(archive.by_name(&format!("{name}.npy"))?, most)
}

/// How many images there were, where the file says it.
fn number(archive: &mut ZipArchive<File>) -> Option<usize> {
    let bytes = bytes(archive, "n", SMALL).ok()?;
    let n = *Array::read(&bytes).ok()?.numbers().ok()?.first()?;
    (2.0..=UNKNOWN as f64).contains(&n).then_some(n as usize)
}

/// Writes `mu`, `sigma` and, for us, the number of images `n`, the name of their `set` and the
/// SHA-256 of the `weights`.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, statistics: &Statistics) -> Result<(), JudgeError> {
    let Statistics { moments, origin } = statistics;
    let dim = moments.dim();
    let numbers = |shape: &[usize], values: &[f64]| {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        npy::write("<f8", shape, &bytes)
    };
    let text = |text: &str| npy::write(&format!("|S{}", text.len()), &[], text.as_bytes());
    let mut arrays = vec![
        ("mu", numbers(&[dim], moments.mean())),
        ("sigma", numbers(&[dim, dim], &moments.covariance()?)),
        ("n", numbers(&[1], &[moments.n() as f64])),
    ];
    if let Some(Origin { set, weights, .. }) = origin {
        arrays.extend([("set", text(set)), ("weights", text(weights))]);
    }
    let bytes = packed(&arrays).map_err(|source| JudgeError::Malformed {
        doing: format!("cannot write {}", path.display()),
        source,
    })?;
    Ok(files::write(path, |out| out.write_all(&bytes))?)
}

/// An archive of arrays.
fn packed(arrays: &[(&str, Vec<u8>)]) -> Result<Vec<u8>, Malformed> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        archive.start_file(format!("{name}.npy"), FileOptions::default())?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use flow_run::sentence;

    use super::*;

    fn moments() -> Moments {
        Moments::from_parts(12, &[0.5, -1.0], &[2.0, 0.25, 0.25, 1.0]).unwrap()
    }

    /// A file of the given arrays.
    fn archive(path: &Path, arrays: &[(&str, Vec<u8>)]) {
        let mut archive = ZipWriter::new(File::create(path).unwrap());
        for (name, bytes) in arrays {
            archive.start_file(format!("{name}.npy"), FileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap();
    }

    #[test]
    fn statistics_of_numpy_are_read() {
        // numpy.savez_compressed(..., mu = [1, 2], sigma = [[2, 0.5], [0.5, 1]]), by weights.py.
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/statistics.npz");
        let Statistics { moments, origin } = read(&path).unwrap();
        assert_eq!((moments.mean(), origin), (&[1.0, 2.0][..], None));
        for (a, b) in moments.covariance().unwrap().iter().zip([2.0, 0.5, 0.5, 1.0]) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn statistics_survive_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("statistics.npz");
        let origin = Origin { images: 12, set: "digits".into(), weights: "ab".repeat(32) };
        for origin in [None, Some(origin)] {
            let statistics = Statistics { moments: moments(), origin };
            write(&path, &statistics).unwrap();
            assert_eq!(read(&path).unwrap(), statistics);
        }
        std::fs::write(&path, "no archive").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("mu and sigma"));
    }

    #[test]
    fn statistics_of_other_images_or_another_network_are_refused() {
        let origin = |images, set: &str, weights: &str| Origin {
            images,
            set: set.into(),
            weights: weights.repeat(32),
        };
        let wanted = origin(12, "digits", "ab");
        let of = |origin| Statistics { moments: moments(), origin }.of(&wanted, Path::new("a.npz"));
        assert!(of(None).is_ok() && of(Some(wanted.clone())).is_ok());
        for other in
            [origin(6, "digits", "ab"), origin(12, "mnist", "ab"), origin(12, "digits", "cd")]
        {
            let error = of(Some(other.clone())).unwrap_err().to_string();
            assert!(error.contains("a.npz") && error.contains(&other.to_string()), "{error}");
        }
    }

    #[test]
    fn statistics_of_an_earlier_version_are_refused_if_they_are_of_fewer_images() {
        let wanted = Origin { images: 1501, set: "digits".into(), weights: "ab".into() };
        let of = |n| {
            let moments = Moments::from_parts(n, &[0.0], &[1.0]).unwrap();
            Statistics { moments, origin: None }.of(&wanted, Path::new("a.npz"))
        };
        let error = of(6).unwrap_err().to_string();
        assert!(error.contains("a.npz holds statistics of 6 images, and 1501"), "{error}");
        // Those of pytorch-fid name no number, and who names them knows what they are of.
        assert!(of(1501).is_ok() && of(UNKNOWN).is_ok());
    }

    #[test]
    fn statistics_that_were_kept_as_float32_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("narrow.npz");
        let narrow = |shape: &[usize], values: &[f32]| {
            npy::write(
                "<f4",
                shape,
                &values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>(),
            )
        };
        // The greatest f32 below 1, and an entry and its mirror image that were rounded apart.
        let sigma = [1.0, 1.0, 1.0_f32.next_up(), 1.0_f32.next_down()];
        archive(&path, &[("mu", narrow(&[2], &[0.0; 2])), ("sigma", narrow(&[2, 2], &sigma))]);
        let moments = read(&path).unwrap().moments;
        let distance = flow_eval::frechet_between(&moments, &moments).unwrap().value;
        assert!(distance.abs() < 1e-6, "{distance}");
    }

    #[test]
    fn arrays_larger_than_their_sizes_say_are_refused_before_they_fill_the_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb.npz");
        let refused = |mu: Vec<u8>, sigma: Vec<u8>| {
            archive(&path, &[("mu", mu), ("sigma", sigma)]);
            assert!(std::fs::metadata(&path).unwrap().len() < 1 << 20);
            sentence(&read(&path).unwrap_err())
        };
        let zeros = |count: usize| npy::write("<f8", &[count], &vec![0; 8 * count]);
        // Eight megabytes and more that unpack from a few kilobytes.
        assert!(refused(zeros(1 << 20), zeros(4)).contains("more than 1048576 bytes"));
        assert!(refused(zeros(2), zeros(1 << 20)).contains("more than 1048608 bytes"));
        assert!(refused(zeros(100_000), zeros(4)).contains("mu is too long"));
        assert!(refused(zeros(2), zeros(4)).contains("sigma is not 2 by 2"));
        // A head that claims four gigabytes.
        let head = b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}".to_vec();
        assert!(refused(head, Vec::new()).contains("ends in its head"));
    }
}
