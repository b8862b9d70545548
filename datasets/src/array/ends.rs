//! Sequences of different lengths in one array: NaN stand behind the end of each.

use std::path::Path;

use super::{Array, ArrayError, not_finite};

/// How many elements each sequence of `[n, length, channels]` has, if any ends early; the NaN
/// behind its end become zeros.
///
/// # Errors
/// If a NaN stands anywhere else: before a number, in a part of an element, in the first element of
/// a row, or in rows that are no sequences.
pub(super) fn lengths(path: &Path, array: &mut Array) -> Result<Option<Vec<usize>>, ArrayError> {
    let Some(first) = array.values.iter().position(|x| x.is_nan()) else { return Ok(None) };
    let [_, length, channels] = array.shape[..] else {
        return Err(not_finite(path, first, &array.shape));
    };
    let mut lengths = Vec::with_capacity(array.len());
    for (row, values) in array.values.chunks_mut(length * channels).enumerate() {
        let end = values.iter().position(|x| x.is_nan()).unwrap_or(values.len());
        let is_end = 0 < end && end.is_multiple_of(channels);
        if !is_end || !values[end..].iter().all(|x| x.is_nan()) {
            return Err(not_finite(path, row * length * channels + end, &array.shape));
        }
        values[end..].fill(0.0);
        lengths.push(end / channels);
    }
    Ok(Some(lengths))
}

#[cfg(test)]
mod tests {
    use super::super::Element;
    use super::*;

    fn read(shape: &[usize], values: &[f32]) -> Result<(Option<Vec<usize>>, Vec<f32>), String> {
        let (shape, values) = (shape.to_vec(), values.to_vec());
        let mut array = Array { shape, values, element: Element::F32 };
        let found = lengths(Path::new("a.npy"), &mut array).map_err(|error| error.to_string());
        found.map(|lengths| (lengths, array.values))
    }

    const NAN: f32 = f32::NAN;

    #[test]
    fn rows_end_where_nothing_but_nan_follows() {
        let whole = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(read(&[1, 3, 2], &whole), Ok((None, whole.to_vec())));
        let short = [1.0, 2.0, 3.0, 4.0, 5.0, NAN, NAN, NAN];
        let filled = vec![1.0, 2.0, 3.0, 4.0, 5.0, 0.0, 0.0, 0.0];
        assert_eq!(read(&[2, 4, 1], &short), Ok((Some(vec![4, 1]), filled)));
    }

    #[test]
    fn nan_that_is_no_end_is_named_by_its_place() {
        for (shape, values, place) in [
            (&[1, 3, 2][..], &[1.0, 2.0, NAN, NAN, 5.0, 6.0][..], "[0, 1, 0]"),
            (&[1, 2, 2], &[1.0, 2.0, 3.0, NAN], "[0, 1, 1]"),
            (&[2, 2, 1], &[1.0, 2.0, NAN, NAN], "[1, 0, 0]"),
            (&[2, 2], &[1.0, 2.0, 3.0, NAN], "[1, 1]"),
        ] {
            let error = read(shape, values).unwrap_err();
            assert!(error.contains(place), "{error}");
        }
    }
}
