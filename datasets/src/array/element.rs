//! Types of the numbers of a file.

use half::{bf16, f16};
use serde::{Deserialize, Serialize};

/// The type of the numbers in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Element {
    /// Truth values, 0 and 1.
    Bool,
    /// Bytes: pixels from 0 to 255.
    U8,
    /// 8 bits with a sign.
    I8,
    /// 16 bits without a sign.
    U16,
    /// 16 bits with a sign.
    I16,
    /// 32 bits without a sign.
    U32,
    /// 32 bits with a sign.
    I32,
    /// 64 bits without a sign.
    U64,
    /// 64 bits with a sign.
    I64,
    /// Floats of 16 bits.
    F16,
    /// Floats of 16 bits with the exponent of 32.
    BF16,
    /// Floats of 32 bits.
    F32,
    /// Floats of 64 bits.
    F64,
}

const ALL: [Element; 13] = [
    Element::Bool,
    Element::U8,
    Element::I8,
    Element::U16,
    Element::I16,
    Element::U32,
    Element::I32,
    Element::U64,
    Element::I64,
    Element::F16,
    Element::BF16,
    Element::F32,
    Element::F64,
];

impl Element {
    /// Bytes of one number.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::BF16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// The code of NumPy, without the order of bytes.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Bool => "b1",
            Self::U8 => "u1",
            Self::I8 => "i1",
            Self::U16 => "u2",
            Self::I16 => "i2",
            Self::U32 => "u4",
            Self::I32 => "i4",
            Self::U64 => "u8",
            Self::I64 => "i8",
            Self::F16 => "f2",
            // Not known to NumPy, and never written.
            Self::BF16 => "V2",
            Self::F32 => "f4",
            Self::F64 => "f8",
        }
    }

    /// The type of a code of NumPy without the order of bytes.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        let known = ALL.into_iter().filter(|element| *element != Self::BF16);
        known.into_iter().find(|element| element.code() == code)
    }

    /// What numbers of this type are written as: themselves, but for the type that NumPy does not
    /// know.
    #[must_use]
    pub fn written(self) -> Self {
        if self == Self::BF16 { Self::F32 } else { self }
    }

    /// Whether numbers of this type are whole.
    #[must_use]
    pub fn is_whole(self) -> bool {
        !matches!(self, Self::F16 | Self::BF16 | Self::F32 | Self::F64)
    }

    /// The code of safetensors.
    pub(crate) fn dtype(self) -> safetensors::Dtype {
        use safetensors::Dtype;
        match self {
            Self::Bool => Dtype::BOOL,
            Self::U8 => Dtype::U8,
            Self::I8 => Dtype::I8,
            Self::U16 => Dtype::U16,
            Self::I16 => Dtype::I16,
            Self::U32 => Dtype::U32,
            Self::I32 => Dtype::I32,
            Self::U64 => Dtype::U64,
            Self::I64 => Dtype::I64,
            Self::F16 => Dtype::F16,
            Self::BF16 => Dtype::BF16,
            Self::F32 => Dtype::F32,
            Self::F64 => Dtype::F64,
        }
    }

    /// The type of a code of safetensors.
    pub(crate) fn of_dtype(dtype: safetensors::Dtype) -> Option<Self> {
        ALL.into_iter().find(|element| element.dtype() == dtype)
    }

    /// The bytes of numbers, the least first; those of whole types are rounded to the nearest that
    /// the type has.
    pub(crate) fn encode<T: Number>(self, values: &[T]) -> Vec<u8> {
        macro_rules! bytes {
            ($to:expr) => {
                values.iter().copied().map(T::wide).flat_map($to).collect()
            };
        }
        match self {
            Self::Bool => bytes!(|x: f64| [u8::from(0.5 < x)]),
            Self::U8 => bytes!(|x: f64| (x.round() as u8).to_le_bytes()),
            Self::I8 => bytes!(|x: f64| (x.round() as i8).to_le_bytes()),
            Self::U16 => bytes!(|x: f64| (x.round() as u16).to_le_bytes()),
            Self::I16 => bytes!(|x: f64| (x.round() as i16).to_le_bytes()),
            Self::U32 => bytes!(|x: f64| (x.round() as u32).to_le_bytes()),
            Self::I32 => bytes!(|x: f64| (x.round() as i32).to_le_bytes()),
            Self::U64 => bytes!(|x: f64| (x.round() as u64).to_le_bytes()),
            Self::I64 => bytes!(|x: f64| (x.round() as i64).to_le_bytes()),
            Self::F16 => bytes!(|x: f64| f16::from_f64(x).to_le_bytes()),
            Self::BF16 => bytes!(|x: f64| bf16::from_f64(x).to_le_bytes()),
            Self::F32 => bytes!(|x: f64| (x as f32).to_le_bytes()),
            Self::F64 => bytes!(f64::to_le_bytes),
        }
    }

    /// Appends the numbers of whole elements to `out`.
    pub(crate) fn decode<T: Number>(self, bytes: &[u8], big_endian: bool, out: &mut Vec<T>) {
        macro_rules! numbers {
            ($type:ty, $to:expr) => {{
                let (chunks, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
                let one = |chunk: &[u8; size_of::<$type>()]| match big_endian {
                    true => <$type>::from_be_bytes(*chunk),
                    false => <$type>::from_le_bytes(*chunk),
                };
                out.extend(chunks.iter().map(one).map($to));
            }};
        }
        match self {
            Self::Bool => numbers!(u8, |x| T::unsigned(u64::from(x != 0))),
            Self::U8 => numbers!(u8, |x| T::unsigned(x.into())),
            Self::I8 => numbers!(i8, |x| T::signed(x.into())),
            Self::U16 => numbers!(u16, |x| T::unsigned(x.into())),
            Self::I16 => numbers!(i16, |x| T::signed(x.into())),
            Self::U32 => numbers!(u32, |x| T::unsigned(x.into())),
            Self::I32 => numbers!(i32, |x| T::signed(x.into())),
            Self::U64 => numbers!(u64, T::unsigned),
            Self::I64 => numbers!(i64, T::signed),
            Self::F16 => numbers!(f16, |x| T::real(x.to_f64())),
            Self::BF16 => numbers!(bf16, |x| T::real(x.to_f64())),
            Self::F32 => numbers!(f32, |x| T::real(x.into())),
            Self::F64 => numbers!(f64, T::real),
        }
    }
}

/// What numbers of a file become in memory: the nearest of the type.
pub(crate) trait Number: Copy {
    /// From a float.
    fn real(x: f64) -> Self;
    /// From a whole number with a sign.
    fn signed(x: i64) -> Self;
    /// From a whole number without a sign.
    fn unsigned(x: u64) -> Self;
    /// As the widest float.
    fn wide(self) -> f64;
}

macro_rules! number {
    ($type:ty) => {
        #[allow(clippy::cast_lossless, clippy::unnecessary_cast, reason = "one text for all types")]
        impl Number for $type {
            fn real(x: f64) -> Self {
                x as Self
            }

            fn signed(x: i64) -> Self {
                x as Self
            }

            fn unsigned(x: u64) -> Self {
                x as Self
            }

            fn wide(self) -> f64 {
                self as f64
            }
        }
    };
}

number!(f32);
number!(f64);
// Every whole number of 64 bits, with its sign or without one.
number!(i128);
