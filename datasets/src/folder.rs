//! Class folders of PNG, JPEG and WebP files: `<root>/<part>/<class>/<name>.png`.
//!
//! A set is read as a whole: its classes, its size and whether it is coloured belong to both of its
//! parts, so a difference between the two is an error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image::DynamicImage;

use crate::decoding::{decoded, opened, planes, shown};
use crate::image_files::{entries, name};
use crate::{DatasetError, Images, Parts};

/// Classes that a label of one byte can name.
const MOST_CLASSES: usize = 256;

/// Reads every PNG, JPEG and WebP file at `<root>/train/<class>/` and `<root>/test/<class>/`.
///
/// Classes are known by the names of their folders: the same name has the same label in both parts,
/// and names in order are the labels 0, 1, ... (text order: `10` comes before `2`). Within a class,
/// files come in order of name.
///
/// What a file is, its first bytes say, whatever it is called; an orientation that a camera noted
/// is applied. Images must have one size. They are grey (one channel) if every file of both parts
/// is, else red, green and blue; transparency is dropped.
///
/// Names that begin with a dot, and `__MACOSX`, are no part of the set. Other files in a class
/// folder are left out and listed in [`Parts::left_out`].
///
/// # Errors
/// If a folder cannot be read, if a part lacks a class of the other, if a class has no image, if
/// there are more than 256 classes, if a file does not decode, or if two images differ in size.
///
/// # Panics
/// Never: what it expects follows from the refusals before it.
pub fn read(root: &Path) -> Result<Parts, DatasetError> {
    let folders = [root.join("train"), root.join("test")];
    let classes = [classes(&folders[0])?, classes(&folders[1])?];
    let class_names = shared_names(&folders, &classes)?;
    let mut reader = Reader::default();
    let mut parts = Vec::new();
    for (folder, classes) in folders.iter().zip(&classes) {
        if classes.is_empty() {
            return Err(DatasetError::NoImages { folder: folder.clone() });
        }
        parts.push(reader.part(classes.values())?);
    }
    let Reader { first, coloured, left_out } = reader;
    let (_, (width, height)) = first.expect("a class without an image is refused");
    let (width, height) = (width as usize, height as usize);
    let images = |Part { planes, labels }: Part| {
        let pixels = if coloured { planes } else { first_planes(&planes, width * height) };
        let (channels, class_names) = (if coloured { 3 } else { 1 }, class_names.clone());
        Images { pixels, labels, channels, height, width, class_names, max_value: 255 }
    };
    let test = images(parts.pop().expect("two parts were read"));
    let train = images(parts.pop().expect("two parts were read"));
    Ok(Parts { train, test, left_out })
}

/// The class folders of a part by their names.
fn classes(part: &Path) -> Result<BTreeMap<String, PathBuf>, DatasetError> {
    let folders = entries(part)?.into_iter().filter(|path| path.is_dir());
    let classes: BTreeMap<_, _> = folders.map(|path| (name(&path), path)).collect();
    if classes.len() > MOST_CLASSES {
        let (folder, classes) = (part.to_owned(), classes.len());
        return Err(DatasetError::TooManyClasses { folder, classes });
    }
    Ok(classes)
}

/// The names of the classes, which must be those of both parts.
fn shared_names(
    folders: &[PathBuf; 2],
    classes: &[BTreeMap<String, PathBuf>; 2],
) -> Result<Vec<String>, DatasetError> {
    for (lacking, having) in [(0, 1), (1, 0)] {
        let missing = classes[having].keys().filter(|name| !classes[lacking].contains_key(*name));
        let names: Vec<String> = missing.cloned().collect();
        if !names.is_empty() {
            let (lacking, having) = (folders[lacking].clone(), folders[having].clone());
            return Err(DatasetError::MissingClass { names, lacking, having });
        }
    }
    Ok(classes[0].keys().cloned().collect())
}

/// What is known of the set so far.
#[derive(Default)]
struct Reader {
    /// The first image and its width and height.
    first: Option<(PathBuf, (u32, u32))>,
    coloured: bool,
    left_out: Vec<PathBuf>,
}

/// Red, green and blue planes of images, and their labels.
#[derive(Default)]
struct Part {
    planes: Vec<u8>,
    labels: Vec<u8>,
}

impl Reader {
    fn part<'a>(
        &mut self,
        classes: impl Iterator<Item = &'a PathBuf>,
    ) -> Result<Part, DatasetError> {
        let mut part = Part::default();
        for (label, class) in (0..=u8::MAX).zip(classes) {
            let (before, left_out) = (part.labels.len(), self.left_out.len());
            for path in entries(class)? {
                match self.image(&path)? {
                    Some(image) => {
                        part.planes.extend(planes(&image));
                        part.labels.push(label);
                    }
                    None => self.left_out.push(path),
                }
            }
            if part.labels.len() == before {
                let (folder, left_out) = (class.clone(), self.left_out.len() - left_out);
                return Err(DatasetError::EmptyClass { folder, left_out });
            }
        }
        Ok(part)
    }

    /// The image in a file; none if the file is something else.
    fn image(&mut self, path: &Path) -> Result<Option<DynamicImage>, DatasetError> {
        if path.is_dir() {
            return Ok(None);
        }
        let Some(opened) = opened(path)? else { return Ok(None) };
        self.check_size(path, shown(&opened))?;
        let image = decoded(path, opened)?;
        self.coloured |= image.color().has_color();
        Ok(Some(image))
    }

    /// Refuses a size that is not that of the first image, before its pixels are read.
    fn check_size(&mut self, path: &Path, actual: (u32, u32)) -> Result<(), DatasetError> {
        let (first, expected) = self.first.get_or_insert_with(|| (path.to_owned(), actual));
        if actual == *expected {
            return Ok(());
        }
        let (path, first, expected) = (path.to_owned(), first.clone(), *expected);
        Err(DatasetError::ImageSize { path, first, expected, actual })
    }
}

/// The red plane of each image, which is all of a grey one.
fn first_planes(planes: &[u8], size: usize) -> Vec<u8> {
    planes.chunks(3 * size).flat_map(|image| &image[..size]).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use image::codecs::jpeg::JpegEncoder;
    use image::{GrayImage, ImageEncoder, ImageFormat, Luma, Rgb, RgbImage};

    use super::*;

    /// A folder with files at these paths.
    struct Tree(tempfile::TempDir);

    impl Tree {
        /// With one grey picture of 3 x 2 pixels for each path, of the brightness beside it.
        fn new(pictures: &[(&str, u8)]) -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            for (path, value) in pictures {
                tree.picture(path, *value, (3, 2));
            }
            tree
        }

        fn path(&self, path: &str) -> PathBuf {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        }

        fn picture(&self, path: &str, value: u8, (width, height): (u32, u32)) {
            GrayImage::from_pixel(width, height, Luma([value])).save(self.path(path)).unwrap();
        }

        fn write(&self, path: &str, content: impl AsRef<[u8]>) {
            fs::write(self.path(path), content).unwrap();
        }

        fn read(&self) -> Result<Parts, DatasetError> {
            read(self.0.path())
        }

        fn refusal(&self) -> String {
            let message = self.read().unwrap_err().to_string();
            message.replace(&self.0.path().display().to_string(), "mine")
        }
    }

    /// Two classes in both parts.
    const TWO: [(&str, u8); 4] = [
        ("train/ant/0.png", 40),
        ("train/bee/0.png", 120),
        ("test/ant/0.png", 41),
        ("test/bee/0.png", 121),
    ];

    /// The bytes of a grey picture as a JPEG file, with Exif data if they are given.
    fn jpeg(image: &GrayImage, exif: Option<Vec<u8>>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 100);
        if let Some(exif) = exif {
            encoder.set_exif_metadata(exif).unwrap();
        }
        encoder.encode_image(image).unwrap();
        bytes
    }

    /// Exif data that hold an orientation and nothing else: a TIFF head, and a list of one entry
    /// with tag 0x0112, type 3 (a short), one value.
    fn oriented(orientation: u8) -> Vec<u8> {
        let head = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0";
        [head, &[orientation, 0, 0, 0, 0, 0, 0][..]].concat()
    }

    #[test]
    fn classes_and_files_come_in_order_of_name() {
        let tree = Tree::new(&TWO);
        tree.picture("train/ant/1.PNG", 50, (3, 2));
        let Parts { train, test, left_out } = tree.read().unwrap();
        assert_eq!(
            (train.labels.as_slice(), test.labels.as_slice()),
            (&[0, 0, 1][..], &[0, 1][..])
        );
        assert_eq!(train.class_names, ["ant", "bee"]);
        assert_eq!((train.channels, train.height, train.width, train.classes()), (1, 2, 3, 2));
        assert_eq!([0, 1, 2].map(|i| train.image(i)[0]), [40, 50, 120]);
        assert_eq!([0, 1].map(|i| test.image(i)[0]), [41, 121]);
        assert!(left_out.is_empty());
    }

    #[test]
    fn hidden_names_are_no_part_of_the_set() {
        let tree = Tree::new(&TWO);
        let plain = tree.read().unwrap();
        tree.picture("train/.ipynb_checkpoints/0-checkpoint.png", 200, (9, 9));
        fs::create_dir_all(tree.path("test/__MACOSX/ant")).unwrap();
        tree.write("train/ant/._0.png", "what a Mac keeps beside a picture");
        tree.write("train/.DS_Store", "");
        assert_eq!(tree.read().unwrap(), plain);
    }

    #[test]
    fn a_class_that_one_part_lacks_is_named() {
        for (part, lacks, has) in [("test/cow", "train", "test"), ("train/cow", "test", "train")] {
            let tree = Tree::new(&TWO);
            tree.picture(&format!("{part}/0.png"), 9, (3, 2));
            let message = tree.refusal();
            let start = format!("mine/{lacks} has no class folder cow, but mine/{has} has; ");
            assert!(message.starts_with(&start), "{message}");
        }
    }

    #[test]
    fn a_class_without_an_image_is_named() {
        let tree = Tree::new(&TWO);
        fs::create_dir_all(tree.path("train/cow")).unwrap();
        // One level too deep.
        tree.picture("test/cow/more/0.png", 9, (3, 2));
        fs::create_dir_all(tree.path("train/cow/.")).unwrap();
        assert!(tree.refusal().starts_with("the class folder mine/train/cow holds no PNG"));
        tree.picture("train/cow/0.png", 9, (3, 2));
        let message = tree.refusal();
        assert!(message.starts_with("the class folder mine/test/cow holds no PNG"), "{message}");
        assert!(message.contains("what else it holds: 1"), "{message}");
    }

    #[test]
    fn one_coloured_file_makes_three_planes_of_both_parts() {
        let tree = Tree::new(&TWO);
        RgbImage::from_pixel(3, 2, Rgb([1, 2, 3])).save(tree.path("test/bee/1.png")).unwrap();
        let Parts { train, test, .. } = tree.read().unwrap();
        assert_eq!((train.channels, test.channels), (3, 3));
        assert_eq!(train.image(0), [40; 18]);
        assert_eq!(test.image(2), [[1; 6], [2; 6], [3; 6]].concat());
    }

    #[test]
    fn an_image_of_another_size_is_named_with_the_first_one() {
        let tree = Tree::new(&TWO);
        tree.picture("test/bee/1.png", 0, (4, 2));
        assert_eq!(
            tree.refusal(),
            "mine/test/bee/1.png has 4 x 2 pixels, but mine/train/ant/0.png has 3 x 2; \
             resize the images of both parts to one size"
        );
    }

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        let tree = Tree::new(&TWO);
        let grey = GrayImage::from_pixel(3, 2, Luma([90]));
        tree.write("train/ant/1.png", jpeg(&grey, None));
        tree.write("train/ant/2.jfif", jpeg(&grey, None));
        let mut webp = std::io::Cursor::new(Vec::new());
        DynamicImage::from(grey).to_rgb8().write_to(&mut webp, ImageFormat::WebP).unwrap();
        tree.write("train/ant/3.webp", webp.into_inner());
        tree.write("train/ant/4.gif", b"GIF89a and so on");
        tree.write("train/ant/notes.txt", "no image");
        let Parts { train, left_out, .. } = tree.read().unwrap();
        assert_eq!(train.len(), 5);
        for i in 1..4 {
            // A plain square survives the compression of JPEG.
            assert_eq!(train.image(i)[..6], [90; 6], "image {i}");
        }
        let names: Vec<String> = left_out.iter().map(|path| name(path)).collect();
        assert_eq!(names, ["4.gif", "notes.txt"]);
    }

    #[test]
    fn a_file_that_does_not_decode_is_named() {
        let tree = Tree::new(&TWO);
        tree.write("train/ant/1.jpg", "no image");
        let message = tree.refusal();
        assert!(message.starts_with("could not decode mine/train/ant/1.jpg"), "{message}");
    }

    #[test]
    fn pictures_are_turned_as_their_camera_says() {
        // The top half is bright; orientation 6 is shown a quarter turn clockwise, so the right
        // half is.
        let image = GrayImage::from_fn(16, 8, |_, y| Luma([if y < 4 { 200 } else { 20 }]));
        let tree = Tree::new(&[]);
        for part in ["train", "test"] {
            tree.write(&format!("{part}/a/0.jpg"), jpeg(&image, Some(oriented(6))));
        }
        tree.picture("test/a/1.png", 0, (8, 16));
        let Parts { train, .. } = tree.read().unwrap();
        assert_eq!((train.height, train.width), (16, 8));
        for line in train.image(0).chunks(8) {
            // Compression at full quality moves a pixel by less than 4.
            assert!(line[..4].iter().all(|x| x.abs_diff(20) < 4), "{line:?}");
            assert!(line[4..].iter().all(|x| x.abs_diff(200) < 4), "{line:?}");
        }
        // Without the turn the picture beside it is of another size.
        tree.picture("test/a/1.png", 0, (16, 8));
        assert!(tree.refusal().contains("1.png has 16 x 8 pixels"));
    }

    #[test]
    fn a_folder_without_classes_is_refused() {
        let tree = Tree::new(&[("train/0.png", 1), ("test/0.png", 1)]);
        let error = tree.read().unwrap_err();
        assert!(matches!(error, DatasetError::NoImages { .. }), "{error}");
    }
}
