//! Mean and covariance of reference features, in pytorch-fid's `.npz` files.

use std::fs::File;
use std::io::{Cursor, Read, Write as _};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flow_eval::Moments;
use npyz::{NpyFile, WriterBuilder};
use zip::write::FileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::files;

/// Number of images where the file does not say it, as pytorch-fid's do not.
const UNKNOWN: usize = 1 << 40;

/// Reads `mu` and `sigma`.
pub(crate) fn read(path: &Path) -> Result<Moments> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let moments = || {
        let mut archive = ZipArchive::new(file)?;
        let mean = array(&mut archive, "mu")?;
        let covariance = array(&mut archive, "sigma")?;
        ensure!(covariance.len() == mean.len().pow(2), "sigma is not square");
        let n = array(&mut archive, "n").ok().and_then(|n| n.first().copied());
        Ok(Moments::from_parts(n.map_or(UNKNOWN, |n| n as usize), &mean, &covariance)?)
    };
    moments().with_context(|| {
        format!("{} holds no mu and sigma as pytorch-fid writes them", path.display())
    })
}

/// An array of any floating-point type.
fn array(archive: &mut ZipArchive<File>, name: &str) -> Result<Vec<f64>> {
    let mut bytes = Vec::new();
    archive.by_name(&format!("{name}.npy"))?.read_to_end(&mut bytes)?;
    let wide = NpyFile::new(bytes.as_slice())?.into_vec::<f64>();
    if let Ok(values) = wide {
        return Ok(values);
    }
    let narrow = NpyFile::new(bytes.as_slice())?.into_vec::<f32>()?;
    Ok(narrow.into_iter().map(f64::from).collect())
}

/// Writes `mu`, `sigma` and, for us, the number of images `n`.
pub(crate) fn write(path: &Path, moments: &Moments) -> Result<()> {
    let dim = moments.dim() as u64;
    let arrays = [
        ("mu", vec![dim], moments.mean().to_vec()),
        ("sigma", vec![dim, dim], moments.covariance()?),
        ("n", vec![1], vec![moments.n() as f64]),
    ];
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, shape, values) in arrays {
        let mut bytes = Vec::new();
        let mut npy = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&shape)
            .writer(&mut bytes)
            .begin_nd()?;
        npy.extend(values)?;
        npy.finish()?;
        archive.start_file(format!("{name}.npy"), FileOptions::default())?;
        archive.write_all(&bytes)?;
    }
    let bytes = archive.finish()?.into_inner();
    files::write(path, |out| out.write_all(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_numpy_are_read() {
        // numpy.savez_compressed(..., mu = [1, 2], sigma = [[2, 0.5], [0.5, 1]]), by weights.py.
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/statistics.npz");
        let moments = read(&path).unwrap();
        assert_eq!(moments.mean(), [1.0, 2.0]);
        for (a, b) in moments.covariance().unwrap().iter().zip([2.0, 0.5, 0.5, 1.0]) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn statistics_survive_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("statistics.npz");
        let moments = Moments::from_parts(12, &[0.5, -1.0], &[2.0, 0.25, 0.25, 1.0]).unwrap();
        write(&path, &moments).unwrap();
        assert_eq!(read(&path).unwrap(), moments);
        std::fs::write(&path, "no archive").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("mu and sigma"));
    }
}
