//! Files that are no pages: sources with the numbers of their lines, and folders as lists.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::frame::{escape, href};
use super::place::place;
use crate::tidy::tree::Tree;

/// The text of a file, each line with its number, to which `#L7` leads.
pub(crate) fn file(text: &str) -> String {
    let mut html = String::from("<pre class=\"lines\"><code>");
    for (number, line) in (1..).zip(text.lines()) {
        let line = escape(line);
        let _ = writeln!(html, "<a id=\"L{number}\" href=\"#L{number}\">{number:>4}</a>  {line}");
    }
    html.push_str("</code></pre>");
    html
}

/// The names in a folder. Pages and pictures among them come along in the book; of the rest, which
/// may be the whole repository, only what pages name does.
pub(crate) fn folder(tree: &Tree, folder: &Path) -> (String, Vec<PathBuf>) {
    let inside = tree.files().iter().filter_map(|file| file.strip_prefix(folder).ok());
    let names: BTreeSet<_> = inside
        .filter_map(|rest| {
            let is_file = rest.components().count() == 1;
            rest.components().next().map(|name| (is_file, name.as_os_str()))
        })
        .collect();
    let mut linked = Vec::new();
    let mut html = String::from("<ul>\n");
    for (is_file, name) in names {
        let path = folder.join(name);
        let shown = escape(&name.to_string_lossy());
        let is_page = is_file && path.extension().is_some_and(|extension| extension == "md");
        let _ = match (is_file, is_page) {
            (true, true) => {
                let href = href(&place(tree, folder), &place(tree, &path));
                linked.push(path);
                writeln!(html, "<li><a href=\"{href}\">{shown}</a></li>")
            }
            (true, false) => writeln!(html, "<li>{shown}</li>"),
            (false, _) => writeln!(html, "<li>{shown}/</li>"),
        };
    }
    html.push_str("</ul>\n");
    (html, linked)
}
