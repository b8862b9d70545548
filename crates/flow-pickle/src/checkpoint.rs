//! A file of arrays: PyTorch's, of both kinds, or safetensors.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::path::Path;

use safetensors::SafeTensors;
use zip::ZipArchive;

use crate::array::{Kind, Part, Reading};
use crate::error::{ReadError, Result, malformed};
use crate::pickle::{Pickle, View};

/// What the description of the arrays in an archive may take; that of a network of 300 arrays takes
/// some 50 kilobytes.
const MOST_HEAD: u64 = 1 << 24;

/// How a `torch.save` before PyTorch 1.6 begins: the pickle of its magic number.
const MAGIC: [u8; 15] = *b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

/// A file of arrays in memory, looked through and not yet taken apart.
///
/// ```no_run
/// use flow_pickle::Checkpoint;
///
/// # fn main() -> Result<(), flow_pickle::ReadError> {
/// let checkpoint = Checkpoint::open("checkpoint.pt".as_ref(), 1 << 30)?;
/// println!("it has the parts {:?}", checkpoint.parts());
/// let weights = checkpoint.part("ema_model")?;
/// println!("{} arrays", weights.arrays.len());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Checkpoint {
    bytes: Vec<u8>,
    most: u64,
    format: Format,
}

#[derive(Debug)]
enum Format {
    Safetensors,
    /// A `torch.save` since PyTorch 1.6: an archive with a pickle and a file for each storage.
    Archive {
        state: Pickle,
        folder: String,
    },
    /// A `torch.save` before: a row of pickles, then the storages, which lie at these places.
    Legacy {
        state: Pickle,
        storages: BTreeMap<String, Range<usize>>,
    },
}

impl Checkpoint {
    /// Reads a file of at most so many bytes, whose arrays may take as many again.
    ///
    /// # Errors
    /// When it cannot be read, is larger, or is none of the formats.
    pub fn open(path: &Path, most: u64) -> std::result::Result<Self, ReadError> {
        if path.is_dir() {
            return Err(ReadError::Folder { path: path.into() });
        }
        let io = |source| ReadError::Io { path: path.into(), source };
        let file = File::open(path).map_err(io)?;
        at_most(file, most)
            .and_then(|bytes| Self::parse(bytes, most))
            .map_err(|error| ReadError::In { path: path.into(), source: Box::new(error) })
    }

    /// The same from bytes, whose format is seen from how they begin.
    ///
    /// # Errors
    /// When they are none of the formats or damaged, and for a file of PyTorch without arrays.
    pub fn parse(bytes: Vec<u8>, most: u64) -> std::result::Result<Self, ReadError> {
        let format = match &*bytes {
            [b'P', b'K', ..] => archive(&bytes)?,
            [] => return Err(malformed("the file is empty")),
            [0x80, ..] if !has_head(&bytes) => legacy(&bytes)?,
            _ if has_head(&bytes) => {
                SafeTensors::deserialize(&bytes)?;
                Format::Safetensors
            }
            _ => {
                return Err(malformed(
                    "it begins neither as an archive or a pickle of PyTorch nor as safetensors, or \
                     was cut off",
                ));
            }
        };
        if let Format::Archive { state, .. } | Format::Legacy { state, .. } = &format
            && state.parts().is_empty()
        {
            return Err(ReadError::NoArrays { calls: state.calls() });
        }
        Ok(Self { bytes, most, format })
    }

    /// All bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Names of the parts that hold arrays: the empty one for a bare dictionary of arrays, the keys
    /// on the way, joined by `/`, for those within another.
    #[must_use]
    pub fn parts(&self) -> Vec<String> {
        match &self.format {
            Format::Safetensors => vec![String::new()],
            Format::Archive { state, .. } | Format::Legacy { state, .. } => {
                state.parts().into_keys().collect()
            }
        }
    }

    /// The arrays of a part.
    ///
    /// # Errors
    /// When there is no such part, an array is cut off, a number leaves the range of single
    /// precision, or all take more than they may.
    pub fn part(&self, name: &str) -> std::result::Result<Part, ReadError> {
        match &self.format {
            Format::Safetensors if name.is_empty() => self.safetensors(),
            Format::Safetensors => Err(no_part(name, [""])),
            Format::Archive { state, folder } => {
                let mut archive = ZipArchive::new(Cursor::new(&*self.bytes))?;
                let mut left = self.most;
                self.collect(state, name, |storage| {
                    let file = archive.by_name(&format!("{folder}data/{storage}"))?;
                    let bytes = at_most(file, left)?;
                    left -= bytes.len() as u64;
                    Ok(Cow::Owned(bytes))
                })
            }
            Format::Legacy { state, storages } => self.collect(state, name, |storage| {
                let place = storages.get(storage).ok_or(malformed("a storage is missing"))?;
                Ok(Cow::Borrowed(&self.bytes[place.clone()]))
            }),
        }
    }

    fn safetensors(&self) -> Result<Part> {
        let mut reading = Reading::new(self.most);
        for (name, view) in SafeTensors::deserialize(&self.bytes)?.iter() {
            match Kind::of_dtype(view.dtype()) {
                Some(kind) => reading.insert(name, kind, view.shape(), view.data())?,
                None => reading.part.others.push(name.to_owned()),
            }
        }
        reading.part.others.sort();
        Ok(reading.part)
    }

    /// The arrays of a part of a pickle.
    fn collect<'a>(
        &self,
        state: &Pickle,
        part: &str,
        mut storage: impl FnMut(&str) -> Result<Cow<'a, [u8]>>,
    ) -> Result<Part> {
        let parts = state.parts();
        let Some(&dictionary) = parts.get(part) else {
            return Err(no_part(part, parts.keys().map(String::as_str)));
        };
        let mut reading = Reading::new(self.most);
        // One storage may be read for many arrays, one after another.
        let mut held: Option<(&str, Cow<'a, [u8]>)> = None;
        for (name, view) in state.arrays(dictionary) {
            let Some(kind) = Kind::of_storage(&view.kind) else {
                reading.part.others.push(name.to_owned());
                continue;
            };
            let View { storage: key, shape, .. } = view;
            reading.check_room(kind, shape)?;
            let bytes = match held.take() {
                Some((held, bytes)) if *held == **key => bytes,
                _ => storage(key)?,
            };
            let numbers = numbers_of(view, kind, &bytes)?;
            reading.insert(name, kind, shape, &numbers)?;
            held = Some((&**key, bytes));
        }
        Ok(reading.part)
    }
}

/// The bytes of an array, row by row, in those of its storage.
fn numbers_of<'a>(view: &View, kind: Kind, storage: &'a [u8]) -> Result<Cow<'a, [u8]>> {
    let too_short = || malformed("a storage is too short");
    if !view.is_contiguous() {
        return view.gathered(storage, kind.width()).map(Cow::Owned).ok_or_else(too_short);
    }
    let start = view.offset.checked_mul(kind.width());
    let end = start.zip(kind.bytes(&view.shape)).and_then(|(start, n)| start.checked_add(n));
    let (start, end) = start.zip(end).ok_or(malformed("a view is beyond any storage"))?;
    storage.get(start..end).map(Cow::Borrowed).ok_or_else(too_short)
}

/// Whether a file begins with the length of a head that lies within it, as safetensors do. A pickle
/// would be one of petabytes.
fn has_head(bytes: &[u8]) -> bool {
    bytes
        .split_first_chunk()
        .is_some_and(|(length, rest)| u64::from_le_bytes(*length) <= rest.len() as u64)
}

fn no_part<'a>(part: &str, known: impl IntoIterator<Item = &'a str>) -> ReadError {
    // A file of safetensors is one part without a name.
    let known = known.into_iter().filter(|part| !part.is_empty());
    let known: Vec<String> = known.map(|part| format!("`{part}`")).collect();
    let known = if known.is_empty() { "none with a name".to_owned() } else { known.join(", ") };
    ReadError::NoPart { part: part.into(), known }
}

/// All bytes of a file from elsewhere, which are refused beyond a limit, whatever its head says.
fn at_most(file: impl Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more than allowed tells a file that ends at the limit from a longer one.
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|_| malformed("it ends or breaks off in the middle"))?;
    if most < bytes.len() as u64 { Err(ReadError::TooLarge { most }) } else { Ok(bytes) }
}

fn archive(bytes: &[u8]) -> Result<Format> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    let head = names.iter().find(|name| name.ends_with("/data.pkl"));
    let head = head.ok_or(malformed("the archive has no data.pkl"))?;
    let folder = head.trim_end_matches("data.pkl").to_owned();
    let state = at_most(archive.by_name(head)?, MOST_HEAD)?;
    Ok(Format::Archive { state: Pickle::read(&mut state.as_slice())?, folder })
}

/// Pickles of a magic number, a version, the machine, the state and the names of its storages; then
/// each storage in that order, after its length.
fn legacy(bytes: &[u8]) -> Result<Format> {
    let too_short = || malformed("the file is too short");
    let mut rest = bytes;
    if !bytes.starts_with(&MAGIC) && !MAGIC.starts_with(bytes) {
        let calls = Pickle::read(&mut rest).map_or_else(|_| String::new(), |read| read.calls());
        return Err(ReadError::Pickle { calls });
    }
    for _ in 0..3 {
        Pickle::read(&mut rest)?;
    }
    let state = Pickle::read(&mut rest)?;
    let names = Pickle::read(&mut rest)?;
    let names = names.texts().ok_or(malformed("there is no list of storages"))?;
    let widths: BTreeMap<&str, usize> =
        state.views().map(|view| (&*view.storage, view.width())).collect();
    let mut storages = BTreeMap::new();
    for name in names {
        let (count, after) = rest.split_first_chunk::<8>().ok_or_else(too_short)?;
        let width = widths.get(name).copied().unwrap_or(4);
        let length = usize::try_from(u64::from_le_bytes(*count)).ok();
        let length = length.and_then(|length| length.checked_mul(width));
        let length = length.filter(|&length| length <= after.len()).ok_or_else(too_short)?;
        let start = bytes.len() - after.len();
        storages.insert(name.to_owned(), start..start + length);
        rest = &after[length..];
    }
    drop(widths);
    Ok(Format::Legacy { state, storages })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    /// Written by `tests/reference/weights.py` with PyTorch and safetensors.
    const FILES: [&str; 3] = ["weights.pth", "weights-legacy.pth", "weights.safetensors"];
    const MOST: u64 = 1 << 30;

    fn reference(name: &str) -> Vec<u8> {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name)).unwrap()
    }

    #[test]
    fn every_kind_of_file_gives_the_same_arrays() {
        for name in FILES {
            let checkpoint = Checkpoint::parse(reference(name), MOST).unwrap();
            assert_eq!(checkpoint.parts(), [""], "{name}");
            let part = checkpoint.part("").unwrap();
            let names: Vec<&str> = part.arrays.keys().map(String::as_str).collect();
            assert_eq!(names, ["layer.bias", "layer.conv.weight", "tied"], "{name}");
            assert_eq!(part.others, ["layer.steps"], "{name}");
            assert_eq!(part.arrays["layer.bias"].numbers, [0.5, -0.25], "{name}");
            let ramp: Vec<f32> = (0..12_u8).map(f32::from).collect();
            assert_eq!(part.arrays["layer.conv.weight"].numbers, ramp, "{name}");
            assert_eq!(part.arrays["layer.conv.weight"].shape, [2, 3, 2, 1], "{name}");
            // The second half of the bias's storage.
            assert_eq!(part.arrays["tied"].numbers, [-0.25], "{name}");
        }
    }

    /// Pickles begin with the byte 0x80 too.
    #[test]
    fn a_safetensors_file_whose_head_has_128_bytes_is_read_as_one() {
        for length in [128, 640] {
            let head = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
            let head = format!("{head:length$}");
            let number = 2.0_f32.to_le_bytes();
            let bytes = [&(length as u64).to_le_bytes(), head.as_bytes(), &number].concat();
            let part = Checkpoint::parse(bytes, MOST).unwrap().part("").unwrap();
            assert_eq!(part.arrays["a"].numbers, [2.0]);
        }
    }

    /// A checkpoint of a training script, with objects and an optimizer beside its weights.
    #[test]
    fn states_within_a_checkpoint_are_found_by_their_keys() {
        let checkpoint = Checkpoint::parse(reference("nested.pt"), MOST).unwrap();
        assert_eq!(checkpoint.parts(), ["ema", "half", "model"]);
        let [model, ema] = ["model", "ema"].map(|part| checkpoint.part(part).unwrap());
        assert_eq!(model.arrays["module.layer.bias"].numbers, [0.5, -0.25]);
        assert_eq!(ema.arrays["module.layer.bias"].numbers, [1.5, 0.75]);
        assert_eq!((model.others, ema.others), (vec!["module.layer.steps".to_owned()], vec![]));
        let half = checkpoint.part("half").unwrap().arrays;
        assert_eq!(half["h"].numbers, [0.5, -2.0]);
        assert_eq!((&half["b"].numbers[..], &half["d"].numbers[..]), (&[3.0][..], &[0.1][..]));
        let error = checkpoint.part("net").unwrap_err().to_string();
        assert_eq!(error, "there is no part `net` with arrays, it has `ema`, `half`, `model`");
    }

    /// Written by `tests/reference/weights.py`: views of one matrix, and a dictionary that has two
    /// names.
    #[test]
    fn views_and_dictionaries_with_two_names_are_as_pytorch_has_them() {
        let checkpoint = Checkpoint::parse(reference("views.pt"), MOST).unwrap();
        assert_eq!(checkpoint.parts(), ["ema", "net", "net_ema"]);
        let [ema, same, net] = ["ema", "net_ema", "net"].map(|part| checkpoint.part(part).unwrap());
        assert_eq!(ema, same);
        let [transposed, every_second, expanded] =
            ["transposed", "every_second", "expanded"].map(|name| net.arrays[name].clone());
        assert_eq!(
            (&*transposed.shape, &*transposed.numbers),
            (&[3, 2][..], &[0., 3., 1., 4., 2., 5.][..])
        );
        assert_eq!(
            (&*every_second.shape, &*every_second.numbers),
            (&[2, 2][..], &[0., 2., 3., 5.][..])
        );
        assert_eq!(
            (&*expanded.shape, &*expanded.numbers),
            (&[3, 2][..], &[7., 8., 7., 8., 7., 8.][..])
        );
    }

    /// The message for a file of these bytes.
    fn refusal(bytes: &[u8]) -> String {
        let read = Checkpoint::parse(bytes.to_vec(), MOST);
        read.and_then(|checkpoint| checkpoint.part("")).unwrap_err().to_string()
    }

    #[test]
    fn shapes_whose_product_leaves_the_range_of_numbers_are_refused() {
        for shape in ["[4294967296,4294967296]", "[9223372036854775808,2]", "[4611686018427387904]"]
        {
            let head = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,0]}}}}"#);
            let bytes = [&(head.len() as u64).to_le_bytes(), head.as_bytes()].concat();
            let refusal = refusal(&bytes);
            assert!(refusal.contains("no safetensors file"), "{refusal}");
        }
        let longest = refusal(&[0xff; 20]);
        assert!(longest.contains("nor as safetensors"), "{longest}");
    }

    #[test]
    fn a_description_that_unpacks_to_more_than_networks_need_is_refused() {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("a/data.pkl", zip::write::FileOptions::default()).unwrap();
        archive.write_all(&vec![b'N'; MOST_HEAD as usize + 1]).unwrap();
        let bytes = archive.finish().unwrap().into_inner();
        assert!(bytes.len() < 100_000);
        let refusal = refusal(&bytes);
        assert!(refusal.contains("more than 16777216 bytes"), "{refusal}");
    }

    #[test]
    fn a_state_that_is_no_dictionary_is_refused_in_a_sentence() {
        // Tuples within tuples, a hundred thousand deep, in place of each pickle.
        let deep = [b"\x80\x02)".to_vec(), b"\x85".repeat(100_000), b".".to_vec()].concat();
        let file = [&MAGIC[..], &deep.repeat(4)].concat();
        assert_eq!(refusal(&file), "there is no list of storages");
    }

    /// A real unpickler would run `posix.system("touch")`.
    const CALL: &[u8] = b"\x80\x02cposix\nsystem\nX\x05\x00\x00\x00touch\x85R.";

    #[test]
    fn what_holds_no_arrays_is_said_with_what_it_would_call() {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("a/data.pkl", zip::write::FileOptions::default()).unwrap();
        archive.write_all(CALL).unwrap();
        let bytes = archive.finish().unwrap().into_inner();
        assert_eq!(
            refusal(&bytes),
            "it holds no dictionary of arrays, and what it would call, `posix.system`, is never \
             run here: save the state_dict() of the network"
        );
        assert_eq!(
            refusal(CALL),
            "it is a pickle of Python that torch.save did not write, and what it would call, \
             `posix.system`, is never run here: save a state_dict() with torch.save"
        );
        // A dictionary without arrays, `{}`, and a newer pickle, which begins with a frame.
        assert!(refusal(b"\x80\x02}.").contains("torch.save did not write: save"));
        assert!(refusal(b"\x80\x04\x95\x02\0\0\0\0\0\0\0}.").contains("did not write: save"));
    }

    #[test]
    fn what_is_no_file_of_arrays_is_called_what_it_is() {
        assert_eq!(refusal(b""), "the file is empty");
        assert!(refusal(b"what is this?").contains("neither as an archive or a pickle of PyTorch"));
        let folder = tempfile::tempdir().unwrap();
        let error = Checkpoint::open(folder.path(), MOST).unwrap_err().to_string();
        assert!(error.ends_with("is a folder, name the file of weights in it"), "{error}");
    }

    #[test]
    fn a_storage_that_claims_more_than_the_file_is_refused() {
        let mut bytes = reference("weights-legacy.pth");
        // The numbers of a storage are counted in the eight bytes before them; 0.5 begins the bias.
        let numbers = [0.5_f32.to_le_bytes(), (-0.25_f32).to_le_bytes()].concat();
        let at = bytes.windows(8).rposition(|window| window == numbers).unwrap();
        for count in [1_u64 << 62, u64::MAX, 3] {
            bytes[at - 8..at].copy_from_slice(&count.to_le_bytes());
            assert!(refusal(&bytes).contains("too short"), "{count}");
        }
    }

    #[test]
    fn a_file_that_was_cut_off_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in FILES {
            let bytes = reference(name);
            for length in [0, 5, bytes.len() / 2, bytes.len() - 1] {
                let path = folder.path().join(name);
                fs::write(&path, &bytes[..length]).unwrap();
                let error = Checkpoint::open(&path, MOST).unwrap_err().to_string();
                assert!(error.contains(name) && error.contains("safetensors"), "{error}");
            }
        }
    }
}
