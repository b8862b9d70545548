//! Numbers of things, in words.

use std::fmt::Display;

/// A number with what it counts, which is named by one of them: `1 row`, `3 rows`, `0 classes`.
///
/// ```
/// use flow_datasets::counted;
///
/// assert_eq!(counted(1, "row"), "1 row");
/// assert_eq!(counted(0, "class"), "0 classes");
/// assert_eq!(counted(format!("{:.0}", 1.2), "network evaluation"), "1 network evaluation");
/// ```
#[must_use]
pub fn counted(n: impl Display, thing: &str) -> String {
    let n = n.to_string();
    match (n.as_str(), thing.ends_with("ss")) {
        ("1", _) => format!("1 {thing}"),
        (n, true) => format!("{n} {thing}es"),
        (n, false) => format!("{n} {thing}s"),
    }
}
