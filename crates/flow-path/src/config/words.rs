//! Errors of types in the words of whoever types, in place of those of the program's types.

/// What serde says of a value of another type, in plain words; any other message as it is.
///
/// A second line, on which TOML names the key, stays as it is.
///
/// ```
/// use flow_path::config::plain;
///
/// let said = "invalid type: string \"ten\", expected usize\nin `train.batch`";
/// assert_eq!(plain(said), "expected a whole number, got \"ten\"\nin `train.batch`");
/// ```
#[must_use]
pub fn plain(message: &str) -> String {
    let (line, rest) = message.split_once('\n').unwrap_or((message, ""));
    // What TOML says of a choice by name that is something else: it does not say what that is.
    if line.ends_with("expected string only") || line == "wanted string or table" {
        return "expected the name of a choice in quotes".to_owned();
    }
    let said = ["invalid type: ", "invalid value: ", "invalid length "];
    let stripped = said.iter().find_map(|said| line.strip_prefix(said));
    let Some((got, expected)) = stripped.and_then(|line| line.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    let behind = if rest.is_empty() { String::new() } else { format!("\n{rest}") };
    format!("expected {}, got {}{behind}", wanted(expected, got), found(got))
}

/// What the program takes. A number without a sign is named as such where a whole one was given.
fn wanted(expected: &str, got: &str) -> String {
    match expected {
        "usize" | "u8" | "u16" | "u32" | "u64" if got.starts_with("integer") => {
            "a whole number from 0 that is not too large".into()
        }
        "usize" | "u8" | "u16" | "u32" | "u64" | "isize" | "i8" | "i16" | "i32" | "i64" => {
            "a whole number".into()
        }
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a string" | "str" | "string" => "text in quotes".into(),
        "a sequence" => "a list".into(),
        "a map" => "an object of names and values".into(),
        other
            if ["struct ", "internally tagged enum "]
                .iter()
                .any(|kind| other.starts_with(kind)) =>
        {
            "names and values".into()
        }
        other => match other.strip_prefix("an array of length ") {
            Some(length) => format!("a list of {length}"),
            None => other.into(),
        },
    }
}

/// What was given, as it was typed where that is short.
fn found(got: &str) -> String {
    match got {
        "sequence" => return "a list".into(),
        "map" => return "an object".into(),
        "unit value" | "null" => return "null".into(),
        _ => {}
    }
    let typed = ["string ", "integer ", "floating point ", "boolean ", "character "];
    let bare = typed.iter().find_map(|kind| got.strip_prefix(kind)).unwrap_or(got);
    bare.trim_matches('`').to_owned()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "what is read is looked at by its errors alone")]
    struct Asked {
        n: usize,
        x: f32,
        on: bool,
        ends: [f64; 2],
        names: Vec<String>,
        scale: Scale,
        split: Split,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Scale {
        None,
    }

    #[derive(Debug, Deserialize)]
    #[serde(tag = "by", rename_all = "kebab-case")]
    enum Split {
        Hash,
    }

    #[test]
    fn errors_of_types_name_no_type_of_the_program() {
        let whole = "n = 1\nx = 1.0\non = true\nends = [0.0, 1.0]\nnames = [\"a\"]\n\
                     scale = \"none\"\nsplit = { by = \"hash\" }";
        assert!(toml::from_str::<Asked>(whole).is_ok());
        for (key, value, said) in [
            ("n", "\"ten\"", "expected a whole number, got \"ten\""),
            ("n", "1.5", "expected a whole number, got 1.5"),
            ("n", "-1", "expected a whole number from 0 that is not too large, got -1"),
            ("x", "[1.0]", "expected a number, got a list"),
            ("x", "\"a, expected f64\"", "expected a number, got \"a, expected f64\""),
            ("on", "1", "expected true or false, got 1"),
            ("ends", "[0.0]", "expected a list of 2, got 1"),
            ("ends", "3", "expected a list of 2, got 3"),
            ("names", "[true]", "expected text in quotes, got true"),
            ("names", "{ a = 1 }", "expected a list, got an object"),
            ("scale", "16", "expected the name of a choice in quotes"),
            ("split", "3", "expected names and values, got 3"),
        ] {
            let line = |line: &str| match line.split_once(" = ") {
                Some((name, _)) if name == key => format!("{key} = {value}"),
                _ => line.to_owned(),
            };
            let text: Vec<String> = whole.lines().map(line).collect();
            let error = toml::from_str::<Asked>(&text.join("\n")).unwrap_err();
            assert_eq!(plain(error.message()), said, "{key} = {value}");
        }
    }

    #[test]
    fn other_messages_stay_as_they_are() {
        for message in ["missing field `rows`", "invalid type: what", "it is so, expected or not"] {
            assert_eq!(plain(message), message);
        }
    }
}
