//! Errors at the start of a server.

use std::net::{IpAddr, SocketAddr};

use flow_datasets::TableError;

/// An error of a server as a whole; those of a request are answers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Other machines could send requests, and no token is set.
    #[error(
        "{address} can be reached from other machines: give a token that requests must carry, or \
         listen on 127.0.0.1"
    )]
    Open {
        /// The address.
        address: IpAddr,
    },
    /// A token that no header can carry.
    #[error("the token must be made of visible ASCII letters without blanks, and not be empty")]
    Token,
    /// A limit that lets nothing through.
    #[error("{name} is 0, give at least 1")]
    Zero {
        /// The limit.
        name: &'static str,
    },
    /// A time for requests that is none, or longer than any should take.
    #[error("--timeout is {seconds}, give seconds up to {longest}")]
    Time {
        /// The time that was asked for.
        seconds: f64,
        /// The longest.
        longest: f64,
    },
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The system does not give what a server needs.
    #[error("the server cannot run: {source}")]
    Run {
        /// The system's reason.
        source: std::io::Error,
    },
    /// What the model has kept of its table is damaged.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl ServeError {
    /// Whether something was asked for that cannot be met, as opposed to something that failed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Listen { .. } | Self::Run { .. })
    }
}
