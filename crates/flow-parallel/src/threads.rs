//! Threads of one process that stand for processes.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use crate::error::GroupError;
use crate::group::Group;

/// One of the threads of [`threads`].
///
/// It ends for the others when it is dropped, also by a panic.
#[derive(Debug)]
pub struct Member {
    rank: usize,
    to: Vec<Sender<Vec<u8>>>,
    from: Vec<Mutex<Receiver<Vec<u8>>>>,
}

/// Channels between all of them are as many as the square of their number.
const MOST_THREADS: usize = 1024;

/// So many members of a group, one for each thread: what needs several processes is tested without
/// MPI by them.
///
/// # Panics
/// For more than 1024 members, each of which has a channel to every other.
///
/// ```
/// use flow_parallel::{Group, threads};
///
/// let said = std::thread::scope(|scope| {
///     let started: Vec<_> = threads(3)
///         .into_iter()
///         .map(|member| scope.spawn(move || member.gather(&[member.rank() as u8])))
///         .collect();
///     started.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect::<Vec<_>>()
/// });
/// assert_eq!(said, vec![vec![vec![0], vec![1], vec![2]]; 3]);
/// ```
#[must_use]
pub fn threads(size: usize) -> Vec<Member> {
    assert!(size <= MOST_THREADS, "expected at most {MOST_THREADS} threads, got {size}");
    let mut members: Vec<Member> =
        (0..size).map(|rank| Member { rank, to: Vec::new(), from: Vec::new() }).collect();
    for from in 0..size {
        for to in 0..size {
            let (sender, receiver) = channel();
            members[from].to.push(sender);
            members[to].from.push(Mutex::new(receiver));
        }
    }
    members
}

impl Group for Member {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn exchange(&self, messages: &[&[u8]]) -> Result<Vec<Vec<u8>>, GroupError> {
        let size = self.size();
        assert!(messages.len() == size, "expected {size} messages, got {}", messages.len());
        for (to, message) in self.to.iter().zip(messages) {
            // What one that has ended is told is lost; that it has is seen below.
            let _ = to.send(message.to_vec());
        }
        let from = self.from.iter().enumerate();
        from.map(|(rank, from)| {
            let from = from.lock().unwrap_or_else(PoisonError::into_inner);
            from.recv().map_err(|_| GroupError::Gone { rank, size })
        })
        .collect()
    }
}
