//! Errors of opening a data set.

use std::io;
use std::path::{Path, PathBuf};

/// A data set that could not be found, fetched or read.
///
/// Each message says what happened, to which file, and what to try.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// No loader has this name.
    #[error("no data set is named {name:?}; known sets: {}", crate::IMAGE_SETS.join(", "))]
    UnknownSet {
        /// The name asked for.
        name: String,
    },

    /// The set is read from a folder that the caller must name.
    #[error(
        "the set {set:?} is read from <data-dir>/train/<class>/ and <data-dir>/test/<class>/; \
         name that folder with --data-dir"
    )]
    NeedsDataDir {
        /// The set asked for.
        set: String,
    },

    /// The reader of this set is not compiled in.
    #[error(
        "the set {set:?} needs the feature `{feature}` of flow-datasets and flow-cli; rebuild with \
         it"
    )]
    NotBuilt {
        /// The set asked for.
        set: String,
        /// The cargo feature that brings its reader.
        feature: &'static str,
    },

    /// The folder named by the user does not hold the file.
    #[error(
        "{file} not found in {}; put it there, or leave out --data-dir and FLOW_DATA to download \
         it",
        list(searched)
    )]
    MissingFile {
        /// Name of the file, as it is distributed.
        file: String,
        /// Folders that were searched.
        searched: Vec<PathBuf>,
    },

    /// The file is not in the cache and may not, or cannot, be downloaded.
    #[error(
        "{file} not found in {} and downloads are off; \
         name a folder that holds it with --data-dir, or allow the download from {url}",
        cache.display()
    )]
    DownloadOff {
        /// Name of the file, as it is distributed.
        file: String,
        /// Cache folder that was searched.
        cache: PathBuf,
        /// First address of the file.
        url: String,
    },

    /// No mirror delivered the file.
    #[error(
        "could not download {file} ({}{}); \
         check the network, or put the file in a folder and name it with --data-dir",
        refusals(attempts),
        proxy.as_ref().map_or(String::new(), |proxy| format!("; {proxy}"))
    )]
    Download {
        /// Name of the file, as it is distributed.
        file: String,
        /// Every address that was tried, in order.
        attempts: Vec<Attempt>,
        /// What the environment says about a proxy, if it says something.
        proxy: Option<String>,
    },

    /// The file is not the one that was published.
    #[error(
        "{} is damaged or belongs to another set: expected SHA-256 {expected}, got {actual}; \
         replace it with the original, or remove a cached file to download it again",
        path.display()
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Published SHA-256, hexadecimal.
        expected: String,
        /// SHA-256 of the file, hexadecimal.
        actual: String,
    },

    /// The operating system refused to read.
    #[error("could not read {}: {source}", path.display())]
    Read {
        /// File or folder.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },

    /// The operating system refused to write.
    #[error(
        "could not write {}: {source}; check the free space and the rights of the folder, or set \
         XDG_CACHE_HOME to another one",
        path.display()
    )]
    Write {
        /// File or folder.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },

    /// A gzip or tar wrapper is damaged or incomplete.
    #[error("could not unpack {}: {source}; fetch the original again", path.display())]
    Unpack {
        /// The packed file.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },

    /// An archive lacks one of its files.
    #[error("{} holds no {member}; fetch the original again", archive.display())]
    MissingMember {
        /// The archive.
        archive: PathBuf,
        /// Name of the file inside it.
        member: String,
    },

    /// The file does not start like an IDX file of the expected rank.
    #[error(
        "{} is no IDX file of the expected kind: magic number {actual:#010x}, \
         expected {expected:#010x}; check that images and labels are not swapped",
        path.display()
    )]
    IdxMagic {
        /// The file.
        path: PathBuf,
        /// `0x0800` plus the number of dimensions.
        expected: u32,
        /// First four bytes, big-endian.
        actual: u32,
    },

    /// The file ends before its header says.
    #[error(
        "{} is truncated: expected {expected} bytes, got {actual}; fetch the original again",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Length in bytes, unpacked, that the header calls for.
        expected: u64,
        /// Length in bytes, unpacked.
        actual: u64,
    },

    /// The file goes on after its header says.
    #[error(
        "{} has trailing bytes: expected {expected} bytes, got {actual}; fetch the original again",
        path.display()
    )]
    TrailingBytes {
        /// The file.
        path: PathBuf,
        /// Length in bytes, unpacked, that the header calls for.
        expected: u64,
        /// Length in bytes, unpacked.
        actual: u64,
    },

    /// Images and labels are not of the same set.
    #[error(
        "{} has {image_count} images but {} has {label_count} labels; \
         use two files of the same set and split",
        images.display(),
        labels.display()
    )]
    CountMismatch {
        /// File of the images.
        images: PathBuf,
        /// Number of images.
        image_count: usize,
        /// File of the labels.
        labels: PathBuf,
        /// Number of labels.
        label_count: usize,
    },

    /// A label names no class.
    #[error(
        "{}: label {label} of image {index} is not below the number of classes, {classes}; \
         check that the file belongs to this set",
        path.display()
    )]
    LabelOutOfRange {
        /// File of the label.
        path: PathBuf,
        /// Position of the image, from 0.
        index: usize,
        /// The label.
        label: u8,
        /// Number of classes.
        classes: usize,
    },

    /// A file of fixed-length records ends within one.
    #[error(
        "{} has {bytes} bytes, which is no whole number of records of {record} bytes; \
         fetch the original again",
        path.display()
    )]
    PartialRecord {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        bytes: u64,
        /// Length of a record in bytes.
        record: usize,
    },

    /// A file holds no image, or images without a pixel.
    #[error(
        "{} holds no pixel: its images, channels, rows and columns are {sizes:?}; \
         fetch the original again",
        path.display()
    )]
    NoPixels {
        /// The file.
        path: PathBuf,
        /// What its header says, the number of images first.
        sizes: Vec<usize>,
    },

    /// A packed file that would fill the memory.
    #[error(
        "{} would unpack to more than {limit} bytes; if that is what it should hold, \
         unpack it and name the unpacked file",
        path.display()
    )]
    TooLarge {
        /// The packed file.
        path: PathBuf,
        /// Bytes that are unpacked at most.
        limit: u64,
    },

    /// Images that are to be made smaller by what does not divide their sides.
    #[error(
        "images of {height} x {width} pixels cannot be made {factor} times smaller: take a number \
         that divides both sides"
    )]
    Shrink {
        /// How many times smaller.
        factor: usize,
        /// Height in pixels.
        height: usize,
        /// Width in pixels.
        width: usize,
    },

    /// The two parts of a set do not fit together.
    #[error(
        "channels, height and width of `{set}` are {train:?} in the images to learn from and \
         {test:?} in those to measure with; use the files of one set"
    )]
    PartsDiffer {
        /// Name of the set.
        set: String,
        /// Channels, height and width of the one part.
        train: [usize; 3],
        /// Those of the other.
        test: [usize; 3],
    },

    /// A folder of images holds none.
    #[error(
        "no PNG, JPEG or WebP image in the sub-folders of {}; \
         lay the images out as {}/<class>/<name>.png",
        folder.display(),
        folder.display()
    )]
    NoImages {
        /// The folder.
        folder: PathBuf,
    },

    /// A folder without an image.
    #[error(
        "no PNG, JPEG or WebP image in {}; put them there as NAME.png, or as CLASS/NAME.png to tell \
         classes apart",
        folder.display()
    )]
    NoImageFiles {
        /// The folder.
        folder: PathBuf,
    },

    /// An image beside the folders of classes.
    #[error(
        "{} lies beside folders, which are taken for classes; put it into one of them, or put all \
         images into one folder",
        path.display()
    )]
    ImageBesideClasses {
        /// The image.
        path: PathBuf,
    },

    /// A table of the classes of images that does not fit them.
    #[error("{}: {reason}", path.display())]
    ImageLabels {
        /// The table.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },

    /// A file that is named as an image and is none.
    #[error("{} is no PNG, JPEG or WebP image; leave it out of the table of labels", path.display())]
    NoImage {
        /// The file.
        path: PathBuf,
    },

    /// An image that is another one than before.
    #[error("{} was changed while the images were read; start again", path.display())]
    ImageChanged {
        /// The image.
        path: PathBuf,
    },

    /// A class folder without an image.
    #[error(
        "the class folder {} holds no PNG, JPEG or WebP image (what else it holds: {left_out}); \
         put its images directly into it, or remove it from both parts",
        folder.display()
    )]
    EmptyClass {
        /// The class folder.
        folder: PathBuf,
        /// Number of other files and folders in it.
        left_out: usize,
    },

    /// A class that one part of a set has and the other lacks.
    #[error(
        "{} has no class folder {}, but {} has; both parts need the same classes, by the same \
         names",
        lacking.display(), names.join(", "), having.display()
    )]
    MissingClass {
        /// Names of the classes.
        names: Vec<String>,
        /// The part without them.
        lacking: PathBuf,
        /// The part with them.
        having: PathBuf,
    },

    /// More class folders than a label of one byte can name.
    #[error("{} has {classes} class folders; at most 256 are supported", folder.display())]
    TooManyClasses {
        /// The folder.
        folder: PathBuf,
        /// Number of its sub-folders.
        classes: usize,
    },

    /// An image of another size than the first one.
    #[error(
        "{} has {} x {} pixels, but {} has {} x {}; resize the images of both parts to one size",
        path.display(), actual.0, actual.1, first.display(), expected.0, expected.1
    )]
    ImageSize {
        /// The image.
        path: PathBuf,
        /// The first image of the set.
        first: PathBuf,
        /// Width and height of the first image in pixels.
        expected: (u32, u32),
        /// Width and height of this image in pixels.
        actual: (u32, u32),
    },

    /// An image file that does not decode.
    #[cfg(feature = "folder")]
    #[error("could not decode {}: {source}; replace or remove the file", path.display())]
    Image {
        /// The image.
        path: PathBuf,
        /// Cause.
        source: image::ImageError,
    },
}

/// An address that did not deliver a file.
#[derive(Debug)]
pub struct Attempt {
    /// The address.
    pub url: String,
    /// Why it did not.
    pub refusal: Refusal,
}

/// Why an address did not deliver a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The server could not be reached, or the connection broke.
    #[error("{0}")]
    Connection(#[source] io::Error),

    /// The server insists on TLS, which is not compiled in.
    #[error("needs TLS: rebuild with the feature `https` of flow-datasets")]
    TlsRequired,

    /// The server answered with an error.
    #[error("HTTP status {0}")]
    Status(u16),

    /// The server sent a file of another length.
    #[error("sent {actual} bytes in place of {expected}")]
    Length {
        /// Published length in bytes.
        expected: u64,
        /// Bytes that came, counted up to one more than expected.
        actual: u64,
    },

    /// The server sent another file of the same length.
    #[error("sent a file with the wrong SHA-256 {actual}")]
    Checksum {
        /// SHA-256 of what came, hexadecimal.
        actual: String,
    },
}

impl DatasetError {
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn unpack(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Unpack { path: path.to_owned(), source }
    }
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(" or ")
}

fn refusals(attempts: &[Attempt]) -> String {
    let each = |Attempt { url, refusal }: &Attempt| format!("{url}: {refusal}");
    attempts.iter().map(each).collect::<Vec<_>>().join("; ")
}
