//! A page: Markdown as HTML, with its links turned to the book's.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};
use pulldown_latex::config::DisplayMode;

use super::frame::{escape, href};
use super::place::place;
use super::{math, quote};
use crate::tidy::tree::{Tree, resolve};

/// A page without its frame.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The words of its first heading.
    pub(crate) title: String,
    pub(crate) body: String,
    /// What a link may point to within it.
    pub(crate) ids: BTreeSet<String>,
    pub(crate) links: Vec<Link>,
    pub(crate) complaints: Vec<String>,
}

/// A link to something in the repository.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) line: usize,
    /// From the root of the repository.
    pub(crate) target: PathBuf,
    /// What follows `#`, or nothing.
    pub(crate) fragment: String,
}

/// The page of a Markdown file.
pub(crate) fn render(tree: &Tree, file: &Path, text: &str) -> Page {
    let options = Options::ENABLE_TABLES | Options::ENABLE_MATH | Options::ENABLE_FOOTNOTES;
    let mut writer =
        Writer { tree, file, text, page: Page::default(), slugs: HashMap::new(), links: 0 };
    let mut events = Parser::new_ext(text, options).into_offset_iter();
    let mut out = Vec::new();
    while let Some((event, range)) = events.next() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let inner = until(&mut events, TagEnd::Heading(level));
                let id = writer.heading(&inner);
                out.push(Event::Html(format!("<{level} id=\"{id}\">").into()));
                for (event, range) in inner {
                    writer.inline(event, range, &mut out);
                }
                out.push(Event::Html(format!("<a class=\"here\" href=\"#{id}\">#</a>").into()));
                out.push(Event::Html(format!("</{level}>\n").into()));
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let code = words(&until(&mut events, TagEnd::CodeBlock));
                let html = writer.block(&kind, &code, &range);
                out.push(Event::Html(html.into()));
            }
            Event::Start(Tag::Table(alignments)) => {
                out.push(Event::Html("<div class=\"wide\">".into()));
                out.push(Event::Start(Tag::Table(alignments)));
            }
            Event::End(TagEnd::Table) => {
                out.push(event);
                out.push(Event::Html("</div>\n".into()));
            }
            Event::Html(comment) if comment.trim_start().starts_with("<!--") => {
                out.extend(caption(&comment).map(|html| Event::Html(html.into())));
            }
            event => writer.inline(event, range, &mut out),
        }
    }
    pulldown_cmark::html::push_html(&mut writer.page.body, out.into_iter());
    writer.page
}

struct Writer<'a> {
    tree: &'a Tree,
    file: &'a Path,
    text: &'a str,
    page: Page,
    /// How often a heading was there already.
    slugs: HashMap<String, usize>,
    /// How many links are open.
    links: usize,
}

impl Writer<'_> {
    fn complain(&mut self, range: &Range<usize>, complaint: &str) {
        let line = self.line(range);
        self.page.complaints.push(format!("{}:{line} {complaint}", self.file.display()));
    }

    fn line(&self, range: &Range<usize>) -> usize {
        1 + self.text[..range.start].matches('\n').count()
    }

    /// Notes a heading and gives its id, as GitHub makes it of its words.
    fn heading(&mut self, inner: &[(Event, Range<usize>)]) -> String {
        let title = words(inner);
        if self.page.title.is_empty() {
            self.page.title.clone_from(&title);
        }
        let slug = slug(&title);
        let before = self.slugs.entry(slug.clone()).or_default();
        let id = if *before == 0 { slug } else { format!("{slug}-{before}") };
        *before += 1;
        self.page.ids.insert(id.clone());
        id
    }

    /// What stands within a line: links, pictures, formulas, code.
    fn inline<'e>(&mut self, event: Event<'e>, range: Range<usize>, out: &mut Vec<Event<'e>>) {
        let event = match event {
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                self.links += 1;
                let dest_url = self.link(&dest_url, &range);
                Event::Start(Tag::Link { link_type, dest_url, title, id })
            }
            Event::End(TagEnd::Link) => {
                self.links -= 1;
                Event::End(TagEnd::Link)
            }
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                let dest_url = self.link(&dest_url, &range);
                Event::Start(Tag::Image { link_type, dest_url, title, id })
            }
            Event::InlineMath(latex) => self.formula(&latex, DisplayMode::Inline, &range),
            Event::DisplayMath(latex) => self.formula(&latex, DisplayMode::Block, &range),
            Event::Code(code) if self.links == 0 => self.code(code, &range),
            event => event,
        };
        out.push(event);
    }

    fn formula<'e>(&mut self, latex: &str, mode: DisplayMode, range: &Range<usize>) -> Event<'e> {
        let html = math::mathml(latex, mode).unwrap_or_else(|error| {
            self.complain(range, &format!("has the formula `{latex}`: {error}"));
            String::new()
        });
        Event::InlineHtml(html.into())
    }

    /// Where a link leads in the book.
    fn link(&mut self, target: &str, range: &Range<usize>) -> CowStr<'static> {
        let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
        if is_elsewhere {
            return target.to_owned().into();
        }
        let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
        let from = match path {
            "" => Some(self.file.to_owned()),
            _ if path.starts_with('/') => resolve(Path::new(""), path),
            _ => resolve(self.file.parent().unwrap_or(Path::new("")), path),
        };
        let found = from.filter(|path| self.tree.has(Path::new(""), &path.to_string_lossy()));
        let Some(found) = found else {
            let complaint = format!("links to `{path}`, which does not exist: correct the link");
            self.complain(range, &complaint);
            return "".into();
        };
        self.leads(found, fragment, range).into()
    }

    /// Notes a link to something that exists.
    fn leads(&mut self, target: PathBuf, fragment: &str, range: &Range<usize>) -> String {
        let mut href = href(&place(self.tree, self.file), &place(self.tree, &target));
        if !fragment.is_empty() {
            href = format!("{href}#{fragment}");
        }
        let line = self.line(range);
        self.page.links.push(Link { line, target, fragment: fragment.to_owned() });
        href
    }

    /// Code between backticks, which leads to the file that it names, if it names one: `PATH`, or
    /// `PATH.rs::FUNCTION`.
    fn code<'e>(&mut self, code: CowStr<'e>, range: &Range<usize>) -> Event<'e> {
        let (path, function) = code.split_once("::").unwrap_or((&code, ""));
        let above = self.file.ancestors().skip(1);
        let mut found = above.filter_map(|from| resolve(from, path));
        let found = found.find(|file| path.contains('/') && self.tree.files().contains(file));
        let Some(found) = found else { return Event::Code(code) };
        let fragment = match function {
            "" => String::new(),
            name => {
                let text = self.tree.read(&found).unwrap_or_default();
                let mark = format!("fn {name}(");
                let line = text.lines().position(|line| line.contains(&mark));
                line.map_or_else(String::new, |line| format!("L{}", line + 1))
            }
        };
        let href = self.leads(found, &fragment, range);
        Event::InlineHtml(format!("<a href=\"{href}\"><code>{}</code></a>", escape(&code)).into())
    }

    /// A block of code, with a link to the file that it quotes.
    fn block(&mut self, kind: &CodeBlockKind, code: &str, range: &Range<usize>) -> String {
        let info = match kind {
            CodeBlockKind::Fenced(info) => info.split([',', ' ']).next().unwrap_or_default(),
            CodeBlockKind::Indented => "",
        };
        let mut code = code.to_owned();
        let mut link = String::new();
        if info == "rust" {
            // Lines that rustdoc hides, which make an example whole.
            let shown = code.lines().filter(|line| *line != "#" && !line.starts_with("# "));
            code = shown.flat_map(|line| [line, "\n"]).collect();
            match quote::place(self.tree, &code) {
                Ok(Some(quote::Place { file, line })) => {
                    let href = self.leads(PathBuf::from(&file), &format!("L{line}"), range);
                    link = format!("<p class=\"source\"><a href=\"{href}\">{file}:{line}</a></p>");
                }
                Ok(None) => {}
                Err(complaint) => self.complain(range, &complaint),
            }
        }
        let class = if info.is_empty() { "text" } else { info };
        let code = escape(&code);
        format!("<pre><code class=\"language-{}\">{code}</code></pre>\n{link}\n", escape(class))
    }
}

/// The events up to the end of a tag.
fn until<'e>(
    events: &mut impl Iterator<Item = (Event<'e>, Range<usize>)>,
    end: TagEnd,
) -> Vec<(Event<'e>, Range<usize>)> {
    events.take_while(|(event, _)| !matches!(event, Event::End(tag) if *tag == end)).collect()
}

/// The text alone.
fn words(events: &[(Event, Range<usize>)]) -> String {
    let words = events.iter().map(|(event, _)| match event {
        Event::Text(text) | Event::Code(text) | Event::InlineMath(text) => text,
        _ => "",
    });
    words.collect()
}

/// As GitHub names a heading in an address.
fn slug(title: &str) -> String {
    let kept = title.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// What a comment before a block of commands says to a reader: `<!-- long: 3 minutes -->`.
fn caption(comment: &str) -> Option<String> {
    let words = comment.trim().strip_prefix("<!--")?.strip_suffix("-->")?.trim();
    let time = words.strip_prefix("long:")?.trim();
    Some(format!("<p class=\"time\">Takes {}:</p>\n", escape(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(file: &str, text: &str) -> Page {
        let files = [
            (file, text),
            ("docs/b.md", "# B"),
            ("crates/a/README.md", "# A"),
            ("crates/a/src/lib.rs", "//! A.\nfn f() {}\n"),
            ("docs/p.png", ""),
        ];
        let (tree, _folder) = Tree::of_files(&files);
        render(&tree, Path::new(file), text)
    }

    #[test]
    fn links_lead_to_pages_sources_and_pictures() {
        for (link, html) in [
            ("[b](b.md#x)", "href=\"b.html#x\""),
            ("[a](../crates/a/)", "href=\"../crates/a/index.html\""),
            ("[l](../crates/a/src/lib.rs)", "href=\"../crates/a/src/lib.rs.html\""),
            ("[r](/docs/b.md)", "href=\"b.html\""),
            ("[e](https://a.b/c.md)", "href=\"https://a.b/c.md\""),
            ("![p](p.png)", "src=\"p.png\""),
            ("`crates/a/src/lib.rs`", "href=\"../crates/a/src/lib.rs.html\""),
            ("`crates/a/src/lib.rs::f`", "href=\"../crates/a/src/lib.rs.html#L2\""),
        ] {
            let page = page("docs/t.md", link);
            assert!(page.body.contains(html), "{link}: {}", page.body);
            assert_eq!(page.complaints, [""; 0]);
        }
    }

    #[test]
    fn a_link_to_nothing_is_named_with_its_line() {
        let page = page("docs/t.md", "a\n\nb\n[c](none.md)");
        assert!(
            page.complaints[0].starts_with("docs/t.md:4 links to `none.md`"),
            "{:?}",
            page.complaints
        );
    }

    #[test]
    fn headings_have_the_ids_of_github() {
        let page = page("docs/t.md", "# The `a`, at work: b-c\n## Same\n## Same");
        assert_eq!(page.title, "The a, at work: b-c");
        let ids: Vec<_> = page.ids.iter().map(String::as_str).collect();
        assert_eq!(ids, ["same", "same-1", "the-a-at-work-b-c"]);
    }

    #[test]
    fn a_formula_that_cannot_be_set_is_named() {
        assert!(page("docs/t.md", "$x_t$").body.contains("<math"));
        let page = page("docs/t.md", "$\\nosuchthing$");
        assert!(page.complaints[0].contains("`\\nosuchthing`"), "{:?}", page.complaints);
    }

    #[test]
    fn quoted_code_leads_to_its_line_and_hidden_lines_stay_hidden() {
        let body =
            page("docs/t.md", "```rust\n# use a;\nfn f() {} // crates/a/src/lib.rs\n```").body;
        assert!(body.contains("lib.rs.html#L2") && !body.contains("use a"), "{body}");
        let page = page("docs/t.md", "```rust\nfn g() {} // crates/a/src/lib.rs\n```");
        assert!(page.complaints[0].starts_with("docs/t.md:1 quotes `fn g() {}`"));
    }

    #[test]
    fn a_comment_says_how_long_a_block_takes() {
        let body = page("docs/t.md", "<!-- long: 3 minutes -->\n```sh\nflow list\n```").body;
        assert!(body.contains("Takes 3 minutes:") && !body.contains("<!--"), "{body}");
        assert!(!page("docs/t.md", "<!-- test: --steps 2 -->\n").body.contains("steps"));
    }
}
