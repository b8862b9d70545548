//! The names of series beside samples of their lines.

use crate::axes::LABEL_SIZE;
use crate::color::{self, Rgb};
use crate::font;
use crate::scene::{Anchor, Mark, Point};
use crate::series::{Series, Style, colored};

const LINE_HEIGHT: f32 = 20.0;
/// Length of the sample of a line.
const SAMPLE: f32 = 22.0;
/// Between the sample and the name.
const GAP: f32 = 6.0;
/// Between one entry and the next.
const BETWEEN: f32 = 18.0;

/// The named series of a chart, in as many lines as they need.
pub(crate) struct Legend<'a> {
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    series: Series<'a>,
    color: Rgb,
    name: String,
    /// Upper left corner, from that of the legend.
    at: Point,
}

impl<'a> Legend<'a> {
    /// A legend at most `room` pixels wide.
    pub(crate) fn new(series: &[Series<'a>], room: f32) -> Self {
        let [mut x, mut y] = [0.0, 0.0];
        let named = colored(series).filter(|(series, _)| !series.label.is_empty());
        let entry = |(series, color): (&Series<'a>, Rgb)| {
            let name = font::fit(series.label, LABEL_SIZE, room - SAMPLE - GAP);
            let width = SAMPLE + GAP + font::width(&name, LABEL_SIZE);
            if x > 0.0 && x + width > room {
                [x, y] = [0.0, y + LINE_HEIGHT];
            }
            let at = [x, y];
            x += width + BETWEEN;
            Entry { series: *series, color, name, at }
        };
        Self { entries: named.map(entry).collect() }
    }

    pub(crate) fn height(&self) -> f32 {
        self.entries.last().map_or(0.0, |entry| entry.at[1] + LINE_HEIGHT)
    }

    /// The legend with its upper left corner at `corner`.
    pub(crate) fn marks(&self, corner: Point) -> Vec<Mark> {
        let marks = |entry: &Entry| {
            let [x, y] = [corner[0] + entry.at[0], corner[1] + entry.at[1]];
            let middle = y + 6.0;
            let sample = match entry.series.style {
                Style::Dots => vec![[x + SAMPLE / 2.0, middle]],
                _ => vec![[x, middle], [x + SAMPLE, middle]],
            };
            let baseline = [x + SAMPLE + GAP, middle + font::CAP_HEIGHT * LABEL_SIZE / 2.0];
            [
                entry.series.stroke(vec![sample], entry.color),
                Mark::text(baseline, &entry.name, LABEL_SIZE, Anchor::Start, color::TEXT),
            ]
        };
        self.entries.iter().flat_map(marks).collect()
    }
}
