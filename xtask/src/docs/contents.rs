//! The table of contents: `docs/SUMMARY.md`, a list of links under headings.

use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use crate::tidy::tree::{Tree, resolve};

/// Where the table lies.
pub(crate) const FILE: &str = "docs/SUMMARY.md";

/// Pages in reading order, each under the last heading before it.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) entries: Vec<Entry>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) part: String,
    pub(crate) title: String,
    /// The page, from the root of the repository.
    pub(crate) page: PathBuf,
}

impl Contents {
    /// Reads the table. Complaints are of pages that do not exist, stand twice, or stand in `docs`
    /// and in no line.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub(crate) fn of(tree: &Tree) -> anyhow::Result<(Self, Vec<String>)> {
        let text = tree.read(Path::new(FILE))?;
        let contents = Self::parse(&text);
        let mut complaints = Vec::new();
        for (i, entry) in contents.entries.iter().enumerate() {
            let page = &entry.page;
            if !tree.files().contains(page) {
                let page = page.display();
                complaints.push(format!("{FILE} lists `{page}`, which does not exist: correct it"));
            }
            if contents.entries[..i].iter().any(|earlier| earlier.page == *page) {
                complaints.push(format!("{FILE} lists `{}` twice: keep one", page.display()));
            }
        }
        let is_listed = |file: &Path| contents.position(file).is_some();
        for file in tree.with_extension("md") {
            let is_page = file.parent() == Some(Path::new("docs")) && file != Path::new(FILE);
            if is_page && !is_listed(file) {
                complaints.push(format!("{} stands in no line of {FILE}: add it", file.display()));
            }
        }
        Ok((contents, complaints))
    }

    /// The place of a page.
    pub(crate) fn position(&self, page: &Path) -> Option<usize> {
        self.entries.iter().position(|entry| entry.page == page)
    }

    fn parse(text: &str) -> Self {
        let (mut part, mut words, mut page) = (String::new(), String::new(), None);
        let mut entries = Vec::new();
        for event in Parser::new(text) {
            match event {
                Event::Start(Tag::Heading { .. }) => words.clear(),
                Event::Start(Tag::Link { dest_url, .. }) => {
                    words.clear();
                    page = resolve(Path::new("docs"), &dest_url);
                }
                Event::Text(text) | Event::Code(text) => words.push_str(&text),
                Event::End(TagEnd::Heading(HeadingLevel::H2)) => part.clone_from(&words),
                Event::End(TagEnd::Link) => {
                    let title = std::mem::take(&mut words);
                    let page = page.take();
                    entries.extend(page.map(|page| Entry { part: part.clone(), title, page }));
                }
                _ => {}
            }
        }
        Self { entries }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_stand_in_order_under_their_parts() {
        let table = "# Contents\n- [Start](../README.md)\n\n## Theory\n\nWords.\n\n- [`T`](t.md)\n";
        let entries = Contents::parse(table).entries;
        let lines: Vec<_> = entries
            .iter()
            .map(|e| (e.part.as_str(), e.title.as_str(), e.page.to_str().unwrap()))
            .collect();
        assert_eq!(lines, [("", "Start", "README.md"), ("Theory", "T", "docs/t.md")]);
    }

    #[test]
    fn a_page_that_is_missing_twice_or_left_out_is_named() {
        let table = "- [a](a.md)\n- [a](a.md)\n- [b](b.md)";
        let files = [(FILE, table), ("docs/a.md", ""), ("docs/c.md", ""), ("docs/d/e.md", "")];
        let (tree, _folder) = Tree::of_files(&files);
        let complaints = Contents::of(&tree).unwrap().1.join("\n");
        for part in ["`docs/a.md` twice", "`docs/b.md`, which does not", "docs/c.md stands in no"] {
            assert!(complaints.contains(part), "{part} is not in {complaints}");
        }
        assert_eq!(complaints.lines().count(), 3, "{complaints}");
    }
}
