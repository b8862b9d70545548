//! A thread of the pool as the place to work.

use burn::tensor::Device;

/// Runs `f`, which computes on `device`, on a thread of rayon's pool if the kernels run on that
/// device.
///
/// A network is hundreds of short parallel loops. Begun on a thread outside the pool each of them
/// wakes the pool and puts its own thread to sleep; begun inside, the pool is awake. On two cores
/// this takes a tenth to a fifth off a training step of a small network. Results do not depend on
/// it. Work for a GPU stays where it is: its queues belong to threads.
///
/// `f` must not wait for another thread that uses the pool: the one that it occupies is missing
/// there.
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
    fn work_is_done_on_a_thread_of_the_pool() {
        use rayon::{current_num_threads, current_thread_index};
        assert_eq!(current_thread_index(), None);
        for device in [Device::flex(), Device::flex().autodiff()] {
            let inside = on_pool(&device, current_thread_index).is_some();
            assert_eq!(inside, 1 < current_num_threads());
        }
    }
}
