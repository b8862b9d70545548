//! `docs/mission.md` has every row, and each says what verifies it or what is missing. Whether the
//! tests and pages that it names exist is looked at as in all docs.

use std::path::Path;

use super::tree::Tree;

const PAGE: &str = "docs/mission.md";
/// The source documents have so many methods and experiments.
const ROWS: usize = 82;
/// What a row without a test or a page begins its last cell with.
const WORDS: [&str; 2] = ["Missing:", "Cannot be done here:"];

/// A sentence for each row that is missing, out of place or names nothing.
///
/// # Errors
/// If the page cannot be read.
pub(crate) fn violations(tree: &Tree) -> anyhow::Result<Vec<String>> {
    if !tree.has(Path::new(""), PAGE) {
        return Ok(Vec::new());
    }
    let text = tree.read(Path::new(PAGE))?;
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| R"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let mut violations = Vec::new();
    for number in 1..=ROWS {
        let name = format!("R{number:02}");
        match rows.get(number - 1) {
            Some(row) if row[0] == name => {
                let last = row.last().copied().unwrap_or_default();
                let named = last.contains(".rs::") || last.contains("](");
                if row.len() != 3 || !(named || WORDS.iter().any(|word| last.contains(word))) {
                    violations.push(format!(
                        "{PAGE}: row {name} needs three cells, the last with a test, a link or one \
                         of `{}`",
                        WORDS.join("`, `")
                    ));
                }
            }
            other => {
                let found = other.map_or("the end of the table", |row| row[0]);
                violations.push(format!("{PAGE}: where {name} belongs there is {found}"));
                break;
            }
        }
    }
    if ROWS < rows.len() {
        violations.push(format!(
            "{PAGE}: there are {} rows, and no more than {ROWS} belong there",
            rows.len()
        ));
    }
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(change: impl Fn(String) -> String) -> Vec<String> {
        let row = |i: usize| format!("| R{i:02} | what | `crates/a.rs::it` |\n");
        let page = change((1..=ROWS).map(row).collect());
        let (tree, _folder) = Tree::of_files(&[(PAGE, page.as_str())]);
        violations(&tree).unwrap()
    }

    #[test]
    fn a_page_with_every_row_passes() {
        assert_eq!(of(|page| page), [""; 0]);
        assert_eq!(of(|page| page.replacen("`crates/a.rs::it`", "Missing: time", 1)), [""; 0]);
    }

    #[test]
    fn rows_that_are_gone_or_name_nothing_are_said() {
        let gone = of(|page| page.replace("| R07 |", "| R70 |"));
        assert!(gone[0].contains("where R07 belongs there is R70"), "{gone:?}");
        let last = of(|page| page.replace("| R82 | what | `crates/a.rs::it` |\n", ""));
        assert!(last[0].contains("the end of the table"), "{last:?}");
        let nothing = of(|page| page.replacen("`crates/a.rs::it`", "surely", 1));
        assert!(nothing[0].contains("row R01 needs"), "{nothing:?}");
    }
}
