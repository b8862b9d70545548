//! Each crate that can be published carries the licence files, which its package must contain.

use std::path::Path;

use anyhow::Context;
use toml::{Table, Value};

use super::tree::Tree;

const FILES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];

/// A sentence for each licence file that a publishable crate lacks.
///
/// # Errors
/// If a manifest cannot be read.
pub(crate) fn violations(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for manifest in tree.files().iter().filter(|file| file.ends_with("Cargo.toml")) {
        let text: Table = (tree.read(manifest)?.parse())
            .with_context(|| format!("cannot read {}", manifest.display()))?;
        let folder = manifest.parent().unwrap_or(Path::new(""));
        for file in FILES.iter().filter(|file| is_published(&text) && !tree.has(folder, file)) {
            violations.push(format!(
                "{}: {file} is missing, and a package must contain it: link it to the one of the \
                 repository, or set `publish = false`",
                folder.display()
            ));
        }
    }
    Ok(violations)
}

/// Whether a manifest is of a package that may be published.
fn is_published(manifest: &Table) -> bool {
    let package = manifest.get("package");
    package.is_some_and(|package| package.get("publish").and_then(Value::as_bool) != Some(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations_of(files: &[(&str, &str)]) -> Vec<String> {
        let (tree, _folder) = Tree::of_files(files);
        violations(&tree).unwrap()
    }

    #[test]
    fn a_missing_file_of_a_publishable_crate_is_named() {
        let manifest = ("a/Cargo.toml", "[package]\nname = \"a\"\n");
        let [apache, mit] = [("a/LICENSE-APACHE", ""), ("a/LICENSE-MIT", "")];
        assert_eq!(violations_of(&[manifest, apache, mit]), [""; 0]);
        let violations = violations_of(&[manifest, apache]);
        assert_eq!(violations.len(), 1, "{violations:?}");
        assert!(violations[0].starts_with("a: LICENSE-MIT is missing"), "{violations:?}");
    }

    #[test]
    fn what_is_not_published_needs_none() {
        for manifest in ["[workspace]\n", "[package]\nname = \"a\"\npublish = false\n"] {
            assert_eq!(violations_of(&[("a/Cargo.toml", manifest)]), [""; 0]);
        }
    }
}
