//! Quoted code: a block of Rust that names its file, as `let a = 1; // crates/a/src/b.rs`, quotes
//! lines that stand there.

use std::path::Path;

use crate::tidy::tree::Tree;

/// Where quoted code stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: String,
    /// Of its first line there, from 1.
    pub(crate) line: usize,
}

/// The place of a block that names a file; `None` if it names none.
///
/// # Errors
/// A sentence about a line that is not in the file.
pub(crate) fn place(tree: &Tree, code: &str) -> Result<Option<Place>, String> {
    let Some(file) = code.lines().find_map(|line| named(tree, line)) else { return Ok(None) };
    let Ok(text) = tree.read(Path::new(file)) else { return Ok(None) };
    let mut first = None;
    for line in code.lines() {
        let quoted = if named(tree, line).is_some() { before_remark(line) } else { line };
        let quoted = quoted.trim();
        if quoted.is_empty() || quoted.starts_with("//") {
            continue;
        }
        match find(&text, quoted) {
            Some(line) => first = first.or(Some(line)),
            None => {
                return Err(format!(
                    "quotes `{quoted}`, which is not in {file}: quote what stands there"
                ));
            }
        }
    }
    Ok(first.map(|line| Place { file: file.to_owned(), line }))
}

/// The file that the remark at the end of a line names.
fn named<'a>(tree: &Tree, line: &'a str) -> Option<&'a str> {
    let (_, remark) = line.rsplit_once("//")?;
    let file = remark.trim();
    (file.contains('/') && tree.files().contains(Path::new(file))).then_some(file)
}

fn before_remark(line: &str) -> &str {
    line.rsplit_once("//").map_or(line, |(code, _)| code)
}

/// The line in which the code begins, however both are broken into lines.
fn find(text: &str, code: &str) -> Option<usize> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let mut bare = String::new();
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for c in line.chars().filter(|c| !c.is_whitespace()) {
            bare.push(c);
            lines.resize(bare.len(), number);
        }
    }
    lines.get(bare.find(&code)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "//! A file.\nfn f() {\n    let a = g(\n        1,\n    );\n    a\n}\n";

    fn place_of(code: &str) -> Result<Option<Place>, String> {
        let (tree, _folder) = Tree::of_files(&[("crates/a/src/b.rs", SOURCE)]);
        place(&tree, code)
    }

    #[test]
    fn code_is_found_at_its_line_however_it_is_broken() {
        let place = place_of("let a = g( 1, );   // crates/a/src/b.rs\na\n").unwrap().unwrap();
        assert_eq!((place.file.as_str(), place.line), ("crates/a/src/b.rs", 3));
        let place = place_of("// crates/a/src/b.rs\nfn f() {").unwrap().unwrap();
        assert_eq!(place.line, 2);
    }

    #[test]
    fn code_that_names_no_file_is_nobodys() {
        assert_eq!(place_of("let b = 2; // see crates/a").unwrap(), None);
    }

    #[test]
    fn code_that_has_changed_is_named() {
        let error = place_of("let a = g(2); // crates/a/src/b.rs").unwrap_err();
        assert!(error.contains("`let a = g(2);`, which is not in crates/a/src/b.rs"), "{error}");
    }
}
