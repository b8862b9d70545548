//! Fetches a published file over HTTP: to a temporary file, checked, then renamed into place.
//!
//! The target appears complete or not at all, and an interrupted download starts again. Plain HTTP
//! is enough, because a file is kept only if its SHA-256 is the one in the manifest; the feature
//! `https` adds the servers that insist on TLS.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::{Builder, NamedTempFile};
use ureq::ProxyProtocol;

use crate::DatasetError;
use crate::error::{Attempt, Refusal};
use crate::manifest::RemoteFile;
use crate::progress::{Progress, ProgressFn};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest silence of a server that is still taken to be alive.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const PIECE: usize = 64 * 1024;

/// Fetches `file` into `folder` from the first mirror that delivers it.
pub(crate) fn fetch(
    mirrors: &[String],
    file: &RemoteFile,
    folder: &Path,
    progress: &ProgressFn,
) -> Result<PathBuf, DatasetError> {
    fs::create_dir_all(folder).map_err(unwritable(folder))?;
    let target = folder.join(&file.name);
    let mut attempts = Vec::new();
    for mirror in mirrors {
        let url = format!("{mirror}{}", file.name);
        let mut partial = Partial::create(folder)?;
        match receive(&url, file, &mut partial, progress) {
            Ok(()) => {
                partial.persist(&target)?;
                return Ok(target);
            }
            Err(Failure::Remote(refusal)) => attempts.push(Attempt { url, refusal }),
            Err(Failure::Local(error)) => return Err(error),
        }
    }
    let proxy = proxy(|name| std::env::var(name).ok());
    Err(DatasetError::Download { file: file.name.clone(), attempts, proxy })
}

/// What the variables of the environment say about a proxy, without the password that may be in it.
fn proxy(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    // In the order in which they are asked.
    let names =
        ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
    let set = names.map(|name| (name, variable(name).filter(|value| !value.is_empty())));
    let (name, value) = set.into_iter().find_map(|(name, value)| Some((name, value?)))?;
    Some(match ureq::Proxy::new(&value) {
        Ok(proxy) if proxy.protocol() == ProxyProtocol::Http => {
            format!("asked through the proxy {}:{} that {name} names", proxy.host(), proxy.port())
        }
        _ => format!("{name} names no proxy of plain HTTP and does not help"),
    })
}

/// A remote failure leads to the next mirror; a local one would meet every mirror.
enum Failure {
    Remote(Refusal),
    Local(DatasetError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Remote(refusal)
    }
}

fn receive(
    url: &str,
    file: &RemoteFile,
    partial: &mut Partial,
    progress: &ProgressFn,
) -> Result<(), Failure> {
    // One byte more than expected is enough to know that the file is another one.
    let mut body = open(url)?.take(file.bytes + 1);
    let mut hasher = Sha256::new();
    let mut received = 0;
    let mut piece = vec![0; PIECE];
    loop {
        let n = body.read(&mut piece).map_err(Refusal::Connection)?;
        if n == 0 {
            break;
        }
        hasher.update(&piece[..n]);
        partial.write(&piece[..n]).map_err(Failure::Local)?;
        received += n as u64;
        progress(Progress { file: &file.name, bytes: received, total: file.bytes });
    }
    if received != file.bytes {
        return Err(Refusal::Length { expected: file.bytes, actual: received }.into());
    }
    let actual = format!("{:x}", hasher.finalize());
    if actual != file.sha256 {
        return Err(Refusal::Checksum { actual }.into());
    }
    Ok(())
}

fn open(url: &str) -> Result<impl Read, Refusal> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_recv_response(Some(READ_TIMEOUT))
        .timeout_per_read(Some(READ_TIMEOUT))
        .build()
        .into();
    match agent.get(url).call() {
        Ok(response) => Ok(response.into_body().into_reader()),
        Err(ureq::Error::StatusCode(status)) => Err(Refusal::Status(status)),
        Err(ureq::Error::TlsRequired) => Err(Refusal::TlsRequired),
        Err(error) => Err(Refusal::Connection(error.into_io())),
    }
}

fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> DatasetError {
    |source| DatasetError::Write { path: path.to_owned(), source }
}

/// A file beside its target, under a name that was free, that is removed unless it is renamed into
/// place.
struct Partial(NamedTempFile);

impl Partial {
    fn create(folder: &Path) -> Result<Self, DatasetError> {
        let mut builder = Builder::new();
        builder.prefix(".flow-").suffix(".draft");
        // Readable by whom the user's mask allows: a cache may be shared.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.tempfile_in(folder).map(Self).map_err(unwritable(folder))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DatasetError> {
        self.0.write_all(bytes).map_err(unwritable(self.0.path()))
    }

    fn persist(self, target: &Path) -> Result<(), DatasetError> {
        self.0.as_file().sync_all().map_err(unwritable(self.0.path()))?;
        self.0.persist(target).map_err(|error| unwritable(target)(error.error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::slice;
    use std::sync::{Arc, Mutex};
    use std::thread;

    use super::*;

    const CONTENT: &[u8] = b"sixteen bytes...";

    fn file() -> RemoteFile {
        RemoteFile {
            name: "tiny.bin".to_owned(),
            bytes: CONTENT.len() as u64,
            sha256: format!("{:x}", Sha256::digest(CONTENT)),
            unpacked_sha256: None,
        }
    }

    /// A mirror on this machine that gives every request the same answer.
    fn mirror(status: &str, announced: usize, body: &[u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {announced}\r\n\r\n");
        let answer = [head.as_bytes(), body].concat();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
                // The client may hang up as soon as it has seen enough.
                let _ = stream.write_all(&answer);
            }
        });
        format!("http://{address}/")
    }

    fn good() -> String {
        mirror("200 OK", CONTENT.len(), CONTENT)
    }

    /// An address at which nothing listens.
    fn nobody() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    }

    /// The refusal of a single mirror, after a check that it left nothing behind.
    fn refusal(mirror: String) -> Refusal {
        let folder = tempfile::tempdir().unwrap();
        let error = fetch(&[mirror], &file(), folder.path(), &|_| {}).unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a file was left behind");
        let DatasetError::Download { mut attempts, .. } = error else { panic!("{error}") };
        assert_eq!(attempts.len(), 1);
        attempts.remove(0).refusal
    }

    #[test]
    fn a_download_lands_under_its_name_alone() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("made/on/demand");
        let path = fetch(&[good()], &file(), &cache, &|_| {}).unwrap();
        assert_eq!(path, cache.join("tiny.bin"));
        assert_eq!(fs::read(path).unwrap(), CONTENT);
        assert_eq!(fs::read_dir(cache).unwrap().count(), 1, "a temporary file was left behind");
    }

    #[test]
    fn progress_rises_to_the_total() {
        let folder = tempfile::tempdir().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let note = move |p: Progress<'_>| {
            log.lock().unwrap().push((p.file.to_owned(), p.bytes, p.total));
        };
        let large = vec![7; 5 * PIECE];
        let file = RemoteFile {
            bytes: large.len() as u64,
            sha256: format!("{:x}", Sha256::digest(&large)),
            ..file()
        };
        fetch(&[mirror("200 OK", large.len(), &large)], &file, folder.path(), &note).unwrap();
        let seen = seen.lock().unwrap();
        assert!(seen.is_sorted_by(|a, b| a.1 < b.1));
        assert!(seen.len() >= 5, "a call for each piece, got {}", seen.len());
        assert_eq!(seen.last(), Some(&("tiny.bin".to_owned(), file.bytes, file.bytes)));
    }

    #[test]
    fn a_mirror_that_refuses_leads_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let mirrors =
            [mirror("404 Not Found", 0, b""), nobody(), mirror("200 OK", 16, &[0; 16]), good()];
        let path = fetch(&mirrors, &file(), folder.path(), &|_| {}).unwrap();
        assert_eq!(fs::read(path).unwrap(), CONTENT);
    }

    #[test]
    fn another_file_of_the_same_length_is_refused() {
        let refusal = refusal(mirror("200 OK", 16, b"SIXTEEN BYTES..."));
        assert!(matches!(refusal, Refusal::Checksum { .. }), "{refusal}");
    }

    #[test]
    fn a_shorter_file_is_refused() {
        let refusal = refusal(mirror("200 OK", 7, b"sixteen"));
        assert!(matches!(refusal, Refusal::Length { expected: 16, actual: 7 }), "{refusal}");
    }

    #[test]
    fn a_longer_file_is_refused_at_its_first_byte_too_many() {
        let refusal = refusal(mirror("200 OK", 1_000, &[0; 1_000]));
        assert!(matches!(refusal, Refusal::Length { expected: 16, actual: 17 }), "{refusal}");
    }

    #[test]
    fn a_connection_that_breaks_leaves_no_file() {
        let refusal = refusal(mirror("200 OK", 16, b"sixteen"));
        assert!(matches!(refusal, Refusal::Connection(_)), "{refusal}");
    }

    #[test]
    fn a_status_is_passed_on() {
        let refusal = refusal(mirror("503 Service Unavailable", 0, b""));
        assert!(matches!(refusal, Refusal::Status(503)), "{refusal}");
    }

    #[cfg(not(feature = "https"))]
    #[test]
    fn an_address_that_needs_tls_names_the_feature() {
        let refusal = refusal(good().replace("http:", "https:"));
        assert!(matches!(refusal, Refusal::TlsRequired), "{refusal}");
        assert!(refusal.to_string().contains("feature `https`"));
    }

    #[test]
    fn without_a_network_the_message_names_the_file_the_address_and_the_option() {
        let (nobody, folder) = (nobody(), tempfile::tempdir().unwrap());
        let error = fetch(slice::from_ref(&nobody), &file(), folder.path(), &|_| {}).unwrap_err();
        let message = error.to_string();
        let start = format!("could not download tiny.bin ({nobody}tiny.bin: ");
        assert!(message.starts_with(&start), "{message}");
        assert!(message.ends_with("put the file in a folder and name it with --data-dir"));
    }

    #[test]
    fn the_proxy_of_the_environment_is_named_without_its_password() {
        let said = |name: &'static str, value: &'static str| {
            proxy(move |asked| (asked == name).then(|| value.to_owned()))
        };
        let named = said("http_proxy", "http://me:secret@proxy.example:3128").unwrap();
        assert_eq!(named, "asked through the proxy proxy.example:3128 that http_proxy names");
        for unheard in ["socks5://proxy.example:1080", "http://", "://"] {
            let told = said("ALL_PROXY", unheard).unwrap();
            assert_eq!(told, "ALL_PROXY names no proxy of plain HTTP and does not help");
        }
        assert_eq!(said("http_proxy", ""), None);
        assert_eq!(said("no_proxy", "localhost"), None);
    }

    #[test]
    fn a_cache_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("a-file");
        fs::write(&blocked, "").unwrap();
        let error = fetch(&[good()], &file(), &blocked, &|_| {}).unwrap_err();
        assert!(matches!(&error, DatasetError::Write { path, .. } if *path == blocked), "{error}");
    }
}
