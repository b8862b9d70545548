//! Words on the terminal: results on standard output, everything else on standard error.

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};

/// Says something to who is watching, apart from the results on standard output.
pub(crate) fn say(text: &str) {
    // Who closed the pipe has read enough.
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
