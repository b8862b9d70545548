//! As much of Python's pickle format as a dictionary of PyTorch arrays needs.
//!
//! A pickle is a program for a stack machine. Nothing of it is executed here: what a real unpickler
//! would call is looked at by name, and anything but the parts of an array becomes an unknown
//! value.
//!
//! Values lie in one list and hold each other by their places in it, so that a value that is
//! recalled a million times is there once, and dropping values that nest deeply needs no stack. The
//! memory is then bounded by the operations, whose number has a limit, and by the text in the file.

mod machine;
mod value;

use std::collections::{BTreeMap, HashSet};

use crate::error::Result;
use machine::Machine;
pub(super) use value::View;
use value::{Id, Value};

/// Bytes of the keys that lead to a dictionary.
const MOST_PATH: usize = 256;

/// What a pickle holds.
#[derive(Debug)]
pub(crate) struct Pickle {
    values: Vec<Value>,
    root: Id,
}

impl Pickle {
    /// Reads one pickle and leaves `bytes` behind it.
    ///
    /// # Errors
    /// When it is cut off or holds what no array needs, and beyond [`machine::MOST_OPERATIONS`].
    pub(crate) fn read(bytes: &mut &[u8]) -> Result<Self> {
        let mut machine = Machine::new(bytes);
        let root = machine.run()?;
        *bytes = machine.bytes;
        Ok(Self { values: machine.values, root })
    }

    /// The dictionaries that hold arrays: each by its keys on the way, joined by `/`, the outermost
    /// by the empty name.
    ///
    /// A dictionary that is reached twice has both names; what it holds is looked through once, so
    /// that the work is bounded by the values.
    pub(crate) fn parts(&self) -> BTreeMap<String, Id> {
        let mut parts = BTreeMap::new();
        let mut seen = HashSet::new();
        let mut next = vec![(String::new(), self.root)];
        while let Some((path, place)) = next.pop() {
            let Value::Dict(entries) = &self.values[place] else { continue };
            if MOST_PATH < path.len() {
                continue;
            }
            if seen.insert(place) {
                for &(key, value) in entries {
                    match (&self.values[key], &self.values[value]) {
                        (Value::Text(name), Value::Dict(_)) if path.is_empty() => {
                            next.push((name.to_string(), value));
                        }
                        (Value::Text(name), Value::Dict(_)) => {
                            next.push((format!("{path}/{name}"), value));
                        }
                        _ => {}
                    }
                }
            }
            if self.arrays(place).next().is_some() {
                parts.insert(path, place);
            }
        }
        parts
    }

    /// The arrays of a dictionary by name.
    pub(crate) fn arrays(&self, dictionary: Id) -> impl Iterator<Item = (&str, &View)> {
        let entries = match &self.values[dictionary] {
            Value::Dict(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().filter_map(|&(key, value)| match (&self.values[key], &self.values[value]) {
            (Value::Text(name), Value::View(view)) => Some((&**name, &**view)),
            _ => None,
        })
    }

    /// All arrays, wherever they are.
    pub(crate) fn views(&self) -> impl Iterator<Item = &View> {
        self.values.iter().filter_map(|value| match value {
            Value::View(view) => Some(&**view),
            _ => None,
        })
    }

    /// In words, the functions and classes that a real unpickler would call and that are none of
    /// arrays: the first few by name.
    pub(crate) fn calls(&self) -> String {
        let foreign = |value: &Value| match value {
            Value::Global(name) if !is_of_arrays(name) => Some(format!("`{name}`")),
            _ => None,
        };
        let mut names: Vec<String> = self.values.iter().filter_map(foreign).take(3).collect();
        names.dedup();
        if names.is_empty() {
            return String::new();
        }
        format!(", and what it would call, {}, is never run here", names.join(", "))
    }

    /// The texts of a list; nothing if it holds anything else.
    pub(crate) fn texts(&self) -> Option<Vec<&str>> {
        let Value::List(items) = &self.values[self.root] else { return None };
        let text = |&item: &Id| match &self.values[item] {
            Value::Text(text) => Some(&**text),
            _ => None,
        };
        items.iter().map(text).collect()
    }
}

/// Whether a function or a class makes arrays and dictionaries.
fn is_of_arrays(name: &str) -> bool {
    name == "collections.OrderedDict"
        || name.starts_with("torch._utils._rebuild_")
        || (name.starts_with("torch.") && name.ends_with("Storage"))
}

#[cfg(test)]
mod tests {
    use super::machine::MOST_OPERATIONS;
    use super::*;

    fn read(pickle: &[u8]) -> Result<Pickle> {
        Pickle::read(&mut &*pickle)
    }

    #[test]
    fn a_small_pickle_that_unfolds_to_gigabytes_stays_small() {
        // Each pair holds the one before it twice, so unfolded the last would hold 2^24 values.
        let mut pairs = b"\x80\x02)".to_vec();
        for key in 0..24 {
            pairs.extend([b'q', key, b'h', key, 0x86]);
        }
        pairs.push(b'.');
        assert_eq!(pairs.len(), 124);
        assert_eq!(read(&pairs).unwrap().values.len(), 25);

        // A text of a megabyte that is recalled as often as operations are allowed.
        let mut text = b"\x80\x02(X\x00\x00\x10\x00".to_vec();
        text.extend(vec![b'x'; 1 << 20]);
        text.extend(b"q\x00");
        text.extend(b"h\x00".repeat(1_000_000));
        text.extend(b"t.");
        let values = read(&text).unwrap().values;
        assert_eq!(values.len(), 2);

        // A list that is its own only item.
        let list = read(b"\x80\x02]q\x00h\x00a.").unwrap();
        assert_eq!((list.values.len(), list.texts()), (1, None));
    }

    #[test]
    fn a_pickle_of_more_operations_than_a_network_has_is_refused() {
        for op in [&b"N"[..], b"}", b"]q\x00", b"("] {
            let many = [b"\x80\x02", op.repeat(2 * MOST_OPERATIONS).as_slice(), b"."].concat();
            let error = read(&many).unwrap_err().to_string();
            assert!(error.contains("more than 1048576 operations"), "{error}");
        }
    }

    #[test]
    fn a_pickle_that_nests_deeper_than_the_stack_is_read_and_dropped() {
        for layer in [0x85, b']'] {
            let deep = [b"\x80\x02)".to_vec(), vec![layer; 500_000]].concat();
            let closed = if layer == b']' { vec![b'a'; 500_000] } else { Vec::new() };
            let deep = [deep, closed, b".".to_vec()].concat();
            // Lists are closed from the inside, and the outermost one is appended to a tuple.
            assert_eq!(read(&deep).is_ok(), layer != b']');
        }
    }

    #[test]
    fn what_is_called_by_name_is_never_run() {
        let run = read(b"\x80\x02cposix\nsystem\nX\x05\x00\x00\x00touch\x85R.").unwrap();
        assert_eq!(run.values[run.root], Value::Other);
    }
}
