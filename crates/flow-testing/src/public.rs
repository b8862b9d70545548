//! The public functions of a crate, read from its sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Words in a signature by which a function takes numbers, alone or in tensors and sets of points.
const NUMBERS: [&str; 6] = ["f32", "f64", "Tensor<", "Points<", "Times", "usize"];

/// The names of the `pub fn` below `src` of a crate whose parameters hold numbers: `function` or
/// `Type::method`.
///
/// The sources are read as rustfmt writes them: an `impl` begins at the left margin, and everything
/// from `#[cfg(test)]` before a module on is left out.
///
/// # Panics
/// If a source cannot be read: pass `env!("CARGO_MANIFEST_DIR")`.
#[must_use]
pub fn functions(manifest_dir: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    walk(&Path::new(manifest_dir).join("src"), &mut |text| read(text, &mut names));
    names
}

/// Fails unless `rows` names exactly the functions that [`functions`] finds: `exempt` are those
/// that a table need not call, each with the reason.
///
/// # Panics
/// With the names that are missing, or that no longer exist.
pub fn assert_covered(manifest_dir: &str, rows: &[&str], exempt: &[(&str, &str)]) {
    let declared = functions(manifest_dir);
    let named: BTreeSet<String> = rows
        .iter()
        .copied()
        .chain(exempt.iter().map(|(name, _)| *name))
        .map(String::from)
        .collect();
    let missing: Vec<_> = declared.difference(&named).collect();
    let gone: Vec<_> = named.difference(&declared).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "functions without a row in the table of preconditions: {missing:?}; rows without a \
         function: {gone:?}"
    );
}

fn walk(folder: &Path, visit: &mut impl FnMut(&str)) {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry of a folder that was just opened").path();
        if path.is_dir() {
            walk(&path, visit);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            visit(&text);
        }
    }
}

fn read(text: &str, names: &mut BTreeSet<String>) {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    let mut owner: Option<String> = None;
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("impl") {
            owner = Some(type_of(line));
        } else if *line == "}" {
            owner = None;
        }
        let Some(name) = function_name(line.trim_start()) else { continue };
        let signature: String = lines[at..]
            .iter()
            .scan(false, |done, line| {
                let go_on = !*done;
                *done |= line.trim_end().ends_with(['{', ';']);
                go_on.then_some(*line)
            })
            .collect();
        let parameters = signature.split("->").next().unwrap_or_default();
        if NUMBERS.iter().any(|word| parameters.contains(word)) {
            names.insert(match &owner {
                Some(owner) => format!("{owner}::{name}"),
                None => name.to_string(),
            });
        }
    }
}

/// The name behind `pub fn`, `pub const fn` or `pub unsafe fn`.
fn function_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ")?;
    let rest = rest.trim_start_matches("const ").trim_start_matches("unsafe ");
    let rest = rest.strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}

/// The type of `impl<..> Trait for Type<..> {`, without its parameters.
fn type_of(line: &str) -> String {
    let mut rest = line.strip_prefix("impl").unwrap_or(line);
    if rest.starts_with('<') {
        let mut depth = 0;
        let end = rest.char_indices().find(|&(at, c)| {
            depth += i32::from(c == '<') - i32::from(c == '>' && !rest[..at].ends_with('-'));
            depth == 0
        });
        rest = end.map_or(rest, |(at, _)| &rest[at + 1..]);
    }
    let rest = rest.split(" for ").last().unwrap_or(rest).trim_start();
    rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let mut names = BTreeSet::new();
        read(text, &mut names);
        names.into_iter().collect()
    }

    #[test]
    fn functions_with_numbers_are_named_by_their_type() {
        let text = "pub fn mean(x: &[f32]) -> f64 {\n}\n\nimpl<T: Into<f64>> Scale for Law<T> {\n    \
                    pub const fn at(\n        t: f64,\n    ) -> Self {\n    }\n}\npub fn name(&self) -> f64 {\n}\n";
        assert_eq!(names(text), ["Law::at", "mean"]);
    }

    #[test]
    fn private_functions_and_tests_are_left_out() {
        let text = "fn own(x: f64) {\n}\npub(crate) fn ours(x: f64) {\n}\n#[cfg(test)]\nmod tests {\n    \
                    pub fn t(x: f64) {}\n}\n";
        assert_eq!(names(text), [""; 0]);
    }

    #[test]
    #[should_panic(expected = "rows without a function: [\"gone\"]")]
    fn a_row_without_a_function_fails() {
        assert_covered(env!("CARGO_MANIFEST_DIR"), &["rows", "gone"], &[]);
    }
}
