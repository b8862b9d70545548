//! Lines on standard output.

use std::io::{self, Write};

/// Prints a line.
pub(crate) fn print(line: &str) {
    // Who closed the pipe has read enough.
    let _ = writeln!(io::stdout().lock(), "{line}");
}
