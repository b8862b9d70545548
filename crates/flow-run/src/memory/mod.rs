//! What the machine's memory and disks hold, asked before anything large is made, and how much a
//! computation took.

mod growth;

use std::fs;

use crate::error::{RunError, usage};
pub use growth::grown;

/// Bytes that are taken for the memory of a system that does not tell.
const UNTOLD: f64 = 64e9;

/// Files of Linux that bound the memory of a container, in bytes.
const OF_CONTAINERS: [&str; 2] =
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// Numbers of a row of this shape, with a point, which no product of sides overflows.
#[must_use]
pub fn row_size(shape: &[usize]) -> f64 {
    shape.iter().map(|&side| side as f64).product()
}

/// Refuses what this machine's memory cannot hold: if it were allocated, the system would end the
/// process without a message.
///
/// `named` is the key or the option to change, `what` what takes so many bytes.
///
/// # Errors
/// When it takes more, or what is no number of bytes.
pub fn check(named: &str, what: &str, bytes: f64) -> Result<(), RunError> {
    let have = limit();
    if bytes <= have {
        return Ok(());
    }
    Err(usage!(
        "{named}: {what} takes at least {}, this machine has {} of memory: lower it",
        shown(bytes),
        shown(have)
    ))
}

/// Refuses a file that the disk of `folder` cannot hold.
///
/// # Errors
/// When it takes more than is left, where the system tells, or what is no number of bytes.
pub fn check_disk(named: &str, folder: &std::path::Path, bytes: f64) -> Result<(), RunError> {
    match free(folder) {
        Some(free) if free < bytes || bytes.is_nan() => Err(usage!(
            "{named}: the file takes {}, {} has {} left: lower it or name another place",
            shown(bytes),
            folder.display(),
            shown(free)
        )),
        _ => Ok(()),
    }
}

/// Bytes of memory that a process may have here.
#[must_use]
pub fn limit() -> f64 {
    let number = |text: String| text.trim().parse::<f64>().ok();
    let containers = OF_CONTAINERS.iter().filter_map(|file| number(fs::read_to_string(file).ok()?));
    containers.fold(installed().unwrap_or(UNTOLD), f64::min)
}

/// Bytes of memory in the machine, where Linux tells.
fn installed() -> Option<f64> {
    let told = fs::read_to_string("/proc/meminfo").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
}

/// Bytes that a user may still write to the disk of a folder, where the system tells.
#[cfg(unix)]
fn free(folder: &std::path::Path) -> Option<f64> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(folder.join(".").as_os_str().as_bytes()).ok()?;
    #[expect(unsafe_code, reason = "the standard library does not ask for the room on a disk")]
    // SAFETY: the path ends in a zero byte, and zeros are a valid `statvfs` for the call to fill.
    let told = unsafe {
        let mut told: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &raw mut told) == 0).then_some(told)
    };
    told.map(|told| told.f_bavail as f64 * told.f_frsize as f64)
}

#[cfg(not(unix))]
fn free(_: &std::path::Path) -> Option<f64> {
    None
}

/// Bytes for people: `23.4 GB`.
#[must_use]
pub fn shown(bytes: f64) -> String {
    let mut units = ["kB", "MB", "GB", "TB", "PB", "EB"].into_iter();
    let (mut value, mut unit) = (bytes, "B");
    while 999.5 <= value
        && let Some(next) = units.next()
    {
        (value, unit) = (value / 1000.0, next);
    }
    match value {
        _ if unit == "B" => format!("{value:.0} B"),
        value if value < 99.5 => format!("{value:.1} {unit}"),
        value if value < 1e6 => format!("{value:.0} {unit}"),
        value => format!("{value:.0e} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_in_their_unit() {
        for (bytes, text) in [
            (0.0, "0 B"),
            (999.0, "999 B"),
            (1000.0, "1.0 kB"),
            (23.44e9, "23.4 GB"),
            (999.9e9, "1.0 TB"),
            (8e12, "8.0 TB"),
            (123e15, "123 PB"),
            (4e36, "4e18 EB"),
        ] {
            assert_eq!(shown(bytes), text);
        }
    }

    #[test]
    fn what_the_machine_cannot_hold_is_refused_with_its_bytes() {
        check("eval.n", "three sets of samples", 1e6).unwrap();
        for bytes in [1e18, f64::INFINITY, f64::NAN] {
            let error = check("eval.n", "three sets of samples", bytes).unwrap_err().to_string();
            assert!(error.starts_with("eval.n: three sets of samples takes at least "), "{error}");
        }
        let here = std::path::Path::new(".");
        check_disk("-n", here, 1.0).unwrap();
        for bytes in [1e36, f64::INFINITY, f64::NAN] {
            assert_eq!(check_disk("-n", here, bytes).is_err(), free(here).is_some(), "{bytes}");
        }
    }
}
