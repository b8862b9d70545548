//! A scene as pixels, with smooth edges.

use tiny_skia::{
    Color, FillRule, FilterQuality, IntSize, LineCap, LineJoin, Mask, Paint, PathBuilder, Pixmap,
    PixmapPaint, Rect, Stroke, StrokeDash, Transform,
};
use ttf_parser::OutlineBuilder;

use crate::scene::{Anchor, Area, Dash, Direction, Ink, Mark, Point, Scene, Text};
use crate::{Picture, PlotError, font};

/// The scene on white, `scale` pixels for each of its units.
pub(crate) fn draw(scene: &Scene, scale: f32) -> Result<Picture, PlotError> {
    if !(scale.is_finite() && 0.0 < scale) {
        return Err(PlotError::Scale { scale });
    }
    let [width, height] =
        [scene.width, scene.height].map(|side| (side * scale).round().max(1.0) as u64);
    let (width, height) = Picture::sides(width, height)?;
    let too_large = || PlotError::TooLarge { width: width.into(), height: height.into() };
    let mut canvas = Pixmap::new(width, height).ok_or_else(too_large)?;
    canvas.fill(Color::WHITE);
    let mut brush = Brush { canvas, transform: Transform::from_scale(scale, scale), clip: None };
    brush.marks(&scene.marks);
    let opaque = brush.canvas.data();
    let rgb = opaque.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
    Ok(Picture::new(width, height, rgb))
}

struct Brush {
    canvas: Pixmap,
    transform: Transform,
    clip: Option<Mask>,
}

impl Brush {
    fn marks(&mut self, marks: &[Mark]) {
        for mark in marks {
            match mark {
                Mark::Lines { paths, ink, width, dash } => self.lines(paths, *ink, *width, *dash),
                Mark::Surface { outline, ink } => self.surface(outline, *ink),
                Mark::Dots { centers, ink, radius } => self.dots(centers, *ink, *radius),
                Mark::Text(text) => self.text(text),
                Mark::Image { area, picture } => self.image(area, picture),
                Mark::Clip { area, marks } => self.clipped(area, marks),
                Mark::Shift { by: [x, y], marks } => self.shifted(*x, *y, marks),
            }
        }
    }

    fn lines(&mut self, paths: &[Vec<Point>], ink: Ink, width: f32, dash: Dash) {
        let mut builder = PathBuilder::new();
        for path in paths {
            let Some(([x, y], rest)) = path.split_first() else {
                continue;
            };
            builder.move_to(*x, *y);
            for [x, y] in rest {
                builder.line_to(*x, *y);
            }
        }
        let Some(path) = builder.finish() else { return };
        let mut stroke = Stroke { width, line_join: LineJoin::Round, ..Stroke::default() };
        match dash.pattern() {
            [] => stroke.line_cap = LineCap::Round,
            pattern => {
                let lengths = pattern.iter().map(|part| part * width).collect();
                stroke.dash = StrokeDash::new(lengths, 0.0);
            }
        }
        let clip = self.clip.as_ref();
        self.canvas.stroke_path(&path, &paint(ink), &stroke, self.transform, clip);
    }

    fn surface(&mut self, outline: &[Point], ink: Ink) {
        let Some(([x, y], rest)) = outline.split_first() else { return };
        let mut builder = PathBuilder::new();
        builder.move_to(*x, *y);
        for [x, y] in rest {
            builder.line_to(*x, *y);
        }
        builder.close();
        let Some(path) = builder.finish() else { return };
        let clip = self.clip.as_ref();
        self.canvas.fill_path(&path, &paint(ink), FillRule::Winding, self.transform, clip);
    }

    fn dots(&mut self, centers: &[Point], ink: Ink, radius: f32) {
        let Some(disc) = PathBuilder::from_circle(0.0, 0.0, radius) else {
            return;
        };
        let paint = paint(ink);
        for [x, y] in centers {
            let place = self.transform.pre_translate(*x, *y);
            self.canvas.fill_path(&disc, &paint, FillRule::Winding, place, self.clip.as_ref());
        }
    }

    fn text(&mut self, text: &Text) {
        let mut outline = Outline(PathBuilder::new());
        font::outline(&text.content, text.size, &mut outline);
        let Some(path) = outline.0.finish() else {
            return;
        };
        let before = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        } * font::width(&text.content, text.size);
        let [x, y] = text.at;
        let mut place = self.transform.pre_translate(x, y);
        if text.direction == Direction::Up {
            place = place.pre_rotate(-90.0);
        }
        // Fonts count y upwards, the canvas downwards.
        let place = place.pre_translate(-before, 0.0).pre_scale(1.0, -1.0);
        let paint = paint(text.color.into());
        self.canvas.fill_path(&path, &paint, FillRule::Winding, place, self.clip.as_ref());
    }

    fn image(&mut self, area: &Area, picture: &Picture) {
        let (width, height) = (picture.width(), picture.height());
        let rgba =
            picture.rgb().as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
        let pixmap = IntSize::from_wh(width, height)
            .and_then(|size| Pixmap::from_vec(rgba, size))
            .expect("a picture has four bytes here for each of its pixels");
        let stretch = [area.width / width as f32, area.height / height as f32];
        let place = self.transform.pre_translate(area.x, area.y).pre_scale(stretch[0], stretch[1]);
        let paint = PixmapPaint { quality: FilterQuality::Nearest, ..PixmapPaint::default() };
        self.canvas.draw_pixmap(0, 0, pixmap.as_ref(), &paint, place, self.clip.as_ref());
    }

    fn clipped(&mut self, area: &Area, marks: &[Mark]) {
        let Some(rect) = Rect::from_xywh(area.x, area.y, area.width, area.height) else {
            return;
        };
        let path = PathBuilder::from_rect(rect);
        let mut mask = Mask::new(self.canvas.width(), self.canvas.height())
            .expect("a mask is smaller than the canvas it covers");
        mask.fill_path(&path, FillRule::Winding, true, self.transform);
        self.clip = Some(mask);
        self.marks(marks);
        self.clip = None;
    }

    fn shifted(&mut self, x: f32, y: f32, marks: &[Mark]) {
        let outer = self.transform;
        self.transform = outer.pre_translate(x, y);
        self.marks(marks);
        self.transform = outer;
    }
}

fn paint(ink: Ink) -> Paint<'static> {
    let [r, g, b] = ink.color;
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, (ink.opacity * 255.0).round() as u8);
    paint
}

/// Collects the outlines of letters.
struct Outline(PathBuilder);

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}
