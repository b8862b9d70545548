//! Errors of writing or reading a picture.

use std::io;
use std::path::PathBuf;

/// A picture that could not be drawn or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The extension of the file names no format that this kind of picture can have.
    #[error("cannot tell the picture format of {}: give the file the extension {expected}", path.display())]
    UnknownFormat {
        /// The path as it was given.
        path: PathBuf,
        /// The extensions that would do.
        expected: &'static str,
    },
    /// The file system refused the file.
    #[error("cannot write {}: check that its folder exists, may be written and has room", path.display())]
    Write {
        /// The path as it was given.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file that is no picture, or cannot be read.
    #[error("cannot read {} as a PNG picture: {reason}", path.display())]
    Read {
        /// The path as it was given.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A scale at which no picture has a size.
    #[error("cannot draw at {scale} pixels a unit: give a positive, finite scale")]
    Scale {
        /// The scale as it was given.
        scale: f32,
    },
    /// More pixels than the format can hold, or than 134,217,728, of which memory holds a few
    /// copies.
    #[error(
        "a picture of {width} x {height} pixels is too large: draw fewer panels or smaller tiles"
    )]
    TooLarge {
        /// Width in pixels.
        width: u64,
        /// Height in pixels.
        height: u64,
    },
    /// Samples that are neither points of the plane nor images of one or three channels.
    #[error("samples of shape {shape:?} have no picture")]
    NoPicture {
        /// The shape of one of them.
        shape: Vec<usize>,
    },
    /// An animation of no frames.
    #[error("no frames for {}: an animation needs at least one", path.display())]
    NoFrames {
        /// The path as it was given.
        path: PathBuf,
    },
}
