//! A page of words, tables and pictures, as Markdown or as one self-contained HTML file.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flow_run::files::{write, write_text};

use crate::error::ReportError;

/// A block of a page.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    Heading(String),
    Text(String),
    /// Preformatted text.
    Code(String),
    Table(Table),
    Picture(Picture),
}

/// Rows of cells under a head.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A picture that browsers show.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// File name with its extension: png, svg or gif.
    pub(crate) name: String,
    pub(crate) caption: String,
    pub(crate) bytes: Vec<u8>,
}

/// A page.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) title: String,
    pub(crate) blocks: Vec<Block>,
}

/// Readable on a phone: one column, pictures no wider than it, tables that scroll by themselves.
/// Names of rows stay where they are meanwhile, and a shadow on the right says that there is more.
const STYLE: &str = "\
body{margin:0 auto;padding:1rem;max-width:60rem;font:16px/1.5 system-ui,sans-serif;color:#222;\
background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}\
figure{margin:1rem 0}img{max-width:100%;height:auto}img.pixels{image-rendering:pixelated}\
figcaption{color:#666;font-size:.9rem}\
.scroll{overflow-x:auto;margin:1rem 0;\
background:linear-gradient(to left,#fff 1rem,#fff0) right/2rem 100% no-repeat local,\
linear-gradient(to left,#0003,#0000) right/.6rem 100% no-repeat scroll}\
table{border-collapse:collapse;font-size:.9rem}\
th,td{padding:.25rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid #ddd}\
td{white-space:nowrap}th{min-width:4rem}\
th:first-child,td:first-child{position:sticky;left:0;background:#fff;white-space:normal;\
min-width:5rem;overflow-wrap:anywhere}\
pre{overflow-x:auto;background:#f6f6f6;padding:.75rem;font-size:.8rem}";

impl Document {
    /// The page as Markdown, whose pictures are files beside it.
    pub(crate) fn markdown(&self) -> String {
        let mut text =
            if self.title.is_empty() { String::new() } else { format!("# {}\n\n", self.title) };
        for block in &self.blocks {
            let _ = match block {
                Block::Heading(heading) => writeln!(text, "## {heading}\n"),
                Block::Text(words) => writeln!(text, "{words}\n"),
                Block::Code(code) => writeln!(text, "```text\n{}\n```\n", code.trim_end()),
                Block::Table(table) => writeln!(text, "{}", table.markdown()),
                Block::Picture(picture) => {
                    writeln!(text, "![{}]({})\n", picture.caption, picture.name)
                }
            };
        }
        text
    }

    /// The page as HTML with everything inside it.
    pub(crate) fn html(&self) -> String {
        let title = escape(&self.title);
        let mut text = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        );
        for block in &self.blocks {
            let _ = match block {
                Block::Heading(heading) => writeln!(text, "<h2>{}</h2>", escape(heading)),
                Block::Text(words) => writeln!(text, "<p>{}</p>", escape(words)),
                Block::Code(code) => writeln!(text, "<pre>{}</pre>", escape(code.trim_end())),
                Block::Table(table) => writeln!(text, "{}", table.html()),
                Block::Picture(picture) => writeln!(text, "{}", picture.html()),
            };
        }
        text + "</body>\n</html>\n"
    }

    /// Writes the page as `.html`, or as `.md` with its pictures beside it.
    pub(crate) fn save(&self, path: &Path) -> Result<(), ReportError> {
        if path.extension().is_some_and(|extension| extension == "html") {
            return Ok(write_text(path, &self.html())?);
        }
        for block in &self.blocks {
            if let Block::Picture(picture) = block {
                write(&path.with_file_name(&picture.name), |out| {
                    std::io::Write::write_all(out, &picture.bytes)
                })?;
            }
        }
        Ok(write_text(path, &self.markdown())?)
    }
}

impl Table {
    pub(crate) fn markdown(&self) -> String {
        // A bar would end its cell.
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | ").replace('\n', " "));
        let bars = |cells: &[String]| -> Vec<String> {
            cells.iter().map(|cell| cell.replace('|', "\\|")).collect()
        };
        let rule = format!("|{}\n", "---|".repeat(self.head.len()));
        let rows = self.rows.iter().map(|row| line(&bars(row)));
        line(&bars(&self.head)) + &rule + &rows.collect::<String>()
    }

    fn html(&self) -> String {
        let line = |cells: &[String], tag: &str| {
            let cells = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell)));
            format!("<tr>{}</tr>", cells.collect::<String>())
        };
        let rows = self.rows.iter().map(|row| line(row, "td") + "\n");
        format!(
            "<div class=\"scroll\" \
             tabindex=\"0\"><table>\n<thead>{}</thead>\n<tbody>\n{}</tbody></table></div>",
            line(&self.head, "th"),
            rows.collect::<String>()
        )
    }
}

impl Picture {
    /// A picture that lies on the disk.
    pub(crate) fn read(path: &Path, caption: &str) -> Result<Self, ReportError> {
        let cannot = ReportError::io(format!("cannot read {}", path.display()));
        let bytes = std::fs::read(path).map_err(cannot)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, caption: caption.to_owned(), bytes })
    }

    fn html(&self) -> String {
        let kind = match Path::new(&self.name).extension().and_then(|e| e.to_str()) {
            Some("svg") => "svg+xml",
            Some(extension) => extension,
            None => "png",
        };
        let data = STANDARD.encode(&self.bytes);
        let caption = escape(&self.caption);
        format!(
            "<figure><img alt=\"{caption}\" src=\"data:image/{kind};base64,{data}\">\n\
             <figcaption>{caption}</figcaption></figure>"
        )
    }
}

/// Text as HTML shows it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Document {
        Document {
            title: "A & B".into(),
            blocks: vec![
                Block::Heading("Scores".into()),
                Block::Text("less is < more".into()),
                Block::Table(Table {
                    head: vec!["run".into(), "|x|".into()],
                    rows: vec![vec!["ot".into(), "1 \u{b1} 2".into()]],
                }),
                Block::Picture(Picture {
                    name: "loss.svg".into(),
                    caption: "the \"loss\"".into(),
                    bytes: b"<svg/>".to_vec(),
                }),
                Block::Code("a = 1\n".into()),
            ],
        }
    }

    #[test]
    fn html_holds_its_pictures_and_no_raw_text() {
        let html = page().html();
        for part in [
            "<title>A &amp; B</title>",
            "<p>less is &lt; more</p>",
            "<td>1 \u{b1} 2</td>",
            "alt=\"the &quot;loss&quot;\" src=\"data:image/svg+xml;base64,PHN2Zy8+\"",
            "name=\"viewport\"",
            "<pre>a = 1</pre>",
        ] {
            assert!(html.contains(part), "expected `{part}` in:\n{html}");
        }
        assert!(!html.contains("http"), "a self-contained page asks for nothing");
    }

    #[test]
    fn markdown_has_its_pictures_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        page().save(&folder.path().join("page.md")).unwrap();
        let text = std::fs::read_to_string(folder.path().join("page.md")).unwrap();
        assert!(text.contains("| run | \\|x\\| |\n|---|---|\n| ot | 1 \u{b1} 2 |\n"), "{text}");
        assert!(text.contains("![the \"loss\"](loss.svg)"), "{text}");
        assert_eq!(std::fs::read(folder.path().join("loss.svg")).unwrap(), b"<svg/>");
    }
}
