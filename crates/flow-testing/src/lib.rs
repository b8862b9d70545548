//! Helpers that the tests of several crates share.
//!
//! A public function that takes numbers either handles every number in its mathematics or returns
//! an error that names what is wrong. Each crate holds a table that calls its public functions with
//! the [`awkward`] numbers; [`public::assert_covered`] compares that table with the functions that
//! the sources declare, so that a new function without a row fails the test. [`fuzz`] does the same
//! for readers and damaged files.

pub mod awkward;
pub mod fuzz;
pub mod memory;
pub mod panics;
pub mod public;
