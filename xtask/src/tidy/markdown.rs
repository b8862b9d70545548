//! The parts of a Markdown text that name files and commands: link targets and code.

/// A part of a text, with its line number from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span<'a> {
    pub(crate) line: usize,
    pub(crate) part: Part<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// Where a link, a picture or a reference leads.
    Link(&'a str),
    /// What stands between backticks.
    Code(&'a str),
    /// A line of a fenced block, with the word after the fence.
    Block { language: &'a str, text: &'a str },
}

/// Every such part, in order. Code between backticks ends with its line.
pub(crate) fn spans(text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut fence: Option<(&str, &str)> = None;
    for (line, content) in (1..).zip(text.lines()) {
        let trimmed = content.trim_start();
        let mut push = |part| spans.push(Span { line, part });
        match (fence, fence_of(trimmed)) {
            (Some((open, _)), Some((close, ""))) if close.starts_with(open) => fence = None,
            (Some((_, language)), _) => push(Part::Block { language, text: content }),
            (None, Some(open)) => fence = Some(open),
            (None, None) => inline(trimmed, &mut push),
        }
    }
    spans
}

/// The fence that opens or closes a block, and the first word after it.
fn fence_of(line: &str) -> Option<(&str, &str)> {
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let width = line.len() - line.trim_start_matches(mark).len();
    let (fence, info) = line.split_at(width);
    // One line of ```code``` is no block.
    let is_fence = width >= 3 && !info.contains('`');
    let language = info.trim().split([',', ' ', '{']).next().unwrap_or_default();
    is_fence.then_some((fence, language))
}

fn inline<'a>(line: &'a str, push: &mut impl FnMut(Part<'a>)) {
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let opened = &rest[start..];
        let width = opened.len() - opened.trim_start_matches('`').len();
        let (ticks, after) = opened.split_at(width);
        let Some(end) = after.find(ticks) else { break };
        links(&rest[..start], push);
        push(Part::Code(after[..end].trim()));
        rest = &after[end + width..];
    }
    links(rest, push);
}

/// `](target "title")`, `[name]: target`, `src="target"`, `href="target"`.
fn links<'a>(text: &'a str, push: &mut impl FnMut(Part<'a>)) {
    for (opening, closing) in [("](", [')', ' ']), ("]: ", [' ', ' ']), ("=\"", ['"', '"'])] {
        for (at, _) in text.match_indices(opening) {
            let (before, after) = (&text[..at], &text[at + opening.len()..]);
            let is_link = match opening {
                "]: " => before.starts_with('[') && !before.starts_with("[^"),
                "=\"" => before.ends_with("src") || before.ends_with("href"),
                _ => true,
            };
            if is_link {
                let target = after.split(closing).next().unwrap_or_default();
                push(Part::Link(target.trim_matches(['<', '>'])));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<Part<'_>> {
        spans(text).into_iter().map(|span| span.part).collect()
    }

    #[test]
    fn links_of_every_form_are_found() {
        let text = "\
see [a](docs/a.md), ![b](<b.png> \"title\")
[c]: docs/c.md
<img src=\"d.svg\" width=\"3\"> and [^1]: no link";
        let expected = ["docs/a.md", "b.png", "docs/c.md", "d.svg"].map(Part::Link);
        assert_eq!(parts(text), expected);
    }

    #[test]
    fn code_is_no_link_and_may_hold_backticks() {
        let text = "`x[i](j)` and ``a ` b`` and an open ` at the end";
        assert_eq!(parts(text), [Part::Code("x[i](j)"), Part::Code("a ` b")]);
    }

    #[test]
    fn a_link_may_have_code_as_its_text() {
        assert_eq!(parts("[`a`](b.md)"), [Part::Code("a"), Part::Link("b.md")]);
    }

    #[test]
    fn blocks_know_their_language_and_lines() {
        let text = "a\n```sh\nflow list\n```\n`b`";
        let block = Part::Block { language: "sh", text: "flow list" };
        let code = Part::Code("b");
        assert_eq!(spans(text), [Span { line: 3, part: block }, Span { line: 5, part: code }]);
    }

    #[test]
    fn a_longer_fence_holds_a_shorter_one() {
        let text = "````text\n```\nx\n````\n[a](b)";
        let block = |text| Part::Block { language: "text", text };
        assert_eq!(parts(text), [block("```"), block("x"), Part::Link("b")]);
    }
}
