//! The last error of each thread.

use std::cell::RefCell;
use std::ffi::{CString, c_char};

thread_local! {
    static LAST: RefCell<CString> = RefCell::new(CString::default());
}

pub(crate) fn clear() {
    LAST.with_borrow_mut(|last| *last = CString::default());
}

pub(crate) fn keep(reason: &str) {
    let text: Vec<u8> = reason.bytes().filter(|byte| *byte != 0).collect();
    LAST.with_borrow_mut(|last| *last = CString::new(text).unwrap_or_default());
}

/// Owned by the thread, until its next call.
pub(crate) fn last() -> *const c_char {
    LAST.with_borrow(|last| last.as_ptr())
}
