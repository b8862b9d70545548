//! Where the files of the repository lie in the book.

use std::path::{Path, PathBuf};

use crate::tidy::tree::Tree;

/// Files that are copied as they are.
const COPIED: &[&str] = &["gif", "gz", "jpg", "jpeg", "npy", "npz", "pdf", "png", "svg", "webp"];

/// Where a file or folder of the repository lies in the book.
pub(crate) fn place(tree: &Tree, path: &Path) -> PathBuf {
    let is = |extensions: &[&str]| {
        path.extension().and_then(|e| e.to_str()).is_some_and(|e| extensions.contains(&e))
    };
    if !tree.files().contains(path) {
        path.join("index.html")
    } else if path.ends_with("README.md") {
        path.with_file_name("index.html")
    } else if is(&["md"]) {
        path.with_extension("html")
    } else if is(COPIED) {
        path.to_owned()
    } else {
        PathBuf::from(format!("{}.html", path.display()))
    }
}
