//! Panics that the documentation of a function names.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The value of a call that may panic with a text that its documentation names.
///
/// # Panics
/// When the call panics with another text.
pub fn unless_it_says<T>(text: &str, call: impl FnOnce() -> T) -> Option<T> {
    let panic = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(value) => return Some(value),
        Err(panic) => panic,
    };
    let said = panic.downcast_ref::<String>().map_or("", String::as_str);
    assert!(said.contains(text), "an undocumented panic: {said}");
    None
}
