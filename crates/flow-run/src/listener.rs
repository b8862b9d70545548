//! Listeners: they receive messages and progress, because libraries print nothing.

use std::time::Duration;

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

/// Time to the end of long work that has taken `elapsed` from `start` to `done` of `total` parts,
/// if the rest goes as fast; nothing before the first part is done.
#[must_use]
pub fn time_left(elapsed: Duration, start: usize, done: usize, total: usize) -> Option<Duration> {
    let (made, rest) = (done.checked_sub(start)?, total.checked_sub(done)?);
    let seconds = elapsed.as_secs_f64() * rest as f64 / made as f64;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_the_end_is_that_of_the_rest_at_the_same_pace() {
        let left = |done| time_left(Duration::from_secs(30), 10, done, 100);
        // 30 of 90 in 30 seconds: 60 seconds are left.
        assert_eq!(left(40), Some(Duration::from_mins(1)));
        assert_eq!(left(10), None);
        assert_eq!(left(5), None);
        assert_eq!(left(100), Some(Duration::ZERO));
    }
}
