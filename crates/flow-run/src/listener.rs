//! Listeners: they receive messages and progress, because libraries print nothing.

/// Receives messages and progress, as a terminal does.
///
/// Messages change no result: whatever a program depends on is returned or is an error.
pub trait Listener: Send + Sync {
    /// Receives a sentence for the user.
    fn say(&self, text: &str);

    /// Follows long work of `total` parts, of which `start` are done; `things` are its parts, such
    /// as `steps`.
    fn meter(&self, start: usize, total: usize, things: &'static str) -> Box<dyn Meter>;
}

/// Follows one piece of long work.
pub trait Meter: Send + Sync {
    /// So many parts are `done`, with something more to say about them.
    fn at(&mut self, done: usize, message: &str);
}

/// A listener that ignores everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Listener for Silent {
    fn say(&self, _: &str) {}

    fn meter(&self, _: usize, _: usize, _: &'static str) -> Box<dyn Meter> {
        Box::new(Self)
    }
}

impl Meter for Silent {
    fn at(&mut self, _: usize, _: &str) {}
}
