//! In which form a client wants its answer: the header `Accept`.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use flow_api::Form;

use crate::refusal::Refusal;

/// The form of some that the client likes best, the first of equals.
pub(crate) fn wanted(headers: &HeaderMap, offered: &[Form]) -> Result<Form, Refusal> {
    let values: Vec<&str> =
        headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    if values.is_empty() {
        return Ok(offered[0]);
    }
    let ranges: Vec<Range<'_>> =
        values.iter().flat_map(|value| value.split(',')).filter_map(Range::read).collect();
    let liked = |form: &Form| {
        let matching = ranges.iter().filter(|range| range.holds(form.media()));
        // The narrowest range that holds it decides: RFC 9110, section 12.5.1.
        matching.max_by_key(|range| range.narrow).map_or(0, |range| range.quality)
    };
    let mut best = (0, None);
    for form in offered {
        let quality = liked(form);
        if best.0 < quality {
            best = (quality, Some(*form));
        }
    }
    best.1.ok_or_else(|| {
        let offered = offered.iter().map(|form| form.media()).collect::<Vec<_>>();
        let sentence = format!(
            "the answer exists as {}, and the header Accept takes none of them",
            offered.join(", ")
        );
        Refusal::new(StatusCode::NOT_ACCEPTABLE, sentence)
    })
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

    fn liked(accept: &str) -> Option<Form> {
        let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().ok()?)]);
        super::wanted(&headers, &Form::ALL).ok()
    }

    #[test]
    fn the_form_with_the_highest_quality_is_taken() {
        for (accept, format) in [
            ("*/*", Some(Form::Json)),
            ("text/csv", Some(Form::Csv)),
            ("image/*", Some(Form::Png)),
            ("text/html, application/x-npy;q=0.2, image/png;q=0.1", Some(Form::Npy)),
            ("application/json;q=0, */*;q=0.5", Some(Form::Npy)),
            ("text/*;q=0.3, */*;q=0.2", Some(Form::Csv)),
            ("text/html", None),
            ("nonsense", None),
            ("text/csv;q=x", None),
        ] {
            assert_eq!(liked(accept), format, "{accept}");
        }
        assert_eq!(super::wanted(&HeaderMap::new(), &[Form::Csv]).ok(), Some(Form::Csv));
    }
}
