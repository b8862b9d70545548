//! Lines on standard output.

use std::io::{self, ErrorKind, Write};

use anyhow::Context;

/// Prints a line.
///
/// # Errors
/// When it cannot be written, as on a full disk.
pub(crate) fn print(line: &str) -> anyhow::Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        // A closed pipe is no error: its reader wants no more.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("a line cannot be written to standard output"),
    }
}
