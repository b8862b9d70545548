//! The binary stays small: it parses, calls and prints, and what it would do beyond that belongs in
//! a library, where any program has it.

use super::tree::Tree;

const SOURCES: &str = "crates/flow-cli/src";

/// Lines of all files together, comments and empty lines included.
const LIMIT_LINES: usize = 2_000;

/// A sentence if the binary has more lines.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn violations(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut lines = 0;
    for file in tree.with_extension("rs").filter(|file| file.starts_with(SOURCES)) {
        lines += tree.read(file)?.lines().count();
    }
    Ok(if lines > LIMIT_LINES {
        vec![format!(
            "{SOURCES} has {lines} lines and {LIMIT_LINES} are allowed: move what does more than \
             parse, call and print into the library where it belongs"
        )]
    } else {
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_all_files_of_the_binary_are_counted_together() {
        let half = "// one\n".repeat(1_000);
        let more = format!("{half}\n");
        let lines_of = |second: &str| {
            let (tree, _folder) = Tree::of_files(&[
                ("crates/flow-cli/src/lib.rs", &half),
                ("crates/flow-cli/src/commands/a.rs", second),
                ("crates/flow-cli/tests/a.rs", &more),
                ("crates/flow-run/src/lib.rs", &more),
            ]);
            violations(&tree).unwrap()
        };
        assert_eq!(lines_of(&half), [""; 0]);
        let [violation] = &lines_of(&more)[..] else { panic!("one violation") };
        assert!(violation.starts_with("crates/flow-cli/src has 2001 lines"), "{violation}");
    }
}
