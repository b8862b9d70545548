//! Errors of writing a model.

use flow_model::ModelError;

/// An error of an export.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// A network that does not implement [`Network::graph`](flow_nn::Network::graph).
    #[error(
        "a network of the kind {kind} does not name its operations, so that it cannot be written \
         as ONNX: export a .flow file"
    )]
    NoGraph {
        /// The kind.
        kind: String,
    },
    /// Rows that may end early.
    #[error(
        "rows of this model are sequences that may end early, which a graph has no input for: \
         export a .flow file"
    )]
    Lengths,
    /// More weights than a file of this kind holds.
    #[error(
        "the network has {parameters} parameters, a file of ONNX holds no more than {most}: export \
         a .flow file, which has no such bound"
    )]
    TooLarge {
        /// Its parameters.
        parameters: usize,
        /// The largest number of parameters that fits.
        most: usize,
    },
    /// A weight that is no number, of which no program can make any.
    #[error("`{name}` holds {value}, so that no number would come out of the file: train it anew")]
    NotFinite {
        /// The weight.
        name: String,
        /// What stands in it.
        value: f32,
    },
    /// A model that is sampled in a way that a graph of fixed steps does not have.
    #[error("no sampler is written for this model, its network is: {reason}")]
    NoSampler {
        /// The setting that cannot be exported.
        reason: String,
    },
    /// Settings of the model that contradict each other.
    #[error(transparent)]
    Model(#[from] ModelError),
}
