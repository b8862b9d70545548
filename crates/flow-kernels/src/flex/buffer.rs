//! Result buffers that are not filled with zeros before they are written.
#![allow(unsafe_code, reason = "zeroing buffers of many megabytes costs as much as writing them")]

use std::{cell::RefCell, mem::MaybeUninit, ops::Range};

/// A vector of `len` numbers, all written by `write`.
///
/// # Safety
/// `write` must initialise every element.
pub(crate) unsafe fn written(len: usize, write: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut buffer = Vec::with_capacity(len);
    write(&mut buffer.spare_capacity_mut()[..len]);
    // SAFETY: the capacity is at least `len`, and the caller promises that `write` initialised all.
    unsafe { buffer.set_len(len) };
    buffer
}

/// Views written numbers as such.
///
/// # Safety
/// Every element must be initialised.
pub(crate) unsafe fn assume_init(numbers: &mut [MaybeUninit<f32>]) -> &mut [f32] {
    // SAFETY: the layouts agree, and the caller promises initialised elements.
    unsafe { &mut *(std::ptr::from_mut(numbers) as *mut [f32]) }
}

/// Calls `f` with `len` uninitialised numbers in a buffer that this thread keeps for later calls.
pub(crate) fn with_scratch<R>(len: usize, f: impl FnOnce(&mut [MaybeUninit<f32>]) -> R) -> R {
    thread_local! {
        /// Free buffers, the one of the outermost call first.
        static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
    }
    let mut scratch = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    scratch.reserve(len);
    let result = f(&mut scratch.spare_capacity_mut()[..len]);
    FREE.with_borrow_mut(|free| free.push(scratch));
    result
}

/// Calls `f` with `len` numbers of no particular value, in a buffer that this thread keeps.
pub(crate) fn with_numbers<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    thread_local! {
        /// Free buffers, the one of the outermost call first.
        static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
    }
    let mut numbers = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    if numbers.len() < len {
        numbers.resize(len, 0.0);
    }
    let result = f(&mut numbers[..len]);
    FREE.with_borrow_mut(|free| free.push(numbers));
    result
}

/// The argument and the result of an elementwise function.
pub(crate) enum Place<'a> {
    /// The result replaces the argument.
    Within(&'a mut [f32]),
    /// The result goes to a new buffer.
    Apart { from: &'a [f32], to: &'a mut [MaybeUninit<f32>] },
}

impl<'a> Place<'a> {
    /// The argument.
    pub(crate) fn source(&self) -> &[f32] {
        match self {
            Self::Within(x) => x,
            Self::Apart { from, .. } => from,
        }
    }

    /// Pieces of `len` elements, the last one perhaps shorter.
    pub(crate) fn pieces(self, len: usize) -> Vec<Place<'a>> {
        match self {
            Self::Within(x) => x.chunks_mut(len).map(Place::Within).collect(),
            Self::Apart { from, to } => from
                .chunks(len)
                .zip(to.chunks_mut(len))
                .map(|(from, to)| Place::Apart { from, to })
                .collect(),
        }
    }

    /// The elements of `range`, for a shorter time.
    #[inline(always)]
    pub(crate) fn part(&mut self, range: Range<usize>) -> Place<'_> {
        match self {
            Self::Within(x) => Place::Within(&mut x[range]),
            Self::Apart { from, to } => {
                Place::Apart { from: &from[range.clone()], to: &mut to[range] }
            }
        }
    }

    /// Writes `f` of every argument.
    #[inline(always)]
    pub(crate) fn map(self, f: impl Fn(f32) -> f32) {
        match self {
            Self::Within(x) => {
                for x in x {
                    *x = f(*x);
                }
            }
            Self::Apart { from, to } => {
                for (&x, y) in from.iter().zip(to) {
                    y.write(f(x));
                }
            }
        }
    }

    /// Writes `f` of every argument and its companion in `other`.
    #[inline(always)]
    pub(crate) fn map_with(self, other: &[f32], f: impl Fn(f32, f32) -> f32) {
        match self {
            Self::Within(x) => {
                for (x, &o) in x.iter_mut().zip(other) {
                    *x = f(*x, o);
                }
            }
            Self::Apart { from, to } => {
                for ((&x, &o), y) in from.iter().zip(other).zip(to) {
                    y.write(f(x, o));
                }
            }
        }
    }
}
