//! What a configuration says of the arrays of its file, and by which of its keys.
//!
//! A file that does not fit its configuration would be refused anyway, by the first array of ours
//! that cannot be filled. Here it is refused by the key that is wrong.

use std::collections::BTreeMap;
use std::fmt::Display;

use flow_pickle::Array;

use crate::error::ImportError;

/// A consequence of a key of a configuration.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    key: String,
    value: String,
    of: Of,
}

/// What follows. An array that is not there says nothing of its sides.
#[derive(Clone, Debug)]
enum Of {
    /// A side of an array is one of these.
    Side { name: String, axis: usize, sides: Vec<usize> },
    /// So many parts are numbered behind a name, such as `blocks.`.
    Count { before: String, count: usize },
    /// There are arrays whose names begin so, or none.
    There { begin: String, there: bool },
}

impl Claim {
    fn new(key: impl Into<String>, value: impl Display, of: Of) -> Self {
        Self { key: key.into(), value: value.to_string(), of }
    }

    /// A side of an array is one of some.
    pub(crate) fn side(
        key: impl Into<String>,
        value: impl Display,
        (name, axis): (impl Into<String>, usize),
        sides: impl Into<Vec<usize>>,
    ) -> Self {
        Self::new(key, value, Of::Side { name: name.into(), axis, sides: sides.into() })
    }

    /// So many parts are numbered behind a name.
    pub(crate) fn count(
        key: impl Into<String>,
        value: impl Display,
        before: impl Into<String>,
        count: usize,
    ) -> Self {
        Self::new(key, value, Of::Count { before: before.into(), count })
    }

    /// There are arrays whose names begin so, or none.
    pub(crate) fn there(
        key: impl Into<String>,
        value: impl Display,
        begin: impl Into<String>,
        there: bool,
    ) -> Self {
        Self::new(key, value, Of::There { begin: begin.into(), there })
    }

    /// What the arrays are instead, if they are something else.
    fn contradicted(&self, arrays: &BTreeMap<String, Array>) -> Option<String> {
        match &self.of {
            Of::Side { name, axis, sides } => {
                let shape = &arrays.get(name)?.shape;
                let found = shape.get(*axis)?;
                if sides.contains(found) {
                    return None;
                }
                let with = |&side: &usize| {
                    let mut shape = shape.clone();
                    shape[*axis] = side;
                    format!("{shape:?}")
                };
                let need = sides.iter().map(with).collect::<Vec<_>>().join(" or ");
                Some(format!("the array `{name}` has the shape {shape:?} in place of {need}"))
            }
            Of::Count { before, count } => {
                let number = |name: &String| -> Option<usize> {
                    name.strip_prefix(before)?.split('.').next()?.parse().ok()
                };
                let found =
                    arrays.keys().filter_map(number).max().map_or(0, |last| last.saturating_add(1));
                let said =
                    || format!("the file has {found} of `{before}{{i}}` in place of {count}");
                (found != *count).then(said)
            }
            Of::There { begin, there } => {
                let found = arrays.keys().any(|name| name.starts_with(begin));
                let some = if found { "arrays" } else { "no arrays" };
                (found != *there).then(|| format!("the file has {some} `{begin}*`"))
            }
        }
    }
}

/// Refuses arrays that are others than a configuration says, by the first key that is wrong.
pub(crate) fn check(arrays: &BTreeMap<String, Array>, claims: &[Claim]) -> Result<(), ImportError> {
    for claim in claims {
        if let Some(found) = claim.contradicted(arrays) {
            let (key, value) = (claim.key.clone(), claim.value.clone());
            return Err(ImportError::Contradiction { key, value, found });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(claim: Claim) -> Option<String> {
        let array = |shape: &[usize]| Array { shape: shape.into(), numbers: Vec::new() };
        let arrays = BTreeMap::from([
            ("in.weight".to_owned(), array(&[8, 3])),
            ("blocks.0.weight".to_owned(), array(&[8])),
            ("blocks.2.weight".to_owned(), array(&[8])),
            ("blocks.last".to_owned(), array(&[8])),
        ]);
        check(&arrays, &[claim]).err().map(|error| error.to_string())
    }

    #[test]
    fn what_arrays_are_is_compared_with_what_a_key_says() {
        let side = |sides: &[usize]| said(Claim::side("width", sides[0], ("in.weight", 0), sides));
        assert_eq!(side(&[8]), None);
        assert_eq!(side(&[7, 8]), None);
        let wrong = side(&[6, 7]).unwrap();
        let need = "the array `in.weight` has the shape [8, 3] in place of [6, 3] or [7, 3]";
        assert!(wrong.contains("says width = 6") && wrong.contains(need), "{wrong}");
        // Of what is not there nothing is said.
        assert_eq!(said(Claim::side("width", 1, ("out.weight", 0), [1])), None);
        assert_eq!(said(Claim::side("width", 1, ("in.weight", 2), [1])), None);

        // A gap is a missing array, and is named as one later.
        assert_eq!(said(Claim::count("depth", 3, "blocks.", 3)), None);
        let fewer = said(Claim::count("depth", 2, "blocks.", 2)).unwrap();
        assert!(fewer.contains("the file has 3 of `blocks.{i}` in place of 2"), "{fewer}");
        let none = said(Claim::count("depth", 2, "layers.", 2)).unwrap();
        assert!(none.contains("the file has 0 of `layers.{i}`"), "{none}");

        assert_eq!(said(Claim::there("biased", true, "in.", true)), None);
        let there = said(Claim::there("biased", false, "in.", false)).unwrap();
        assert!(there.contains("says biased = false, but the file has arrays `in.*`"), "{there}");
        let not = said(Claim::there("classes", 3, "table.", true)).unwrap();
        assert!(not.contains("the file has no arrays `table.*`"), "{not}");
    }
}
