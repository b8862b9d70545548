//! Logical types of Parquet: the meaning of stored numbers and bytes.

use half::f16;
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::schema::types::ColumnDescriptor;

use crate::table::Type;
use crate::table::cell::LARGEST_WHOLE;

/// What is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    /// The number or word itself.
    Plain,
    /// A number without a sign.
    Unsigned,
    /// A whole number with so many digits behind the point.
    Decimal(u8),
    /// A float of 16 bits.
    Half,
    /// Days since 1970.
    Days,
    /// Parts of a second since 1970 or midnight, so many in a second.
    Ticks(i64),
}

/// A cell as it is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Missing,
    Number(f64, Type),
    Word(String),
}

impl Meaning {
    /// The meaning of a column, or what it holds that no cell can.
    pub(super) fn of(descr: &ColumnDescriptor) -> Result<Self, String> {
        if 1 < descr.path().parts().len() || 0 < descr.max_rep_level() {
            return Err("nested values".into());
        }
        let ticks = |unit: &dyn std::fmt::Debug| match format!("{unit:?}").to_lowercase() {
            unit if unit.contains("milli") => Self::Ticks(1_000),
            unit if unit.contains("micro") => Self::Ticks(1_000_000),
            _ => Self::Ticks(1_000_000_000),
        };
        Ok(match (descr.logical_type_ref(), descr.converted_type(), descr.physical_type()) {
            (_, _, Physical::INT96) => Self::Ticks(1_000),
            (Some(LogicalType::Date), ..) | (_, ConvertedType::DATE, _) => Self::Days,
            (Some(LogicalType::Time(time) | LogicalType::Timestamp(time)), ..) => ticks(&time.unit),
            (_, ConvertedType::TIME_MILLIS | ConvertedType::TIMESTAMP_MILLIS, _) => {
                Self::Ticks(1_000)
            }
            (_, ConvertedType::TIME_MICROS | ConvertedType::TIMESTAMP_MICROS, _) => {
                Self::Ticks(1_000_000)
            }
            (_, ConvertedType::INTERVAL, _) => return Err("intervals of time".into()),
            (Some(LogicalType::Float16), ..) => Self::Half,
            (_, ConvertedType::DECIMAL, _) => Self::Decimal(descr.type_scale().clamp(0, 30) as u8),
            (_, ConvertedType::UINT_32 | ConvertedType::UINT_64, _) => Self::Unsigned,
            _ => Self::Plain,
        })
    }

    /// The cell of a whole number of 32 or 64 bits.
    pub(super) fn whole(self, x: i64, bits: u32) -> Cell {
        let mask = u64::MAX >> (64 - bits);
        match self {
            Self::Days | Self::Ticks(_) => Cell::Word(moment(x, self)),
            Self::Decimal(scale) => decimal(x.into(), scale),
            Self::Unsigned => counted(i128::from(x as u64 & mask)),
            _ => counted(x.into()),
        }
    }

    /// The cell of bytes.
    pub(super) fn bytes(self, bytes: &[u8]) -> Cell {
        match (self, bytes) {
            (Self::Half, &[low, high]) => {
                Cell::Number(f16::from_le_bytes([low, high]).to_f64(), Type::Single {})
            }
            (Self::Decimal(scale), [first, ..]) if bytes.len() <= 16 => {
                // Two's complement, the greatest byte first.
                let start = if *first < 128 { 0 } else { -1 };
                decimal(bytes.iter().fold(start, |sum, &byte| sum << 8 | i128::from(byte)), scale)
            }
            _ => match std::str::from_utf8(bytes) {
                Ok(word) => Cell::Word(word.trim().to_owned()),
                // Bytes of no text are told apart by their digits.
                Err(_) => Cell::Word(format!("{bytes:02x?}")),
            },
        }
    }
}

/// Whole numbers beyond `2^53` are words, so that an identifier keeps its digits.
fn counted(x: i128) -> Cell {
    let near = (x as f64).abs() <= LARGEST_WHOLE;
    if near { Cell::Number(x as f64, Type::Integer {}) } else { Cell::Word(x.to_string()) }
}

fn decimal(x: i128, scale: u8) -> Cell {
    // Division of two exact numbers rounds once.
    let value = x as f64 / 10_f64.powi(scale.into());
    Cell::Number(value, Type::Real { decimals: Some(scale) })
}

/// A day or a moment as ISO 8601 writes it, by which it is known as a date.
///
/// # Reference
/// Hinnant (2013), "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn moment(count: i64, unit: Meaning) -> String {
    let (days, second) = match unit {
        Meaning::Ticks(ticks) => {
            let seconds = count.div_euclid(ticks);
            (seconds.div_euclid(86_400), Some(seconds.rem_euclid(86_400)))
        }
        // Far beyond any calendar, and within the range of the sums below.
        _ => (count.clamp(-1_000_000_000, 1_000_000_000), None),
    };
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    match second {
        None => format!("{year:04}-{month:02}-{day:02}"),
        Some(s) => {
            let (hour, minute, second) = (s / 3600, s / 60 % 60, s % 60);
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_iso_dates() {
        assert_eq!(moment(0, Meaning::Days), "1970-01-01");
        assert_eq!(moment(19_782, Meaning::Days), "2024-02-29");
        assert_eq!(moment(-1, Meaning::Ticks(1)), "1969-12-31T23:59:59");
        assert_eq!(moment(1_000_000_000_000, Meaning::Ticks(1000)), "2001-09-09T01:46:40");
        let _no_overflow = [i64::MIN, i64::MAX].map(|x| moment(x, Meaning::Days));
    }

    #[test]
    fn decimals_and_numbers_without_a_sign_keep_their_value() {
        let real = |x, decimals| Cell::Number(x, Type::Real { decimals: Some(decimals) });
        assert_eq!(Meaning::Decimal(2).whole(-1234, 32), real(-12.34, 2));
        assert_eq!(Meaning::Decimal(2).bytes(&[0xfb, 0x2e]), real(-12.34, 2));
        let all = Cell::Number(4_294_967_295.0, Type::Integer {});
        assert_eq!(Meaning::Unsigned.whole(-1, 32), all);
        assert_eq!(Meaning::Unsigned.whole(-1, 64), Cell::Word(u64::MAX.to_string()));
    }
}
