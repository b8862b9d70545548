//! Each source file says what it is, promises carry an issue number, no debugging is left over.

use std::path::Path;

use super::tree::Tree;

// Both are spelled apart, so that this file passes its own rules.
const PROMISE: &str = concat!("TO", "DO");
const DEBUG_PRINT: &str = concat!("dbg", "!(");

/// What begins a comment, by the extension of the file.
const COMMENTS: &[(&str, &str)] =
    &[("rs", "//"), ("toml", "#"), ("yml", "#"), ("yaml", "#"), ("py", "#"), ("sh", "#")];

/// A sentence for each file or line that breaks a rule.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn violations(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for (extension, comment) in COMMENTS {
        for file in tree.with_extension(extension) {
            let text = tree.read(file)?;
            if *extension == "rs" {
                violations.extend(header(file, &text));
                violations.extend(debug_prints(file, &text));
            }
            violations.extend(promises(file, &text, comment));
        }
    }
    Ok(violations)
}

fn header(file: &Path, text: &str) -> Option<String> {
    let is_build_script = file.file_name().is_some_and(|name| name == "build.rs");
    (!is_build_script && !begins_with_doc(text)).then(|| {
        format!("{} does not begin with `//!`: say in one line what it holds", file.display())
    })
}

/// Whether the first line that is neither blank nor part of a `#![...]` is a `//!`.
fn begins_with_doc(text: &str) -> bool {
    let mut rest = text.trim_start();
    while rest.starts_with("#![") {
        let mut depth = 0_usize;
        let end = rest.find(|c| {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            c == ']' && depth == 0
        });
        rest = end.map_or("", |end| rest[end + 1..].trim_start());
    }
    rest.starts_with("//!")
}

fn debug_prints(file: &Path, text: &str) -> Vec<String> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| {
        let code = line.split("//").next().unwrap_or_default();
        code.contains(DEBUG_PRINT)
    });
    lines
        .map(|(number, _)| {
            format!("{}:{number} prints a value for debugging: remove it", file.display())
        })
        .collect()
}

fn promises(file: &Path, text: &str, comment: &str) -> Vec<String> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| {
        let remark = line.split_once(comment).map_or("", |(_, remark)| remark);
        remark.split_once(PROMISE).is_some_and(|(_, after)| !names_issue(after))
    });
    lines
        .map(|(number, _)| {
            format!(
                "{}:{number} has a {PROMISE} without an issue: write {PROMISE}(#12), or do it now",
                file.display()
            )
        })
        .collect()
}

/// Whether the text goes on with `(#12` or ` #12`.
fn names_issue(after: &str) -> bool {
    let issue = after.trim_start_matches(['(', ' ', ':']).strip_prefix('#');
    issue.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations_of(name: &str, text: &str) -> Vec<String> {
        let (tree, _folder) = Tree::of_files(&[(name, text)]);
        violations(&tree).unwrap()
    }

    #[test]
    fn a_file_without_a_header_is_named() {
        let violations = violations_of("src/a.rs", "use std::fs;\n//! Late.\n");
        assert!(violations[0].starts_with("src/a.rs does not begin"), "{violations:?}");
        assert_eq!(violations_of("src/empty.rs", "").len(), 1);
    }

    #[test]
    fn inner_attributes_may_come_before_the_header() {
        let text = "#![allow(\n    dead_code,\n    reason = \"a[0]\"\n)]\n#![no_std]\n\n//! Doc.\n";
        assert_eq!(violations_of("src/a.rs", text), [""; 0]);
        assert_eq!(violations_of("build.rs", "fn main() {}\n"), [""; 0]);
    }

    #[test]
    fn left_over_debugging_is_found_at_its_line() {
        let text = format!("//! Doc.\nfn f() {{ {DEBUG_PRINT}1); }} // {DEBUG_PRINT}2)\n");
        let violations = violations_of("src/a.rs", &text);
        assert_eq!(violations.len(), 1);
        assert!(violations[0].starts_with("src/a.rs:2 "), "{violations:?}");
        let comment = format!("//! Doc.\n// {DEBUG_PRINT}2)\n");
        assert_eq!(violations_of("src/a.rs", &comment), [""; 0]);
    }

    #[test]
    fn a_promise_needs_an_issue_number() {
        for (name, comment) in [("src/a.rs", "//"), ("a.toml", "#"), ("a.py", "#")] {
            let doc = "//! Doc.\n";
            let bad = format!("{doc}x {comment} {PROMISE}: later\n");
            assert!(violations_of(name, &bad)[0].starts_with(&format!("{name}:2 ")), "{name}");
            let good = format!("{doc}{comment} {PROMISE}(#12): later\n{comment} {PROMISE} #3\n");
            assert_eq!(violations_of(name, &good), [""; 0]);
        }
    }
}
