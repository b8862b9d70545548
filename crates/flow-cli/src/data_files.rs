//! Where the files of a data set are, with downloads told on the terminal.

use std::path::Path;

use flow_datasets::{Download, Files};

use crate::terminal::say;

/// The files in a folder; without one, those of the cache, which are downloaded if they are
/// missing.
pub(crate) fn data_files(folder: Option<&Path>) -> Files {
    let bar = indicatif::ProgressBar::hidden();
    let download = Download::reporting(move |progress| {
        if progress.bytes == 0 {
            say(&format!("downloading {}", progress.file));
        }
        bar.set_position(progress.bytes);
    });
    Files { data_dir: folder.map(Into::into), download, ..Files::default() }
}
