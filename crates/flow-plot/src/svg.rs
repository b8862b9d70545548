//! A scene as SVG.

use std::fmt::{self, Write as _};

use crate::color::Rgb;
use crate::font;
use crate::scene::{Anchor, Area, Dash, Direction, Ink, Mark, Point, Scene, Text};

/// Of more dots in one mark than this, every k-th is written.
const MAX_DOTS: usize = 5000;

/// The text of an SVG 1.1 file.
pub(crate) fn write(scene: &Scene) -> String {
    let mut out = Writer { text: String::new(), clips: 0 };
    out.scene(scene).expect("a string takes all text");
    out.text
}

struct Writer {
    text: String,
    clips: usize,
}

impl Writer {
    fn scene(&mut self, scene: &Scene) -> fmt::Result {
        let (w, h) = (Number(scene.width), Number(scene.height));
        writeln!(
            self.text,
            r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{w}" height="{h}" viewBox="0 0 {w} {h}" font-family="{}">"#,
            font::FAMILIES,
        )?;
        writeln!(self.text, r##"<rect width="100%" height="100%" fill="#ffffff"/>"##)?;
        self.marks(&scene.marks)?;
        writeln!(self.text, "</svg>")
    }

    fn marks(&mut self, marks: &[Mark]) -> fmt::Result {
        marks.iter().try_for_each(|mark| self.mark(mark))
    }

    fn mark(&mut self, mark: &Mark) -> fmt::Result {
        match mark {
            Mark::Lines { paths, ink, width, dash } => self.lines(paths, *ink, *width, *dash),
            Mark::Surface { outline, ink } => self.surface(outline, *ink),
            Mark::Dots { centers, ink, radius } => self.dots(centers, *ink, *radius),
            Mark::Text(text) if text.content.is_empty() => Ok(()),
            Mark::Text(text) => self.text(text),
            Mark::Image { area, picture } => self.image(area, &picture.to_png()),
            Mark::Clip { area, marks } => self.clip(area, marks),
            Mark::Shift { by, marks } => {
                writeln!(self.text, r#"<g transform="translate({})">"#, Pair(*by))?;
                self.marks(marks)?;
                writeln!(self.text, "</g>")
            }
        }
    }

    fn lines(&mut self, paths: &[Vec<Point>], ink: Ink, width: f32, dash: Dash) -> fmt::Result {
        let cap = if dash.pattern().is_empty() { "round" } else { "butt" };
        write!(self.text, r#"<path fill="none" stroke-linecap="{cap}""#)?;
        write!(self.text, r#" stroke-linejoin="round" stroke-width="{}""#, Number(width))?;
        write!(self.text, r#" stroke="{}""#, Hex(ink.color))?;
        if ink.opacity < 1.0 {
            write!(self.text, r#" stroke-opacity="{}""#, Number(ink.opacity))?;
        }
        if let [first, rest @ ..] = dash.pattern() {
            write!(self.text, r#" stroke-dasharray="{}"#, Number(first * width))?;
            for part in rest {
                write!(self.text, " {}", Number(part * width))?;
            }
            write!(self.text, "\"")?;
        }
        write!(self.text, r#" d=""#)?;
        for path in paths {
            self.path(path)?;
        }
        writeln!(self.text, r#""/>"#)
    }

    fn surface(&mut self, outline: &[Point], ink: Ink) -> fmt::Result {
        let (color, opacity) = (Hex(ink.color), Number(ink.opacity));
        write!(self.text, r#"<path fill="{color}" fill-opacity="{opacity}" d=""#)?;
        self.path(outline)?;
        writeln!(self.text, r#"Z"/>"#)
    }

    fn path(&mut self, points: &[Point]) -> fmt::Result {
        let mut command = 'M';
        for &point in points {
            write!(self.text, "{command}{}", Pair(point))?;
            command = 'L';
        }
        Ok(())
    }

    fn dots(&mut self, centers: &[Point], ink: Ink, radius: f32) -> fmt::Result {
        let stride = centers.len().div_ceil(MAX_DOTS).max(1);
        write!(self.text, r#"<g fill="{}""#, Hex(ink.color))?;
        if ink.opacity < 1.0 {
            // One dot hides as much as the `stride` dots that it stands for, one on the other.
            let opacity = 1.0 - (1.0 - ink.opacity).powf(stride as f32);
            write!(self.text, r#" fill-opacity="{}""#, Number(opacity))?;
        }
        writeln!(self.text, ">")?;
        for [x, y] in centers.iter().step_by(stride) {
            let (x, y, r) = (Number(*x), Number(*y), Number(radius));
            writeln!(self.text, r#"<circle cx="{x}" cy="{y}" r="{r}"/>"#)?;
        }
        writeln!(self.text, "</g>")
    }

    fn text(&mut self, text: &Text) -> fmt::Result {
        let [x, y] = text.at.map(Number);
        let (size, color) = (Number(text.size), Hex(text.color));
        write!(self.text, r#"<text x="{x}" y="{y}" font-size="{size}" fill="{color}""#)?;
        match text.anchor {
            Anchor::Start => {}
            Anchor::Middle => write!(self.text, r#" text-anchor="middle""#)?,
            Anchor::End => write!(self.text, r#" text-anchor="end""#)?,
        }
        if text.direction == Direction::Up {
            write!(self.text, r#" transform="rotate(-90 {x} {y})""#)?;
        }
        writeln!(self.text, ">{}</text>", Escaped(&text.content))
    }

    fn image(&mut self, area: &Area, png: &[u8]) -> fmt::Result {
        write!(self.text, "<image {}", Bounds(area))?;
        write!(self.text, r#" preserveAspectRatio="none" image-rendering="optimizeSpeed""#)?;
        write!(self.text, r#" style="image-rendering:pixelated""#)?;
        writeln!(self.text, r#" xlink:href="data:image/png;base64,{}"/>"#, Base64(png))
    }

    fn clip(&mut self, area: &Area, marks: &[Mark]) -> fmt::Result {
        let id = self.clips;
        self.clips += 1;
        write!(self.text, r#"<clipPath id="clip{id}"><rect {}/></clipPath>"#, Bounds(area))?;
        writeln!(self.text, r#"<g clip-path="url(#clip{id})">"#)?;
        self.marks(marks)?;
        writeln!(self.text, "</g>")
    }
}

/// At most two decimals, none where they are zero.
struct Number(f32);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.2}", self.0);
        let short = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if short == "-0" { "0" } else { short })
    }
}

struct Pair(Point);

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Number(self.0[0]), Number(self.0[1]))
    }
}

struct Bounds<'a>(&'a Area);

impl fmt::Display for Bounds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y] = [self.0.x, self.0.y].map(Number);
        let [w, h] = [self.0.width, self.0.height].map(Number);
        write!(f, r#"x="{x}" y="{y}" width="{w}" height="{h}""#)
    }
}

struct Hex(Rgb);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

/// Text for XML: markup escaped, characters that XML forbids left out.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().filter(|&c| font::is_xml(c)).try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            c => f.write_char(c),
        })
    }
}

/// The standard alphabet of RFC 4648, with padding.
struct Base64<'a>(&'a [u8]);

impl fmt::Display for Base64<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for chunk in self.0.chunks(3) {
            let byte = |i| u32::from(chunk.get(i).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for i in 0..4 {
                let sextet = (bits >> (18 - 6 * i)) & 63;
                let letter = char::from(ALPHABET[sextet as usize]);
                f.write_char(if i <= chunk.len() { letter } else { '=' })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_matches_the_vectors_of_rfc_4648() {
        let vectors =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (plain, coded) in vectors {
            assert_eq!(Base64(plain.as_bytes()).to_string(), coded);
        }
    }

    #[test]
    fn numbers_are_short() {
        let shown = [1.0, 0.5, -0.001, 12.345, 100.0].map(|x| Number(x).to_string());
        assert_eq!(shown, ["1", "0.5", "0", "12.35", "100"]);
    }

    #[test]
    fn markup_in_texts_is_escaped() {
        assert_eq!(Escaped("a < b & \u{1}c\u{ffff}").to_string(), "a &lt; b &amp; c");
    }
}
