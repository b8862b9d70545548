//! Names of files of samples.

use std::path::Path;

use flow_model::SampleChanges;
use sha2::{Digest, Sha256};

use crate::error::RunError;
use crate::request::{DEFAULT_BATCH, Request};
use crate::run::Run;

/// Longest name of a file that every system takes, with room for `.labels.npy`.
const LONGEST: usize = 200;

impl Request {
    /// A name that says how samples of a run are made, so that those made in another way do not
    /// take their place: `given` is what the model was told, `guide` what guidance moves away from.
    ///
    /// What does not fit into a name, such as the place of a guide or a long list of times, is told
    /// apart by the beginning of its SHA-256.
    ///
    /// # Errors
    /// When the folder of the guide or of the run is not there.
    pub fn file_name(
        &self,
        given: Option<&str>,
        guide: Option<&Path>,
        run: &Run,
    ) -> Result<String, RunError> {
        let mut parts = vec![format!("seed{}-n{}", self.seed, self.n)];
        if let Some(given) = given {
            parts.push(format!("-given-{}", digest(given)));
        }
        if let Some(class) = self.class {
            parts.push(format!("-class{class}"));
        }
        if let Some([length]) = self.given.lengths.as_deref() {
            parts.push(format!("-length{length}"));
        }
        parts.push(format!("-{}", self.name()));
        if self.adapts() && self.batch != DEFAULT_BATCH {
            parts.push(format!("-batch{}", self.batch));
        }
        if let Some(guide) = guide {
            let (guide, run) = (whole(guide)?, whole(&run.folder)?);
            let last = guide.file_name().unwrap_or_default().to_string_lossy();
            parts.push(format!("-away-from-{last}"));
            if guide.parent() != run.parent() || !last.chars().all(is_plain) {
                parts.push(format!("-{}", digest(&guide.to_string_lossy())));
            }
        }
        Ok(short(&parts.concat()))
    }
}

/// The whole name of a folder.
fn whole(folder: &Path) -> Result<std::path::PathBuf, RunError> {
    folder.canonicalize().map_err(RunError::io(format!("cannot open {}", folder.display())))
}

/// Name of the file for draws given an observation as it was typed, drawn with these changes of the
/// solver.
#[must_use]
pub fn posterior_name(observed: &str, changes: &SampleChanges, seed: u64, number: usize) -> String {
    let asked = digest(&format!("{observed} {changes:?}"));
    format!("posterior-{asked}-seed{seed}-n{number}.csv")
}

/// A name of plain letters that is not too long.
fn short(name: &str) -> String {
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    if plain.len() <= LONGEST {
        return plain;
    }
    format!("{}-{}", &plain[..LONGEST], digest(name))
}

/// Whether a letter may stand in the name of a file on every system.
fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_.=".contains(letter)
}

/// The first eight hexadecimal digits of the SHA-256 of a text.
fn digest(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))[..8].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_short_and_long_ones_are_told_apart() {
        assert_eq!(short("seed0-n64-dopri5"), "seed0-n64-dopri5");
        assert_eq!(short("a,b c/d"), "a-b-c-d");
        let [one, other] = ["1", "2"].map(|end| short(&("t".repeat(300) + end)));
        assert_eq!((one.len(), other.len()), (LONGEST + 9, LONGEST + 9));
        assert_ne!(one, other);
        // FIPS 180-4: SHA-256 of "abc" begins so.
        assert_eq!(digest("abc"), "ba7816bf");
    }
}
