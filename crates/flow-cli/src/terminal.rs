//! Output on the terminal: results on standard output, everything else on standard error.

use std::io::{ErrorKind, Write};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use flow_run::{Listener, Meter};

use crate::bar::Bar;

/// The name of this process, if it is not the first of several, which prints for all.
static OTHER: OnceLock<String> = OnceLock::new();

/// Time for the first of several processes to say what all of them met, and so to end them.
const FIRST: Duration = Duration::from_secs(1);

/// Leaves all but errors to the first of several processes.
pub(crate) fn hush(rank: usize, size: usize) {
    // A process has one name.
    let _ = OTHER.set(format!("process {rank} of {size}"));
}

/// Prints a message for the user on standard error, apart from the results on standard output.
pub(crate) fn say(text: &str) {
    if OTHER.get().is_none() {
        write(text);
    }
}

/// Says an error, after the first of several processes has had time to say the same.
pub(crate) fn complain(text: &str) {
    if OTHER.get().is_some() {
        sleep(FIRST);
    }
    speak_up(text);
}

/// Prints an urgent message at once; one of several processes gives its name.
pub(crate) fn speak_up(text: &str) {
    match OTHER.get() {
        None => write(text),
        Some(name) => write(&format!("{name}: {text}")),
    }
}

fn write(text: &str) {
    // A closed pipe is no error: its reader wants no more.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints a result.
///
/// # Errors
/// When it cannot be written, as on a full disk.
pub(crate) fn print(text: &str) -> Result<()> {
    if OTHER.get().is_some() {
        return Ok(());
    }
    written(writeln!(std::io::stdout().lock(), "{text}"))
}

/// Whether all was written that somebody wants: `flow list | head -1` is no error.
pub(crate) fn written(result: std::io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("the result cannot be written to standard output"),
    }
}

/// A [`Listener`] that prints on the terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal;

impl Listener for Terminal {
    fn say(&self, text: &str) {
        say(text);
    }

    fn meter(&self, start: usize, total: usize, things: &'static str) -> Box<dyn Meter> {
        Box::new(Bar::new(say, start, total, things))
    }
}
