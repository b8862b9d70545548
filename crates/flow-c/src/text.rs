//! Strings that cross the C interface.

use std::ffi::{CStr, c_char};

use crate::call::{Failure, refused};

/// A text of C as one of Rust; `what` it is called in errors.
///
/// # Safety
/// `text` must be null or point to text that ends in a zero byte.
pub(crate) unsafe fn from_c<'a>(text: *const c_char, what: &str) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(refused(&format!("the {what} is null")));
    }
    // SAFETY: the caller keeps the contract above.
    let text = unsafe { CStr::from_ptr(text) }.to_str();
    text.map_err(|_| refused(&format!("the {what} is no UTF-8")))
}
