//! An allocator that counts, so that a test sees what a reader asks for.
#![allow(
    unsafe_code,
    reason = "an allocator is unsafe by its trait; every call goes on to the system's"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted. A test binary takes it as its own:
///
/// ```
/// use flow_testing::memory::Watch;
///
/// #[global_allocator]
/// static WATCH: Watch = Watch;
///
/// let before = Watch::begin();
/// let bytes = vec![0_u8; 1000];
/// assert!(1000 <= Watch::peak_since(before));
/// drop(bytes);
/// ```
///
/// Threads are counted together: tests that watch memory run alone in their binary, or one at a
/// time.
#[derive(Debug)]
pub struct Watch;

impl Watch {
    /// Forgets earlier peaks; gives the bytes that are held now.
    #[must_use]
    pub fn begin() -> usize {
        let live = LIVE.load(Ordering::Relaxed);
        PEAK.store(live, Ordering::Relaxed);
        live
    }

    /// Most bytes held since [`Watch::begin`], beyond those held then.
    #[must_use]
    pub fn peak_since(before: usize) -> usize {
        PEAK.load(Ordering::Relaxed).saturating_sub(before)
    }
}

fn grow(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

// SAFETY: each method passes its arguments on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Watch {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(block, layout, size) }
    }
}
