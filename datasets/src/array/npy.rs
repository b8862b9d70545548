//! NumPy's format: a text that says what follows, then the numbers.
//!
//! ```text
//! 93 'NUMPY' major minor         8 bytes
//! length                         u16 (version 1) or u32 (versions 2 and 3), little-endian
//! {'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }     padded with spaces, ends in \n
//! numbers
//! ```
//!
//! The text is a Python literal. Of that language only what such a text holds is read, without
//! recursion and without a product of sizes that could overflow: files come from anywhere.
//!
//! # Reference
//! NumPy documentation, `numpy.lib.format`.

use std::io::{self, Read, Write};
use std::ops::RangeInclusive;
use std::path::Path;

use super::{Array, ArrayError, ArrayOptions, Element, Number, count, numbers};

/// NumPy itself refuses longer ones.
const LONGEST_HEADER: usize = 10_000;

/// What stands before the numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    descr: String,
    fortran: bool,
    pub(crate) shape: Vec<usize>,
    /// Bytes up to the first number.
    pub(crate) bytes: u64,
}

impl Header {
    /// The header of numbers in row-major order.
    pub(crate) fn new(element: Element, shape: Vec<usize>) -> Self {
        let order = if element.size() == 1 { '|' } else { '<' };
        Self { descr: format!("{order}{}", element.code()), fortran: false, shape, bytes: 0 }
    }

    /// The header of words of at most so many letters.
    pub(crate) fn words(letters: usize, shape: Vec<usize>) -> Self {
        Self { descr: format!("<U{letters}"), fortran: false, shape, bytes: 0 }
    }

    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let shape: String = self.shape.iter().map(|n| n.to_string() + ", ").collect();
        let shape =
            if self.shape.len() == 1 { shape.trim_end() } else { shape.trim_end_matches(", ") };
        let descr = &self.descr;
        let mut text =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
        // Numbers begin at a multiple of 64 bytes.
        let padding = (64 - (10 + text.len() + 1) % 64) % 64;
        text.extend(std::iter::repeat_n(' ', padding));
        text.push('\n');
        out.write_all(b"\x93NUMPY\x01\x00")?;
        out.write_all(&(text.len() as u16).to_le_bytes())?;
        out.write_all(text.as_bytes())
    }

    pub(crate) fn read(path: &Path, source: &mut impl Read) -> Result<Self, ArrayError> {
        let damaged = |what: &str| ArrayError::damaged(path, what);
        let mut take = |n: usize| {
            let mut bytes = vec![0; n];
            match source.read_exact(&mut bytes) {
                Ok(()) => Ok(bytes),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    Err(damaged("it ends within its header"))
                }
                Err(error) => Err(ArrayError::read(path)(error)),
            }
        };
        let magic = take(8)?;
        if !magic.starts_with(b"\x93NUMPY") {
            return Err(damaged("it does not begin like an npy file"));
        }
        let width = match magic[6] {
            1 => 2,
            2 | 3 => 4,
            _ => return Err(damaged("its version is not 1, 2 or 3")),
        };
        let size = take(width)?;
        let length = size.iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        if LONGEST_HEADER < length {
            return Err(damaged("its header is longer than 10,000 bytes"));
        }
        let text = take(length)?;
        let text = std::str::from_utf8(&text).map_err(|_| damaged("its header is no text"))?;
        let mut header =
            parse(text).ok_or_else(|| damaged("its header does not say what follows"))?;
        header.bytes = (8 + width + length) as u64;
        Ok(header)
    }

    /// The type of the numbers, and whether their bytes come with the greatest first.
    pub(crate) fn element(&self, path: &Path) -> Result<(Element, bool), ArrayError> {
        let (order, code) = self.descr.split_at_checked(1).unwrap_or(("", ""));
        if code.starts_with('O') || self.descr.contains("'O'") || self.descr.contains("'|O'") {
            return Err(ArrayError::Objects { path: path.to_owned() });
        }
        let big_endian = match order {
            ">" => true,
            "<" | "|" => false,
            "=" => cfg!(target_endian = "big"),
            _ => return Err(self.unread(path)),
        };
        let element = Element::of_code(code).ok_or_else(|| self.unread(path))?;
        Ok((element, big_endian))
    }

    pub(crate) fn row_major(&self) -> bool {
        !self.fortran
    }

    fn unread(&self, path: &Path) -> ArrayError {
        ArrayError::Element { path: path.to_owned(), ty: self.descr.clone() }
    }
}

/// Reads an npy file of this length in bytes.
pub(crate) fn read<T: Number>(
    path: &Path,
    source: &mut impl Read,
    length: u64,
    options: &ArrayOptions,
) -> Result<Array<T>, ArrayError> {
    let header = Header::read(path, source)?;
    let element = header.element(path)?;
    let count = checked(path, &header, element.0, length, &options.axes)?;
    // Numbers of the first axis fastest are held twice while they are turned round.
    let copies = if header.fortran { 2 } else { 1 };
    let (needed, limit) = (count.saturating_mul(copies * size_of::<T>() as u64), options.max_bytes);
    if limit < needed {
        return Err(ArrayError::TooLarge { path: path.to_owned(), needed, limit });
    }
    let values = numbers(path, source, element, count)?;
    let values = if header.fortran { row_major(&values, &header.shape) } else { values };
    Ok(Array { shape: header.shape, values, element: element.0 })
}

/// The number of elements, if the file has just as many.
pub(crate) fn checked(
    path: &Path,
    header: &Header,
    element: Element,
    length: u64,
    axes: &RangeInclusive<usize>,
) -> Result<u64, ArrayError> {
    let count = count(path, &header.shape, axes)?;
    let expected = count.saturating_mul(element.size() as u64);
    let actual = length.saturating_sub(header.bytes);
    if expected != actual {
        return Err(ArrayError::Length { path: path.to_owned(), expected, actual });
    }
    Ok(count)
}

/// From the first index fastest to the last index fastest.
fn row_major<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
    let mut strides = vec![1; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let mut index = vec![0; shape.len()];
    let mut out = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        out.push(values[index.iter().zip(&strides).map(|(i, stride)| i * stride).sum::<usize>()]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out
}

/// The three entries of a header's dictionary, in any order.
fn parse(text: &str) -> Option<Header> {
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    while !rest.is_empty() {
        let (key, behind) = quoted(rest)?;
        let value = behind.trim_start().strip_prefix(':')?.trim_start();
        rest = match key {
            "descr" if value.starts_with('[') => {
                // Fields with names: kept as text for the message that refuses them.
                let end = value.rfind(']')?;
                let end = value[..end]
                    .find("'fortran_order'")
                    .map_or(end, |next| value[..next].rfind(']').unwrap_or(end));
                descr = Some(value[..=end].to_owned());
                &value[end + 1..]
            }
            "descr" => {
                let (code, rest) = quoted(value)?;
                descr = Some(code.to_owned());
                rest
            }
            "fortran_order" => {
                let (word, is) =
                    if value.starts_with("True") { ("True", true) } else { ("False", false) };
                fortran = Some(is);
                value.strip_prefix(word)?
            }
            "shape" => {
                let (inner, rest) = value.strip_prefix('(')?.split_once(')')?;
                let sizes = inner.split(',').map(str::trim).filter(|size| !size.is_empty());
                // Python 2 wrote long integers with an L.
                let size = |size: &str| size.trim_end_matches('L').parse::<usize>().ok();
                shape = Some(sizes.map(size).collect::<Option<Vec<_>>>()?);
                rest
            }
            _ => return None,
        };
        rest = rest.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    Some(Header { descr: descr?, fortran: fortran?, shape: shape?, bytes: 0 })
}

/// The text in the quotes at the start, and what follows them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_they_are_written() {
        for shape in [vec![], vec![3], vec![3, 2], vec![1, 2, 3, 4]] {
            let header = Header::new(Element::F32, shape.clone());
            let mut bytes = Vec::new();
            header.write(&mut bytes).unwrap();
            assert_eq!(bytes.len() % 64, 0);
            let read = Header::read(Path::new("x"), &mut &bytes[..]).unwrap();
            assert_eq!((read.shape, read.bytes), (shape, bytes.len() as u64));
        }
    }

    #[test]
    fn the_dictionary_may_have_any_order_and_spelling() {
        let header =
            parse("{\"shape\": (3L, 2), 'fortran_order': True , 'descr': '>i8'}  \n").unwrap();
        assert_eq!(header.shape, [3, 2]);
        assert!(header.fortran);
        assert_eq!(header.element(Path::new("x")).unwrap(), (Element::I64, true));
        for text in [
            "",
            "{",
            "{}",
            "{'descr': '<f4'}",
            "{'shape': (-1,), 'fortran_order': False, 'descr': '<f4'}",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_axis_fastest_is_turned_round() {
        // numpy.asfortranarray(numpy.arange(6).reshape(1, 2, 3)).ravel(order="K")
        let turned = row_major(&[0.0, 3.0, 1.0, 4.0, 2.0, 5.0], &[1, 2, 3]);
        assert_eq!(turned, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }
}
