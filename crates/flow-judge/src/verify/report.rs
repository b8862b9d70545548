//! Which golden numbers are asked for, and what was found as text.

use std::fmt::Write;

use super::{Check, GOLDENS, Golden};
use crate::error::{JudgeError, usage};

/// The golden numbers of these names, all if there are none.
///
/// # Errors
/// For a name that is not known.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Golden>, JudgeError> {
    if let Some(name) = names.iter().find(|name| GOLDENS.iter().all(|g| g.id != **name)) {
        let known: Vec<&str> = GOLDENS.iter().map(|golden| golden.id).collect();
        return Err(usage!("there is no golden number `{name}`, known are {}", known.join(", ")));
    }
    let wanted = |golden: &&Golden| names.is_empty() || names.iter().any(|name| name == golden.id);
    Ok(GOLDENS.iter().filter(wanted).collect())
}

/// How many checks fail.
#[must_use]
pub fn failures(checks: &[Check]) -> usize {
    checks.iter().filter(|check| !check.passed).count()
}

/// The checks as text for a terminal; they took so many `seconds`. Numbers that are none are shown
/// as what they are.
#[must_use]
pub fn table(checks: &[Check], seconds: f64) -> String {
    let mut text = format!(
        "{:4} {:42} {:10} {:>16} {:>16} {:>8} {:>9}\n",
        "", "quantity", "on", "expected", "got", "error", "tolerance"
    );
    let mut before = "";
    for check in checks {
        let Check { id, quantity, on, expected, got, error, tolerance, passed } = check;
        if *id != before {
            let what = GOLDENS.iter().find(|golden| golden.id == *id).map_or("", |g| g.what);
            let _ = writeln!(text, "{id}  {what}");
            before = id;
        }
        let verdict = if *passed { "pass" } else { "FAIL" };
        let _ = writeln!(
            text,
            "     {quantity:42} {on:10} {expected:16.10} {got:16.10} {error:8.1e} {tolerance:9.1e} \
             {verdict}"
        );
    }
    let passed = checks.len() - failures(checks);
    text + &format!("{passed} of {} checks pass, {seconds:.1} s", checks.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_check_is_counted_and_marked() {
        let check = |got: f64| Check {
            id: "G01",
            quantity: "a number".into(),
            on: "host f64".into(),
            expected: 1.0,
            got,
            error: (got - 1.0).abs(),
            tolerance: 1e-3,
            passed: (got - 1.0).abs() <= 1e-3,
        };
        let checks = [check(1.0), check(1.1)];
        assert_eq!(failures(&checks), 1);
        let table = table(&checks, 0.0);
        assert_eq!(table.matches("FAIL").count(), 1, "{table}");
        assert!(table.ends_with("1 of 2 checks pass, 0.0 s"), "{table}");
    }

    #[test]
    fn names_that_are_not_known_are_refused() {
        assert_eq!(chosen(&[]).unwrap().len(), GOLDENS.len());
        assert_eq!(chosen(&["G18".into()]).unwrap().len(), 1);
        assert!(chosen(&["G99".into()]).is_err());
    }
}
