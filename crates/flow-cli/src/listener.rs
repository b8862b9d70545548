//! Messages and progress of the libraries, printed on the terminal.

use flow_run::{Listener, Meter};

use crate::bar::Bar;
use crate::terminal::say;

/// A [`Listener`] that prints on the terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal;

impl Listener for Terminal {
    fn say(&self, text: &str) {
        say(text);
    }

    fn meter(&self, start: usize, total: usize, things: &'static str) -> Box<dyn Meter> {
        Box::new(Bar::new(start, total, things))
    }
}
