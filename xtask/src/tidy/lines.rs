//! No long lines: what is read beside other windows, and compared line by line, fits in 100
//! columns.

use std::path::Path;

use super::tree::Tree;

const COLUMNS: usize = 100;

/// Pages that commands write, and a log of the past.
const WRITTEN: &[&str] = &["CHANGELOG.md", "docs/gallery.md", "docs/results", "benches/runs"];

/// A sentence for each file with long lines of words.
///
/// Code is left to rustfmt, which breaks all but literals. Tables, pictures, formulas and
/// code in Markdown have lines as long as they are.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn violations(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for (extension, lines) in [("rs", comments as fn(&str) -> Vec<usize>), ("md", words)] {
        for file in tree.with_extension(extension).filter(|file| !is_exempt(file)) {
            let lines = lines(&tree.read(file)?);
            if let Some(first) = lines.first() {
                violations.push(format!(
                    "{}:{first} is longer than {COLUMNS} columns, as are {} more lines of the \
                     file: break them",
                    file.display(),
                    lines.len() - 1
                ));
            }
        }
    }
    Ok(violations)
}

fn is_exempt(file: &Path) -> bool {
    WRITTEN.iter().any(|part| file.starts_with(part))
}

/// The long lines that are comments and no tables.
fn comments(text: &str) -> Vec<usize> {
    let is_comment = |line: &str| {
        let remark = line.trim_start().strip_prefix("//");
        remark
            .is_some_and(|remark| is_breakable(remark.trim_start_matches(['/', '!']).trim_start()))
    };
    long(text).filter(|(_, line)| is_comment(line)).map(|(number, _)| number).collect()
}

/// The long lines outside blocks of code.
fn words(text: &str) -> Vec<usize> {
    let mut in_code = false;
    let mut is_word = |line: &str| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence && is_breakable(line.trim_start())
    };
    let words: Vec<bool> = text.lines().map(&mut is_word).collect();
    long(text).map(|(number, _)| number).filter(|number| words[number - 1]).collect()
}

fn long(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| COLUMNS < line.chars().count())
}

/// Whether the line may be broken: it is no table, picture, formula or note to a program, and not
/// all one long word.
fn is_breakable(line: &str) -> bool {
    let is_code = line.matches('`').count() == 2 && line.starts_with('`') && line.ends_with('`');
    let is_whole = ["|", "![", "$$", "<!--"].iter().any(|start| line.starts_with(start));
    !is_whole && line.contains(' ') && !is_code
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations_of(name: &str, text: &str) -> Vec<String> {
        let (tree, _folder) = Tree::of_files(&[(name, text)]);
        violations(&tree).unwrap()
    }

    #[test]
    fn a_long_line_of_words_is_named_with_its_place() {
        let words = "word ".repeat(20);
        for (name, start) in [("a.rs", "    /// "), ("a.rs", "// "), ("a.md", "")] {
            assert_eq!(violations_of(name, words.trim_end()), [""; 0]);
            let text = format!("\n{start}{words}long\n");
            let violations = violations_of(name, &text);
            assert_eq!(violations.len(), 1, "{name}");
            assert!(violations[0].starts_with(&format!("{name}:2 is longer")), "{violations:?}");
        }
    }

    #[test]
    fn what_cannot_be_broken_and_what_a_command_writes_may_be_long() {
        let words = "word ".repeat(30);
        for (name, text) in [
            ("a.md", format!("| {words} |")),
            ("a.md", format!("```sh\n{words}\n```")),
            ("a.md", "x".repeat(200)),
            ("a.rs", format!("/// | {words} |")),
            ("a.rs", format!("let text = \"{words}\";")),
            ("docs/results/a.md", words),
        ] {
            assert_eq!(violations_of(name, &text), [""; 0], "{text}");
        }
    }
}
