//! This process as one of many that a launcher has started.
//!
//! All of them read the same command. The first one speaks and writes; of the others only errors
//! are heard. Without a launcher, or with one process, none of this is asked for.

use std::sync::Arc;

use anyhow::{Error, Result};
use flow_parallel::{Alone, Group, Launch};

use crate::args::Verb;
use crate::exit::{Said, usage};
use crate::terminal;

/// The processes that share the work of a verb.
///
/// # Errors
/// When a launcher started several and the verb is the work of one, or `flow` was built without
/// MPI: each would do all of it, and write what the others write.
pub(crate) fn join(verb: &Verb) -> Result<Arc<dyn Group>> {
    let Some(launch) = Launch::of_environment().filter(|launch| 1 < launch.size) else {
        return Ok(Arc::new(Alone));
    };
    if launch.rank != 0 {
        terminal::hush(launch.rank, launch.size);
    }
    match refusal(verb, &launch) {
        #[cfg(feature = "mpi")]
        None => Ok(Arc::new(flow_parallel::Mpi::join(&launch)?)),
        // Without MPI every launch is refused.
        #[cfg(not(feature = "mpi"))]
        None => Ok(Arc::new(Alone)),
        Some(_) if launch.rank != 0 => Err(Said.into()),
        Some(refusal) => Err(refusal),
    }
}

/// Why several processes cannot do what was asked for, which is the same in all of them.
fn refusal(verb: &Verb, launch: &Launch) -> Option<Error> {
    if !matches!(verb, Verb::Train(_) | Verb::Sample(_) | Verb::Eval(_)) {
        let reason = "only `flow train`, `flow sample` and `flow eval` share their work: start \
                      this one without it";
        return Some(usage!("{launch}, and {reason}"));
    }
    (!cfg!(feature = "mpi")).then(|| {
        usage!(
            "{launch}, but this `flow` was built without MPI, so that each would do all of the \
             work: start one, or build it with `cargo install --locked --path crates/flow-cli \
             --features mpi`"
        )
    })
}
