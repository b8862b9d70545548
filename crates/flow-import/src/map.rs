//! The map of a family: which of its arrays becomes which of ours, and how.

use std::collections::BTreeMap;

use flow_model::ModelError;
use flow_pickle::Array;
use serde::Deserialize;

use crate::error::ImportError;
use crate::operation::{Operation, Sizes};
use crate::unet::Place;

/// A file of the folder `families`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Map {
    /// What the family is, and what its time and its output mean.
    pub(crate) about: String,
    /// An array that every file of the family has, and no file of another.
    pub(crate) mark: String,
    /// The arrays of ours.
    pub(crate) take: Vec<Take>,
    /// The arrays of parts that stand in several places, by the name of the part.
    #[serde(default)]
    parts: BTreeMap<String, Vec<Take>>,
    /// An array of positions to compare with ours, if the family stores one.
    #[serde(default)]
    pub(crate) positions: Option<String>,
}

/// An array of ours.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Take {
    /// Theirs, one below the other; `{i}` stands for the number of a block.
    from: Vec<String>,
    /// Ours.
    to: String,
    /// What is done to it, in order.
    #[serde(default)]
    how: Vec<Operation>,
    /// Taken only by networks that have this.
    #[serde(default)]
    with: Option<With>,
}

/// What some networks of a family have and others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum With {
    Classes,
}

/// The arrays of a network of ours.
#[derive(Debug, Default)]
pub(crate) struct Ours {
    /// By their names.
    pub(crate) arrays: BTreeMap<String, Array>,
    /// The names of the arrays that each was made of.
    made_of: BTreeMap<String, Vec<String>>,
}

impl Ours {
    /// An error of the network about one of its arrays, with what that is called in the file.
    pub(crate) fn named(&self, error: ModelError) -> ImportError {
        let said = error.to_string();
        // Names of arrays are words: they have no space in them.
        match said.split_whitespace().find_map(|word| self.made_of.get(word)) {
            Some(theirs) => ImportError::Misfit { names: theirs.join("`, `"), source: error },
            None => error.into(),
        }
    }
}

impl Map {
    pub(crate) fn parse(text: &str) -> Self {
        toml::from_str(text).expect("the files of the families are read by a test")
    }

    /// Our arrays from theirs, of which none may be missing or left over.
    pub(crate) fn apply(
        &self,
        family: &'static str,
        mut theirs: BTreeMap<String, Array>,
        sizes: &Sizes,
    ) -> Result<Ours, ImportError> {
        let mut take = |name: &str| {
            let missing = || ImportError::Missing { family, name: name.into() };
            theirs.remove(name).ok_or_else(missing)
        };
        let mut ours = Ours::default();
        let mut follow = |rule: &Take, theirs: &dyn Fn(&str) -> String, to: String| {
            let names: Vec<String> = rule.from.iter().map(|name| theirs(name)).collect();
            let mut array = take(&names[0])?;
            for below in &names[1..] {
                append(below, &mut array, take(below)?)?;
            }
            for operation in &rule.how {
                array = operation.apply(&names[0], array, sizes)?;
            }
            ours.made_of.insert(to.clone(), names);
            ours.arrays.insert(to, array);
            Ok::<(), ImportError>(())
        };
        let has = |rule: &&Take| rule.with != Some(With::Classes) || 0 < sizes.classes;
        for rule in self.take.iter().filter(has) {
            let repeated = rule.to.contains("{i}");
            for block in 0..if repeated { sizes.depth } else { 1 } {
                let numbered = |name: &str| numbered(name, block);
                follow(rule, &numbered, numbered(&rule.to))?;
            }
        }
        for Place { part, theirs, ours } in &sizes.places {
            for rule in &self.parts[*part] {
                let there = |name: &str| format!("{theirs}.{name}");
                follow(rule, &there, format!("{ours}.{}", rule.to))?;
            }
        }
        if let Some(name) = &self.positions {
            sizes.check_positions(name, &take(name)?)?;
        }
        if theirs.is_empty() {
            return Ok(ours);
        }
        let names: Vec<String> = theirs.into_keys().collect();
        Err(ImportError::Left { family, names: names.join(", ") })
    }
}

/// A name with the number of a block, or of the module that holds it.
fn numbered(name: &str, block: usize) -> String {
    name.replace("{i}", &block.to_string()).replace("{2i}", &(2 * block).to_string())
}

/// One array below another of the same sides.
fn append(name: &str, array: &mut Array, below: Array) -> Result<(), ImportError> {
    if array.shape.is_empty() || array.shape.get(1..) != below.shape.get(1..) {
        let need = format!("one to stand below {:?}", array.shape);
        return Err(ImportError::Shape { name: name.into(), shape: below.shape, need });
    }
    array.shape[0] += below.shape[0];
    array.numbers.extend(below.numbers);
    Ok(())
}
