//! What stands around a page: its head, the table of contents, the pages before and after.

use std::fmt::Write as _;
use std::path::{Component, Path};

use super::contents::Contents;

/// The looks of the book, in light and dark, wide and narrow: a file beside the pages.
pub(crate) const STYLE: (&str, &str) = ("book.css", include_str!("book.css"));
/// The switch between light and dark.
pub(crate) const SCRIPT: (&str, &str) = ("book.js", include_str!("book.js"));

/// Where a page stands.
pub(crate) struct Frame<'a> {
    pub(crate) contents: &'a Contents,
    /// In the repository.
    pub(crate) file: &'a Path,
    /// In the book.
    pub(crate) place: &'a Path,
}

impl Frame<'_> {
    /// The whole HTML of a page.
    pub(crate) fn page(&self, title: &str, body: &str) -> String {
        let style = href(self.place, Path::new(STYLE.0));
        let script = href(self.place, Path::new(SCRIPT.0));
        let (title, contents, turns) = (escape(title), self.contents(), self.turns());
        format!(
            "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>{title}</title>
<link rel=\"stylesheet\" href=\"{style}\">
<script src=\"{script}\"></script>
</head>
<body>
<header>
<button id=\"menu\" aria-label=\"Table of contents\" aria-expanded=\"false\">&#9776;</button>
<span>Flow matching in Rust</span>
<button id=\"light\" aria-label=\"Light or dark\">&#9680;</button>
</header>
<nav id=\"contents\" aria-label=\"Contents\">
{contents}</nav>
<main>
{body}
{turns}</main>
</body>
</html>
"
        )
    }

    fn contents(&self) -> String {
        let mut html = String::new();
        let mut part = None;
        for entry in &self.contents.entries {
            if part != Some(&entry.part) {
                let close = if part.is_some() { "</ul>\n" } else { "" };
                let heading = match entry.part.as_str() {
                    "" => String::new(),
                    words => format!("<h2>{}</h2>\n", escape(words)),
                };
                let _ = writeln!(html, "{close}{heading}<ul>");
                part = Some(&entry.part);
            }
            let current = if entry.page == self.file { " aria-current=\"page\"" } else { "" };
            let (href, title) = (self.to(&entry.page), escape(&entry.title));
            let _ = writeln!(html, "<li><a href=\"{href}\"{current}>{title}</a></li>");
        }
        html + "</ul>\n"
    }

    /// Links to the pages before and after.
    fn turns(&self) -> String {
        let Some(here) = self.contents.position(self.file) else { return String::new() };
        let turn = |at: Option<usize>, rel: &str, sign: [&str; 2]| {
            let entry = at.and_then(|at| self.contents.entries.get(at));
            entry.map_or_else(String::new, |entry| {
                let (href, title) = (self.to(&entry.page), escape(&entry.title));
                let [before, after] = sign;
                format!("<a rel=\"{rel}\" href=\"{href}\">{before}{title}{after}</a>\n")
            })
        };
        let before = turn(here.checked_sub(1), "prev", ["&#8592; ", ""]);
        let after = turn(Some(here + 1), "next", ["", " &#8594;"]);
        format!("<footer>\n{before}{after}</footer>\n")
    }

    fn to(&self, page: &Path) -> String {
        // The table lists pages alone, whose place follows from their name.
        let place = match page.file_name().and_then(|name| name.to_str()) {
            Some("README.md") => page.with_file_name("index.html"),
            _ => page.with_extension("html"),
        };
        href(self.place, &place)
    }
}

/// A page that leads to another.
pub(crate) fn forward(to: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"refresh\" content=\"0; url={to}\">\n<a href=\"{to}\">{to}</a>\n"
    )
}

/// The address of a file of the book as another one writes it.
pub(crate) fn href(from: &Path, to: &Path) -> String {
    let folder = from.parent().unwrap_or(Path::new(""));
    let names = |path: &Path| -> Vec<String> {
        let normal = path.components().filter(|c| matches!(c, Component::Normal(_)));
        normal.map(|c| c.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let (folder, to) = (names(folder), names(to));
    let shared = folder.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", folder.len() - shared);
    let words: Vec<&str> = up.chain(to[shared..].iter().map(String::as_str)).collect();
    words.join("/")
}

/// Text in HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_relative() {
        for (from, to, address) in [
            ("index.html", "docs/a.html", "docs/a.html"),
            ("docs/a.html", "docs/b.html", "b.html"),
            ("docs/a.html", "index.html", "../index.html"),
            ("docs/adr/a.html", "crates/a/index.html", "../../crates/a/index.html"),
        ] {
            assert_eq!(href(Path::new(from), Path::new(to)), address);
        }
    }
}
