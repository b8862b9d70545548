//! Errors between processes.

/// An error between the processes of a group. None of them can go on after it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// A process has ended.
    #[error("process {rank} of {size} has ended, which the others cannot go on without")]
    Gone {
        /// The rank of the process, from 0.
        rank: usize,
        /// Of how many.
        size: usize,
    },
    /// A process sent a message of another length than this one expects.
    #[error(
        "process {rank} of {size} sent {got} bytes of {what} where {expected} belong: start all of \
         them with the same program, command and data"
    )]
    Other {
        /// What was sent.
        what: &'static str,
        /// The rank of the process that sent it, from 0.
        rank: usize,
        /// Of how many.
        size: usize,
        /// Bytes that belong there.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
    /// A message of more bytes than MPI can count.
    #[error(
        "{bytes} bytes in one message are more than the {} that MPI counts: use more processes",
        i32::MAX
    )]
    TooLong {
        /// Bytes to send.
        bytes: usize,
    },
    /// The launcher and the MPI library belong to different installations of MPI.
    #[error(
        "the launcher started {launched} processes, and MPI knows {known}: launcher and library \
         belong to different installations of MPI, use the mpirun of the library that `flow` was \
         built with, or `srun --mpi=pmix`"
    )]
    Strangers {
        /// Processes that the launcher names.
        launched: usize,
        /// Processes that MPI knows.
        known: usize,
    },
    /// MPI was started before.
    #[error("MPI has been started in this process already")]
    Twice,
    /// The group has been left.
    #[error("this process has left its group")]
    Left,
}
