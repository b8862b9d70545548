//! Classes as a request names them.

use flow_model::{Classes, Model};
use serde::Deserialize;

use crate::refused::Refused;

/// A class by its number or its name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a class is a whole number from 0, or a name in quotes")]
pub(crate) enum Label {
    Number(usize),
    Name(String),
}

impl Label {
    /// Its number; whether the model has it, the model says.
    fn number(&self, model: &Model) -> Result<usize, Refused> {
        match self {
            Self::Number(class) => Ok(*class),
            Self::Name(name) => Ok(model.class_named(name)?),
        }
    }
}

/// The classes that are asked for, if any are; whether the model has them, the model says.
pub(crate) fn classes(
    model: &Model,
    all: Option<&Label>,
    each: Option<&[Label]>,
) -> Result<Option<Classes>, Refused> {
    match (all, each) {
        (None, None) => Ok(None),
        (Some(class), None) => Ok(Some(Classes::All(class.number(model)?))),
        (None, Some(each)) => {
            let numbers = each.iter().map(|class| class.number(model));
            Ok(Some(Classes::Each(numbers.collect::<Result<_, _>>()?)))
        }
        (Some(_), Some(_)) => Err(Refused::bad("give `class` or `classes`, not both")),
    }
}
