//! Numbers as they are typed.

/// A number of images.
///
/// # Errors
/// For what is no positive number.
pub fn images(text: &str) -> Result<f64, String> {
    match number(text)? {
        images if 0.0 < images => Ok(images),
        _ => Err("it must be a positive number".into()),
    }
}

/// A whole number, also as `1e6`.
///
/// # Errors
/// For what is none, or lies beyond those that floating point tells apart.
pub fn whole(text: &str) -> Result<usize, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    // Above 2^53 floating point skips whole numbers, so that such a count would not be the one
    // typed.
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && (0.0..9.0e15).contains(&number) => {
            Ok(number as usize)
        }
        _ => Err("give a whole number, zero or positive, such as 1000 or 1e3".into()),
    }
}

/// A finite number.
///
/// # Errors
/// For what is none.
pub fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("give a finite number, such as 0.5 or 1e-5".into()),
    }
}

/// Two numbers with a comma between them.
///
/// # Errors
/// When they are not two, or no numbers.
pub fn interval(text: &str) -> Result<[f64; 2], String> {
    match text.split_once(',') {
        Some((start, end)) => Ok([number(start.trim())?, number(end.trim())?]),
        None => Err("write START,END".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_may_be_typed_with_an_exponent_as_long_as_they_are_exact() {
        assert_eq!((whole("1e6"), whole("12")), (Ok(1_000_000), Ok(12)));
        for text in ["1e16", "1.5", "-1", "nan", "many", ""] {
            assert!(whole(text).is_err(), "{text}");
        }
        assert!(images("0").is_err() && images("inf").is_err());
        assert_eq!(interval("0.25, 1"), Ok([0.25, 1.0]));
        assert!(interval("0").is_err() && interval("0,nan").is_err());
    }
}
