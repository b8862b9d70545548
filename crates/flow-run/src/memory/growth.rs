//! How much memory a computation takes.

use std::fs;

/// Does some work, and tells the bytes by which the resident memory of this process grew at most
/// meanwhile: what the work needs at once, tape and buffers of every kind included.
///
/// Memory that was freed before is given back to the system first, for what is reused does not
/// grow. Linux alone tells it, and only of a whole process: nothing else may work at the same time.
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_by_what_is_written_at_once() {
        let bytes = 64 << 20;
        // Other tests of this process may work meanwhile, in far less memory than this.
        let near = |grown: Option<u64>, bytes: u64| {
            // A system that does not let the mark be reset tells nothing.
            grown.is_none_or(|grown| grown.abs_diff(bytes) < 16 << 20)
        };
        let fill = || drop(std::hint::black_box(vec![1_u8; bytes]));
        // What was freed is not there to be used again without being seen.
        for time in ["once", "again"] {
            let ((), grown) = grown(fill);
            assert!(near(grown, bytes as u64), "{time}: {grown:?}");
        }
        let ((), nothing) = grown(|| ());
        assert!(near(nothing, 0), "{nothing:?}");
    }
}
