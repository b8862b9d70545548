//! The log of a training: `metrics.jsonl`.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flow_train::Terms;
use serde::{Deserialize, Serialize};

use crate::error::RunError;
use crate::files::write;
use crate::listener::Listener;

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Line {
    /// Mean over the steps since the line before.
    Train {
        /// Steps done.
        step: usize,
        /// Images seen.
        images: usize,
        /// The loss.
        loss: f64,
        /// Learning rate of the last of these steps.
        learning_rate: f64,
        /// Pace of these steps.
        images_per_second: f64,
        /// Terms of the loss, by name.
        #[serde(default, skip_serializing_if = "Terms::is_empty")]
        terms: Terms,
    },
    /// Loss of the averaged weights on held-out batches.
    Validation {
        /// Steps done.
        step: usize,
        /// Images seen.
        images: usize,
        /// The loss.
        loss: f64,
    },
}

impl Line {
    fn step(&self) -> usize {
        match *self {
            Self::Train { step, .. } | Self::Validation { step, .. } => step,
        }
    }
}

/// The lines of a run so far; `told` gets a message about damaged ones, which are left out.
///
/// # Errors
/// When the file cannot be read.
pub fn read(folder: &Path, told: &dyn Listener) -> Result<Vec<Line>, RunError> {
    let path = file(folder);
    let cannot = RunError::io(format!("cannot read {}", path.display()));
    let bytes = fs::read(&path).map_err(cannot)?;
    Ok(whole_lines(&path, &bytes, told).into_iter().map(|(_, line)| line).collect())
}

/// Forgets what was logged after `step`; each line that stays keeps its bytes.
///
/// # Errors
/// When the file cannot be read or written.
pub fn rewind(folder: &Path, step: usize, told: &dyn Listener) -> Result<(), RunError> {
    let path = file(folder);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.map_err(RunError::io(format!("cannot read {}", path.display())))?,
    };
    let lines = whole_lines(&path, &bytes, told);
    let kept = lines.iter().filter(|(_, line)| line.step() <= step);
    let kept: Vec<u8> = kept.flat_map(|(text, _)| [text, b"\n".as_slice()].concat()).collect();
    if kept == bytes { Ok(()) } else { write(&path, |out| out.write_all(&kept)) }
}

/// The lines that can be read, as they stand and as what they mean.
fn whole_lines<'a>(path: &Path, bytes: &'a [u8], told: &dyn Listener) -> Vec<(&'a [u8], Line)> {
    let mut whole = Vec::new();
    let mut texts = bytes.split(|&byte| byte == b'\n').enumerate().peekable();
    while let Some((number, text)) = texts.next() {
        match serde_json::from_slice(text) {
            Ok(line) => whole.push((text, line)),
            // The last piece is empty after a complete line, or half a line that a killed process
            // has left.
            Err(_) if texts.peek().is_none() => {}
            Err(_) => {
                let line = number + 1;
                told.say(&format!("line {line} of {} is damaged and left out", path.display()));
            }
        }
    }
    whole
}

fn file(folder: &Path) -> PathBuf {
    folder.join("metrics.jsonl")
}

/// A log that lines are added to.
///
/// What a full disk does not take is kept and tried again with the next line, so a shortage that
/// passes loses nothing.
pub(crate) struct Log<W = File> {
    path: PathBuf,
    out: W,
    /// Bytes that are not on the disk yet.
    waiting: Vec<u8>,
    warned: bool,
    told: Arc<dyn Listener>,
}

impl Log {
    pub(crate) fn open(folder: &Path, told: Arc<dyn Listener>) -> Result<Self, RunError> {
        let path = file(folder);
        let out = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(RunError::io(format!("cannot write {}", path.display())))?;
        Ok(Self { path, out, waiting: Vec::new(), warned: false, told })
    }
}

impl<W: Write> Log<W> {
    /// Adds a line. Only the first failure is reported here; [`flush`](Self::flush) returns every
    /// failure.
    pub(crate) fn add(&mut self, line: &Line) {
        let text = serde_json::to_string(line).expect("numbers are valid JSON");
        self.waiting.extend(text.into_bytes());
        self.waiting.push(b'\n');
        if let Err(error) = self.flush()
            && !self.warned
        {
            self.warned = true;
            self.told.say(&format!("{error}; trying again until the next checkpoint"));
        }
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty() {
            let written = match self.out.write(&self.waiting) {
                Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                Ok(0) => return Err(self.refused(&ErrorKind::WriteZero.into())),
                Ok(written) => written,
                Err(error) => return Err(self.refused(&error)),
            };
            self.waiting.drain(..written);
        }
        Ok(())
    }

    fn refused(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("cannot write {}: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Silent;

    fn validation(step: usize) -> Line {
        Line::Validation { step, images: step * 10, loss: 0.5 }
    }

    /// A disk with room for some bytes.
    #[derive(Debug, Default)]
    struct Disk {
        room: usize,
        text: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.text.extend(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_a_full_disk_refused_are_written_once_there_is_room() {
        let out = Disk { room: 20, ..Disk::default() };
        let mut log = Log {
            path: "metrics.jsonl".into(),
            out,
            waiting: Vec::new(),
            warned: false,
            told: Arc::new(Silent),
        };
        log.add(&validation(1));
        log.add(&validation(2));
        let error = log.flush().unwrap_err();
        assert!(error.to_string().contains("cannot write metrics.jsonl"), "{error}");
        log.out.room = 1000;
        log.add(&validation(3));
        log.flush().unwrap();
        let lines: Vec<Line> = log
            .out
            .text
            .split_inclusive(|&byte| byte == b'\n')
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        assert_eq!(lines, [1, 2, 3].map(validation));
    }

    #[test]
    fn a_rewound_log_keeps_the_bytes_of_its_lines() {
        let folder = tempfile::tempdir().unwrap();
        // The shortest decimals of some numbers are read back one unit in the last place off.
        let rates = (1..400).map(|i| 1.0 / f64::from(i * 7919));
        let lines: Vec<String> = rates
            .zip(1..)
            .map(|(loss, step)| {
                let line = Line::Validation { step, images: step, loss };
                serde_json::to_string(&line).unwrap() + "\n"
            })
            .collect();
        fs::write(file(folder.path()), lines.concat() + "{\"kind\":\"val").unwrap();
        rewind(folder.path(), 300, &Silent).unwrap();
        assert_eq!(fs::read_to_string(file(folder.path())).unwrap(), lines[..300].concat());
        assert_eq!(read(folder.path(), &Silent).unwrap().len(), 300);
    }

    #[test]
    fn a_damaged_line_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let line = |step| serde_json::to_string(&validation(step)).unwrap();
        let mut bytes = format!("{}\n{}\n{}\n", line(1), line(2), line(3)).into_bytes();
        bytes[line(1).len() + 5] = 0xff;
        fs::write(file(folder.path()), bytes).unwrap();
        assert_eq!(read(folder.path(), &Silent).unwrap(), [1, 3].map(validation));
    }
}
