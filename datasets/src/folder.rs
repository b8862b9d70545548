//! Class folders of PNG and JPEG files: `<root>/<class>/<name>.png`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use image::DynamicImage;

use crate::{DatasetError, Images};

/// Reads every PNG and JPEG file in the sub-folders of `root`.
///
/// Sub-folders in order of name are classes 0, 1, ...; within a class, files come in order of name.
/// Images must have one size. They are grey (one channel) if every file is, else red, green and
/// blue; transparency is dropped.
///
/// # Errors
/// If a folder cannot be read, holds no image or more than 256 classes, if a file does not decode,
/// or if two images differ in size.
pub fn read(root: &Path) -> Result<Images, DatasetError> {
    let classes: Vec<PathBuf> = entries(root)?.into_iter().filter(|path| path.is_dir()).collect();
    if classes.len() > 256 {
        let (folder, classes) = (root.to_owned(), classes.len());
        return Err(DatasetError::TooManyClasses { folder, classes });
    }
    let mut size = None;
    let mut coloured = false;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (label, class) in (0..=u8::MAX).zip(&classes) {
        for path in entries(class)?.into_iter().filter(|path| is_image(path)) {
            let image = image::open(&path)
                .map_err(|source| DatasetError::Image { path: path.clone(), source })?;
            let actual = (image.width(), image.height());
            let expected = *size.get_or_insert(actual);
            if actual != expected {
                return Err(DatasetError::ImageSize { path, expected, actual });
            }
            coloured |= image.color().has_color();
            pixels.extend(planes(&image));
            labels.push(label);
        }
    }
    let Some((width, height)) = size else {
        return Err(DatasetError::NoImages { folder: root.to_owned() });
    };
    let (width, height) = (width as usize, height as usize);
    let channels = if coloured { 3 } else { 1 };
    if !coloured {
        let red = pixels.chunks(3 * width * height).flat_map(|image| &image[..width * height]);
        pixels = red.copied().collect();
    }
    Ok(Images { pixels, labels, channels, height, width, classes: classes.len(), max_value: 255 })
}

/// Red, green and blue planes, one after the other.
fn planes(image: &DynamicImage) -> Vec<u8> {
    let rgb = image.to_rgb8(); // [H, W, 3]
    (0..3).flat_map(|channel| rgb.iter().skip(channel).step_by(3)).copied().collect()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let list = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    let mut paths = list().map_err(DatasetError::read(folder))?;
    paths.sort();
    Ok(paths)
}

fn is_image(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma, Rgb, RgbImage};

    use super::*;

    fn grey(value: u8, width: u32) -> GrayImage {
        GrayImage::from_pixel(width, 2, Luma([value]))
    }

    #[test]
    fn classes_and_files_come_in_order_of_name() {
        let root = tempfile::tempdir().unwrap();
        for (path, value) in [("b/0.png", 30), ("a/1.PNG", 20), ("a/0.png", 10)] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            grey(value, 3).save(path).unwrap();
        }
        fs::write(root.path().join("a/notes.txt"), "no image").unwrap();
        let images = read(root.path()).unwrap();
        assert_eq!(images.labels, [0, 0, 1]);
        assert_eq!((images.channels, images.height, images.width, images.classes), (1, 2, 3, 2));
        assert_eq!([0, 1, 2].map(|i| images.image(i)[0]), [10, 20, 30]);
    }

    #[test]
    fn one_coloured_file_makes_three_planes_of_all() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        grey(5, 2).save(root.path().join("a/0.png")).unwrap();
        RgbImage::from_pixel(2, 2, Rgb([1, 2, 3])).save(root.path().join("a/1.png")).unwrap();
        let images = read(root.path()).unwrap();
        assert_eq!(images.channels, 3);
        assert_eq!(images.image(0), [5; 12]);
        assert_eq!(images.image(1), [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
    }

    #[test]
    fn an_image_of_another_size_is_named() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        grey(0, 3).save(root.path().join("a/0.png")).unwrap();
        grey(0, 4).save(root.path().join("a/1.png")).unwrap();
        let message = read(root.path()).unwrap_err().to_string();
        assert!(message.contains("1.png has 4 x 2 pixels"), "{message}");
        assert!(message.contains("before it have 3 x 2"), "{message}");
    }

    #[test]
    fn a_file_that_does_not_decode_is_named() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        fs::write(root.path().join("a/0.jpg"), "no image").unwrap();
        let message = read(root.path()).unwrap_err().to_string();
        assert!(message.starts_with("could not decode ") && message.contains("0.jpg"), "{message}");
    }

    #[test]
    fn a_folder_without_images_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let error = read(root.path()).unwrap_err();
        assert!(matches!(error, DatasetError::NoImages { .. }), "{error}");
    }
}
