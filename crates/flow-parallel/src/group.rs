//! Messages between processes.

use std::fmt::Debug;
use std::ops::Range;

use crate::error::GroupError;

/// Processes that run the same program on the same task.
///
/// All of them make the same calls in the same order; a call returns when all have made it. The one
/// basic operation is [`exchange`](Self::exchange), and the others are made of it. Every call after
/// an error fails too.
pub trait Group: Debug + Send + Sync {
    /// The rank of this process, from 0.
    fn rank(&self) -> usize;

    /// The number of processes.
    fn size(&self) -> usize;

    /// Gives `messages[r]` to process `r`, and returns what each process has for this one, by rank.
    ///
    /// # Errors
    /// When a process has ended.
    ///
    /// # Panics
    /// When there is not one message for each process.
    fn exchange(&self, messages: &[&[u8]]) -> Result<Vec<Vec<u8>>, GroupError>;

    /// Ends all processes with this exit code, because this one cannot go on. Where the others
    /// notice by themselves that it is gone, and after [`leave`](Self::leave), it does nothing.
    fn abort(&self, code: u8) {
        let _ = code;
    }

    /// Parts with this process; it is alone afterwards. All must do so, and none waits for what the
    /// others do then.
    fn leave(&self) {}

    /// Whether this is the process that writes files and prints.
    fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// The parts of some work that this process does: as many as the others do, but for one.
    fn share(&self, parts: usize) -> Range<usize> {
        share(parts, self.rank(), self.size())
    }

    /// The bytes of each process, sent to all.
    ///
    /// # Errors
    /// As for [`exchange`](Self::exchange).
    fn gather(&self, message: &[u8]) -> Result<Vec<Vec<u8>>, GroupError> {
        self.exchange(&vec![message; self.size()])
    }

    /// The bytes of each process, sent to the first; the others get nothing.
    ///
    /// # Errors
    /// As for [`exchange`](Self::exchange).
    fn collect(&self, message: &[u8]) -> Result<Vec<Vec<u8>>, GroupError> {
        let mut messages: Vec<&[u8]> = vec![&[]; self.size()];
        messages[0] = message;
        self.exchange(&messages)
    }

    /// The bytes of the first process, sent to all; those of the others are ignored.
    ///
    /// # Errors
    /// As for [`exchange`](Self::exchange).
    fn broadcast(&self, message: &[u8]) -> Result<Vec<u8>, GroupError> {
        let said: &[u8] = if self.is_first() { message } else { &[] };
        Ok(self.exchange(&vec![said; self.size()])?.swap_remove(0))
    }

    /// Waits until all processes have made this call.
    ///
    /// # Errors
    /// As for [`exchange`](Self::exchange).
    fn barrier(&self) -> Result<(), GroupError> {
        self.gather(&[]).map(drop)
    }
}

/// The parts that process `rank` of `size` does.
pub(crate) fn share(parts: usize, rank: usize, size: usize) -> Range<usize> {
    // `rank * parts / size`, of which the product may be beyond any number.
    let before = |rank: usize| parts / size * rank + parts % size * rank / size;
    before(rank)..before(rank + 1)
}

/// A group of one process, which waits for no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alone;

impl Group for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn exchange(&self, messages: &[&[u8]]) -> Result<Vec<Vec<u8>>, GroupError> {
        assert!(messages.len() == 1, "expected one message, got {}", messages.len());
        Ok(vec![messages[0].to_vec()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once_and_no_process_does_two_more_than_another() {
        for parts in 0..40 {
            for size in 1..9 {
                let shares: Vec<_> = (0..size).map(|rank| share(parts, rank, size)).collect();
                let all: Vec<usize> = shares.iter().cloned().flatten().collect();
                assert_eq!(all, (0..parts).collect::<Vec<_>>());
                let lengths = || shares.iter().map(ExactSizeIterator::len);
                assert!(lengths().max() <= lengths().min().map(|least| least + 1));
            }
        }
    }
}
