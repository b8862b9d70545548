//! In which form a client wants its answer: the header `Accept`.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};

use crate::refusal::Refusal;

/// A form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One object.
    Json,
    /// Numbers as NumPy reads them.
    Npy,
    /// A line for each row.
    Csv,
    /// A picture of all rows.
    Png,
}

impl Format {
    pub(crate) const ALL: [Self; 4] = [Self::Json, Self::Npy, Self::Csv, Self::Png];

    /// Its type in headers.
    pub(crate) fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Npy => "application/x-npy",
            Self::Csv => "text/csv",
            Self::Png => "image/png",
        }
    }

    /// The form of some that the client likes best, the first of equals.
    pub(crate) fn wanted(headers: &HeaderMap, offered: &[Self]) -> Result<Self, Refusal> {
        let values: Vec<&str> =
            headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        if values.is_empty() {
            return Ok(offered[0]);
        }
        let ranges: Vec<Range<'_>> =
            values.iter().flat_map(|value| value.split(',')).filter_map(Range::read).collect();
        let liked = |format: &Self| {
            let matching = ranges.iter().filter(|range| range.holds(format.media()));
            // The narrowest range that holds it decides: RFC 9110, section 12.5.1.
            matching.max_by_key(|range| range.narrow).map_or(0, |range| range.quality)
        };
        let mut best = (0, None);
        for format in offered {
            let quality = liked(format);
            if best.0 < quality {
                best = (quality, Some(*format));
            }
        }
        best.1.ok_or_else(|| {
            let offered = offered.iter().map(|format| format.media()).collect::<Vec<_>>();
            let sentence = format!(
                "the answer exists as {}, and the header Accept takes none of them",
                offered.join(", ")
            );
            Refusal::new(StatusCode::NOT_ACCEPTABLE, sentence)
        })
    }
}

/// A range of types, such as `text/*;q=0.5`.
struct Range<'a> {
    media: &'a str,
    /// From 0 to 1000.
    quality: u32,
    /// 0 for all types, 1 for all of a kind, 2 for one.
    narrow: u8,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().filter(|media| media.contains('/'))?;
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map(str::parse::<f64>);
        let quality = quality.unwrap_or(Ok(1.0)).ok().filter(|quality| quality.is_finite())?;
        let narrow = if media == "*/*" { 0 } else { 1 + u8::from(!media.ends_with("/*")) };
        Some(Self { media, quality: (quality.clamp(0.0, 1.0) * 1000.0) as u32, narrow })
    }

    fn holds(&self, media: &str) -> bool {
        match self.media.strip_suffix('*') {
            Some("*/") => true,
            Some(kind) => media.starts_with(kind),
            None => self.media.eq_ignore_ascii_case(media),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &str) -> Option<Format> {
        let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().ok()?)]);
        Format::wanted(&headers, &Format::ALL).ok()
    }

    #[test]
    fn the_form_with_the_highest_quality_is_taken() {
        for (accept, format) in [
            ("*/*", Some(Format::Json)),
            ("text/csv", Some(Format::Csv)),
            ("image/*", Some(Format::Png)),
            ("text/html, application/x-npy;q=0.2, image/png;q=0.1", Some(Format::Npy)),
            ("application/json;q=0, */*;q=0.5", Some(Format::Npy)),
            ("text/*;q=0.3, */*;q=0.2", Some(Format::Csv)),
            ("text/html", None),
            ("nonsense", None),
            ("text/csv;q=x", None),
        ] {
            assert_eq!(wanted(accept), format, "{accept}");
        }
        assert_eq!(Format::wanted(&HeaderMap::new(), &[Format::Csv]).ok(), Some(Format::Csv));
    }
}
