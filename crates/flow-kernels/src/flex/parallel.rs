//! Loops over the threads of rayon's pool.

use rayon::prelude::*;

/// Below this many elementary operations a loop is over before the pool has woken up.
const SERIAL: usize = 1 << 15;

/// Calls `f` on every job, on all threads if `work` (elementary operations in all) repays that.
///
/// Jobs own what they write, so the result does not depend on the number of threads.
pub(crate) fn for_each<T: Send>(
    jobs: impl Iterator<Item = T>,
    work: usize,
    f: impl Fn(T) + Sync + Send,
) {
    if work < SERIAL || rayon::current_num_threads() == 1 {
        jobs.for_each(f);
    } else {
        jobs.collect::<Vec<_>>().into_par_iter().for_each(f);
    }
}
