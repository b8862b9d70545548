//! Claims as data: what a paper says of numbers that the runs have, and whether they do.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

use anyhow::{bail, ensure};
use serde::Deserialize;

use super::columns::{Column, Number};

/// A statement about the scores of a run against those of others, or against a number.
///
/// Every row that `row` names is compared, with every run of `right`; the claim holds if all of
/// them do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claim {
    /// In words, with the table or figure of the paper where that says it.
    pub(crate) says: String,
    /// A run.
    pub(crate) left: String,
    pub(crate) is: Relation,
    /// Runs.
    #[serde(default)]
    pub(crate) right: Vec<String>,
    /// In place of runs.
    #[serde(default)]
    pub(crate) value: Option<f64>,
    /// The beginning of a score's name.
    pub(crate) score: String,
    /// A row, or the beginning of several; all of them, if left out.
    #[serde(default)]
    pub(crate) row: String,
    /// Of the other side, where they are not those of this one.
    #[serde(default)]
    pub(crate) right_score: Option<String>,
    #[serde(default)]
    pub(crate) right_row: Option<String>,
    /// By which the other side is multiplied.
    #[serde(default = "one")]
    pub(crate) factor: f64,
    /// How many standard deviations of the difference must lie between the two.
    #[serde(default = "two")]
    pub(crate) spreads: f64,
    /// Of `near`: the largest difference, as a fraction of the other side.
    #[serde(default)]
    pub(crate) tolerance: Option<f64>,
}

fn one() -> f64 {
    1.0
}

fn two() -> f64 {
    2.0
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Relation {
    Below,
    Above,
    Near,
}

/// What the numbers say, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Holds,
    Undecided,
    DoesNotHold,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holds => "**holds**",
            Self::Undecided => "undecided",
            Self::DoesNotHold => "**does not hold**",
        })
    }
}

impl Claim {
    /// Refuses what names no run of the experiment or compares with nothing.
    ///
    /// # Errors
    /// With what is wrong.
    pub(crate) fn check(&self, runs: &[&str]) -> anyhow::Result<()> {
        for run in self.right.iter().chain([&self.left]) {
            ensure!(
                runs.contains(&run.as_str()),
                "the claim `{}` names `{run}`, which is no run: use one of {}",
                self.says,
                runs.join(", ")
            );
        }
        ensure!(
            self.right.is_empty() == self.value.is_some(),
            "the claim `{}` needs either right = [RUN, ..] or value = NUMBER",
            self.says
        );
        ensure!(
            (self.is == Relation::Near) == self.tolerance.is_some(),
            "the claim `{}`: a tolerance belongs to is = \"near\", which needs one",
            self.says
        );
        Ok(())
    }

    /// By what distance it is decided, where that is not the usual one.
    fn limits(&self) -> String {
        let tolerance = self.tolerance.map(|within| format!("within {} %", 100.0 * within));
        let spreads = match self.spreads {
            0.0 => Some("by the means alone".to_owned()),
            2.0 => None,
            1.0 => Some("by one standard deviation".to_owned()),
            spreads => Some(format!("by {spreads} standard deviations")),
        };
        let limits: Vec<String> = tolerance.into_iter().chain(spreads).collect();
        if limits.is_empty() { String::new() } else { format!(" ({})", limits.join(", ")) }
    }

    /// Compares the numbers.
    ///
    /// # Errors
    /// If no run has such a score, so that the claim has a slip of the pen in it. A number that is
    /// missing in a run leaves the claim undecided.
    fn judge(&self, columns: &[Column]) -> anyhow::Result<(Verdict, String)> {
        let of = |run: &str, score: &str| {
            let column = columns.iter().find(|column| column.name == run);
            column.map(|column| column.numbers(score)).unwrap_or_default()
        };
        let right_score = self.right_score.as_ref().unwrap_or(&self.score);
        for score in [&self.score, right_score] {
            if columns.iter().all(|column| column.numbers(score).is_empty()) {
                bail!("the claim `{}` asks for the score `{score}`, which no run has", self.says);
            }
        }
        let left = rows(of(&self.left, &self.score), &self.row);
        let mut found: Vec<(Verdict, f64, String)> = Vec::new();
        for (row, number) in &left {
            let place = if row.is_empty() { String::new() } else { format!(", {row}") };
            let mut compare = |name: &str, other: Option<&Number>| {
                let words = match other {
                    Some(other) => {
                        let times = match self.factor {
                            1.0 => String::new(),
                            factor => format!("{factor} x "),
                        };
                        format!("{} {}{place}: {times}{}", self.left, number.text(), other.text())
                    }
                    None => format!("no number of {name}{place}"),
                };
                let name = if self.value.is_some() { "" } else { name };
                // Rows of one run differ less than their spreads say: its seeds go up and down
                // together.
                let paired = name == self.left;
                let (verdict, margin) = other
                    .map_or((Verdict::Undecided, f64::NAN), |o| self.compare(number, o, paired));
                found.push((verdict, margin, format!("{words} {name}").trim_end().to_owned()));
            };
            if let Some(value) = self.value {
                compare("", Some(&Number::exact(value)));
            }
            for run in &self.right {
                let all = of(run, right_score);
                let wanted = self.right_row.as_ref().unwrap_or(row);
                compare(run, all.iter().find(|(row, _)| row == wanted).map(|(_, n)| n));
            }
        }
        // The one that decides: the worst verdict, and the least margin among its like.
        let worst = found.iter().max_by(|a, b| {
            let margin = |m: f64| if m.is_nan() { f64::INFINITY } else { -m };
            a.0.cmp(&b.0).then(margin(a.1).total_cmp(&margin(b.1)))
        });
        let Some((verdict, _, words)) = worst else {
            return Ok((Verdict::Undecided, format!("{} has no such number", self.left)));
        };
        let mut text = words.clone();
        if found.len() > 1 {
            let holding = found.iter().filter(|(verdict, ..)| *verdict == Verdict::Holds).count();
            let _ = write!(text, "; {holding} of {} comparisons hold", found.len());
        }
        Ok((*verdict, text))
    }

    /// The verdict and by how much: the distance of the nearer end of the difference's interval
    /// from where the verdict would change, in units of the right side.
    fn compare(&self, left: &Number, right: &Number, paired: bool) -> (Verdict, f64) {
        let target = self.factor * right.mean;
        let gap = left.mean - target;
        let differences = left.minus(right, self.factor).filter(|_| paired);
        let spread = differences
            .and_then(|differences| differences.spread)
            .or_else(|| Some(left.spread?.hypot(self.factor * right.spread?)));
        let seeds = spread.map(|spread| {
            let room = self.spreads * spread;
            (gap - room, gap + room)
        });
        let samples = left.bracket.map(|(low, high)| (low - target, high - target));
        let (low, high) = match (seeds, samples) {
            // Neither the seeds nor the samples may leave it open.
            (Some(a), Some(b)) => (a.0.min(b.0), a.1.max(b.1)),
            (Some(interval), None) | (None, Some(interval)) => interval,
            // One run whose score has no error of its own.
            (None, None) => return (Verdict::Undecided, f64::NAN),
        };
        let limit = self.tolerance.unwrap_or_default() * target.abs();
        // How far inside the claim the worst and the best end of the interval lie.
        let (worst, best) = match self.is {
            Relation::Below => (-high, -low),
            Relation::Above => (low, high),
            Relation::Near => {
                let beside =
                    if low <= 0.0 && 0.0 <= high { 0.0 } else { low.abs().min(high.abs()) };
                (limit - low.abs().max(high.abs()), limit - beside)
            }
        };
        let verdict = if worst.is_nan() || best.is_nan() {
            Verdict::Undecided
        } else if 0.0 < worst || (self.is == Relation::Near && worst == 0.0) {
            Verdict::Holds
        } else if best < 0.0 || (best == 0.0 && worst == 0.0) {
            Verdict::DoesNotHold
        } else {
            Verdict::Undecided
        };
        let margin = if verdict == Verdict::DoesNotHold { best } else { worst };
        (verdict, margin / target.abs())
    }
}

/// The row of this name, or those whose names begin with it.
fn rows(all: Vec<(String, Number)>, name: &str) -> Vec<(String, Number)> {
    if all.iter().any(|(row, _)| row == name) {
        return all.into_iter().filter(|(row, _)| row == name).collect();
    }
    all.into_iter().filter(|(row, _)| row.starts_with(name)).collect()
}

/// The section of a page: each claim, its verdict and the numbers that say so; nothing without
/// claims.
///
/// # Errors
/// If a claim asks for a score that no run has.
pub(crate) fn section(claims: &[Claim], columns: &[Column]) -> anyhow::Result<String> {
    if claims.is_empty() {
        return Ok(String::new());
    }
    let mut text =
        "## Claims\n\n| claim | verdict | the numbers that decide |\n|---|---|---|\n".to_owned();
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for claim in claims {
        let (verdict, numbers) = claim.judge(columns)?;
        *counts.entry(verdict).or_default() += 1;
        let _ = writeln!(
            text,
            "| {}{} | {verdict} | {} |",
            claim.says.trim(),
            claim.limits(),
            numbers.replace('|', "\\|")
        );
    }
    let count = |verdict| counts.get(&verdict).copied().unwrap_or_default();
    let _ = writeln!(
        text,
        "\nComputed, not typed: {} hold, {} do not, {} are undecided. A claim holds, or does not, \
         where two standard deviations of the difference lie between the numbers and where the \
         verdict would change, unless it says another distance; in between it is undecided. Of \
         several comparisons the least favourable is shown.\n",
        count(Verdict::Holds),
        count(Verdict::DoesNotHold),
        count(Verdict::Undecided)
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::columns::tests::made_up;
    use super::*;

    /// A claim by its keys, one behind the other.
    fn claim(keys: &str) -> Claim {
        toml::from_str(&format!("says = 'S'\n{}", keys.replace("; ", "\n"))).unwrap()
    }

    fn verdict(text: &str) -> (Verdict, String) {
        claim(text).judge(&made_up()).unwrap()
    }

    #[test]
    fn a_claim_holds_where_the_difference_is_clear() {
        // 1.1 ± 0.1 and 3.1 ± 0.1: a difference of 2 with a deviation of 0.14.
        let (found, numbers) = verdict(
            "left = 'OT'; is = 'below'; right = ['VP']; score = 'FD-clf'; row = 'euler x 5'",
        );
        assert_eq!(found, Verdict::Holds, "{numbers}");
        assert_eq!(numbers, "OT 1.10 ± 0.10, euler x 5: 3.10 ± 0.10 VP");
    }

    #[test]
    fn a_false_claim_does_not_hold() {
        for text in [
            "left = 'OT'; is = 'above'; right = ['VP']; score = 'FD-clf'; row = 'euler x 5'",
            "left = 'OT'; is = 'below'; value = 0.2; score = 'FD-clf'; row = 'euler x 5'",
            // 1.1 is not below 0.2 of 3.1.
            "left = 'OT'; is = 'below'; right = ['VP']; factor = 0.2; \
             score = 'FD-clf'; row = 'euler x 5'",
            "left = 'OT'; is = 'near'; tolerance = 0.1; right = ['VP']; \
             score = 'FD-clf'; row = 'euler x 5'",
            // Equal numbers without a spread.
            "left = 'VP'; is = 'below'; value = 150; score = 'network'; row = 'after 100 %'",
        ] {
            let (found, numbers) = verdict(text);
            assert_eq!(found, Verdict::DoesNotHold, "{text}: {numbers}");
        }
    }

    #[test]
    fn what_lies_within_the_spreads_is_undecided() {
        // 0.6 ± 0.17 and 0.6 ± 0.1.
        let text =
            "left = 'OT'; is = 'below'; right = ['VP']; score = 'FD-clf'; row = 'euler x 50'";
        assert_eq!(verdict(text).0, Verdict::Undecided);
        // Of all rows, one holds and one is undecided.
        let (found, numbers) =
            verdict("left = 'OT'; is = 'below'; right = ['VP']; score = 'FD-clf'");
        assert_eq!(found, Verdict::Undecided);
        assert!(numbers.contains("euler x 50") && numbers.contains("1 of 2"), "{numbers}");
        // A number that is missing.
        let text = "left = 'VP'; is = 'below'; value = 3; score = 'bits'";
        assert_eq!(verdict(text).0, Verdict::Undecided);
    }

    #[test]
    fn moments_of_the_training_and_brackets_are_compared_too() {
        let (found, numbers) = verdict(
            "left = 'VP'; is = 'above'; right = ['OT']; factor = 3; \
             score = 'network'; row = 'after 0.5 %'",
        );
        assert_eq!(found, Verdict::Holds, "{numbers}");
        let (found, numbers) = verdict(
            "left = 'OT'; is = 'near'; tolerance = 0.2; right = ['OT']; \
             score = 'network'; row = 'after'; \
             right_row = 'after 100 %'",
        );
        assert_eq!(found, Verdict::Holds, "{numbers}");
        let of_the_bracket = |value: f64| {
            verdict(&format!(
                "left = 'OT'; is = 'below'; value = {value}; score = 'evaluations over those of VP'"
            ))
            .0
        };
        // The seeds are 0.55 ± 0.05, the samples leave 0.48 to 0.63.
        assert_eq!(of_the_bracket(0.7), Verdict::Holds);
        assert_eq!(of_the_bracket(0.64), Verdict::Undecided);
        assert_eq!(of_the_bracket(0.6), Verdict::Undecided);
        assert_eq!(of_the_bracket(0.4), Verdict::DoesNotHold);
    }

    #[test]
    fn rows_of_one_run_are_compared_seed_by_seed() {
        // 1.1 ± 0.1 and 0.6 ± 0.17, whose differences are 0.5, 0.6 and 0.4.
        let with = |spreads: f64| {
            verdict(&format!(
                "left = 'OT'; is = 'above'; right = ['OT']; score = 'FD-clf'; row = 'euler x 5'; \
                 right_row = 'euler x 50'; spreads = {spreads}"
            ))
            .0
        };
        assert_eq!(with(4.9), Verdict::Holds);
        assert_eq!(with(5.1), Verdict::Undecided);
    }

    #[test]
    fn slips_of_the_pen_are_said() {
        let missing = claim("left = 'OT'; is = 'below'; value = 1; score = 'FID'");
        assert!(missing.judge(&made_up()).unwrap_err().to_string().contains("`FID`"));
        for (text, named) in [
            ("left = 'OT'; is = 'below'; score = 's'", "either right"),
            ("left = 'AB'; is = 'below'; value = 1; score = 's'", "`AB`"),
            ("left = 'OT'; is = 'near'; value = 1; score = 's'", "tolerance"),
        ] {
            let error = claim(text).check(&["OT", "VP"]).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_distance_that_is_not_the_usual_one_is_shown() {
        let limits =
            |keys: &str| claim(&format!("left = 'OT'; value = 1; score = 's'; {keys}")).limits();
        assert_eq!(limits("is = 'below'"), "");
        assert_eq!(limits("is = 'below'; spreads = 0"), " (by the means alone)");
        let near = "is = 'near'; tolerance = 0.25; spreads = 1";
        assert_eq!(limits(near), " (within 25 %, by one standard deviation)");
    }

    #[test]
    fn a_page_counts_the_verdicts() {
        let claims = [
            claim("left = 'OT'; is = 'above'; right = ['VP']; score = 'FD-clf'; row = 'euler x 5'"),
            claim("left = 'OT'; is = 'below'; right = ['VP']; score = 'FD-clf'; row = 'euler x 5'"),
        ];
        let text = section(&claims, &made_up()).unwrap();
        assert!(text.contains("| S | **does not hold** | OT 1.10 ± 0.10"), "{text}");
        assert!(text.contains("1 hold, 1 do not, 0 are undecided"), "{text}");
        assert_eq!(section(&[], &made_up()).unwrap(), "");
    }
}
