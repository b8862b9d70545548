//! Processes of MPI, the message passing of clusters.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mpi::Count;
use mpi::Threading;
use mpi::datatype::{Partition, PartitionMut};
use mpi::environment::Universe;
use mpi::topology::{Communicator, SimpleCommunicator};
use mpi::traits::CommunicatorCollectives;

use crate::error::GroupError;
use crate::group::Group;
use crate::launch::Launch;

/// All processes that an MPI launcher has started: `MPI_COMM_WORLD`.
///
/// A process that dies, or ends without [`leave`](Group::leave), has the launcher end the others.
pub struct Mpi {
    rank: usize,
    size: usize,
    /// Ends MPI when it is dropped; none after that.
    universe: Mutex<Option<Universe>>,
}

impl Mpi {
    /// Starts MPI in this process, which a launcher has started as `launch` says.
    ///
    /// # Errors
    /// When it was started before, or knows another number of processes than the launcher.
    pub fn join(launch: &Launch) -> Result<Self, GroupError> {
        // One thread at a time makes calls, whichever that is.
        let started = mpi::initialize_with_threading(Threading::Serialized);
        let (universe, _) = started.ok_or(GroupError::Twice)?;
        let world = universe.world();
        let (rank, known) = (world.rank().unsigned_abs() as usize, size_of_world(&world));
        if known != launch.size {
            return Err(GroupError::Strangers { launched: launch.size, known });
        }
        Ok(Self { rank, size: known, universe: Mutex::new(Some(universe)) })
    }

    fn universe(&self) -> MutexGuard<'_, Option<Universe>> {
        self.universe.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size_of_world(world: &SimpleCommunicator) -> usize {
    world.size().unsigned_abs() as usize
}

impl fmt::Debug for Mpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mpi({} of {})", self.rank, self.size)
    }
}

impl Group for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn exchange(&self, messages: &[&[u8]]) -> Result<Vec<Vec<u8>>, GroupError> {
        let (size, got) = (self.size, messages.len());
        assert!(got == size, "expected {size} messages, got {got}");
        let universe = self.universe();
        let world = universe.as_ref().ok_or(GroupError::Left)?.world();

        let lengths: Vec<u64> = messages.iter().map(|message| message.len() as u64).collect();
        let mut coming = vec![0_u64; size];
        world.all_to_all_into(&lengths[..], &mut coming[..]);

        let (sent, out) = places(&lengths)?;
        let (received, into) = places(&coming)?;
        // Neither is ever empty: the address of no bytes at all is 1 in Rust, which Open MPI takes
        // for MPI_IN_PLACE.
        let mut bytes = messages.concat();
        bytes.push(0);
        let mut buffer = vec![0_u8; coming.iter().sum::<u64>() as usize + 1];
        world.all_to_all_varcount_into(
            &Partition::new(&bytes[..], sent, out),
            &mut PartitionMut::new(&mut buffer[..], &received[..], &into[..]),
        );
        let mut rest = &buffer[..];
        let mut next = |&count: &Count| {
            let (message, after) = rest.split_at(count.unsigned_abs() as usize);
            rest = after;
            message.to_vec()
        };
        Ok(received.iter().map(&mut next).collect())
    }

    fn abort(&self, code: u8) {
        if let Some(universe) = &*self.universe() {
            universe.world().abort(code.into());
        }
    }

    fn leave(&self) {
        drop(self.universe().take());
    }
}

/// Lengths and offsets of messages that lie one after another, as MPI counts them.
fn places(lengths: &[u64]) -> Result<(Vec<Count>, Vec<Count>), GroupError> {
    let bytes: u64 = lengths.iter().sum();
    if Count::try_from(bytes).is_err() {
        return Err(GroupError::TooLong { bytes: bytes as usize });
    }
    let counts: Vec<Count> = lengths.iter().map(|&length| length as Count).collect();
    let offsets = counts.iter().scan(0, |at, count| {
        let here = *at;
        *at += count;
        Some(here)
    });
    let offsets = offsets.collect();
    Ok((counts, offsets))
}
