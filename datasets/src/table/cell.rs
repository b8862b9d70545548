//! One cell of a table: numbers, how they were written, and dates.

use super::Type;

/// The largest whole number up to which every whole number is an `f64`: `2^53`.
pub(crate) const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// More digits behind the point than these say nothing about a number of 64 bits.
const MOST_DECIMALS: usize = 15;

/// A number, and how it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number {
    pub(crate) value: f64,
    /// Digits behind the point; nothing for a number with an exponent.
    pub(crate) decimals: Option<u8>,
    /// Whether it is written without a point and without an exponent.
    pub(crate) whole: bool,
}

/// Reads a number as programs write it: `-12`, `0.50`, `1e-3`, `inf`.
///
/// What has leading zeros (`007`) or more digits than an `f64` keeps is no number but a code,
/// since it could not be written again as it was.
pub(crate) fn number(text: &str) -> Option<Number> {
    let value: f64 = text.parse().ok().filter(|value: &f64| !value.is_nan())?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text).as_bytes();
    let whole = digits.iter().all(u8::is_ascii_digit);
    let leading_zero = 1 < digits.len() && digits[0] == b'0' && digits[1].is_ascii_digit();
    if leading_zero || (whole && LARGEST_WHOLE < value.abs()) {
        return None;
    }
    let plain = digits.iter().all(|c| c.is_ascii_digit() || *c == b'.');
    let behind = text.find('.').map_or(0, |point| text.len() - point - 1);
    let decimals = (plain && behind <= MOST_DECIMALS).then_some(behind as u8);
    Some(Number { value, decimals, whole })
}

/// A number as a cell of that type holds it.
pub(crate) fn print(value: f64, ty: Type) -> String {
    match ty.plain() {
        Type::Bool {} if value == 0.0 => "false".to_owned(),
        Type::Bool {} => "true".to_owned(),
        Type::Real { decimals: Some(decimals) } if value.is_finite() => {
            let text = format!("{value:.*}", usize::from(decimals));
            // No number is less than nothing by nothing.
            let zero = text.bytes().all(|c| matches!(c, b'-' | b'0' | b'.'));
            if zero { text.trim_start_matches('-').to_owned() } else { text }
        }
        Type::Integer {} if value.abs() <= LARGEST_WHOLE => format!("{}", value.round() as i64),
        // As many digits as the number needs, and a point: 3.0 is no whole number.
        Type::Single {} => format!("{:?}", value as f32),
        _ => format!("{value:?}"),
    }
}

/// A number as the name of a category: `1` for 1.0.
pub(crate) fn label(value: f64, ty: Type) -> String {
    match ty.plain() {
        Type::Bool {} => print(value, ty),
        _ if value.fract() == 0.0 => print(value, Type::Integer {}),
        Type::Single {} => print(value, ty),
        _ => print(value, Type::Real { decimals: None }),
    }
}

/// Whether a text is a number in which commas stand: `1,5` or `1,234.5`.
pub(crate) fn with_commas(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let known = |c: char| c.is_ascii_digit() || matches!(c, ',' | '.');
    digits.contains(',')
        && digits.chars().all(known)
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
}

/// Whether a number is a day written without marks, `20240501`, of the last century or this one.
pub(crate) fn is_packed_day(x: f64) -> bool {
    let (year, month, day) = ((x / 1e4).floor(), (x / 100.0).floor() % 100.0, x % 100.0);
    let within = |x: f64, low: f64, high: f64| (low..=high).contains(&x);
    within(year, 1900.0, 2099.0) && within(month, 1.0, 12.0) && within(day, 1.0, 31.0)
}

/// Whether a text is a date, a time of day or both: `2024-05-01`, `1.5.2024`, `05/01/24`,
/// `2024-05-01T10:30:00Z`, `10:30`, `1 May 2024`, `May 1, 2024 10:30`.
pub(crate) fn is_date(text: &str) -> bool {
    if is_named_day(text) {
        return true;
    }
    let (first, rest) = match text.split_once(['T', ' ']) {
        Some((first, rest)) => (first, Some(rest)),
        None => (text, None),
    };
    match rest {
        None => is_day(first) || is_time(first),
        Some(rest) => is_day(first) && is_time(rest),
    }
}

fn is_day(text: &str) -> bool {
    ['-', '/', '.'].iter().any(|&separator| {
        let parts: Vec<&str> = text.split(separator).collect();
        let number = |part: &str| part.parse::<u32>().ok().filter(|_| part.len() <= 4);
        let [Some(a), Some(b), Some(c)] = [0, 1, 2].map(|i| parts.get(i).and_then(|p| number(p)))
        else {
            return false;
        };
        let year_first = parts[0].len() == 4 && b <= 12 && c <= 31;
        let year_last = matches!(parts[2].len(), 2 | 4) && a <= 31 && b <= 31 && a.min(b) <= 12;
        parts.len() == 3 && (year_first || year_last)
    })
}

/// A day whose month has its English name, in whole or by three letters, perhaps beside the name of
/// a day of the week and a time.
fn is_named_day(text: &str) -> bool {
    let (mut months, mut days, mut years, mut others) = (0, 0, 0, 0);
    for part in text.split([' ', ',', '-', '/']).filter(|part| !part.is_empty()) {
        let part = part.trim_end_matches('.').to_lowercase();
        let bare = ["st", "nd", "rd", "th"].iter().find_map(|end| part.strip_suffix(end));
        let bare = bare.unwrap_or(&part);
        let named = |names: &[&str]| {
            names.iter().any(|name| part == *name || (part.len() == 3 && name.starts_with(&part)))
        };
        match bare.parse::<u32>() {
            Ok(1..=31) if bare.len() <= 2 && days == 0 => days += 1,
            Ok(_) if matches!(bare.len(), 2 | 4) => years += 1,
            _ if named(&MONTHS) => months += 1,
            _ if named(&WEEKDAYS) || is_time(&part) => {}
            _ => others += 1,
        }
    }
    (months, days, years, others) == (1, 1, 1, 0)
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn is_time(text: &str) -> bool {
    // A zone and fractions of a second may follow.
    let clock = text.split(['Z', '+', '-', '.', ' ']).next().unwrap_or(text);
    let parts: Vec<&str> = clock.split(':').collect();
    let below = |part: &str, limit: u32| {
        part.len() == 2 && part.parse::<u32>().is_ok_and(|number| number < limit)
    };
    matches!(parts.len(), 2 | 3)
        && (below(parts[0], 25) || (parts[0].len() == 1 && parts[0].parse::<u32>().is_ok()))
        && parts[1..].iter().all(|part| below(part, 61))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_how_they_were_written() {
        let of = |text| number(text).map(|n| (n.value, n.decimals, n.whole));
        assert_eq!(of("-12"), Some((-12.0, Some(0), true)));
        assert_eq!(of("0.50"), Some((0.5, Some(2), false)));
        assert_eq!(of(".5"), Some((0.5, Some(1), false)));
        assert_eq!(of("1e-3"), Some((1e-3, None, false)));
        assert_eq!(of("0"), Some((0.0, Some(0), true)));
        assert_eq!(of("inf"), Some((f64::INFINITY, None, false)));
        for text in ["", "007", "nan", "1,5", "12345678901234567890", "0x1", "-", "."] {
            assert_eq!(of(text), None, "{text:?}");
        }
    }

    #[test]
    fn numbers_are_printed_as_they_were_written() {
        let real = |decimals| Type::Real { decimals };
        assert_eq!(print(0.5, real(Some(2))), "0.50");
        assert_eq!(print(-0.001, real(Some(2))), "0.00");
        assert_eq!(print(-0.5, real(Some(1))), "-0.5");
        assert_eq!(print(0.1, real(None)), "0.1");
        assert_eq!(print(1e300, real(None)), "1e300");
        assert_eq!(print(3.0, real(None)), "3.0");
        assert_eq!(print(f64::from(0.1_f32), Type::Single {}), "0.1");
        assert_eq!(print(3.0, Type::Integer {}), "3");
        assert_eq!(label(3.0, real(Some(1))), "3");
        assert_eq!(label(1.0, Type::Bool {}), "true");
    }

    #[test]
    fn dates_and_times_are_known_in_several_spellings() {
        let dates = [
            "2024-05-01",
            "1.5.2024",
            "05/01/24",
            "2024/5/1",
            "2024-05-01T10:30:00Z",
            "2024-05-01 10:30",
            "10:30",
            "1 Jan 2024",
            "01-Jan-24",
            "January 1st, 2024",
            "Mon, 1 Jan. 2024 10:30:00",
        ];
        for text in dates {
            assert!(is_date(text), "{text}");
        }
        for text in
            ["1.5", "setosa", "12-34", "192.168.0.1", "3:1 mix", "2024-50-01", "a b", "1-2-3"]
        {
            assert!(!is_date(text), "{text}");
        }
        for text in ["May", "1 Jan", "March 2024", "12 august people 2024"] {
            assert!(!is_date(text), "{text}");
        }
        assert!([20240229.0, 19991231.0].into_iter().all(is_packed_day));
        let others = [20241301.0, 20240100.0, 2024.0, 18991231.0, 20240132.0, -20240101.0];
        assert!(!others.into_iter().any(is_packed_day));
    }

    #[test]
    fn numbers_with_commas_are_known() {
        for text in ["1,5", "-0,25", "1,234.5", "1,234,567"] {
            assert!(with_commas(text), "{text}");
        }
        for text in ["1.5", "a,b", ",5", "5,", "1, 5", ""] {
            assert!(!with_commas(text), "{text}");
        }
    }
}
