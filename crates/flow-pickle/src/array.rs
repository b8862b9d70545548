//! Arrays in single precision, and the part of a file that they stand in.

use std::collections::BTreeMap;

use half::{bf16, f16};

use crate::error::{ReadError, Result};

/// Numbers with a shape, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Array {
    /// Its sides.
    pub shape: Vec<usize>,
    /// Its numbers, as many as the product of the sides.
    pub numbers: Vec<f32>,
}

/// The arrays of one part of a file, such as the weights or their average.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Part {
    /// Arrays of floating-point numbers by name, all turned to single precision. NaN and infinities
    /// are kept as they are.
    pub arrays: BTreeMap<String, Array>,
    /// Names of arrays of other numbers, such as counters: they are not read.
    pub others: Vec<String>,
}

/// Kinds of numbers that weights are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    F64,
    F32,
    F16,
    Bf16,
}

impl Kind {
    /// The kind of a storage of PyTorch, by the name of its class.
    pub(crate) fn of_storage(name: &str) -> Option<Self> {
        Some(match name.strip_prefix("torch.")? {
            "DoubleStorage" => Self::F64,
            "FloatStorage" => Self::F32,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            _ => return None,
        })
    }

    pub(crate) fn of_dtype(dtype: safetensors::Dtype) -> Option<Self> {
        Some(match dtype {
            safetensors::Dtype::F64 => Self::F64,
            safetensors::Dtype::F32 => Self::F32,
            safetensors::Dtype::F16 => Self::F16,
            safetensors::Dtype::BF16 => Self::Bf16,
            _ => return None,
        })
    }

    /// Bytes of a number.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Bytes of an array, where the address space holds so many.
    pub(crate) fn bytes(self, shape: &[usize]) -> Option<usize> {
        shape.iter().try_fold(self.width(), |bytes, &side| bytes.checked_mul(side))
    }

    /// A finite number that single precision does not hold, if there is one.
    fn too_large(self, bytes: &[u8]) -> Option<f64> {
        let doubles = if self == Self::F64 { bytes.as_chunks().0 } else { &[] };
        let mut numbers = doubles.iter().map(|&x| f64::from_le_bytes(x));
        numbers.find(|x| x.is_finite() && (*x as f32).is_infinite())
    }

    fn numbers(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F64 => {
                bytes.as_chunks().0.iter().map(|&x| f64::from_le_bytes(x) as f32).collect()
            }
            Self::F32 => bytes.as_chunks().0.iter().map(|&x| f32::from_le_bytes(x)).collect(),
            Self::F16 => {
                bytes.as_chunks().0.iter().map(|&x| f16::from_le_bytes(x).into()).collect()
            }
            Self::Bf16 => {
                bytes.as_chunks().0.iter().map(|&x| bf16::from_le_bytes(x).into()).collect()
            }
        }
    }
}

/// A part that is being read, with a limit for all of it: many arrays may be views of one storage.
pub(crate) struct Reading {
    pub(crate) part: Part,
    most: u64,
    /// Bytes that may still be taken.
    left: u64,
}

impl Reading {
    pub(crate) fn new(most: u64) -> Self {
        Self { part: Part::default(), most, left: most }
    }

    /// Refuses an array that would take more than is left.
    pub(crate) fn check_room(&self, kind: Kind, shape: &[usize]) -> Result<u64> {
        let numbers = kind.bytes(shape).map(|bytes| (bytes / kind.width()) as u64);
        let left = numbers.and_then(|n| self.left.checked_sub(n.checked_mul(4)?));
        left.ok_or(ReadError::TooLarge { most: self.most })
    }

    pub(crate) fn insert(
        &mut self,
        name: &str,
        kind: Kind,
        shape: &[usize],
        bytes: &[u8],
    ) -> Result<()> {
        if kind.bytes(shape) != Some(bytes.len()) {
            return Err(ReadError::Numbers { name: name.into(), shape: shape.into() });
        }
        self.left = self.check_room(kind, shape)?;
        if let Some(value) = kind.too_large(bytes) {
            return Err(ReadError::Range { name: name.into(), value });
        }
        let array = Array { shape: shape.into(), numbers: kind.numbers(bytes) };
        self.part.arrays.insert(name.into(), array);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_views_of_the_same_bytes_are_refused_before_they_fill_the_memory() {
        let mut reading = Reading::new(100);
        assert!(reading.insert("a", Kind::F32, &[15], &[0; 60]).is_ok());
        let error = reading.insert("b", Kind::F32, &[15], &[0; 60]).unwrap_err();
        assert_eq!(error.to_string(), "a part of it holds more than 100 bytes");
        assert!(reading.insert("c", Kind::F16, &[5, 2], &[0; 20]).is_ok());
    }

    #[test]
    fn shapes_whose_product_leaves_the_range_of_numbers_have_no_bytes() {
        assert_eq!(Kind::F32.bytes(&[1 << 40, 1 << 40]), None);
        assert_eq!(Kind::F32.bytes(&[2, 0]), Some(0));
    }
}
