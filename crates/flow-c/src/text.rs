//! Strings that cross the C interface.

use std::ffi::{CStr, c_char};

use crate::call::{Failure, refused};

/// A text of C as one of Rust.
///
/// # Safety
/// `text` must be null or point to text that ends in a zero byte.
pub(crate) unsafe fn from_c<'a>(text: *const c_char) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(refused("the path is null"));
    }
    // SAFETY: the caller keeps the contract above.
    unsafe { CStr::from_ptr(text) }.to_str().map_err(|_| refused("the path is no UTF-8"))
}
