//! The growth of a process's memory, in a process where nothing else works.
#![cfg(target_os = "linux")]

use std::hint::black_box;

use flow_run::memory::grown;

#[test]
fn memory_grows_by_what_is_written_at_once() {
    let bytes = 64 << 20;
    let near = |grown: Option<u64>, bytes: u64| {
        // A system that does not let the mark be reset tells nothing.
        grown.is_none_or(|grown| grown.abs_diff(bytes) < 16 << 20)
    };
    let fill = || drop(black_box(vec![1_u8; bytes]));
    // What was freed is not there to be used again without being seen.
    for time in ["once", "again"] {
        let ((), grown) = grown(fill);
        assert!(near(grown, bytes as u64), "{time}: {grown:?}");
    }
    let ((), nothing) = grown(|| ());
    assert!(near(nothing, 0), "{nothing:?}");
}
