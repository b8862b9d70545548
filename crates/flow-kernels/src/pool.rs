//! A thread of the pool as the place to work.

use burn::tensor::Device;

/// Runs `f`, which computes on `device`, on a thread of rayon's pool if the kernels run on that device.
///
/// A network is hundreds of short parallel loops. Begun on a thread outside the pool each of them wakes the
/// pool and puts its own thread to sleep; begun inside, the pool is awake. On two cores this takes a tenth to
/// a fifth off a training step of a small network. Results do not depend on it. Work for a GPU stays where
/// it is: its queues belong to threads.
///
/// `f` must not wait for another thread that uses the pool: the one that it occupies is missing there.
pub fn on_pool<R: Send>(device: &Device, f: impl FnOnce() -> R + Send) -> R {
    if has_kernels(device) && 1 < rayon::current_num_threads() {
        rayon::scope(|_| f())
    } else {
        f()
    }
}

#[cfg(feature = "flex")]
fn has_kernels(device: &Device) -> bool {
    *device == Device::flex()
}

#[cfg(not(feature = "flex"))]
fn has_kernels(_: &Device) -> bool {
    false
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_inside_the_pool_and_its_result_comes_back() {
        let place = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            // On a thread of its own, so that the pool is another one's.
            pool.install(|| on_pool(&Device::flex().autodiff(), rayon::current_thread_index))
        };
        assert!(place(2).is_some_and(|index| index < 2));
        assert_eq!(place(1), Some(0));
    }
}
