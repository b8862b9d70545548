//! Where the files of a data set are, with downloads told on the terminal.

use flow_datasets::{Download, Files};

use crate::args::DataArgs;
use crate::terminal::say;

impl DataArgs {
    /// The files in the folder; without one, or with an empty `FLOW_DATA`, those of the cache, which
    /// are downloaded if they are missing.
    pub(crate) fn files(&self) -> Files {
        let download = Download::reporting(|progress| {
            if progress.bytes == 0 {
                say(&format!("downloading {}", progress.file));
            }
        });
        let folder = self.data_dir.as_ref().filter(|folder| !folder.is_empty());
        Files { data_dir: folder.map(Into::into), download, ..Files::default() }
    }
}
