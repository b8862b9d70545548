//! The data to train on: the section `data`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flow_datasets::table::{ColumnType, TransformKind};
use flow_datasets::{Holdout, Overrides, ReadOptions};
use serde::{Deserialize, Serialize};

use super::check::fractions;
use crate::array::ARRAY;
use crate::error::{RunError, usage};
use crate::files::ending;
use crate::table::{self, TABLE};

/// The set whose images may be read from a file of records in place of the published archive.
pub(crate) const RECORDS: &str = "cifar10";

/// Whether a file holds records of CIFAR-10 by its name.
pub(crate) fn is_records(file: &Path) -> bool {
    ending(file) == "bin"
}

/// The most times that images may be made smaller: far more than any pixel is the mean of.
const MOST_SHRUNK: usize = 256;

/// What to learn from.
#[expect(clippy::struct_excessive_bools, reason = "keys of a recipe, each with a name")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Name of the set.
    pub set: String,
    /// Whether the network is told the class.
    #[serde(default)]
    pub conditional: bool,
    /// Whether images are mirrored with probability one half.
    #[serde(default)]
    pub mirror: bool,
    /// Whether pixels of images, and whole numbers of tables, are spread over the gaps between
    /// their values. Where a recipe says nothing, those of tables that noise flows to are.
    #[serde(default)]
    pub dequantise: bool,
    /// How many times smaller the image is that each image is told, so that the model learns to
    /// enlarge; none for models that are told no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upsample: Option<usize>,
    /// How many times smaller images are learned than they are: each pixel is the mean of a square.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrink: Option<usize>,
    /// The file of the sets `table` and `array`, a folder of images for the latter, and of
    /// `cifar10` a file of its records in place of the published ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// A second table whose row `i` belongs to row `i` of the file: its columns stand beside those
    /// of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<PathBuf>,
    /// Columns of a table that are conditions: given when a sample is drawn, not generated. Of an
    /// array, columns of `beside`, or of the table beside the images of a folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<String>,
    /// Given columns that are hidden alone in training, each in that share of the rows: samples may
    /// then do without them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given_drop: BTreeMap<String, f64>,
    /// The only columns of a table to learn, beside those given; all, if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Columns of a table to leave out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// What columns are, by their names, where the guess is wrong.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<String, ColumnType>,
    /// Transforms of columns of numbers, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub transforms: BTreeMap<String, TransformKind>,
    /// What separates the columns of a csv file: one character, or `tab`; without it a comma, or
    /// what the first line shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Cells of a table that mean a missing value, beside the usual ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Columns that a table may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_columns: Option<usize>,
    /// Whether rows to train with may lack some of what is learned: what they have is learned from,
    /// and the network is told what is missing. Else they are left out, as they always are where
    /// [`Recipe::learns_holes`](super::Recipe::learns_holes) says so.
    #[serde(default, skip_serializing_if = "is_false")]
    pub holes: bool,
    /// How rows of a file are held out of training; a tenth by a hash of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Holdout>,
    /// Name of the array of rows in a file of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<String>,
    /// Name of the array of classes in a file of several; `y` or `labels` where there is one. Of a
    /// folder of images, the column of classes in the table beside them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// Which axis of an array of images the channels are; guessed from the sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// How the numbers of an array are scaled; bytes and truth values by their range, others by
    /// their spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scaling>,
    /// Whether the rows of an npy file, or the images of a folder, stay there until they are
    /// needed; those that memory does not hold do, unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pieces: Option<bool>,
    /// The file of the rows that paths start from, in place of noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// Whether row `i` of that file belongs to row `i` of the data.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pairs: bool,
    /// The column, or the array beside the rows, that holds the time of each row: each snapshot
    /// flows to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

/// Which axis of an array of images the channels are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `[n, channels, height, width]`
    ChannelsFirst,
    /// `[n, height, width, channels]`
    ChannelsLast,
}

/// How the numbers of an array are scaled before a network sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Left as they are.
    None,
    /// Bytes and truth values from their range to `[-1, 1]`, and other numbers left as they are:
    /// for a network that was trained elsewhere.
    Bytes,
    /// From their range, which is that of the type for bytes and truth values, to `[-1, 1]`.
    Range,
    /// To mean 0 and standard deviation 1 of each channel.
    Standard,
}

// Serde calls this with a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(b: &bool) -> bool {
    !*b
}

impl Data {
    /// Whether the data are a table.
    #[must_use]
    pub fn is_table(&self) -> bool {
        self.set == TABLE
    }

    /// The name of a published set, if its images are all of it and as large as they are; nothing
    /// for those of your own, for a part of a set, and for smaller copies.
    #[must_use]
    pub fn published(&self) -> Option<&str> {
        let whole = self.file.is_none() && self.shrink.is_none();
        (whole && self.set != "folder").then_some(self.set.as_str())
    }

    /// Whether paths start from data, which are given, and not from noise, which is drawn.
    #[must_use]
    pub fn is_given_starts(&self) -> bool {
        self.from.is_some() || self.time.is_some()
    }

    /// How the tables of the recipe are read.
    ///
    /// # Errors
    /// When the delimiter is none.
    pub fn reading(&self) -> Result<ReadOptions, RunError> {
        let usual = ReadOptions::default();
        let delimiter = |text: &String| match text.as_bytes() {
            b"tab" => Ok(b'\t'),
            &[byte] if byte.is_ascii_punctuation() && byte != b'"' => Ok(byte),
            &[byte @ (b'\t' | b' ')] => Ok(byte),
            _ => Err(usage!(
                "data.delimiter is {text:?}, it must be one character, such as `;` or `|`, or tab"
            )),
        };
        Ok(ReadOptions {
            delimiter: self.delimiter.as_ref().map(delimiter).transpose()?,
            missing: [usual.missing, self.missing.clone()].concat(),
            max_columns: self.max_columns.unwrap_or(usual.max_columns),
            max_bytes: table::most_bytes(),
        })
    }

    /// What is said of the columns of a table.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            given: self.given.clone(),
            columns: self.columns.clone(),
            drop: self.drop.clone(),
            types: self.types.clone(),
            transforms: self.transforms.clone(),
            split: self.split.as_ref().and_then(Holdout::column).map(String::from),
        }
    }

    /// Refuses rates of columns that are not given, and those that are no probabilities.
    fn check_given_drop(&self) -> Result<(), RunError> {
        for (name, rate) in &self.given_drop {
            if !self.given.contains(name) {
                return Err(usage!(
                    "data.given_drop hides the column `{name}` from the model, which is not told \
                     it: name it in data.given too (--given {name}), or leave it out"
                ));
            }
            fractions(&[(&format!("data.given_drop.{name}"), *rate)])?;
        }
        Ok(())
    }

    /// Refuses keys that mean nothing for the set, or contradict each other.
    pub(super) fn check(&self, reflow: bool) -> Result<(), RunError> {
        let (is_table, is_array) = (self.is_table(), self.set == ARRAY);
        if self.dequantise && (reflow || flow_datasets::toy(&self.set).is_some()) {
            return Err(usage!(
                "data.dequantise spreads whole pixels and numbers over the gaps between them, \
                 which only images and tables have, leave it out"
            ));
        }
        if self.mirror && (is_table || flow_datasets::toy(&self.set).is_some()) {
            return Err(usage!(
                "data.mirror turns images left to right, and the set `{}` has none: leave it out",
                self.set
            ));
        }
        if self.upsample.is_some() && (is_table || is_array) {
            return Err(usage!(
                "data.upsample is for digits, mnist and other sets of images, and for folders of \
                 them by data.set=folder, and the set is `{}`",
                self.set
            ));
        }
        self.check_shrink()?;
        let of_table = [("columns", !self.columns.is_empty()), ("drop", !self.drop.is_empty())];
        // Of an array they say what stands beside its rows.
        let of_columns = [
            ("beside", self.beside.is_some()),
            ("given_drop", !self.given_drop.is_empty()),
            ("types", !self.types.is_empty()),
            ("transforms", !self.transforms.is_empty()),
            ("delimiter", self.delimiter.is_some()),
            ("missing", !self.missing.is_empty()),
            ("max_columns", self.max_columns.is_some()),
        ];
        let is_told = is_array && !self.given.is_empty();
        let of_array = [
            ("array", self.array.is_some()),
            ("labels", self.labels.is_some()),
            ("layout", self.layout.is_some()),
            ("scale", self.scale.is_some()),
            ("pieces", self.pieces.is_some()),
        ];
        let of_files =
            [("from", self.from.is_some()), ("pairs", self.pairs), ("time", self.time.is_some())];
        let of_given = [("given", !self.given.is_empty())];
        let of_a_file = [("file", self.file.is_some())];
        let of_parts = [("split", self.split.is_some())];
        let is_rows = is_table || is_array;
        let (may_be_file, is_file) = (
            is_rows || self.set == RECORDS,
            is_rows || (self.set == RECORDS && self.file.is_some()),
        );
        let keys = [
            (&of_table[..], is_table, "a table, data.set=table"),
            (
                &of_columns,
                is_table || is_told,
                "a table, data.set=table, or the columns that data.given names beside an array",
            ),
            (&of_given, is_rows, "a file, data.set=table or array"),
            (&of_array, is_array, "an array, data.set=array"),
            (&of_files, is_rows, "a file, data.set=table or array"),
            (&of_a_file, may_be_file, "the sets table, array and cifar10"),
            (&of_parts, is_file, "a file, data.set=table or array, or a data.file of cifar10"),
        ];
        for (keys, fits, what) in keys {
            if let Some((key, _)) = keys.iter().find(|(_, said)| *said && !fits) {
                return Err(usage!("data.{key} is for {what}, and the set is `{}`", self.set));
            }
        }
        if let Some(split) = &self.split {
            split.check()?;
        }
        self.reading()?;
        self.check_given_drop()?;
        if self.beside.is_some() && self.is_given_starts() {
            return Err(usage!(
                "data.beside adds columns to the rows of one file, and paths start from data: put \
                 the columns into the files, and leave it out"
            ));
        }
        if is_told && self.is_given_starts() {
            return Err(usage!(
                "data.given names columns beside an array, and its paths start from data: put \
                 classes into the files, and leave it out"
            ));
        }
        if self.from.is_some() && self.time.is_some() {
            return Err(usage!(
                "data.from and data.time both say where paths start: leave one of them out"
            ));
        }
        if self.pairs && self.from.is_none() {
            return Err(usage!(
                "data.pairs is true: name the file of the rows that paths start from, \
                 data.from=FILE"
            ));
        }
        Ok(())
    }

    /// Refuses to make smaller what is no image, and what no image can be made.
    fn check_shrink(&self) -> Result<(), RunError> {
        let Some(factor) = self.shrink else { return Ok(()) };
        if !flow_datasets::IMAGE_SETS.contains(&self.set.as_str()) {
            return Err(usage!(
                "data.shrink is for digits, mnist and other sets of images, and for folders of \
                 them by data.set=folder, and the set is `{}`",
                self.set
            ));
        }
        if !(2..=MOST_SHRUNK).contains(&factor) {
            return Err(usage!(
                "data.shrink is {factor}, it must be a number from 2 to {MOST_SHRUNK} that divides \
                 the sides of the images"
            ));
        }
        Ok(())
    }
}
