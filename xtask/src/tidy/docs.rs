//! What the docs name exists: files, folders, commands, tests.

use std::path::Path;

use super::markdown::{Part, Span, spans};
use super::tree::Tree;

/// The verbs that the docs may name.
pub(crate) struct Verbs {
    pub(crate) xtask: Vec<String>,
    pub(crate) flow: Vec<String>,
}

/// What a run or a build writes, so no clone has it.
const WRITTEN: &[&str] = &["runs", "target", "checkpoints", "samples", "plots"];

/// Extensions that make a word with a slash the name of a file.
const EXTENSIONS: &[&str] = &[
    "csv", "gif", "gz", "html", "json", "jsonl", "lock", "md", "npy", "png", "py", "rs", "sh",
    "svg", "toml", "txt", "yaml", "yml",
];

const SHELLS: &[&str] = &["sh", "bash", "shell", "console"];

/// A sentence for each name that leads nowhere. A change log and kept measurements speak of the
/// past and are left alone.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn violations(tree: &Tree, verbs: &Verbs) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for file in tree.with_extension("md") {
        if file.ends_with("CHANGELOG.md") || file.starts_with("benches/runs") {
            continue;
        }
        let text = tree.read(file)?;
        for Span { line, part } in spans(&text) {
            let complaints: Vec<_> = match part {
                Part::Link(target) => link(tree, file, target).into_iter().collect(),
                Part::Code(code) => {
                    let test = test(tree, code)?;
                    let names = path(tree, file, code).into_iter().chain(test);
                    names.chain(commands(code, true, verbs)).collect()
                }
                Part::Block { language, text } => commands(text, SHELLS.contains(&language), verbs),
            };
            let place = format!("{}:{line}", file.display());
            violations.extend(complaints.iter().map(|complaint| format!("{place} {complaint}")));
        }
    }
    Ok(violations)
}

fn link(tree: &Tree, file: &Path, target: &str) -> Option<String> {
    let path = target.split(['#', '?']).next().unwrap_or_default();
    let is_elsewhere = path.is_empty() || path.contains(':');
    // As GitHub reads it: from the file's folder, or from the root after a slash.
    let from = if path.starts_with('/') { Path::new("") } else { parent(file) };
    let leads = is_elsewhere || tree.has(from, path.trim_start_matches('/'));
    (!leads).then(|| format!("links to `{path}`, which does not exist: correct or remove the link"))
}

fn path(tree: &Tree, file: &Path, code: &str) -> Option<String> {
    // From any folder above the file: its own, its crate's, the root.
    let exists = file.ancestors().skip(1).any(|from| tree.has(from, code));
    (is_path(code) && !exists).then(|| {
        format!(
            "names `{code}`, which does not exist: write its path from the root of the repository"
        )
    })
}

/// A complaint about `PATH.rs::NAME` without such a file, from the root, or such a function in it.
fn test(tree: &Tree, code: &str) -> anyhow::Result<Option<String>> {
    let Some((file, name)) = code.split_once("::") else { return Ok(None) };
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_rust = Path::new(file).extension().is_some_and(|extension| extension == "rs");
    if !(file.contains('/') && is_rust && is_name) {
        return Ok(None);
    }
    if !tree.has(Path::new(""), file) {
        return Ok(Some(format!(
            "names `{file}`, which does not exist: write its path from the root of the repository"
        )));
    }
    let has = tree.read(Path::new(file))?.contains(&format!("fn {name}("));
    Ok((!has)
        .then(|| format!("names `{name}`, which is no function of `{file}`: correct the name")))
}

/// Whether the code is the path of a file of the repository, and not a placeholder, an address, a
/// pattern or the path of something that is written later.
fn is_path(code: &str) -> bool {
    let first = code.trim_start_matches("./").split('/').next().unwrap_or_default();
    let is_plain = code.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    let is_placeholder = first.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let extension = Path::new(code).extension().and_then(|extension| extension.to_str());
    let is_file = extension.is_some_and(|extension| EXTENSIONS.contains(&extension));
    code.contains('/')
        && is_plain
        && !is_placeholder
        && !WRITTEN.contains(&first)
        && (is_file || code.ends_with('/'))
}

/// Complaints about `cargo xtask VERB` anywhere in a line of code, and about `flow VERB` where a
/// shell would take `flow` for a command.
fn commands(code: &str, is_shell: bool, verbs: &Verbs) -> Vec<String> {
    let code = code.split(" #").next().unwrap_or_default();
    let words: Vec<_> = code.split_whitespace().collect();
    let mut complaints = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let (command, known, argument) = match (*word, words.get(i + 1)) {
            ("cargo", Some(&"xtask")) => ("cargo xtask", &verbs.xtask, words.get(i + 2)),
            ("flow", argument) if is_shell && begins_command(&words[..i]) => {
                ("flow", &verbs.flow, argument)
            }
            _ => continue,
        };
        let Some(verb) = argument.and_then(|argument| leading_verb(argument)) else { continue };
        if verb != "help" && known.iter().all(|name| name != verb) {
            complaints.push(format!(
                "names `{command} {verb}`, but there is no such verb: give one of {}",
                known.join(", ")
            ));
        }
    }
    complaints
}

/// Whether the words before are a prompt, variables, or a command that has ended.
fn begins_command(before: &[&str]) -> bool {
    before.last().is_none_or(|last| {
        matches!(*last, "$" | "&&" | "||" | ";" | "|" | "time") || last.contains('=')
    })
}

/// `train` of `train`, `train|sample` and `train,`; nothing of `VERB`, `--help` and `<verb>`.
fn leading_verb(word: &str) -> Option<&str> {
    let end = word.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(word.len());
    let verb = &word[..end];
    verb.starts_with(|c: char| c.is_ascii_lowercase()).then_some(verb)
}

fn parent(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations_of(file: &str, text: &str) -> Vec<String> {
        let verbs = Verbs { xtask: vec!["train".into(), "ci".into()], flow: vec!["train".into()] };
        let files = [(file, text), ("crates/flow-ode/src/lib.rs", ""), ("docs/adr/0001-a.md", "")];
        let (tree, _folder) = Tree::of_files(&files);
        violations(&tree, &verbs).unwrap()
    }

    #[test]
    fn names_that_exist_pass() {
        let readme = "\
[a](docs/adr/0001-a.md#why), [b](/docs/adr/), [c](https://a.b/c.md), [d](#top)
`crates/flow-ode/src/lib.rs`, `docs/adr/`, `cargo xtask train|ci`, `cargo xtask help`
`flow train`, `cargo xtask VERB`, `cargo xtask --help`
```sh
FLOW_DATA=/data cargo xtask ci && flow train  # then flow along
```";
        assert_eq!(violations_of("README.md", readme), [""; 0]);
        let relative = "`src/lib.rs`, [decisions](../../docs/adr/)";
        assert_eq!(violations_of("crates/flow-ode/README.md", relative), [""; 0]);
        assert_eq!(violations_of("crates/flow-ode/notes/a.md", "`src/lib.rs`"), [""; 0]);
    }

    #[test]
    fn placeholders_patterns_and_outputs_are_no_paths() {
        for code in [
            "RUN/eval.json",
            "runs/0001-digits/",
            "crates/*/README.md",
            "and/or",
            "/etc/x.toml",
            "a.rs",
        ] {
            assert_eq!(violations_of("README.md", &format!("`{code}`")), [""; 0], "{code}");
        }
    }

    #[test]
    fn a_link_to_nothing_is_named_with_its_line() {
        let violations = violations_of("docs/theory.md", "a\n[b](adr/0002-b.md)");
        assert!(
            violations[0].starts_with("docs/theory.md:2 links to `adr/0002-b.md`"),
            "{violations:?}"
        );
        // From the file's folder, not from the root.
        assert_eq!(violations_of("docs/theory.md", "[b](docs/adr/)").len(), 1);
    }

    #[test]
    fn a_path_of_nothing_is_named() {
        for code in ["crates/flow-ode/src/tableau.rs", "docs/results/", "./docs/none.md"] {
            let violations = violations_of("README.md", &format!("`{code}`"));
            assert!(violations[0].starts_with(&format!("README.md:1 names `{code}`")), "{code}");
        }
    }

    #[test]
    fn a_test_that_is_not_there_is_named() {
        let of = |code: &str| {
            let verbs = Verbs { xtask: vec![], flow: vec![] };
            let page = format!("`{code}`");
            let files = [("docs/a.md", page.as_str()), ("crates/a/tests/b.rs", "fn it_holds() {}")];
            let (tree, _folder) = Tree::of_files(&files);
            violations(&tree, &verbs).unwrap().concat()
        };
        assert_eq!(of("crates/a/tests/b.rs::it_holds"), "");
        assert_eq!(of("flow_path::Exact"), "");
        assert!(of("crates/a/tests/b.rs::it").contains("names `it`, which is no function"));
        assert!(of("crates/a/tests/c.rs::it_holds").contains("`crates/a/tests/c.rs`"));
    }

    #[test]
    fn an_unknown_verb_is_named() {
        for (text, command) in [
            ("`cargo xtask fly digits`", "cargo xtask fly"),
            ("```text\n$ cargo xtask fly\n```", "cargo xtask fly"),
            ("`flow fly`", "flow fly"),
            ("```sh\ncd a && flow fly\n```", "flow fly"),
        ] {
            let violations = violations_of("README.md", text);
            assert!(
                violations[0].contains(&format!("names `{command}`")),
                "{text}: {violations:?}"
            );
        }
    }

    #[test]
    fn flow_is_a_command_only_in_a_shell() {
        let text = "```rust\nflow matching\n```\n```sh\necho flow matching\n```\nflow matching";
        assert_eq!(violations_of("README.md", text), [""; 0]);
    }

    #[test]
    fn the_change_log_speaks_of_the_past() {
        assert_eq!(violations_of("CHANGELOG.md", "[a](gone.md)"), [""; 0]);
    }
}
