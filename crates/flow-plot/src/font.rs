//! The embedded typeface: how wide a text is, and the outlines of its letters.

use std::sync::LazyLock;

use ttf_parser::{Face, GlyphId, OutlineBuilder};

static FACE: LazyLock<Face<'static>> = LazyLock::new(|| {
    Face::parse(include_bytes!("../assets/DejaVuSans-subset.ttf"), 0)
        .expect("the embedded font is a whole TrueType file")
});

/// Font families for SVG viewers, the embedded one first.
pub(crate) const FAMILIES: &str = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif";

/// Height of the capitals, as a part of the font size.
pub(crate) const CAP_HEIGHT: f32 = 0.73;

/// Width of `text` in pixels at a font size of `size` pixels.
pub(crate) fn width(text: &str, size: f32) -> f32 {
    text.chars().map(|c| advance(glyph(c))).sum::<f32>() * unit(size)
}

/// `text` as one line, cut short with an ellipsis where it is wider than `room` pixels.
///
/// Every text of a user passes through here.
pub(crate) fn fit(text: &str, size: f32, room: f32) -> String {
    let text = one_line(text);
    if width(&text, size) <= room {
        return text;
    }
    let mut used = width("…", size);
    let kept = text.chars().take_while(|&c| {
        used += advance(glyph(c)) * unit(size);
        used <= room
    });
    kept.chain(['…']).collect()
}

/// White space of any kind and length as one blank, without the characters that XML cannot hold.
fn one_line(text: &str) -> String {
    let known: String = text.chars().filter(|&c| c.is_whitespace() || is_xml(c)).collect();
    let words: Vec<&str> = known.split_whitespace().collect();
    words.join(" ")
}

/// Whether XML 1.0 has the character, but for control characters, which have no shape.
pub(crate) fn is_xml(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Sends the outline of `text` to `builder`, in pixels with the baseline at y = 0 and y upwards.
pub(crate) fn outline(text: &str, size: f32, builder: &mut impl OutlineBuilder) {
    let mut pen = Pen { builder, x: 0.0, unit: unit(size) };
    for c in text.chars() {
        let glyph = glyph(c);
        FACE.outline_glyph(glyph, &mut pen);
        pen.x += advance(glyph) * pen.unit;
    }
}

/// Letters that the font lacks are shown as its empty box.
fn glyph(c: char) -> GlyphId {
    FACE.glyph_index(c).unwrap_or_default()
}

/// In font units.
fn advance(glyph: GlyphId) -> f32 {
    f32::from(FACE.glyph_hor_advance(glyph).unwrap_or(0))
}

/// Pixels per font unit.
fn unit(size: f32) -> f32 {
    size / f32::from(FACE.units_per_em())
}

/// Scales font units to pixels and moves on from letter to letter.
struct Pen<'a, B> {
    builder: &'a mut B,
    x: f32,
    unit: f32,
}

impl<B> Pen<'_, B> {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.unit, y * self.unit)
    }
}

impl<B: OutlineBuilder> OutlineBuilder for Pen<'_, B> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.builder.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.builder.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.builder.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) =
            (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.builder.curve_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_add_up_and_scale_with_the_size() {
        let whole = width("ab", 20.0);
        assert!((whole - width("a", 20.0) - width("b", 20.0)).abs() < 1e-4);
        assert!((whole - 2.0 * width("ab", 10.0)).abs() < 1e-4);
    }

    #[test]
    fn long_texts_are_cut_to_the_room() {
        let text = "a rather long title for a narrow panel";
        let cut = fit(text, 12.0, 80.0);
        assert!(cut.ends_with('…') && width(&cut, 12.0) <= 80.0, "{cut}");
        assert_eq!(fit(text, 12.0, 1000.0), text);
    }

    #[test]
    fn texts_are_one_line_of_characters_that_files_can_hold() {
        assert_eq!(fit("line one\r\nline\ttwo\u{a0}", 12.0, 1000.0), "line one line two");
        assert_eq!(fit("a\u{fffe}b\u{ffff}\u{0}c", 12.0, 1000.0), "abc");
    }

    #[test]
    fn the_letters_of_european_languages_are_in_the_font() {
        for c in ('\u{a1}'..='\u{17f}').chain("€™½".chars()) {
            // The soft hyphen is a place for a line to break, and no letter.
            assert!(c == '\u{ad}' || FACE.glyph_index(c).is_some(), "{c}");
        }
    }

    #[test]
    fn every_sign_that_labels_use_is_in_the_font() {
        for c in "0123456789e.−+·×±°²³αβεθλμσφπ∂∇√∞≤≥≈→←–—…‖ABCxyz_[](){}%/".chars()
        {
            assert!(FACE.glyph_index(c).is_some(), "{c}");
        }
    }
}
