//! Rust text as far as the rules read it: without comments and literals, and the paths in it.

/// The text with comments, strings and characters blanked out. Lines stay where they are.
pub(crate) fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let length = literal(rest, bare.chars().next_back()).unwrap_or(0);
        if length == 0 {
            bare.push(letter);
            rest = &rest[letter.len_utf8()..];
        } else {
            bare.extend(rest[..length].chars().map(|c| if c == '\n' { c } else { ' ' }));
            rest = &rest[length..];
        }
    }
    bare
}

/// Bytes of the comment or literal with which the text begins, after the letter `before`.
fn literal(text: &str, before: Option<char>) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(text.find("*/").map_or(text.len(), |end| end + 2));
    }
    let in_a_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if let Some(raw) = text.strip_prefix('r').filter(|_| !in_a_word || before == Some('b')) {
        let marks = raw.len() - raw.trim_start_matches('#').len();
        if raw[marks..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(marks));
            let inside = 2 + marks;
            let length = text[inside..].find(&end).map(|at| inside + at + end.len());
            return Some(length.unwrap_or(text.len()));
        }
    }
    match text.chars().next()? {
        '"' => Some(closed(text, '"')),
        // What is not closed after one letter is a lifetime.
        '\'' if text.starts_with("'\\") => Some(closed(text, '\'')),
        '\'' => {
            let mut letters = text[1..].char_indices();
            letters.next()?;
            let (at, end) = letters.next()?;
            (end == '\'').then_some(1 + at + 1)
        }
        _ => None,
    }
}

/// Bytes up to the mark that closes the literal.
fn closed(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == mark => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A path that is imported or written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) path: Vec<String>,
    /// The name that it gets, where it is imported.
    pub(crate) name: Option<String>,
    /// Whether others may find it here.
    pub(crate) is_public: bool,
}

/// The imports of bare code, and its other paths from `crate`, `self` and `super`.
pub(crate) fn paths(code: &str) -> Vec<Named> {
    let mut named = Vec::new();
    let mut rest = code;
    while let Some((start, word)) = next_word(rest) {
        let after = &rest[start + word.len()..];
        let is_path = matches!(word, "crate" | "self" | "super") && after.starts_with("::");
        let statement = after.find(';').filter(|_| word == "use");
        if let Some(end) = statement {
            let is_public = is_public(&code[..code.len() - rest.len() + start]);
            tree(&after[..end], &[], is_public, &mut named);
            rest = &after[end..];
        } else if is_path {
            let whole = &rest[start..];
            let end = whole.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            let whole = &whole[..end.unwrap_or(whole.len())];
            let path = whole.split("::").filter(|part| !part.is_empty()).map(str::to_owned);
            named.push(Named { path: path.collect(), name: None, is_public: false });
            rest = &rest[start + whole.len()..];
        } else {
            rest = after;
        }
    }
    named
}

fn next_word(text: &str) -> Option<(usize, &str)> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let start = text.find(is_letter)?;
    let length = text[start..].find(|c: char| !is_letter(c)).unwrap_or(text.len() - start);
    Some((start, &text[start..start + length]))
}

/// Whether the code ends with `pub`, or with `pub(crate)` and the like.
fn is_public(before: &str) -> bool {
    let before = before.trim_end();
    before.ends_with("pub")
        || before.rfind("pub(").is_some_and(|at| {
            let scope = &before[at + 3..];
            scope.ends_with(')') && scope.matches(')').count() == 1
        })
}

/// Adds every path of the tree of an import, whose branches stand in braces.
fn tree(text: &str, stem: &[String], is_public: bool, named: &mut Vec<Named>) {
    for branch in branches(text) {
        let (path, inner) = match branch.split_once('{') {
            Some((path, inner)) => (path, inner.rsplit_once('}').map(|(inner, _)| inner)),
            None => (branch, None),
        };
        let (path, alias) = match path.split_once(" as ") {
            Some((path, alias)) => (path, Some(alias.trim().to_owned())),
            None => (path, None),
        };
        let parts = path.split("::").map(str::trim).filter(|part| !part.is_empty());
        let mut path = [stem, &parts.map(str::to_owned).collect::<Vec<_>>()].concat();
        if let Some(inner) = inner {
            tree(inner, &path, is_public, named);
            continue;
        }
        // `a::{self}` is `a`.
        if path.len() > 1 && path.last().is_some_and(|part| part == "self") {
            path.pop();
        }
        let name = alias.or_else(|| path.last().cloned());
        if !path.is_empty() {
            named.push(Named { path, name, is_public });
        }
    }
}

/// The parts between commas that stand in no brace.
fn branches(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_code_stays() {
        for (text, expected) in [
            ("a // crate::b\nc", "a\nc"),
            ("a /* b\n */ c", "a\n c"),
            (r#"f("\"b", 'c', '\'') g"#, "f( , , ) g"),
            (r##"r#"a"b"# c"##, " c"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            ("for_r\"a\" 1", "for_r 1"),
        ] {
            let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            let lines = |text: &str| text.lines().map(line).collect::<Vec<_>>();
            assert_eq!(lines(&bare(text)), lines(expected), "{text}");
            assert_eq!(bare(text).len(), text.len(), "{text}");
        }
    }

    fn shown(code: &str) -> Vec<String> {
        let show = |named: Named| {
            let public = if named.is_public { "pub " } else { "" };
            format!("{public}{} {}", named.path.join("::"), named.name.unwrap_or_default())
        };
        paths(code).into_iter().map(show).collect()
    }

    #[test]
    fn every_branch_of_an_import_is_a_path() {
        let code = "use crate::{a, b::{self, C as D}};\npub(crate) use e::*;\nuse std::fmt;";
        let expected = ["crate::a a", "crate::b b", "crate::b::C D", "pub e::* *", "std::fmt fmt"];
        assert_eq!(shown(code), expected);
    }

    #[test]
    fn paths_in_code_are_found() {
        let code = "fn f() -> super::A { crate::b::c(self.d, self::e::F { x: 1 }) }";
        assert_eq!(shown(code), ["super::A ", "crate::b::c ", "self::e::F "]);
    }
}
