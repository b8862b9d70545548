//! Errors of a network's configuration.

/// A configuration from which no network can be built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A size that must be positive is zero.
    #[error("{field} is 0, it must be at least 1")]
    Zero {
        /// The field of the configuration.
        field: &'static str,
    },
    /// A size is larger than makes a difference.
    #[error("{field} is {value}, at most {most} make a difference")]
    TooMany {
        /// The field of the configuration.
        field: &'static str,
        /// Its value.
        value: usize,
        /// The largest that makes a difference.
        most: usize,
    },
    /// A size is no multiple of another that divides it.
    #[error("{field} is {value}, it must be a multiple of {divisor}")]
    NotDivisible {
        /// The field of the configuration.
        field: &'static str,
        /// Its value.
        value: usize,
        /// What it must be a multiple of.
        divisor: usize,
    },
    /// A number that must lie between others does not, or is none.
    #[error("{field} is {value}, it must be {need}")]
    OutOfRange {
        /// The field of the configuration.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        need: &'static str,
    },
    /// The smallest image of a U-Net is not a whole number of pixels.
    #[error(
        "an image of {size} pixels cannot be halved {halvings} times, use fewer multipliers or another size"
    )]
    TooManyLevels {
        /// Height or width of the image in pixels.
        size: usize,
        /// Number of halvings asked for.
        halvings: usize,
    },
    /// Attention is asked for at a resolution that the network does not have.
    #[error("attention at {asked} pixels is asked for, the network's resolutions are {have:?}")]
    NoSuchResolution {
        /// The resolution in `attention`.
        asked: usize,
        /// The resolutions of the network.
        have: Vec<usize>,
    },
    /// Rows have a shape that this kind of network does not take.
    #[error("{kind} takes {need}, rows have the shape {shape:?}")]
    Shape {
        /// The kind of network.
        kind: &'static str,
        /// What it takes.
        need: &'static str,
        /// The shape of the rows.
        shape: Vec<usize>,
    },
    /// A kind of network has no input for what it is asked to read.
    #[error("{kind} takes no {what}, use another kind of network or leave that out")]
    CannotTake {
        /// The kind of network.
        kind: &'static str,
        /// What it is asked to read.
        what: &'static str,
    },
    /// A file of weights lacks an array.
    #[error("there is no array `{name}`: these are the weights of another network")]
    NoSuchWeight {
        /// Its name.
        name: String,
    },
    /// An array of a file of weights has another shape than the network's.
    #[error(
        "the array `{name}` has the shape {have:?} in place of {want:?}: these are the weights of another network"
    )]
    ShapeOfWeight {
        /// Its name.
        name: String,
        /// Its shape in the file.
        have: Vec<usize>,
        /// Its shape in the network.
        want: Vec<usize>,
    },
}

/// `Ok` when `value` is at least 1.
pub(crate) fn positive(field: &'static str, value: usize) -> Result<(), NetworkError> {
    if value == 0 { Err(NetworkError::Zero { field }) } else { Ok(()) }
}

/// `Ok` when `value` is not above `most`.
pub(crate) fn at_most(field: &'static str, value: usize, most: usize) -> Result<(), NetworkError> {
    if most < value { Err(NetworkError::TooMany { field, value, most }) } else { Ok(()) }
}

/// `Ok` when a frequency is a positive number that `f32` can hold.
pub(crate) fn frequency(field: &'static str, value: f64) -> Result<(), NetworkError> {
    let normal = f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX);
    let need = "positive and within the range of single precision";
    if normal.contains(&value) {
        Ok(())
    } else {
        Err(NetworkError::OutOfRange { field, value, need })
    }
}

/// `Ok` when `value` is a multiple of `divisor`.
pub(crate) fn multiple(
    field: &'static str,
    value: usize,
    divisor: usize,
) -> Result<(), NetworkError> {
    if value.is_multiple_of(divisor) {
        Ok(())
    } else {
        Err(NetworkError::NotDivisible { field, value, divisor })
    }
}
