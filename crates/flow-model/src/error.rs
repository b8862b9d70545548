//! Errors of a model.

use std::path::PathBuf;

use flow_sample::SampleError;

/// An error of a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A section `[network]` does not name its kind.
    #[error("network.kind must name a kind of network in quotes, one of {known}")]
    NoKind {
        /// The kinds that there are.
        known: String,
    },
    /// A network of a kind that the registry does not have:
    /// [`Registry::with`](crate::Registry::with) adds one.
    #[error(
        "there is no network.kind `{kind}`, use one of {known}; a network of your own is known to \
         the program that it was added to"
    )]
    UnknownKind {
        /// The kind.
        kind: String,
        /// The kinds that there are.
        known: String,
    },
    /// A network that no file of PyTorch builds.
    #[error(
        "there is no file of PyTorch for a network of the kind {kind}, there are those for \
         {known}: export a .flow file, whose weights are safetensors"
    )]
    NoTorch {
        /// The kind.
        kind: String,
        /// The kinds that there are files for.
        known: String,
    },
    /// A network that cannot be built from its section.
    #[error("{kind}: {reason}")]
    Network {
        /// The kind.
        kind: String,
        /// Which value is wrong, and how.
        reason: String,
    },
    /// A file or a folder that is read or written.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or the folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// What is wrong with the model of a file.
    #[error("{path}: {source}")]
    In {
        /// The file or the folder.
        path: PathBuf,
        /// What is wrong.
        source: Box<ModelError>,
    },
    /// Something else than a description of a model.
    #[error("this is no model: {reason}")]
    Format {
        /// What does not fit.
        reason: String,
    },
    /// A model of a later version.
    #[error("the model has format {format}, this program reads up to {known}: use a newer one")]
    Newer {
        /// Its format.
        format: i64,
        /// The newest that is known.
        known: u32,
    },
    /// Weights that do not fit the network.
    #[error("the weights do not fit the network: {reason}")]
    Weights {
        /// What does not fit.
        reason: String,
    },
    /// A law that paths start from which the registry does not have:
    /// [`Registry::with_source`](crate::Registry::with_source) adds one.
    #[error(
        "paths of this model start from `{name}`, which is not known here: use the program that \
         has added it"
    )]
    UnknownSource {
        /// Its name.
        name: String,
    },
    /// A value of the settings that cannot work.
    #[error("{key} {reason}")]
    Setting {
        /// Its key.
        key: String,
        /// What is wrong with it, and what it must be.
        reason: String,
    },
    /// A class that the model does not know.
    #[error("class {class} is asked for, the model has the classes 0 to {last}{names}")]
    NoSuchClass {
        /// The class.
        class: usize,
        /// The last one that there is.
        last: usize,
        /// Their names, in brackets, if they have any.
        names: String,
    },
    /// A class of a name that the model does not know.
    #[error("there is no class `{name}`, its classes are: {known}")]
    NoClassNamed {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A class is asked of a model without any.
    #[error("a class is asked for, but the model knows no classes")]
    NoClasses,
    /// Rows that a model does not read.
    #[error("a {what} is given for each sample, but the model takes none: leave it out")]
    NotAsked {
        /// What is given.
        what: &'static str,
    },
    /// Rows that a model reads are missing.
    #[error("the model reads a {what} of {size} numbers for each sample, give one for each")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// Its numbers.
        size: usize,
    },
    /// Rows that are given are of another number or size.
    #[error("{n} samples need a {what} of {size} numbers each, got {got} numbers")]
    Rows {
        /// What is given.
        what: &'static str,
        /// Number of samples.
        n: usize,
        /// Numbers in each.
        size: usize,
        /// Numbers given.
        got: usize,
    },
    /// A number that is given for a sample and is none.
    #[error("the {what} of sample {sample} holds {value}: mend it or leave the sample out")]
    GivenNotFinite {
        /// What is given.
        what: &'static str,
        /// Number of the sample.
        sample: usize,
        /// What stands in it.
        value: f32,
    },
    /// Lengths asked of a model whose rows have one length, or that no row has.
    #[error("{n} samples of length {length} are asked for: {known}")]
    Length {
        /// Number of samples.
        n: usize,
        /// The first length that cannot be met.
        length: usize,
        /// What can.
        known: String,
    },
    /// A density of rows that may end early.
    #[error("this model is of sequences of different lengths, whose densities are not found")]
    LengthsHaveNoDensity,
    /// A guide of other rows.
    #[error(
        "the guide is a model of other data: its rows have the shape {got:?}, those of the model \
         {expected:?}"
    )]
    GuideRows {
        /// Of the model.
        expected: Vec<usize>,
        /// Of the guide.
        got: Vec<usize>,
    },
    /// A guide that is told something else than the model.
    #[error("the guide is a model of other data: it has {got} {what}, the model {expected}")]
    GuideCondition {
        /// What differs.
        what: &'static str,
        /// Of the model.
        expected: usize,
        /// Of the guide.
        got: usize,
    },
    /// A question put to a model whose paths start from data.
    #[error(
        "the paths of this model start from data and not from noise, so that it knows no law of its \
         rows by which it could answer: train one of the rows alone"
    )]
    StartsFromData,
    /// A question put to a model that reads more of each row than a question says.
    #[error(
        "answers need a model of rows alone, or one that is told classes or numbers; this one reads \
         a {what}"
    )]
    CannotAnswer {
        /// What it reads.
        what: &'static str,
    },
    /// A question without a class to a model that always had one.
    #[error("the model has never learned to do without its class: name one")]
    ClassNeeded,
    /// A question that shows nothing of a sample.
    #[error(
        "nothing of a sample is seen, so that there is nothing to explain: draw samples, or mend \
         the mask"
    )]
    NothingSeen,
    /// An answer that explains what was seen much worse than noise does: the steps are too long for
    /// the method.
    #[error(
        "answer {answer} went astray: its misfit is {misfit:.3e}, far above that of pure noise; \
         take more steps, more corrections (the sampler langevin,corrections=20), or a method that \
         pulls less, such as dps with a smaller scale"
    )]
    Astray {
        /// The answer, from 0.
        answer: usize,
        /// Its misfit.
        misfit: f64,
    },
    /// Guidance away from no condition, which the model has never met.
    #[error(
        "guidance needs a model that has learned to do without its condition, by path.label_drop \
         above 0, or a weaker model to move away from; this one has not: draw with guidance 1"
    )]
    NotLearnedWithout,
    /// A velocity asked of a model that has learned jumps alone.
    #[error(
        "this model has learned jumps to the data and no velocity, so that solvers, densities and \
         answers have nothing to follow: draw samples by flow-map with 1 step"
    )]
    NoVelocity,
    /// A strength of guidance that is not baked in.
    #[error(
        "guidance {asked} is asked for, and this model has guidance {known} baked in, and no other: \
         ask for a strength that it has"
    )]
    Strength {
        /// The strength.
        asked: f64,
        /// Those that there are.
        known: String,
    },
    /// An interval of times for guidance that is baked in.
    #[error(
        "guidance within an interval of times is asked for, and that of this model is baked in and \
         acts at all times: leave the interval out"
    )]
    StrengthAtAllTimes,
    /// A sample that is no number, which is never returned.
    #[error(
        "sample {sample} is {value}: other steps may help, unless the weights themselves are no \
         numbers"
    )]
    NotFinite {
        /// Number of the sample.
        sample: usize,
        /// What stands in it.
        value: f32,
    },
    /// A velocity that is no number, which is never returned.
    #[error(
        "the velocity of row {row} at the time {t} is {value}: its numbers, its condition or the \
         time are too large or none, or the weights are no numbers"
    )]
    VelocityNotFinite {
        /// Number of the row.
        row: usize,
        /// The time.
        t: f64,
        /// What stands in it.
        value: f32,
    },
    /// A row that is asked for its density and is no number.
    #[error("sample {sample} is {value}, which has no density: mend it or leave it out")]
    NoDensity {
        /// Number of the row.
        sample: usize,
        /// What stands in it.
        value: f32,
    },
    /// An observation that is not of rows of the model.
    #[error(
        "what is seen has {sees} numbers, of rows of {reads}: the model has rows of {size}, and the \
         observation {got} numbers"
    )]
    Observation {
        /// Numbers of the rows that the operator looks at.
        reads: usize,
        /// Numbers that it sees of each.
        sees: usize,
        /// Numbers of the rows of the model.
        size: usize,
        /// Numbers that were observed.
        got: usize,
    },
    /// Whoever asked wants no more: see
    /// [`Model::sample_together`](crate::Model::sample_together).
    #[error("nobody waits for the numbers any more, they were given up")]
    Stopped,
    /// A sampler or a solver stopped.
    #[error(transparent)]
    Sample(#[from] SampleError),
}

impl ModelError {
    /// Whether it is a setting that cannot work, as opposed to something that failed on the way.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::NotFinite { .. }
            | Self::VelocityNotFinite { .. }
            | Self::Io { .. }
            | Self::Stopped
            | Self::Astray { .. } => false,
            Self::In { source, .. } => source.is_usage(),
            Self::Sample(error) => !matches!(
                error,
                SampleError::Solver { .. }
                    | SampleError::NotFinite { .. }
                    | SampleError::Density { .. }
            ),
            _ => true,
        }
    }
}
