//! Errors of reading the network of another program.

use std::path::PathBuf;

use flow_model::ModelError;
use flow_pickle::ReadError;

/// A network that cannot be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A family that is not known.
    #[error("there is no family `{name}`, use one of {known}")]
    UnknownFamily {
        /// The name.
        name: String,
        /// The families that there are.
        known: String,
    },
    /// The file of weights cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The configuration cannot be read.
    #[error("cannot read the configuration {path}: {reason}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A family is described by a configuration, and none is given.
    #[error("{family} needs the configuration of its network, a JSON file with {keys}")]
    NoConfig {
        /// The family.
        family: &'static str,
        /// The keys that it must have.
        keys: &'static str,
    },
    /// A configuration of a family that has none.
    #[error("{family} has no configuration, its arrays say all: leave --config out")]
    ConfigNotTaken {
        /// The family.
        family: &'static str,
    },
    /// A network of the family that ours cannot be.
    #[error("{family} with {key} = {value} cannot be imported, it must be {need}")]
    Unsupported {
        /// The family.
        family: &'static str,
        /// The key of its configuration.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        need: &'static str,
    },
    /// A configuration and arrays of two networks.
    #[error(
        "the configuration says {key} = {value}, but {found}: give the configuration of this file"
    )]
    Contradiction {
        /// The key of the configuration.
        key: String,
        /// Its value.
        value: String,
        /// What the arrays are, and what they would be.
        found: String,
    },
    /// Keys of a configuration of which nothing is known.
    #[error(
        "the configuration has keys that are unknown to {family}: {keys}; they may choose another \
         network, so take out those that do not"
    )]
    UnknownKeys {
        /// The family.
        family: &'static str,
        /// The keys.
        keys: String,
    },
    /// The file holds several states, and none was chosen.
    #[error("the file holds several states, name one of {known}")]
    Ambiguous {
        /// The states.
        known: String,
    },
    /// The file is one of another family.
    #[error("this is no file of {asked}, it has the arrays of {found}: import it as that")]
    OtherFamily {
        /// The family that was asked for.
        asked: &'static str,
        /// The family that it looks like.
        found: &'static str,
    },
    /// An array of the family is not there.
    #[error("the file has no array `{name}`, which {family} has: is it whole, and of this family?")]
    Missing {
        /// The family.
        family: &'static str,
        /// The array.
        name: String,
    },
    /// An array of the family holds numbers of a kind that no weight has.
    #[error(
        "the array `{name}` holds numbers of a kind that is not read, such as whole ones: save it as \
         float32"
    )]
    Kind {
        /// The array.
        name: String,
    },
    /// Arrays are left that the family does not have.
    #[error("the file has arrays that {family} does not: {names}")]
    Left {
        /// The family.
        family: &'static str,
        /// The arrays.
        names: String,
    },
    /// An array has another shape than the configuration says.
    #[error("the array `{name}` has the shape {shape:?}, it must be {need}")]
    Shape {
        /// The array.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// What it must be.
        need: String,
    },
    /// Positions of the file are not those that are computed here.
    #[error("`{name}` holds no sine-cosine positions, entry {at} is {got} in place of {expected}")]
    Positions {
        /// The array.
        name: String,
        /// The entry.
        at: usize,
        /// What stands there.
        got: f32,
        /// What must stand there.
        expected: f32,
    },
    /// An array of ours that does not fit, with those of the file that it was made of.
    #[error("{source}; it was made of `{names}` of the file")]
    Misfit {
        /// What does not fit, by our names.
        source: ModelError,
        /// The arrays of the file.
        names: String,
    },
    /// The network does not fit: its sizes contradict each other or its weights.
    #[error(transparent)]
    Model(#[from] ModelError),
}
