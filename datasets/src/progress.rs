//! The progress of a download, as it is reported to the caller.

/// Called for each piece that arrives.
pub type ProgressFn = dyn Fn(Progress<'_>) + Send + Sync;

/// How much of a file has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Name of the file.
    pub file: &'a str,
    /// Bytes so far.
    pub bytes: u64,
    /// Bytes of the whole file.
    pub total: u64,
}
