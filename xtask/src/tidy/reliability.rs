//! The tests that `docs/results/reliability.md` names exist: `FILE.rs::NAME`, or `::NAME` for one
//! more of the same file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::tree::Tree;

const PAGE: &str = "docs/results/reliability.md";

/// A sentence for each file or function that the page names and that does not exist.
///
/// A file is the end of a path, and a name that ends in dots is the beginning of one.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn violations(tree: &Tree) -> anyhow::Result<Vec<String>> {
    if !tree.has(Path::new(""), PAGE) {
        return Ok(Vec::new());
    }
    let mut sources = BTreeMap::new();
    for file in tree.with_extension("rs") {
        sources.insert(file.to_owned(), tree.read(file)?);
    }
    let mut violations = Vec::new();
    for (line, text) in (1..).zip(tree.read(Path::new(PAGE))?.lines()) {
        let mut file = "";
        for word in text.split(|c: char| c.is_whitespace() || ",;|()`".contains(c)) {
            let (before, name) = word.split_once("::").unwrap_or((word, ""));
            let is_file = Path::new(before).extension().is_some_and(|extension| extension == "rs");
            if is_file {
                file = before;
            }
            let names_test = is_file || (before.is_empty() && !name.is_empty() && !file.is_empty());
            if names_test && !is_there(&sources, file, name) {
                violations.push(format!(
                    "{PAGE}:{line} names `{file}::{name}`, which does not exist: name the test \
                     that is there now"
                ));
            }
        }
    }
    Ok(violations)
}

/// Whether a file whose path ends like this has a function of that name, if there is a name.
fn is_there(sources: &BTreeMap<PathBuf, String>, file: &str, name: &str) -> bool {
    let mut found = sources.iter().filter(|(path, _)| path.ends_with(file));
    let start = name.trim_end_matches('.');
    let function = format!("fn {start}{}", if start == name { "(" } else { "" });
    found.any(|(_, text)| name.is_empty() || text.contains(&function))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations_of(page: &str) -> Vec<String> {
        let test = ("crates/a/tests/b.rs", "fn one_holds() {}\nfn two_holds() {}");
        let (tree, _folder) = Tree::of_files(&[(PAGE, page), test]);
        violations(&tree).unwrap()
    }

    #[test]
    fn tests_that_exist_pass() {
        for held in ["a/tests/b.rs::one_holds, ::two_holds", "b.rs::one..; b.rs", "`std::io` alone"]
        {
            assert_eq!(violations_of(&format!("| fault | {held} | was |")), [""; 0], "{held}");
        }
    }

    #[test]
    fn a_file_or_a_test_that_is_gone_is_named() {
        for held in ["c.rs::one_holds", "b.rs::one", "b.rs::one_holds, ::three", "b.rs::three.."] {
            let violations = violations_of(&format!("\n| fault | {held} |"));
            assert_eq!(violations.len(), 1, "{held}: {violations:?}");
            assert!(violations[0].starts_with(&format!("{PAGE}:2 names `")), "{violations:?}");
        }
    }
}
