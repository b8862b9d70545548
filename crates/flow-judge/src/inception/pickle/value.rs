//! The values of a pickle, as far as arrays need them.

use std::rc::Rc;

/// The place of a value in the list of a pickle.
pub(super) type Id = usize;

/// A value of a pickle.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    /// Anything that is not needed.
    Other,
    Int(i64),
    Text(Rc<str>),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// `module.name` of a function or a class.
    Global(Rc<str>),
    Storage(Storage),
    View(Box<View>),
}

/// Numbers of a kind, such as `torch.FloatStorage`, by the name under which the file has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) kind: Rc<str>,
    pub(super) name: Rc<str>,
}

/// An array: a part of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::inception) struct View {
    /// `torch.FloatStorage` and so on.
    pub(in crate::inception) kind: Rc<str>,
    pub(in crate::inception) storage: Rc<str>,
    pub(in crate::inception) offset: usize,
    pub(in crate::inception) shape: Vec<usize>,
    pub(in crate::inception) strides: Vec<usize>,
}

impl View {
    /// Whether the numbers lie one after another.
    pub(in crate::inception) fn is_contiguous(&self) -> bool {
        let mut step = Some(1_usize);
        self.shape.iter().zip(&self.strides).rev().all(|(&size, &stride)| {
            let fits = size == 1 || Some(stride) == step;
            step = step.and_then(|step| step.checked_mul(size));
            fits
        })
    }

    /// Bytes of a number.
    pub(in crate::inception) fn width(&self) -> usize {
        match self.kind.trim_start_matches("torch.") {
            "DoubleStorage" | "LongStorage" => 8,
            "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
            "ByteStorage" | "CharStorage" | "BoolStorage" => 1,
            _ => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_that_leave_the_range_of_numbers_are_gaps() {
        let view = |shape: &[usize], strides: &[usize]| View {
            kind: "".into(),
            storage: "".into(),
            offset: 0,
            shape: shape.to_vec(),
            strides: strides.to_vec(),
        };
        assert!(view(&[2, 3, 1], &[3, 1, 9]).is_contiguous());
        assert!(!view(&[3, 2], &[1, 3]).is_contiguous());
        assert!(!view(&[2, 1 << 63, 2], &[0, 2, 1]).is_contiguous());
    }
}
