//! No large file: a clone stays quick, and data come from where they are published.

use anyhow::Context;

use super::tree::Tree;

const LIMIT_BYTES: u64 = 1_000_000;

/// A sentence for each file above the limit.
///
/// # Errors
/// If a file's size cannot be read.
pub(crate) fn violations(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for file in tree.files() {
        let path = tree.locate(file);
        let bytes = path
            .metadata()
            .with_context(|| format!("cannot read the size of {}", path.display()))?
            .len();
        if bytes > LIMIT_BYTES {
            violations.push(format!(
                "{} has {bytes} bytes and {LIMIT_BYTES} are allowed: shrink it, or fetch it when \
                 it is needed, as datasets/manifest.toml does",
                file.display()
            ));
        }
    }
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_above_the_limit_is_named_with_its_size() {
        let large = "x".repeat(1_000_001);
        let (tree, _folder) = Tree::of_files(&[("a.bin", &large), ("b.bin", &large[1..])]);
        let violations = violations(&tree).unwrap();
        assert_eq!(violations.len(), 1);
        assert!(violations[0].starts_with("a.bin has 1000001 bytes"), "{violations:?}");
    }
}
