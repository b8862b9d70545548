//! Kills, signals, two processes at once and full disks: whatever happens, nothing is lost and no
//! file is half written.
//!
//! An ordinary test run tries each a few times; `cargo xtask torture` sets `FLOW_TORTURE` to the
//! number of trials and makes a table of the lines that begin with `torture`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stdout, reason = "the table of `cargo xtask torture`")]

#[path = "../common/mod.rs"]
mod common;
mod disk;
mod kills;
mod processes;
mod signals;
mod work;
