//! Every crate says what it is, in its manifest and in the map of the crates.

use std::path::Path;

use super::packages::Package;
use super::tree::Tree;

const MAP: &str = "docs/ARCHITECTURE.md";

/// A sentence for each crate without a description or a row of the map.
///
/// # Errors
/// If the map cannot be read.
pub(crate) fn violations(packages: &[Package], tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for package in packages {
        if package.description.as_deref().is_none_or(|text| text.trim().is_empty()) {
            violations.push(format!(
                "{} has no `description` in its Cargo.toml: say in one sentence what it is for",
                package.name
            ));
        }
    }
    if !tree.has(Path::new(""), MAP) {
        violations.push(format!("{MAP} is missing: write it, with a table row for each crate"));
        return Ok(violations);
    }
    let map = tree.read(Path::new(MAP))?;
    for package in packages.iter().filter(|package| !has_row(&map, &package.name)) {
        violations.push(format!(
            "{} has no row in a table of {MAP}: add one that begins with its name",
            package.name
        ));
    }
    Ok(violations)
}

/// Whether the first cell of a table row names the crate.
fn has_row(map: &str, name: &str) -> bool {
    let rows = map.lines().filter_map(|line| line.trim().strip_prefix('|'));
    let mut first_cells = rows.filter_map(|row| row.split('|').next());
    first_cells.any(|cell| {
        let mut words = cell.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        words.any(|word| word == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "| crate | holds |\n|---|---|\n| [`flow-ode`](../crates/flow-ode/) | it |\n";

    #[test]
    fn a_described_crate_with_a_row_passes() {
        let (tree, _folder) = Tree::of_files(&[(MAP, TABLE)]);
        let packages = [Package::new("flow-ode", &[])];
        assert_eq!(violations(&packages, &tree).unwrap(), [""; 0]);
    }

    #[test]
    fn a_crate_without_a_description_is_named() {
        let (tree, _folder) = Tree::of_files(&[(MAP, TABLE)]);
        let package = Package { description: None, ..Package::new("flow-ode", &[]) };
        let violations = violations(&[package], &tree).unwrap();
        assert!(violations[0].starts_with("flow-ode has no `description`"), "{violations:?}");
    }

    #[test]
    fn a_row_is_about_the_whole_name_in_its_first_cell() {
        let map = "flow-nn in prose\n| `flow-ode-extra` | uses `flow-nn` |\n";
        let (tree, _folder) = Tree::of_files(&[(MAP, map)]);
        for name in ["flow-nn", "flow-ode"] {
            let violations = violations(&[Package::new(name, &[])], &tree).unwrap();
            assert!(violations[0].contains("has no row"), "{violations:?}");
        }
    }

    #[test]
    fn a_missing_map_is_one_violation() {
        let (tree, _folder) = Tree::of_files(&[("README.md", "")]);
        let packages = [Package::new("flow-ode", &[]), Package::new("flow-nn", &[])];
        assert_eq!(violations(&packages, &tree).unwrap().len(), 1);
    }
}
