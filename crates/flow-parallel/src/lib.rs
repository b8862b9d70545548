//! Processes that work on one thing: messages between them, and sums that do not depend on how many
//! they are.
//!
//! | part | file |
//! |---|---|
//! | messages between processes, and one process alone | `group.rs` |
//! | threads of one process that stand for processes, for tests | `threads.rs` |
//! | processes of MPI, with the feature `mpi` | `mpi.rs` |
//! | detection of a launcher, and the rank that it gave | `launch.rs` |
//! | the order of a sum over parts | `tree.rs` |
//! | that sum over all processes | `sum.rs` |
//!
//! Work is cut into a fixed number of parts, whatever the number of processes, and each process
//! takes a range of them. What the parts give is added along a tree that depends on their number
//! alone, so the sum has the same bits for any number of processes:
//!
//! ```
//! use flow_parallel::{Alone, Group, Tree, sum};
//!
//! let mut own = Tree::default();
//! for part in Alone.share(4) {
//!     own.push(part, vec![part as f32, 1.0]);
//! }
//! assert_eq!(sum(&Alone, 4, own).unwrap(), [6.0, 4.0]);
//! ```

mod error;
mod group;
mod launch;
#[cfg(feature = "mpi")]
mod mpi;
mod sum;
mod threads;
mod tree;

pub use error::GroupError;
pub use group::{Alone, Group};
pub use launch::{Launch, Launcher};
#[cfg(feature = "mpi")]
pub use mpi::Mpi;
pub use sum::sum;
pub use threads::{Member, threads};
pub use tree::Tree;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
