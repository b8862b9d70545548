//! Words on the terminal: results on standard output, everything else on standard error.

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};

/// Prints a message for the user on standard error, apart from the results on standard output.
pub(crate) fn say(text: &str) {
    // A closed pipe is no error: its reader wants no more.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints a result.
///
/// # Errors
/// When it cannot be written, as on a full disk.
pub(crate) fn print(text: &str) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        // As above: `flow list | head -1` is no error.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("the result cannot be written to standard output"),
    }
}
