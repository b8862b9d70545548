//! Memory of the process: how freed memory is kept for reuse.

/// Tells glibc not to return large blocks to the system.
///
/// An eager tensor library allocates and frees megabytes per operation. By default each such block
/// is mapped, zeroed page by page and unmapped again, which cost a U-Net a fifth of its training
/// step (docs/adr/0018-memory-of-the-binary.md). Other systems are left as they are.
pub(crate) fn keep() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "glibc offers this through C only")]
    // SAFETY: `mallopt` takes two integers, and is called before any other thread exists.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}
