//! The place of a published file: the folder of the user, else the cache, else the network.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};

use crate::DatasetError;
use crate::manifest::{RemoteFile, RemoteSet};
use crate::progress::{Progress, ProgressFn};

/// Where files come from and whether they are checked.
///
/// ```
/// use flow_datasets::{Download, Files};
///
/// let from_a_folder = Files { data_dir: Some("/data".into()), ..Files::default() };
/// let from_the_network = Files {
///     download: Download::reporting(|progress| {
///         eprintln!("{}: {} of {} bytes", progress.file, progress.bytes, progress.total);
///     }),
///     ..Files::default()
/// };
/// ```
#[derive(Debug)]
pub struct Files {
    /// Folder of the user, searched at `<data_dir>/<set>/` and then at `<data_dir>/`. Where it is
    /// given, nothing is downloaded.
    pub data_dir: Option<PathBuf>,
    /// Folder of downloaded files, at `<cache_dir>/<set>/`.
    pub cache_dir: PathBuf,
    /// Whether a file that differs from the published one is refused.
    pub checksums: Checksums,
    /// Whether a missing file is downloaded into the cache.
    pub download: Download,
}

impl Default for Files {
    /// No folder of the user, the cache of the platform, checksums verified, silent downloads.
    fn default() -> Self {
        Self {
            data_dir: None,
            cache_dir: default_cache_dir(),
            checksums: Checksums::Verify,
            download: Download::silent(),
        }
    }
}

/// Whether a file must be the published one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksums {
    /// The SHA-256 must be the published one, of the file as distributed or unpacked.
    #[default]
    Verify,
    /// Any file that its reader understands.
    Ignore,
}

/// Whether a missing file is downloaded.
pub enum Download {
    /// A missing file is an error.
    Never,
    /// A missing file is downloaded, and the callback hears of every piece.
    Allowed(Box<ProgressFn>),
}

impl Download {
    /// Downloads without reporting progress.
    #[must_use]
    pub fn silent() -> Self {
        Self::reporting(|_| {})
    }

    /// Downloads and tells `progress`.
    #[must_use]
    pub fn reporting(progress: impl Fn(Progress<'_>) + Send + Sync + 'static) -> Self {
        Self::Allowed(Box::new(progress))
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Never => "Never",
            Self::Allowed(_) => "Allowed",
        })
    }
}

/// `flow-matching` in the cache folder of the platform: `$XDG_CACHE_HOME`, else `%LOCALAPPDATA%` on
/// Windows, `~/Library/Caches` on macOS and `~/.cache` elsewhere; without a home, the temporary
/// folder.
#[must_use]
pub fn default_cache_dir() -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let home = |folder| std::env::home_dir().map(|home| home.join(folder));
    let platform = || match std::env::consts::OS {
        "windows" => variable("LOCALAPPDATA"),
        "macos" => home("Library/Caches"),
        _ => home(".cache"),
    };
    variable("XDG_CACHE_HOME")
        .or_else(platform)
        .unwrap_or_else(std::env::temp_dir)
        .join("flow-matching")
}

/// A file in memory and where it came from.
pub(crate) struct Loaded {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl Files {
    /// Finds and checks a file of a published set.
    pub(crate) fn read(
        &self,
        name: &str,
        set: &RemoteSet,
        file: &str,
    ) -> Result<Loaded, DatasetError> {
        let file = set.file(file);
        let path = match self.find(name, file) {
            Some(path) => path,
            None => self.fetch(name, set, file)?,
        };
        let bytes = read_file(&path)?;
        if self.checksums == Checksums::Verify {
            verify(&path, &bytes, file)?;
        }
        Ok(Loaded { path, bytes })
    }

    fn folders(&self, set: &str) -> Vec<PathBuf> {
        match &self.data_dir {
            Some(dir) => vec![dir.join(set), dir.clone()],
            None => vec![self.cache_dir.join(set)],
        }
    }

    /// The file as distributed, or without its `.gz`, in the first folder that has either.
    fn find(&self, set: &str, file: &RemoteFile) -> Option<PathBuf> {
        let names = [Some(file.name.as_str()), file.name.strip_suffix(".gz")];
        self.folders(set)
            .iter()
            .flat_map(|folder| names.iter().flatten().map(move |name| folder.join(name)))
            .find(|path| path.is_file())
    }

    fn fetch(
        &self,
        name: &str,
        set: &RemoteSet,
        file: &RemoteFile,
    ) -> Result<PathBuf, DatasetError> {
        if self.data_dir.is_some() {
            let (file, searched) = (file.name.clone(), self.folders(name));
            return Err(DatasetError::MissingFile { file, searched });
        }
        let cache = self.cache_dir.join(name);
        match &self.download {
            #[cfg(feature = "download")]
            Download::Allowed(progress) => {
                crate::download::fetch(&set.mirrors, file, &cache, progress)
            }
            _ => Err(DatasetError::DownloadOff {
                file: file.name.clone(),
                cache,
                url: format!("{}{}", set.mirrors[0], file.name),
            }),
        }
    }
}

/// The bytes of a file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, DatasetError> {
    fs::read(path).map_err(DatasetError::read(path))
}

/// Bytes that a packed file may unpack to: far more than any set here needs, and what every machine
/// has.
const MOST_UNPACKED: u64 = 1 << 30;

/// What a file holds, without its gzip wrapper if it has one: a little of it can unpack to more
/// than memory holds, so it is read as far as it is asked for.
pub(crate) struct Content<'a> {
    path: &'a Path,
    bytes: Box<dyn Read + 'a>,
    packed: bool,
}

impl<'a> Content<'a> {
    /// Of a file with these bytes.
    pub(crate) fn of(path: &'a Path, bytes: &'a [u8]) -> Self {
        const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
        if bytes.starts_with(&GZIP_MAGIC) {
            return Self::packed(path, Members { member: GzDecoder::new(bytes) });
        }
        Self { path, bytes: Box::new(bytes), packed: false }
    }

    /// Of bytes that are unpacked while they are read.
    pub(crate) fn packed(path: &'a Path, bytes: impl Read + 'a) -> Self {
        Self { path, bytes: Box::new(bytes), packed: true }
    }

    /// The next `count` bytes, fewer where the file ends.
    pub(crate) fn next(&mut self, count: u64) -> Result<Vec<u8>, DatasetError> {
        if self.packed && MOST_UNPACKED < count {
            return Err(self.too_large());
        }
        let mut plain = Vec::new();
        let unpack = DatasetError::unpack(self.path);
        (&mut self.bytes).take(count).read_to_end(&mut plain).map_err(unpack)?;
        Ok(plain)
    }

    /// All bytes that are left.
    pub(crate) fn rest(mut self) -> Result<Vec<u8>, DatasetError> {
        if !self.packed {
            return self.next(u64::MAX);
        }
        let plain = self.next(MOST_UNPACKED)?;
        if plain.len() as u64 == MOST_UNPACKED {
            return Err(self.too_large());
        }
        Ok(plain)
    }

    fn too_large(&self) -> DatasetError {
        DatasetError::TooLarge { path: self.path.to_owned(), limit: MOST_UNPACKED }
    }
}

/// The members of a gzip file, one after the other, up to its end or to zeros that pad it.
struct Members<'a> {
    member: GzDecoder<&'a [u8]>,
}

impl Read for Members<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.member.read(out)?;
            let rest = *self.member.get_ref();
            if n > 0 || out.is_empty() || rest.iter().all(|byte| *byte == 0) {
                return Ok(n);
            }
            self.member = GzDecoder::new(rest);
        }
    }
}

fn verify(path: &Path, bytes: &[u8], file: &RemoteFile) -> Result<(), DatasetError> {
    let actual = format!("{:x}", Sha256::digest(bytes));
    if actual == file.sha256 || Some(&actual) == file.unpacked_sha256.as_ref() {
        return Ok(());
    }
    let (path, expected) = (path.to_owned(), file.sha256.clone());
    Err(DatasetError::Checksum { path, expected, actual })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const CONTENT: &[u8] = b"plain content";

    fn gz(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn set() -> RemoteSet {
        let packed = gz(CONTENT);
        RemoteSet {
            mirrors: vec!["http://192.0.2.1/".to_owned()],
            files: vec![RemoteFile {
                name: "tiny.gz".to_owned(),
                bytes: packed.len() as u64,
                sha256: format!("{:x}", Sha256::digest(&packed)),
                unpacked_sha256: Some(format!("{:x}", Sha256::digest(CONTENT))),
            }],
        }
    }

    /// What `files` makes of a user's folder that holds `content` under `name`.
    fn read(name: &str, content: &[u8], checksums: Checksums) -> Result<Vec<u8>, DatasetError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        let data_dir = Some(folder.path().to_owned());
        let files = Files { data_dir, checksums, ..Files::default() };
        let Loaded { path, bytes } = files.read("tiny-set", &set(), "tiny.gz")?;
        Content::of(&path, &bytes).rest()
    }

    #[test]
    fn a_folder_of_the_user_may_hold_the_file_four_ways() {
        for (name, content) in [
            ("tiny-set/tiny.gz", gz(CONTENT)),
            ("tiny-set/tiny", CONTENT.to_vec()),
            ("tiny.gz", gz(CONTENT)),
            ("tiny", CONTENT.to_vec()),
        ] {
            assert_eq!(read(name, &content, Checksums::Verify).unwrap(), CONTENT, "{name}");
        }
    }

    #[test]
    fn another_file_is_refused_with_both_checksums() {
        for (name, content) in [("tiny.gz", gz(b"other")), ("tiny", b"other".to_vec())] {
            let message = read(name, &content, Checksums::Verify).unwrap_err().to_string();
            let actual = format!("{:x}", Sha256::digest(&content));
            let sums = format!("expected SHA-256 {}, got {actual}; ", set().files[0].sha256);
            assert!(message.contains(&sums), "{message}");
        }
    }

    #[test]
    fn another_file_is_read_where_checksums_are_ignored() {
        assert_eq!(read("tiny.gz", &gz(b"other"), Checksums::Ignore).unwrap(), b"other");
    }

    #[test]
    fn a_cut_gzip_file_does_not_unpack() {
        let packed = gz(CONTENT);
        let error = read("tiny.gz", &packed[..packed.len() - 9], Checksums::Ignore).unwrap_err();
        assert!(matches!(error, DatasetError::Unpack { .. }), "{error}");
    }

    #[test]
    fn zeros_may_pad_a_gzip_file_and_members_may_follow_one_another() {
        let read = |content: &[u8]| read("tiny.gz", content, Checksums::Ignore);
        let padded = [gz(CONTENT), vec![0; 512]].concat();
        assert_eq!(read(&padded).unwrap(), CONTENT);
        let two = [gz(CONTENT), gz(b" and more"), vec![0; 3]].concat();
        assert_eq!(read(&two).unwrap(), b"plain content and more");
        let garbage = [gz(CONTENT), b"garbage".to_vec()].concat();
        assert!(matches!(read(&garbage), Err(DatasetError::Unpack { .. })));
    }

    #[test]
    fn a_file_is_unpacked_no_further_than_it_is_asked_for() {
        let (path, packed) = (Path::new("zeros.gz"), gz(&vec![7; 1 << 20]));
        let mut content = Content::of(path, &packed);
        assert_eq!(content.next(3).unwrap(), [7; 3]);
        assert_eq!(content.next(u64::from(u8::MAX)).unwrap().len(), 255);
        let error = content.next(MOST_UNPACKED + 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "zeros.gz would unpack to more than 1073741824 bytes; if that is what it should hold, \
             unpack it and name the unpacked file"
        );
        // A plain file is as large as it is.
        assert_eq!(Content::of(path, &[7; 5]).next(u64::MAX).unwrap(), [7; 5]);
    }

    #[test]
    fn a_file_missing_from_the_folder_of_the_user_is_not_downloaded() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files { data_dir: Some(folder.path().to_owned()), ..Files::default() };
        let error = files.read("tiny-set", &set(), "tiny.gz").err().unwrap();
        let dir = folder.path().display();
        assert_eq!(
            error.to_string(),
            format!(
                "tiny.gz not found in {dir}/tiny-set or {dir}; \
                 put it there, or leave out --data-dir and FLOW_DATA to download it"
            )
        );
    }

    #[test]
    fn a_file_missing_from_the_cache_with_downloads_off_names_its_address() {
        let folder = tempfile::tempdir().unwrap();
        let cache_dir = folder.path().to_owned();
        let files = Files { cache_dir, download: Download::Never, ..Files::default() };
        let error = files.read("tiny-set", &set(), "tiny.gz").err().unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "tiny.gz not found in {}/tiny-set and downloads are off; name a folder that holds \
                 it with --data-dir, or allow the download from http://192.0.2.1/tiny.gz",
                folder.path().display()
            )
        );
    }

    #[test]
    fn a_cached_file_is_used_without_a_network() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tiny-set")).unwrap();
        fs::write(folder.path().join("tiny-set/tiny.gz"), gz(CONTENT)).unwrap();
        // The mirror's address is reserved for documentation and never answers.
        let files = Files { cache_dir: folder.path().to_owned(), ..Files::default() };
        let loaded = files.read("tiny-set", &set(), "tiny.gz").unwrap();
        assert_eq!(Content::of(&loaded.path, &loaded.bytes).rest().unwrap(), CONTENT);
    }
}
