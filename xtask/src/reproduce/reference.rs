//! The numbers of a paper beside ours.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::ensure;
use serde::Deserialize;

use super::columns::{Column, Number};

/// One column of a paper's table, and which of our scores stands beside it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reference {
    /// What the paper measures, on what, and in which table.
    pub(crate) title: String,
    /// The beginning of our score's name.
    pub(crate) score: String,
    #[serde(default)]
    pub(crate) row: String,
    /// The paper's number of each run that it has.
    pub(crate) numbers: BTreeMap<String, f64>,
}

impl Reference {
    /// Refuses numbers of what is no run.
    ///
    /// # Errors
    /// With its name.
    pub(crate) fn check(&self, runs: &[&str]) -> anyhow::Result<()> {
        for run in self.numbers.keys() {
            ensure!(
                runs.contains(&run.as_str()),
                "the reference `{}` has a number of `{run}`, which is no run: use one of {}",
                self.title,
                runs.join(", ")
            );
        }
        Ok(())
    }
}

/// One table with our numbers and those of the paper; nothing without references.
pub(crate) fn section(references: &[Reference], columns: &[Column]) -> String {
    if references.is_empty() {
        return String::new();
    }
    let mut text = "## Beside the paper\n\n| run |".to_owned();
    for reference in references {
        let ours = [reference.score.as_str(), reference.row.as_str()];
        let ours = ours.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>();
        let _ = write!(text, " {} | paper: {} |", ours.join(", "), reference.title);
    }
    let _ = writeln!(text, "\n|---|{}", "---|---|".repeat(references.len()));
    for column in columns {
        let _ = write!(text, "| {} |", column.name);
        for Reference { score, row, numbers, .. } in references {
            let found = column.numbers(score).into_iter().find(|(name, _)| name == row);
            let ours = found.map(|(_, number)| number.text()).unwrap_or_default();
            let paper = numbers.get(&column.name).map(|&number| Number::exact(number).text());
            let _ = write!(text, " {ours} | {} |", paper.unwrap_or_default());
        }
        text.push('\n');
    }
    text + "\nThe paper's networks, data and budgets are other ones: the order of the rows is what \
            can be compared.\n\n"
}

#[cfg(test)]
mod tests {
    use super::super::columns::tests::made_up;
    use super::*;

    fn reference() -> Reference {
        let text = "title = 'FID, table 1'\nscore = 'FD-clf'\nrow = 'euler x 5'\n\
                    numbers = { OT = 6.35 }";
        toml::from_str(text).unwrap()
    }

    #[test]
    fn numbers_of_the_paper_stand_beside_ours() {
        let text = section(&[reference()], &made_up());
        assert!(text.contains("| run | FD-clf, euler x 5 | paper: FID, table 1 |"), "{text}");
        assert!(text.contains("| OT | 1.10 ± 0.10 | 6.35 |\n| VP | 3.10 ± 0.10 |  |"), "{text}");
        assert_eq!(section(&[], &made_up()), "");
    }

    #[test]
    fn a_number_of_no_run_is_refused() {
        assert!(reference().check(&["VP"]).unwrap_err().to_string().contains("`OT`"));
        reference().check(&["OT", "VP"]).unwrap();
    }
}
