//! The commands of the book run as they stand in its pages, at small size, or the page says why
//! not.
//!
//! Each block of ```` ```sh ```` in a page of `docs/SUMMARY.md` is run in a folder of the page's
//! own, which has the folders of a clone, one block after the other. A comment on the line before
//! a block changes that:
//!
//! | comment | meaning |
//! |---|---|
//! | `<!-- test: WORDS -->` | run with these words behind every `train`, to make it small |
//! | `<!-- file: NAME -->` | the block, of whatever language, is saved as this file |
//! | `<!-- long: TIME -->` | not run, because it takes that long |
//! | `<!-- not run: WHY -->` | not run, because it needs what a test does not have |
//!
//! Commands that build, such as `cargo xtask test`, are left out: this is one of them.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stdout, reason = "it says what is left out")]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use common::Scene;

/// The first words of commands that build something first.
const BUILDS: &[&str] = &[
    "cargo bench",
    "cargo build",
    "cargo install",
    "cargo run",
    "cargo test",
    "cargo xtask bench",
    "cargo xtask bits",
    "cargo xtask ci",
    "cargo xtask docs",
    "cargo xtask gallery",
    "cargo xtask help",
    "cargo xtask reproduce",
    "cargo xtask test",
    "cargo xtask tidy",
    "cargo xtask torture",
    "cargo xtask web",
];

/// A fenced block of a page.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// Of its fence, from 1.
    line: usize,
    language: String,
    /// What the comment on the line before says.
    note: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut note, mut open) = (String::new(), None::<Block>);
    for (number, line) in (1..).zip(page.lines()) {
        if let Some(mut block) = open.take() {
            if line.trim_start().starts_with("```") {
                blocks.push(block);
            } else {
                block.text += line;
                block.text += "\n";
                open = Some(block);
            }
        } else if let Some(language) = line.trim_start().strip_prefix("```") {
            let (language, note) = (language.trim().to_owned(), std::mem::take(&mut note));
            open = Some(Block { line: number, language, note, text: String::new() });
        } else {
            let comment = line.strip_prefix("<!--").and_then(|line| line.strip_suffix("-->"));
            note = comment.map(|words| words.trim().to_owned()).unwrap_or_default();
        }
    }
    blocks
}

/// What is done with a block.
#[derive(Debug, PartialEq, Eq)]
enum Action {
    Run(String),
    Save(String),
    Nothing,
}

impl Block {
    fn action(&self) -> Action {
        let (kind, words) = self.note.split_once(':').unwrap_or((&self.note, ""));
        match (kind, words.trim(), self.language.as_str()) {
            ("file", name, _) => Action::Save(name.to_owned()),
            ("long" | "not run", why, _) if !why.is_empty() => Action::Nothing,
            (_, _, language) if language != "sh" => Action::Nothing,
            ("test", words, _) => Action::Run(script(&self.text, words)),
            ("", _, _) => Action::Run(script(&self.text, "")),
            _ => panic!("line {}: the comment `{}` says nothing known", self.line, self.note),
        }
    }
}

/// The commands of a block, without those that build, and with `small` behind each `train`.
fn script(text: &str, small: &str) -> String {
    let mut script = String::new();
    for line in text.replace("\\\n", " ").lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        let builds = BUILDS.iter().any(|words| {
            line.strip_prefix(words).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        if builds || line.is_empty() || line.starts_with('#') {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let trains = matches!(words[..], ["flow", "train", ..] | ["cargo", "xtask", "train", ..]);
        let fixed = ["--resume", "--dry-run"].iter().any(|word| words.contains(word));
        script += line;
        if trains && !fixed && !small.is_empty() {
            script += " ";
            script += small;
        }
        script += "\n";
    }
    script
}

/// The repository that this file lies in.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Pages of the table of contents, but those that commands have written about past runs.
fn pages() -> Vec<PathBuf> {
    let table = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let links = table.lines().filter_map(|line| line.split_once("](")?.1.strip_suffix(')'));
    let paths = links.map(|link| root().join("docs").join(link).canonicalize().unwrap());
    let written = |page: &Path| fs::read_to_string(page).unwrap().contains("xtask reproduce");
    let results = root().join("docs/results");
    paths.filter(|page| !(page.starts_with(&results) && written(page))).collect()
}

/// A folder that looks like a clone, with `flow` and `cargo xtask` that are the tested binary.
fn clone() -> Scene {
    let scene = Scene::new();
    for folder in ["docs", "crates", "examples"] {
        symlink(root().join(folder), scene.path(folder)).unwrap();
    }
    fs::create_dir(scene.path("bin")).unwrap();
    let flow = env!("CARGO_BIN_EXE_flow");
    symlink(flow, scene.path("bin/flow")).unwrap();
    let cargo = scene.path("bin/cargo");
    fs::write(&cargo, "#!/bin/sh\n[ \"$1\" = xtask ] || exit 9\nshift\nexec flow \"$@\"\n")
        .unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    scene
}

fn has_python() -> bool {
    Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Does what the page says, and gives a sentence about the first command that fails.
fn follow(page: &Path) -> Result<(), String> {
    let name = page.strip_prefix(root()).unwrap_or(page).display().to_string();
    let blocks = blocks(&fs::read_to_string(page).unwrap());
    let scene = clone();
    let path = format!("{}:{}", scene.path("bin").display(), std::env::var("PATH").unwrap());
    for block in blocks {
        match block.action() {
            Action::Nothing => {}
            Action::Save(name) => scene.write(&name, &block.text),
            Action::Run(script) if script.contains("python3") && !has_python() => {
                println!("{name}:{}: the rest is not run, for there is no python3", block.line);
                return Ok(());
            }
            Action::Run(script) => {
                let mut shell = Command::new("sh");
                scene.prepare(shell.args(["-eux", "-c", &script]).env("PATH", &path));
                let output = shell.output().unwrap();
                if !output.status.success() {
                    let said = String::from_utf8_lossy(&output.stderr);
                    return Err(format!("{name}:{}: {}\n{said}", block.line, output.status));
                }
            }
        }
    }
    Ok(())
}

#[test]
fn every_command_of_the_book_runs_or_says_why_not() {
    let pages = Mutex::new(pages().into_iter());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let next = pages.lock().unwrap().next();
                    let Some(page) = next else { break };
                    if let Err(failure) = follow(&page) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_page_is_read_as_it_is_written() {
    let page = "\
Save it:

<!-- file: a.py -->
```python
print(1)
```

<!-- test: --set train.images=1 -->
```sh
cargo xtask train digits \\
  --out run   # minutes
flow sample run && cargo xtask ci
cargo xtask ci
```

<!-- long: 3 minutes -->
```sh
flow train mnist
```

```text
flow fly
```
";
    let actions: Vec<Action> = blocks(page).iter().map(Block::action).collect();
    let run = "cargo xtask train digits    --out run --set train.images=1\n\
               flow sample run && cargo xtask ci\n";
    let expected =
        [Action::Save("a.py".into()), Action::Run(run.into()), Action::Nothing, Action::Nothing];
    assert_eq!(actions, expected);
}

#[test]
#[should_panic(expected = "says nothing known")]
fn a_comment_that_is_misspelled_is_refused() {
    for block in blocks("<!-- lon: 3 minutes -->\n```sh\nflow train mnist\n```\n") {
        block.action();
    }
}

#[test]
fn a_command_that_fails_is_named_with_its_line() {
    let scene = Scene::new();
    scene.write("page.md", "# A\n\n```sh\nflow sample nowhere\n```\n");
    let failure = follow(&scene.path("page.md")).unwrap_err();
    assert!(failure.contains("page.md:3") && failure.contains("nowhere"), "{failure}");
}
