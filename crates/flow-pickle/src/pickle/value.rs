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
pub(crate) struct View {
    /// `torch.FloatStorage` and so on.
    pub(crate) kind: Rc<str>,
    pub(crate) storage: Rc<str>,
    pub(crate) offset: usize,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<usize>,
}

impl View {
    /// Whether the numbers lie one after another.
    pub(crate) fn is_contiguous(&self) -> bool {
        let mut step = Some(1_usize);
        self.shape.iter().zip(&self.strides).rev().all(|(&size, &stride)| {
            let fits = size == 1 || Some(stride) == step;
            step = step.and_then(|step| step.checked_mul(size));
            fits
        })
    }

    /// The numbers of a view that has gaps or another order, such as a transposed matrix, row by
    /// row, as the bytes `width` of each; nothing where one lies beyond the storage.
    pub(crate) fn gathered(&self, storage: &[u8], width: usize) -> Option<Vec<u8>> {
        if self.shape.contains(&0) {
            return Some(Vec::new());
        }
        let sides = || self.shape.iter().zip(&self.strides);
        let last = sides().try_fold(self.offset, |last, (&side, &stride)| {
            last.checked_add((side - 1).checked_mul(stride)?)
        })?;
        if storage.len() / width <= last {
            return None;
        }
        let place = |mut index: usize| {
            sides().rev().fold(self.offset, |place, (&side, &stride)| {
                let along = index % side;
                index /= side;
                place + along * stride
            })
        };
        let n = self.shape.iter().product();
        let bytes = (0..n).flat_map(|index| &storage[place(index) * width..][..width]);
        Some(bytes.copied().collect())
    }

    /// Bytes of a number.
    pub(crate) fn width(&self) -> usize {
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

    fn view(shape: &[usize], strides: &[usize]) -> View {
        View {
            kind: "".into(),
            storage: "".into(),
            offset: 1,
            shape: shape.to_vec(),
            strides: strides.to_vec(),
        }
    }

    #[test]
    fn views_with_gaps_are_gathered_row_by_row_within_their_storage() {
        let storage: Vec<u8> = (0..7).collect();
        let gathered =
            |shape: &[usize], strides: &[usize]| view(shape, strides).gathered(&storage, 1);
        // A transposed matrix of two rows and three columns, and every second number.
        assert_eq!(gathered(&[3, 2], &[1, 3]), Some(vec![1, 4, 2, 5, 3, 6]));
        assert_eq!(gathered(&[3], &[2]), Some(vec![1, 3, 5]));
        // One number as many: `expand` of PyTorch.
        assert_eq!(gathered(&[2, 2], &[0, 1]), Some(vec![1, 2, 1, 2]));
        assert_eq!(gathered(&[1 << 40, 0], &[1, 1]), Some(vec![]));
        assert_eq!(gathered(&[], &[]), Some(vec![1]));
        for (shape, stride) in [(4, 2), (2, 6), (2, usize::MAX), (usize::MAX, 2)] {
            assert_eq!(gathered(&[shape], &[stride]), None, "{shape} {stride}");
        }
        // Two bytes a number, of which three lie in seven bytes.
        assert_eq!(view(&[2], &[1]).gathered(&storage, 2), Some(vec![2, 3, 4, 5]));
        assert_eq!(view(&[2], &[2]).gathered(&storage, 2), None);
    }

    #[test]
    fn strides_that_leave_the_range_of_numbers_are_gaps() {
        assert!(view(&[2, 3, 1], &[3, 1, 9]).is_contiguous());
        assert!(!view(&[3, 2], &[1, 3]).is_contiguous());
        assert!(!view(&[2, 1 << 63, 2], &[0, 2, 1]).is_contiguous());
    }
}
