//! What several test files need: a folder of their own and files read back.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use flow_plot::Picture;

/// An empty folder that is removed when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("flow-plot-{}-{test}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left behind does not make a test wrong.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The pixels of a PNG file.
pub(crate) fn read_png(path: &Path) -> Picture {
    let decoder = png::Decoder::new(BufReader::new(File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    Picture::new(info.width, info.height, bytes)
}
