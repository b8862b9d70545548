//! The files of the repository, as a fresh clone would have them.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Bound;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// Files that git tracks or would track: what is ignored, such as `target/`, is not there.
pub(crate) struct Tree {
    root: PathBuf,
    files: BTreeSet<PathBuf>,
}

impl Tree {
    /// Asks git.
    ///
    /// # Errors
    /// If git is missing or `root` is no clone.
    pub(crate) fn of(root: &Path) -> anyhow::Result<Self> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("cannot start `git`, which knows the files to check: install it")?;
        ensure!(
            output.status.success(),
            "`git ls-files` failed in {}: {}",
            root.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let names = String::from_utf8_lossy(&output.stdout);
        let files = names.split_terminator('\0').map(PathBuf::from);
        // The index also lists files that were deleted and not yet committed.
        let files = files.filter(|file| root.join(file).is_file()).collect();
        Ok(Self { root: root.to_owned(), files })
    }

    /// Paths from the root, sorted.
    pub(crate) fn files(&self) -> &BTreeSet<PathBuf> {
        &self.files
    }

    /// The files with this extension.
    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = &Path> {
        let files = self.files.iter().map(PathBuf::as_path);
        files.filter(move |file| file.extension().is_some_and(|e| e == extension))
    }

    /// Where a file lies on the disk.
    pub(crate) fn locate(&self, file: &Path) -> PathBuf {
        self.root.join(file)
    }

    /// The text of a file; bytes that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn read(&self, file: &Path) -> anyhow::Result<String> {
        let bytes = fs::read(self.locate(file))
            .with_context(|| format!("cannot read {}", file.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether `path`, seen from the folder `from`, is a file or a folder of the repository.
    pub(crate) fn has(&self, from: &Path, path: &str) -> bool {
        let Some(full) = resolve(from, path) else { return false };
        // Paths are ordered by component, so a folder's files follow its own name.
        let from_here = (Bound::Included(full.as_path()), Bound::Unbounded);
        let at_or_after = self.files.range::<Path, _>(from_here).next();
        at_or_after.is_some_and(|file| file.starts_with(&full))
    }

    /// A repository in a temporary folder, for the tests of the rules.
    #[cfg(test)]
    pub(crate) fn of_files(files: &[(&str, &str)]) -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let files = files.iter().map(|(name, _)| PathBuf::from(name)).collect();
        (Self { root: folder.path().to_owned(), files }, folder)
    }
}

/// `path`, seen from the folder `from`, as a path from the root; `None` where it leaves the
/// repository.
pub(crate) fn resolve(from: &Path, path: &str) -> Option<PathBuf> {
    let mut full = PathBuf::new();
    for component in from.join(path).components() {
        match component {
            Component::ParentDir => full.pop().then_some(())?,
            Component::Normal(name) => full.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_files_are_not_in_the_tree() {
        let (_, folder) =
            Tree::of_files(&[(".gitignore", "/target\n"), ("target/a", ""), ("src/b.rs", "")]);
        // A clone may be an unpacked archive on a machine without git.
        let Ok(status) = Command::new("git").args(["init", "-q"]).current_dir(&folder).status()
        else {
            return;
        };
        assert!(status.success());
        let tree = Tree::of(folder.path()).unwrap();
        let files: Vec<_> = tree.files().iter().map(|file| file.to_str().unwrap()).collect();
        assert_eq!(files, [".gitignore", "src/b.rs"]);
    }

    #[test]
    fn files_and_folders_are_found_from_a_folder_of_the_tree() {
        let (tree, _folder) = Tree::of_files(&[("docs/adr/0001-a.md", ""), ("src/lib.rs", "")]);
        let docs = Path::new("docs");
        for path in ["adr/0001-a.md", "adr", "adr/", "./adr/", "../src/lib.rs", ".."] {
            assert!(tree.has(docs, path), "{path}");
        }
        for path in ["adr/0001", "src/lib.rs", "../sr", "../../docs", "adr/0001-a.md/x"] {
            assert!(!tree.has(docs, path), "{path}");
        }
    }
}
