//! A training objective waits for nothing: a number that the host reads stops the device until all
//! that was asked of it is done.

use super::code::bare;
use super::tree::Tree;

const OBJECTIVES: &str = "crates/flow-train/src/objective";

/// What brings numbers from the device to the host.
const READS: [&str; 5] = ["into_data", "to_data", "into_scalar", "to_scalar", "into_bytes"];

/// One sentence for each objective that reads numbers outside of its tests.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn violations(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for file in tree.with_extension("rs").filter(|file| file.starts_with(OBJECTIVES)) {
        let text = tree.read(file)?;
        let own = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code = bare(own);
        let read = READS.iter().find(|read| {
            code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == **read)
        });
        if let Some(read) = read {
            violations.push(format!(
                "{} reads numbers on the host by `{read}` in every step: keep them on the device",
                file.display()
            ));
        }
    }
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_that_reads_a_number_is_named_and_its_tests_may() {
        let (tree, _folder) = Tree::of_files(&[
            ("crates/flow-train/src/objective/a.rs", "fn loss() { x.into_scalar::<f32>(); }"),
            ("crates/flow-train/src/objective/b.rs", "// into_data\n#[cfg(test)]\nx.into_data();"),
            ("crates/flow-train/src/clip.rs", "x.into_data();"),
        ]);
        let violations = violations(&tree).unwrap();
        let [violation] = &violations[..] else { panic!("{violations:?}") };
        assert!(violation.contains("objective/a.rs") && violation.contains("`into_scalar`"));
    }
}
