//! All files of the book: the pages of its table of contents, and whatever they link to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::contents::Contents;
use super::frame::{self, Frame};
use super::page::{self, Page};
use super::place::place;
use super::source;
use crate::tidy::tree::Tree;

/// The book, not yet written.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
    /// How many of them are pages of words.
    pub(crate) pages: usize,
    pub(crate) complaints: Vec<String>,
}

impl Site {
    /// The book of a repository.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn of(tree: &Tree) -> anyhow::Result<Self> {
        let (contents, mut complaints) = Contents::of(tree)?;
        let mut files = BTreeMap::new();
        let mut pages: BTreeMap<PathBuf, Page> = BTreeMap::new();
        let mut queue: VecDeque<PathBuf> =
            contents.entries.iter().map(|e| e.page.clone()).collect();
        let mut seen: BTreeSet<PathBuf> = queue.iter().cloned().collect();
        while let Some(path) = queue.pop_front() {
            let place = place(tree, &path);
            let bare = |html: &str| {
                let frame = Frame { contents: &contents, file: &path, place: &place };
                frame.page(&path.to_string_lossy(), html).into_bytes()
            };
            let is_file = tree.files().contains(&path);
            let readme = path.join("README.md");
            let mut linked = Vec::new();
            if tree.files().contains(&readme) {
                linked.push(readme);
            } else if !is_file {
                let (html, pages) = source::folder(tree, &path);
                linked = pages;
                files.insert(place.clone(), bare(&html));
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let page = page::render(tree, &path, &tree.read(&path)?);
                linked.extend(page.links.iter().map(|link| link.target.clone()));
                pages.insert(path, page);
            } else if place == path {
                let bytes = fs::read(tree.locate(&path));
                let bytes = bytes.with_context(|| format!("cannot read {}", path.display()))?;
                files.insert(path, bytes);
            } else {
                files.insert(place.clone(), bare(&source::file(&tree.read(&path)?)));
            }
            queue.extend(linked.into_iter().filter(|path| seen.insert(path.clone())));
        }
        complaints.extend(pages.values().flat_map(|page| page.complaints.iter().cloned()));
        complaints.extend(sections(&pages));
        for (path, page) in &pages {
            let place = place(tree, path);
            let frame = Frame { contents: &contents, file: path, place: &place };
            files.insert(place.clone(), frame.page(&page.title, &page.body).into_bytes());
        }
        for (name, text) in [frame::STYLE, frame::SCRIPT] {
            files.insert(name.into(), text.into());
        }
        // Whoever opens the folder starts with the first page.
        if !files.contains_key(Path::new("index.html"))
            && let Some(first) = contents.entries.first()
        {
            let first = frame::href(Path::new("index.html"), &place(tree, &first.page));
            files.insert("index.html".into(), frame::forward(&first).into());
        }
        Ok(Self { files, pages: pages.len(), complaints })
    }
}

/// A complaint about each link to a section that its page does not have.
fn sections(pages: &BTreeMap<PathBuf, Page>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (file, page) in pages {
        for link in &page.links {
            let target = pages.get(&link.target);
            let target = target.or_else(|| pages.get(&link.target.join("README.md")));
            let is_missing = target.is_some_and(|page| !page.ids.contains(&link.fragment));
            if is_missing && !link.fragment.is_empty() {
                complaints.push(format!(
                    "{}:{} links to `#{}` of {}, which has no such heading: correct the link",
                    file.display(),
                    link.line,
                    link.fragment,
                    link.target.display()
                ));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &str)]) -> Site {
        let (tree, _folder) = Tree::of_files(files);
        Site::of(&tree).unwrap()
    }

    #[test]
    fn what_pages_link_to_comes_along() {
        let site = site(&[
            ("docs/SUMMARY.md", "- [Start](../README.md)\n\n## More\n\n- [T](t.md)"),
            ("README.md", "# Hello\n[more](docs/results/) and [a](crates/a/)"),
            ("docs/t.md", "# T\n`crates/a/src/lib.rs` [up](../README.md#hello)"),
            ("docs/results/e1.md", "# E1\n![p](p.svg)"),
            ("docs/results/p.svg", "<svg/>"),
            ("crates/a/README.md", "# A"),
            ("crates/a/src/lib.rs", "//! A & B.\n"),
            ("crates/a/src/other.rs", ""),
        ]);
        assert_eq!(site.complaints, [""; 0]);
        let files: Vec<_> = site.files.keys().map(|path| path.to_str().unwrap()).collect();
        let expected = [
            "book.css",
            "book.js",
            "crates/a/index.html",
            "crates/a/src/lib.rs.html",
            "docs/results/e1.html",
            "docs/results/index.html",
            "docs/results/p.svg",
            "docs/t.html",
            "index.html",
        ];
        assert_eq!(files, expected);
        let text = |name: &str| String::from_utf8_lossy(&site.files[Path::new(name)]).into_owned();
        assert!(text("crates/a/src/lib.rs.html").contains("A &amp; B"));
        assert!(text("docs/t.html").contains("href=\"../index.html#hello\""));
        // The page before, and the part that it stands under.
        assert!(text("docs/t.html").contains("rel=\"prev\" href=\"../index.html\""));
        assert!(text("index.html").contains("More"));
    }

    #[test]
    fn a_section_that_is_not_there_is_named() {
        let complaints = site(&[
            ("docs/SUMMARY.md", "- [a](a.md)\n- [b](b.md)"),
            ("docs/a.md", "# A\n\n[b](b.md#c) [b](b.md#b) [own](#nothing)"),
            ("docs/b.md", "# B"),
        ])
        .complaints;
        assert_eq!(complaints.len(), 2, "{complaints:?}");
        assert!(complaints[0].starts_with("docs/a.md:3 links to `#c` of docs/b.md"));
    }
}
