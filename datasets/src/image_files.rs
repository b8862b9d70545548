//! Image files of your own as rows of an array: all images of a folder, and what a table says of
//! them.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::array::{Array, ArrayNames, Element, LabelledArray, Labels};
use crate::table::{Column, ReadOptions, Table, Type};
use crate::{DatasetError, decoding};

/// Tables beside the images that say their classes.
const TABLES: [&str; 2] = ["labels.csv", "labels.tsv"];
/// Names by which a column of classes is known among others.
const CLASSES: [&str; 4] = ["class", "label", "labels", "y"];
/// A folder that archives made on a Mac bring along.
const OF_A_MAC: &str = "__MACOSX";

/// The images of a folder, of one size, of which some are read when they are needed.
///
/// PNG, JPEG and WebP files stand in the folder itself (`FOLDER/0.png`) or in a sub-folder for each
/// class (`FOLDER/CLASS/0.png`). Where `labels.csv` or `labels.tsv` stands beside them, it says
/// which images there are and what is known of them: one of its columns holds the names of the
/// files, another may hold the class, and others what a model is told. Images are grey (one
/// channel) if every file is, else red, green and blue; transparency is dropped, and an orientation
/// that a camera noted is applied. What a file is, its first bytes say; other files are left out.
#[derive(Clone, Debug)]
pub struct ImageFiles {
    files: Vec<PathBuf>,
    labels: Option<Labels>,
    table: Option<Table>,
    channels: usize,
    size: (u32, u32),
}

impl ImageFiles {
    /// Looks at the files of a folder, without reading their pixels. Of a table of labels, `column`
    /// names the column that holds the classes, and `given` those that hold something else.
    ///
    /// # Errors
    /// If the folder or a file cannot be read, there is no image, a class has none, or two images
    /// differ in size, and if a table of labels names other files, or lacks a class.
    pub fn open(
        folder: &Path,
        column: Option<&str>,
        given: &[String],
    ) -> Result<Self, DatasetError> {
        let named = TABLES.map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
        let Found { files, labels, table } = match named {
            Some(table) => listed(folder, &table, column, given)?,
            None => found(folder)?,
        };
        let (mut first, mut coloured) = (None, false);
        for path in &files {
            let changed = || DatasetError::NoImage { path: path.clone() };
            let (actual, has_colour) = decoding::head(path)?.ok_or_else(changed)?;
            let (first, expected) = first.get_or_insert_with(|| (path.clone(), actual));
            if actual != *expected {
                let (path, first, expected) = (path.clone(), first.clone(), *expected);
                return Err(DatasetError::ImageSize { path, first, expected, actual });
            }
            coloured |= has_colour;
        }
        let Some((_, size)) = first else {
            return Err(DatasetError::NoImageFiles { folder: folder.to_owned() });
        };
        Ok(Self { files, labels, table, channels: if coloured { 3 } else { 1 }, size })
    }

    /// Sizes as those of an array: images, channels, height and width.
    #[must_use]
    pub fn shape(&self) -> [usize; 4] {
        let (width, height) = self.size;
        [self.files.len(), self.channels, height as usize, width as usize]
    }

    /// The names of the images without their endings, in the order of the rows.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.files.iter().map(|path| name(&path.with_extension(""))).collect()
    }

    /// The classes of the images, if a table or sub-folders say them.
    #[must_use]
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// The table beside the images, with a row for each of them.
    #[must_use]
    pub fn table(&self) -> Option<&Table> {
        self.table.as_ref()
    }

    /// The pixels of some images, from 0 to 255: channels, height and width of each.
    ///
    /// # Errors
    /// If a file cannot be read or decoded, or is another image than when the folder was opened.
    ///
    /// # Panics
    /// If there are no such images.
    pub fn rows(&self, range: Range<usize>) -> Result<Vec<f32>, DatasetError> {
        let mut rows =
            Vec::with_capacity(range.len() * self.shape()[1..].iter().product::<usize>());
        for path in &self.files[range] {
            let pixels = decoding::pixels(path, self.size, self.channels)?;
            rows.extend(pixels.into_iter().map(f32::from));
        }
        Ok(rows)
    }

    /// All images as an array of bytes.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub fn array(self) -> Result<LabelledArray, DatasetError> {
        let (shape, values) = (self.shape().to_vec(), self.rows(0..self.files.len())?);
        let rows = Array { shape, values, element: Element::U8 };
        let names = ArrayNames::default();
        let Self { labels, table, .. } = self;
        Ok(LabelledArray { names, rows, labels, times: None, lengths: None, table })
    }
}

/// The images of a folder and what is known of each.
struct Found {
    files: Vec<PathBuf>,
    labels: Option<Labels>,
    table: Option<Table>,
}

/// The images of a folder in order of name, or of its sub-folders, each of which is a class.
fn found(folder: &Path) -> Result<Found, DatasetError> {
    let (folders, files): (Vec<_>, Vec<_>) =
        entries(folder)?.into_iter().partition(|path| path.is_dir());
    let own = images(files)?;
    if folders.is_empty() {
        return Ok(Found { files: own, labels: None, table: None });
    }
    if let Some(path) = own.into_iter().next() {
        return Err(DatasetError::ImageBesideClasses { path });
    }
    let (mut files, mut of_rows, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (label, class) in folders.into_iter().enumerate() {
        let all = entries(&class)?;
        let others = all.len();
        let own = images(all)?;
        if own.is_empty() {
            return Err(DatasetError::EmptyClass { folder: class, left_out: others });
        }
        of_rows.extend(vec![label; own.len()]);
        names.push(name(&class));
        files.extend(own);
    }
    Ok(Found { files, labels: Some(Labels { of_rows, names }), table: None })
}

/// The images that a table of labels names, and their classes if it has any beside what is given.
fn listed(
    folder: &Path,
    path: &Path,
    column: Option<&str>,
    given: &[String],
) -> Result<Found, DatasetError> {
    let refused = |reason: String| DatasetError::ImageLabels { path: path.to_owned(), reason };
    let table = Table::read(path, &ReadOptions::default());
    let table = table.map_err(|error| refused(error.to_string()))?;
    let names_files = |column: &&Column| {
        !column.is_empty() && column.cell(0).is_some_and(|cell| folder.join(cell).is_file())
    };
    let Some(of_files) = table.columns().iter().find(names_files) else {
        let folder = folder.display();
        return Err(refused(format!("no column holds the names of files in {folder}")));
    };
    if given.contains(&of_files.name) {
        let title = &of_files.name;
        return Err(refused(format!("the column {title:?} names the files: it tells nothing")));
    }
    let (mut files, mut seen) = (Vec::with_capacity(table.len()), HashSet::new());
    for row in 0..table.len() {
        let file = of_files.cell(row).map(|cell| folder.join(cell));
        let Some(file) = file.filter(|file| file.is_file()) else {
            let (row, cell) = (row + 1, of_files.cell(row).unwrap_or_default());
            return Err(refused(format!("row {row} names the file {cell:?}, which is not there")));
        };
        if !seen.insert(file.clone()) {
            let (row, cell) = (row + 1, of_files.cell(row).unwrap_or_default());
            return Err(refused(format!("row {row} names the file {cell:?} once more")));
        }
        files.push(file);
    }
    let is_other = |column: &&Column| column.name != of_files.name && !given.contains(&column.name);
    let others = || table.columns().iter().filter(is_other);
    let known = |column: &&Column| CLASSES.contains(&column.name.to_lowercase().as_str());
    let classes = match (column, others().count()) {
        (Some(name), _) => {
            let found = others().find(|column| column.name == name);
            Some(found.ok_or_else(|| refused(format!("it has no column {name:?} of classes")))?)
        }
        // A table of what is given need not hold classes, and its other columns may be anything.
        _ if !given.is_empty() => others().find(known),
        (None, 0 | 1) => others().next(),
        (None, _) => Some(others().find(known).ok_or_else(|| {
            let names: Vec<&str> = others().map(|column| column.name.as_str()).collect();
            let names = names.join(", ");
            refused(format!("which of {names} holds the classes? say data.labels=COLUMN"))
        })?),
    };
    let labels = classes.map(labels).transpose().map_err(refused)?;
    Ok(Found { files, labels, table: Some(table) })
}

/// A column of words or whole numbers as classes, in their order.
fn labels(column: &Column) -> Result<Labels, String> {
    let title = &column.name;
    if matches!(column.ty.plain(), Type::Real { .. } | Type::Single {}) {
        return Err(format!(
            "the column {title:?} holds numbers with decimals, which are no classes; a model is \
             told them by data.given, --given {title}"
        ));
    }
    let cell = |row| column.cell(row).ok_or_else(|| format!("row {} has no {title:?}", row + 1));
    let cells: Vec<String> = (0..column.len()).map(cell).collect::<Result<_, _>>()?;
    let mut names = cells.clone();
    let number = |name: &String| name.parse::<i64>().ok();
    names.sort_by(|a, b| number(a).cmp(&number(b)).then_with(|| a.cmp(b)));
    names.dedup();
    let place = |cell: &String| names.iter().position(|name| name == cell).unwrap_or(0);
    Ok(Labels { of_rows: cells.iter().map(place).collect(), names })
}

/// Those of some files that are images.
fn images(files: Vec<PathBuf>) -> Result<Vec<PathBuf>, DatasetError> {
    let mut images = Vec::with_capacity(files.len());
    for path in files {
        if !path.is_dir() && decoding::head(&path)?.is_some() {
            images.push(path);
        }
    }
    Ok(images)
}

/// What a folder holds in order of name, but for hidden names.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let list = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    let mut paths = list().map_err(DatasetError::read(folder))?;
    paths.retain(|path| !name(path).starts_with('.') && name(path) != OF_A_MAC);
    paths.sort();
    Ok(paths)
}

pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(all(test, feature = "folder"))]
mod tests {
    use image::{GrayImage, Luma, Rgb, RgbImage};

    use super::*;

    /// A folder with a grey picture of 3 x 2 pixels of each of these brightnesses.
    fn folder(pictures: &[(&str, u8)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, value) in pictures {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            GrayImage::from_pixel(3, 2, Luma([*value])).save(path).unwrap();
        }
        folder
    }

    fn labels(files: &ImageFiles) -> (Vec<usize>, Vec<String>) {
        let labels = files.labels().unwrap();
        (labels.of_rows.clone(), labels.names.clone())
    }

    #[test]
    fn classes_are_folders_in_order_of_name() {
        let folder = folder(&[("b/0.png", 9), ("a/1.png", 7), ("a/0.png", 5), ("a/.0.png", 1)]);
        fs::write(folder.path().join("a/notes.txt"), "no picture").unwrap();
        let files = ImageFiles::open(folder.path(), None, &[]).unwrap();
        assert_eq!(files.shape(), [3, 1, 2, 3]);
        assert_eq!(labels(&files), (vec![0, 0, 1], vec!["a".to_owned(), "b".to_owned()]));
        let first =
            |rows: Vec<f32>| rows.into_iter().step_by(6).map(|x| x as u8).collect::<Vec<_>>();
        assert_eq!(first(files.rows(0..3).unwrap()), [5, 7, 9]);
        assert_eq!(first(files.rows(1..2).unwrap()), [7]);
        let array = files.array().unwrap();
        assert_eq!((array.rows.shape, array.rows.values.len()), (vec![3, 1, 2, 3], 18));
    }

    #[test]
    fn one_coloured_picture_gives_all_three_planes() {
        let folder = folder(&[("0.png", 40)]);
        let red = RgbImage::from_pixel(3, 2, Rgb([1, 2, 3]));
        red.save(folder.path().join("1.png")).unwrap();
        let files = ImageFiles::open(folder.path(), None, &[]).unwrap();
        assert_eq!(files.shape(), [2, 3, 2, 3]);
        assert!(files.labels().is_none());
        let planes: Vec<u8> = files.rows(0..2).unwrap().into_iter().map(|x| x as u8).collect();
        assert_eq!(planes, [[40; 18].to_vec(), [[1; 6], [2; 6], [3; 6]].concat()].concat());
    }

    #[test]
    fn a_table_says_which_pictures_there_are_and_their_classes_in_order_of_number() {
        let folder = folder(&[("0.png", 1), ("1.png", 2), ("more/2.png", 3)]);
        let rows = "size,file\n10,more/2.png\n9,0.png\n";
        fs::write(folder.path().join("labels.csv"), rows).unwrap();
        let files = ImageFiles::open(folder.path(), None, &[]).unwrap();
        assert_eq!(labels(&files), (vec![1, 0], vec!["9".to_owned(), "10".to_owned()]));
        let first: Vec<f32> = files.rows(0..2).unwrap().into_iter().step_by(6).collect();
        assert!(first[0] > 2.5 && first[1] < 1.5, "{first:?}");
        let refused = ImageFiles::open(folder.path(), Some("town"), &[]).unwrap_err().to_string();
        assert!(refused.contains("has no column \"town\""), "{refused}");
    }

    #[test]
    fn what_a_model_is_told_of_pictures_is_no_class() {
        let folder = folder(&[("0.png", 1), ("1.png", 2)]);
        let rows = "file,angle,size,y\n0.png,0.5,3,cat\n1.png,1.5,4,dog\n";
        fs::write(folder.path().join("labels.csv"), rows).unwrap();
        let open = |column, given: &[&str]| {
            let given: Vec<String> = given.iter().map(ToString::to_string).collect();
            ImageFiles::open(folder.path(), column, &given)
        };
        let files = open(None, &["angle", "size"]).unwrap();
        assert_eq!(labels(&files).1, ["cat", "dog"]);
        let angle = files.table().unwrap().column("angle").unwrap();
        assert_eq!((angle.cell(0), angle.cell(1)), (Some("0.5".into()), Some("1.5".into())));
        // Without a column that is called after classes there are none, unless one is named.
        assert!(open(None, &["angle", "y"]).unwrap().labels().is_none());
        assert_eq!(labels(&open(Some("size"), &["angle", "y"]).unwrap()).1, ["3", "4"]);
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn pictures_that_are_not_there_panic() {
        let folder = folder(&[("0.png", 1)]);
        drop(ImageFiles::open(folder.path(), None, &[]).unwrap().rows(0..2));
    }

    #[test]
    fn a_picture_that_is_another_one_than_before_is_named() {
        let folder = folder(&[("0.png", 1), ("1.png", 2)]);
        let files = ImageFiles::open(folder.path(), None, &[]).unwrap();
        GrayImage::from_pixel(4, 2, Luma([2])).save(folder.path().join("1.png")).unwrap();
        assert!(files.rows(0..1).is_ok());
        let refused = files.rows(0..2).unwrap_err().to_string();
        assert!(refused.contains("1.png was changed"), "{refused}");
    }
}
