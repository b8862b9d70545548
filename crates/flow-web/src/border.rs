//! Functions that JavaScript calls.
//!
//! A call is three steps: [`flow_place`] makes room for the bytes of a request, JavaScript writes
//! them there, and [`flow_open`] or [`flow_answer`] reads them and leaves a reply, which
//! [`flow_reply`] and [`flow_reply_length`] find. No pointer comes from outside, so that there is
//! none to check, and nothing has to be freed.
//!
//! A call returns 0, and the reply is what was asked for; or 1, and the reply is one sentence. A
//! panic ends the instance of WebAssembly with a trap. Before that its message becomes the reply,
//! so that the page can say what happened and begin a new instance.

#![allow(unsafe_code, reason = "the names of exported functions are not mangled")]

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

use flow_api::Refused;

use crate::desk::Desk;

/// Bytes of a request at most: of the largest file of a model that a page takes.
const MOST_BYTES: usize = 1 << 30;

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
    static REQUEST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static REPLY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Room for a request of so many bytes; null, and a sentence as the reply, if there is none.
///
/// It stays where it is until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn flow_place(length: usize) -> *mut u8 {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| panic::set_hook(Box::new(|panic| keep(panic.to_string().into_bytes()))));
    REQUEST.with_borrow_mut(|request| {
        request.clear();
        if MOST_BYTES < length || request.try_reserve_exact(length).is_err() {
            let sentence = format!("there is no memory for {length} bytes in this page");
            keep(sentence.into_bytes());
            return std::ptr::null_mut();
        }
        request.resize(length, 0);
        request.as_mut_ptr()
    })
}

/// Opens the bytes of a file `NAME.flow`; the reply is its card.
#[unsafe(no_mangle)]
pub extern "C" fn flow_open() -> i32 {
    call(Desk::open)
}

/// Answers a request in JSON.
#[unsafe(no_mangle)]
pub extern "C" fn flow_answer() -> i32 {
    call(Desk::answer)
}

/// Where the reply of the last call lies, until the next one.
#[unsafe(no_mangle)]
pub extern "C" fn flow_reply() -> *const u8 {
    REPLY.with_borrow(Vec::as_ptr)
}

/// Bytes of the reply.
#[unsafe(no_mangle)]
pub extern "C" fn flow_reply_length() -> usize {
    REPLY.with_borrow(Vec::len)
}

fn call(work: impl FnOnce(&mut Desk, &[u8]) -> Result<Vec<u8>, Refused>) -> i32 {
    keep(Vec::new());
    let request = REQUEST.take();
    match DESK.with_borrow_mut(|desk| work(desk, &request)) {
        Ok(reply) => {
            keep(reply);
            0
        }
        Err(refused) => {
            keep(refused.to_string().into_bytes());
            1
        }
    }
}

fn keep(bytes: Vec<u8>) {
    REPLY.with(|reply| {
        // A panic of this very line would find it borrowed.
        if let Ok(mut reply) = reply.try_borrow_mut() {
            *reply = bytes;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply() -> String {
        REPLY.with_borrow(|reply| String::from_utf8(reply.clone()).unwrap())
    }

    fn send(request: &[u8]) {
        assert!(!flow_place(request.len()).is_null());
        REQUEST.with_borrow_mut(|place| place.copy_from_slice(request));
    }

    #[test]
    fn a_call_answers_or_says_one_sentence() {
        send(br#"{"path": "/v1/train", "body": {"hidden": 8, "depth": 1, "batch": 16}}"#);
        assert_eq!(flow_answer(), 0, "{}", reply());
        assert!(reply().contains(r#""of":4000"#), "{}", reply());
        assert_eq!(flow_reply_length(), reply().len());
        send(br#"{"path": "/v1/train/steps", "body": {"count": 2}}"#);
        assert_eq!(flow_answer(), 0, "{}", reply());
        assert!(reply().contains(r#""step":2"#), "{}", reply());
        for (request, sentence) in [
            (&b"nonsense"[..], "the request is no JSON"),
            (br#"{"path": "/v1/sample"}"#, "no model is open yet"),
            (br#"{"path": "/else"}"#, "there is nothing at /else"),
            (br#"{"path": "/v1/model", "accept": "text/html"}"#, "there is no answer as text/html"),
        ] {
            send(request);
            assert_eq!(flow_answer(), 1);
            assert!(reply().starts_with(sentence), "{}", reply());
        }
        send(b"no model");
        assert_eq!(flow_open(), 1);
        assert!(!reply().is_empty());
    }

    #[test]
    fn what_has_no_room_is_refused() {
        assert!(flow_place(usize::MAX).is_null());
        assert!(reply().starts_with("there is no memory"), "{}", reply());
    }

    #[test]
    fn the_message_of_a_panic_is_the_reply() {
        flow_place(0);
        let caught = panic::catch_unwind(|| panic!("a fault of the program"));
        assert!(caught.is_err());
        assert!(reply().contains("a fault of the program"), "{}", reply());
    }
}
