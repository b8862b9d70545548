//! Archives of arrays, as `numpy.savez` writes them: a zip of npy files.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use zip::result::ZipError;
use zip::write::FileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::npy::Header;
use super::{Array, ArrayError, ArrayOptions, Number, npy};

/// Bytes of a word.
const LONGEST_WORD: u64 = 64;

/// Reads the array that the options name, or the only one.
pub(crate) fn read<T: Number>(path: &Path, options: &ArrayOptions) -> Result<Array<T>, ArrayError> {
    let mut archive = open(path)?;
    let name = chosen(path, members(&mut archive), options)?;
    let mut member = archive.by_name(&format!("{name}.npy")).map_err(refused(path))?;
    let length = member.size();
    npy::read(path, &mut member, length, options)
}

/// The names of the arrays.
pub(crate) fn names(path: &Path) -> Result<Vec<String>, ArrayError> {
    Ok(members(&mut open(path)?))
}

/// What stands before the numbers of an array of that name, and how many bytes it has in all.
pub(crate) fn header(path: &Path, name: &str) -> Result<(Header, u64), ArrayError> {
    let mut archive = open(path)?;
    let mut member = archive.by_name(&format!("{name}.npy")).map_err(refused(path))?;
    let length = member.size();
    Ok((Header::read(path, &mut member)?, length))
}

/// The array of a single word of a few letters, whatever numpy keeps them as.
pub(crate) fn word(path: &Path, name: &str) -> Result<String, ArrayError> {
    let mut archive = open(path)?;
    let mut member = archive.by_name(&format!("{name}.npy")).map_err(refused(path))?;
    Header::read(path, &mut member)?;
    let mut bytes = Vec::new();
    member.take(LONGEST_WORD).read_to_end(&mut bytes).map_err(ArrayError::read(path))?;
    // Letters of four bytes each, or fewer of them than there is room for.
    Ok(bytes.into_iter().filter(|byte| *byte != 0).map(char::from).collect())
}

type Archive = ZipArchive<BufReader<File>>;

fn open(path: &Path) -> Result<Archive, ArrayError> {
    let file = File::open(path).map_err(ArrayError::read(path))?;
    ZipArchive::new(BufReader::new(file)).map_err(refused(path))
}

/// The names of the arrays in the order in which they lie there, which is that of the columns of a
/// table.
fn members(archive: &mut Archive) -> Vec<String> {
    let places = 0..archive.len();
    let name = |at| Some(archive.by_index_raw(at).ok()?.name().strip_suffix(".npy")?.to_owned());
    places.filter_map(name).collect()
}

fn refused(path: &Path) -> impl Fn(ZipError) -> ArrayError {
    |error| match error {
        ZipError::Io(source) => ArrayError::read(path)(source),
        error => ArrayError::damaged(path, error.to_string()),
    }
}

/// The name asked for, or that of the only array.
pub(crate) fn chosen(
    path: &Path,
    mut names: Vec<String>,
    options: &ArrayOptions,
) -> Result<String, ArrayError> {
    match (&options.name, &names[..]) {
        (None, [only]) => Ok(only.clone()),
        (Some(name), _) if names.contains(name) => Ok(name.clone()),
        (asked, _) => {
            let asked = asked.clone();
            names.sort_unstable();
            Err(ArrayError::WhichArray { path: path.to_owned(), names, asked })
        }
    }
}

/// Writes arrays one after the other.
pub(crate) struct Writer<W: Write + Seek>(ZipWriter<W>);

impl<W: Write + Seek> Writer<W> {
    pub(crate) fn new(out: W) -> Self {
        Self(ZipWriter::new(out))
    }

    /// Begins an npy file under the name of its array, of so many bytes of numbers.
    pub(crate) fn start(&mut self, name: &str, bytes: u64) -> io::Result<&mut ZipWriter<W>> {
        // The header of an npy file is far shorter than this.
        let longest = bytes.saturating_add(1 << 16);
        let options = FileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(u64::from(u32::MAX) <= longest);
        self.0.start_file(format!("{name}.npy"), options)?;
        Ok(&mut self.0)
    }

    /// Adds an npy file under the name of its array.
    pub(crate) fn array(&mut self, name: &str, npy: &[u8]) -> io::Result<()> {
        self.start(name, npy.len() as u64)?.write_all(npy)
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.0.finish()?.flush()
    }
}
