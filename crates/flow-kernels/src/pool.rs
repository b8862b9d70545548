//! A thread of the pool as the place to work.

/// Runs `f` on a thread of rayon's pool, as one would run `f()`.
///
/// A network is hundreds of short parallel loops. Begun on a thread outside the pool each of them wakes the
/// pool and puts its own thread to sleep; begun inside, the pool is awake. On two cores this takes a fifth to a
/// quarter off a training step of a small network. Results do not depend on it.
///
/// `f` must not wait for another thread that uses the pool: the one that it occupies is missing there.
pub fn on_pool<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    if rayon::current_num_threads() == 1 { f() } else { rayon::scope(|_| f()) }
}

#[cfg(test)]
mod tests {
    use super::on_pool;

    #[test]
    fn work_is_done_inside_the_pool_and_its_result_comes_back() {
        let threads = 2;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let inside = pool.install(|| on_pool(rayon::current_thread_index));
        assert!(inside.is_some_and(|index| index < threads));
    }
}
