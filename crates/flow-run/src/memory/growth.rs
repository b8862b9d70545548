//! How much memory a computation takes.

use std::fs;

/// Does some work, and tells the bytes by which the resident memory of this process grew at most
/// meanwhile: what the work needs at once, tape and buffers of every kind included.
///
/// Memory that was freed before is given back to the system first, for what is reused does not
/// grow. Linux alone tells it, and only of a whole process: nothing else may work at the same time.
#[must_use]
pub fn grown<T>(work: impl FnOnce() -> T) -> (T, Option<u64>) {
    give_back();
    // The largest resident memory is from now on that of now (proc_pid_clear_refs(5)).
    let reset = fs::write("/proc/self/clear_refs", "5").ok();
    let before = reset.and_then(|()| of_status("VmRSS:"));
    let done = work();
    (done, before.and_then(|before| Some(of_status("VmHWM:")?.saturating_sub(before))))
}

fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "glibc offers this through C only")]
    // SAFETY: `malloc_trim` takes an integer, and may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Bytes that a line of `/proc/self/status` tells.
fn of_status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
