//! Image files: their sizes and their pixels, where the feature `folder` is built in.

/// Width and height of an image, and whether it has colours.
pub(crate) type Head = ((u32, u32), bool);

#[cfg(feature = "folder")]
mod built {
    use std::path::Path;

    use image::metadata::Orientation;
    use image::{DynamicImage, ImageDecoder, ImageReader};

    use super::Head;
    use crate::DatasetError;

    /// An image file that is open, with the orientation that its camera noted.
    pub(crate) type Opened = (Box<dyn ImageDecoder>, Orientation);

    /// Opens an image; none if the file is something else, as its first bytes say.
    pub(crate) fn opened(path: &Path) -> Result<Option<Opened>, DatasetError> {
        let file = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
        let file = file.map_err(DatasetError::read(path))?;
        if !file.format().is_some_and(|format| format.reading_enabled()) {
            return Ok(None);
        }
        let refused = |source| DatasetError::Image { path: path.to_owned(), source };
        let mut decoder = file.into_decoder().map_err(refused)?;
        let orientation = decoder.orientation().map_err(refused)?;
        Ok(Some((Box::new(decoder), orientation)))
    }

    /// The pixels of an image that is open, turned as its camera says.
    pub(crate) fn decoded(
        path: &Path,
        (decoder, orientation): Opened,
    ) -> Result<DynamicImage, DatasetError> {
        let refused = |source| DatasetError::Image { path: path.to_owned(), source };
        let mut image = DynamicImage::from_decoder(decoder).map_err(refused)?;
        image.apply_orientation(orientation);
        Ok(image)
    }

    /// Width and height as they are shown.
    pub(crate) fn shown((decoder, orientation): &Opened) -> (u32, u32) {
        let (width, height) = decoder.dimensions();
        match orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (height, width),
            _ => (width, height),
        }
    }

    /// Red, green and blue planes, one after the other.
    pub(crate) fn planes(image: &DynamicImage) -> Vec<u8> {
        let rgb = image.to_rgb8(); // [H, W, 3]
        (0..3).flat_map(|channel| rgb.iter().skip(channel).step_by(3)).copied().collect()
    }

    /// What is known of an image without its pixels; none for another file.
    pub(crate) fn head(path: &Path) -> Result<Option<Head>, DatasetError> {
        let opened = opened(path)?;
        Ok(opened.map(|opened| (shown(&opened), opened.0.color_type().has_color())))
    }

    /// The planes of an image of a width and height, one of a grey one or three.
    pub(crate) fn pixels(
        path: &Path,
        size: (u32, u32),
        channels: usize,
    ) -> Result<Vec<u8>, DatasetError> {
        let changed = || DatasetError::ImageChanged { path: path.to_owned() };
        let opened = opened(path)?.ok_or_else(changed)?;
        if shown(&opened) != size {
            return Err(changed());
        }
        let image = decoded(path, opened)?;
        if channels == 1 && image.color().has_color() {
            return Err(changed());
        }
        let mut planes = planes(&image);
        planes.truncate(channels * size.0 as usize * size.1 as usize);
        Ok(planes)
    }
}

#[cfg(not(feature = "folder"))]
mod built {
    use std::path::Path;

    use super::Head;
    use crate::DatasetError;

    fn not_built() -> DatasetError {
        DatasetError::NotBuilt { set: "folder".to_owned(), feature: "folder" }
    }

    pub(crate) fn head(_: &Path) -> Result<Option<Head>, DatasetError> {
        Err(not_built())
    }

    pub(crate) fn pixels(_: &Path, _: (u32, u32), _: usize) -> Result<Vec<u8>, DatasetError> {
        Err(not_built())
    }
}

#[cfg(feature = "folder")]
pub(crate) use built::{decoded, head, opened, pixels, planes, shown};
#[cfg(not(feature = "folder"))]
pub(crate) use built::{head, pixels};
