//! Addresses, lengths and checksums of the published files, as data in `manifest.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// A set that is published as a few files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoteSet {
    /// Addresses of folders that hold the files, in order of preference.
    pub(crate) mirrors: Vec<String>,
    pub(crate) files: Vec<RemoteFile>,
}

/// A published file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoteFile {
    pub(crate) name: String,
    #[cfg_attr(not(feature = "download"), allow(dead_code, reason = "only a download counts"))]
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// SHA-256 of the same file without its gzip wrapper, for those who keep it unpacked.
    pub(crate) unpacked_sha256: Option<String>,
}

static MANIFEST: LazyLock<BTreeMap<String, RemoteSet>> = LazyLock::new(|| {
    toml::from_str(include_str!("../manifest.toml")).expect("the embedded manifest is well formed")
});

/// The published set of that name.
pub(crate) fn remote_set(name: &str) -> Option<&'static RemoteSet> {
    MANIFEST.get(name)
}

impl RemoteSet {
    /// The file of that name.
    ///
    /// # Panics
    /// If the set has no such file, which is a mistake of the loader.
    pub(crate) fn file(&self, name: &str) -> &RemoteFile {
        self.files
            .iter()
            .find(|file| file.name == name)
            .unwrap_or_else(|| panic!("manifest: expected a file named {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_length_a_sha256_and_a_mirror() {
        for (name, set) in &*MANIFEST {
            assert!(set.mirrors.iter().all(|mirror| mirror.ends_with('/')), "{name}");
            assert!(!set.mirrors.is_empty(), "{name}");
            for file in &set.files {
                let checksums = [Some(&file.sha256), file.unpacked_sha256.as_ref()];
                for sha256 in checksums.into_iter().flatten() {
                    assert_eq!(sha256.len(), 64, "{}", file.name);
                    assert!(sha256.bytes().all(|b| b"0123456789abcdef".contains(&b)));
                }
                assert!(file.bytes > 0, "{}", file.name);
            }
        }
    }
}
