//! A finished drawing, and how it becomes a file.

use std::path::Path;

use crate::scene::{Mark, Scene};
use crate::{Picture, PlotError, file, raster, svg};

/// Pixels of a PNG for one unit of the drawing: sharp on dense screens and in print.
pub(crate) const PNG_SCALE: f32 = 2.0;

/// A drawing of lines, dots, text and images on white.
#[derive(Clone, Debug)]
pub struct Figure {
    pub(crate) scene: Scene,
}

impl Figure {
    /// Figures one above the other.
    #[must_use]
    pub fn column(figures: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Scene { width: 0.0, height: 0.0, marks: Vec::new() };
        for Self { scene } in figures {
            all.marks.push(Mark::Shift { by: [0.0, all.height], marks: scene.marks });
            all.width = all.width.max(scene.width);
            all.height += scene.height;
        }
        Self { scene: all }
    }

    /// Figures side by side.
    #[must_use]
    pub fn row(figures: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Scene { width: 0.0, height: 0.0, marks: Vec::new() };
        for Self { scene } in figures {
            all.marks.push(Mark::Shift { by: [all.width, 0.0], marks: scene.marks });
            all.width += scene.width;
            all.height = all.height.max(scene.height);
        }
        Self { scene: all }
    }

    /// Width and height in pixels of 1/96 inch, as SVG counts them.
    #[must_use]
    pub fn size(&self) -> (f32, f32) {
        (self.scene.width, self.scene.height)
    }

    /// The drawing as the text of an SVG file.
    ///
    /// Of more than some thousand dots an even selection is written, so that viewers stay quick.
    #[must_use]
    pub fn to_svg(&self) -> String {
        svg::write(&self.scene)
    }

    /// The drawing in pixels, `scale` of them for one unit of [`Figure::size`].
    ///
    /// # Errors
    /// [`PlotError::TooLarge`] for more pixels than memory can be trusted with, before it is asked
    /// for them; [`PlotError::Scale`] for a scale that is not positive and finite.
    pub fn to_picture(&self, scale: f32) -> Result<Picture, PlotError> {
        raster::draw(&self.scene, scale)
    }

    /// Writes the drawing as `.svg` or, with two pixels per unit, as `.png`.
    ///
    /// # Errors
    /// [`PlotError::UnknownFormat`] for another extension, [`PlotError::Write`] where the file
    /// system refuses, [`PlotError::TooLarge`] for a PNG that memory cannot hold.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        let path = path.as_ref();
        if file::has_extension(path, "svg") {
            file::write(path, self.to_svg().as_bytes())
        } else if file::has_extension(path, "png") {
            file::write(path, &self.to_picture(PNG_SCALE)?.to_png())
        } else {
            Err(PlotError::UnknownFormat { path: path.to_owned(), expected: ".svg or .png" })
        }
    }
}
