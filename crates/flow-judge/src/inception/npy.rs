//! Numpy's array files, as far as statistics need them.
//!
//! The head of a file from elsewhere is checked against the bytes that are there before anything is
//! made of the sizes that it claims.

use crate::malformed::{Malformed, OrMalformed, ensure, refuse};

/// An array that lies in memory as in its file.
#[derive(Debug)]
pub(super) struct Array<'a> {
    kind: &'a str,
    shape: Vec<usize>,
    data: &'a [u8],
}

impl<'a> Array<'a> {
    /// A magic number, a version, the length of the head, the head as a dictionary, the numbers.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let rest = bytes.strip_prefix(b"\x93NUMPY").or_malformed("it is no array of numpy")?;
        let (version, rest) = rest.split_first_chunk::<2>().or_malformed("it ends in its head")?;
        let (length, rest) = match version[0] {
            1 => rest.split_first_chunk().map(|(n, rest)| (u16::from_le_bytes(*n).into(), rest)),
            _ => rest.split_first_chunk().map(|(n, rest)| (u32::from_le_bytes(*n) as usize, rest)),
        }
        .or_malformed("it ends in its head")?;
        let head = std::str::from_utf8(rest.get(..length).or_malformed("it ends in its head")?)?;
        let kind = after(head, "'descr':")?.strip_prefix('\'').and_then(|x| x.split('\'').next());
        let shape = after(head, "'shape':")?.strip_prefix('(').and_then(|x| x.split_once(')'));
        let (shape, _) = shape.or_malformed("its head names no shape")?;
        let sides = shape.split(',').map(str::trim).filter(|side| !side.is_empty());
        let shape = sides.map(str::parse).collect::<Result<Vec<usize>, _>>()?;
        let array = Self {
            kind: kind.or_malformed("its head names no type")?,
            shape,
            data: &rest[length..],
        };
        let width = array.kind.get(2..).or_malformed("its type has no width")?.parse::<usize>()?;
        let size = array.shape.iter().try_fold(width, |size, &side| size.checked_mul(side));
        let (shape, held) = (&array.shape, array.data.len());
        ensure!(size == Some(held), "an array of shape {shape:?} has {held} bytes");
        Ok(array)
    }

    /// Its sizes.
    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All numbers, of floating point or whole.
    pub(super) fn numbers(&self) -> Result<Vec<f64>, Malformed> {
        let (eights, fours) = (self.data.as_chunks::<8>().0, self.data.as_chunks::<4>().0);
        Ok(match self.kind {
            "<f8" => eights.iter().map(|x| f64::from_le_bytes(*x)).collect(),
            "<f4" => fours.iter().map(|x| f32::from_le_bytes(*x).into()).collect(),
            "<i8" => eights.iter().map(|x| i64::from_le_bytes(*x) as f64).collect(),
            kind => refuse!("its numbers are of the type {kind}, save them as float64"),
        })
    }

    /// The text of an array of bytes.
    pub(super) fn text(&self) -> Result<String, Malformed> {
        ensure!(self.kind.starts_with("|S"), "it holds no text");
        Ok(std::str::from_utf8(self.data)?.trim_end_matches('\0').to_owned())
    }
}

/// What follows a key of the head.
fn after<'a>(head: &'a str, key: &str) -> Result<&'a str, Malformed> {
    let (_, value) = head.split_once(key).or_malformed(&format!("its head lacks {key}"))?;
    Ok(value.trim_start())
}

/// A file of one array: `kind` as numpy writes it, such as `<f8`.
pub(super) fn write(kind: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let sides: String = shape.iter().flat_map(|side| [side.to_string(), ",".into()]).collect();
    let head = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sides}), }}");
    // The numbers begin at a multiple of 64 bytes, after ten and a line break.
    let length = (10 + head.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{head:<width$}\n", width = length - 1).as_bytes());
    bytes.extend(data);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_survive_their_file() {
        let data: Vec<u8> = [1.0_f64, -2.5, 3.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let file = write("<f8", &[3, 1], &data);
        assert_eq!((file.len() - data.len()) % 64, 0);
        let array = Array::read(&file).unwrap();
        assert_eq!((array.shape(), array.numbers().unwrap()), (&[3, 1][..], vec![1.0, -2.5, 3.0]));
        let file = write("|S4", &[], b"ab\0\0");
        assert_eq!(Array::read(&file).unwrap().text().unwrap(), "ab");
        assert!(Array::read(&file).unwrap().numbers().unwrap_err().to_string().contains("|S4"));
    }

    #[test]
    fn sizes_that_the_file_does_not_hold_are_refused() {
        let shapes = [&[1 << 32, 1 << 32][..], &[1 << 63, 2], &[3], &[0, 1]];
        for shape in shapes {
            let error = Array::read(&write("<f8", shape, &[0; 16])).unwrap_err().to_string();
            assert!(error.contains("has 16 bytes"), "{error}");
        }
        // A head of four gigabytes, and one of brackets alone.
        let huge = b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}";
        assert!(Array::read(huge).unwrap_err().to_string().contains("ends in its head"));
        let brackets = [b"\x93NUMPY\x01\x00\xff\xff".to_vec(), b"(".repeat(65_535)].concat();
        assert!(Array::read(&brackets).unwrap_err().to_string().contains("lacks 'descr':"));
        for head in [
            "{}",
            "{'descr': '<f8'}",
            "{'descr': '<f8', 'shape': (1e9,)}",
            "{'descr': '', 'shape': ()}",
        ] {
            let mut file = b"\x93NUMPY\x01\x00".to_vec();
            file.extend((head.len() as u16).to_le_bytes());
            file.extend(head.as_bytes());
            assert!(Array::read(&file).is_err(), "{head}");
        }
    }
}
