//! Parsers of numbers on the command line.

/// A number of images.
pub(super) fn images(text: &str) -> Result<f64, String> {
    match number(text)? {
        images if 0.0 < images => Ok(images),
        _ => Err("it must be a positive number".into()),
    }
}

/// A whole number, also as `1e6`.
pub(super) fn whole(text: &str) -> Result<usize, String> {
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

/// A floating-point number that is not NaN.
pub(super) fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("give a finite number, such as 0.5 or 1e-5".into()),
    }
}

/// Two numbers with a comma between them.
pub(super) fn interval(text: &str) -> Result<[f64; 2], String> {
    match text.split_once(',') {
        Some((start, end)) => Ok([number(start.trim())?, number(end.trim())?]),
        None => Err("write START,END".into()),
    }
}
