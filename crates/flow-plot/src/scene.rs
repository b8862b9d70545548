//! A scene: marks on a white sheet, independent of the format of the file.
//!
//! Lengths are in pixels of 1/96 inch, y downwards from the upper left corner.

use crate::Picture;
use crate::color::Rgb;

pub(crate) type Point = [f32; 2];

/// A sheet with marks, the first at the bottom.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) width: f32,
    pub(crate) height: f32,
    pub(crate) marks: Vec<Mark>,
}

/// A colour and how much of what lies below it hides, in `(0, 1]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ink {
    pub(crate) color: Rgb,
    pub(crate) opacity: f32,
}

impl From<Rgb> for Ink {
    fn from(color: Rgb) -> Self {
        Self { color, opacity: 1.0 }
    }
}

/// A rectangle by its upper left corner and its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
}

impl Area {
    pub(crate) fn right(&self) -> f32 {
        self.x + self.width
    }

    pub(crate) fn bottom(&self) -> f32 {
        self.y + self.height
    }

    pub(crate) fn contains(&self, [x, y]: Point) -> bool {
        (self.x..=self.right()).contains(&x) && (self.y..=self.bottom()).contains(&y)
    }
}

/// Which part of a text stands at its given place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text on a baseline.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) at: Point,
    pub(crate) content: String,
    pub(crate) size: f32,
    pub(crate) anchor: Anchor,
    pub(crate) color: Rgb,
    pub(crate) direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Direction {
    Right,
    Up,
}

/// How a line is interrupted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Dash {
    Solid,
    Dashed,
    Dotted,
    Alternating,
}

impl Dash {
    /// Lengths of strokes and of the gap after each, in line widths; none of a whole line.
    pub(crate) fn pattern(self) -> &'static [f32] {
        match self {
            Self::Solid => &[],
            Self::Dashed => &[4.0, 2.5],
            Self::Dotted => &[1.0, 2.0],
            Self::Alternating => &[5.0, 1.5, 1.0, 1.5],
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Mark {
    /// Open polylines stroked with one pen; where they cross, translucent ink does not add up.
    Lines {
        paths: Vec<Vec<Point>>,
        ink: Ink,
        width: f32,
        dash: Dash,
    },
    /// The inside of a closed outline.
    Surface {
        outline: Vec<Point>,
        ink: Ink,
    },
    /// Discs; where they overlap, translucent ink adds up.
    Dots {
        centers: Vec<Point>,
        ink: Ink,
        radius: f32,
    },
    Text(Text),
    /// Pixels stretched to an area, each a sharp rectangle.
    Image {
        area: Area,
        picture: Picture,
    },
    /// Marks shown only inside an area; one of them is not such a mark again.
    Clip {
        area: Area,
        marks: Vec<Mark>,
    },
    /// Marks moved right and down.
    Shift {
        by: Point,
        marks: Vec<Mark>,
    },
}

impl Mark {
    /// A straight solid line.
    pub(crate) fn segment(from: Point, to: Point, color: Rgb, width: f32) -> Self {
        Self::Lines { paths: vec![vec![from, to]], ink: color.into(), width, dash: Dash::Solid }
    }

    /// A horizontal text.
    pub(crate) fn text(at: Point, text: &str, size: f32, anchor: Anchor, color: Rgb) -> Self {
        let content = text.to_owned();
        Self::Text(Text { at, content, size, anchor, color, direction: Direction::Right })
    }
}
