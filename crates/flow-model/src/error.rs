//! What can go wrong with a model.

/// An error of a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A section `[network]` does not name its kind.
    #[error("network.kind is missing, give one of {known}")]
    NoKind {
        /// The kinds that there are.
        known: String,
    },
    /// A network of a kind that the registry does not have.
    #[error(
        "there is no network.kind `{kind}`, use one of {known}, or register it with Registry::with"
    )]
    UnknownKind {
        /// The kind.
        kind: String,
        /// The kinds that there are.
        known: String,
    },
    /// A network that cannot be built from its section.
    #[error("network ({kind}): {reason}")]
    Network {
        /// The kind.
        kind: String,
        /// Which value is wrong, and how.
        reason: String,
    },
}
