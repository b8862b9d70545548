//! As much of Python's pickle format as a dictionary of PyTorch arrays needs.
//!
//! Nothing is executed: what a real unpickler would call is looked at by name, and anything but the parts of
//! an array is refused or kept as an unknown value. A pickle may recall what it holds and so unfold to
//! many times its size, or nest so deep that dropping it overflows the stack; both have a limit.

mod item;
mod value;

use std::collections::HashMap;

use anyhow::{Context, Result, bail};

use item::{Item, extent};
pub(super) use value::{Value, View, widths};

/// Parts that one pickle may unfold to; the arrays of the network of FID take about 50,000.
const MOST_PARTS: usize = 1 << 21;

/// Reads one pickle and leaves `bytes` behind it.
///
/// # Errors
/// When it is cut off or holds what no array needs, and beyond [`MOST_PARTS`] and [`item::DEEPEST`].
pub(super) fn read(bytes: &mut &[u8]) -> Result<Value> {
    let mut machine = Machine {
        bytes,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        left: MOST_PARTS,
    };
    let value = machine.run()?;
    *bytes = machine.bytes;
    Ok(value)
}

struct Machine<'a> {
    bytes: &'a [u8],
    stack: Vec<Item>,
    marks: Vec<usize>,
    memo: HashMap<u32, Item>,
    /// Parts that may still be made.
    left: usize,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Value> {
        loop {
            let [op] = self.take::<1>()?;
            match op {
                b'.' => return Ok(self.pop()?.value),
                0x80 => drop(self.take::<1>()?),
                b'(' => self.marks.push(self.stack.len()),
                b'}' => self.push(Item::leaf(Value::Dict(Vec::new())))?,
                b']' => self.push(Item::leaf(Value::List(Vec::new())))?,
                b')' => self.push(Item::leaf(Value::Tuple(Vec::new())))?,
                b'N' | 0x88 | 0x89 => self.push(Item::leaf(Value::Other))?,
                b'K' => {
                    let [byte] = self.take()?;
                    self.push(Item::leaf(Value::Int(byte.into())))?;
                }
                b'M' => {
                    let short = u16::from_le_bytes(self.take()?);
                    self.push(Item::leaf(Value::Int(short.into())))?;
                }
                b'J' => {
                    let int = i32::from_le_bytes(self.take()?);
                    self.push(Item::leaf(Value::Int(int.into())))?;
                }
                0x8a => self.long()?,
                b'G' => {
                    self.take::<8>()?;
                    self.push(Item::leaf(Value::Other))?;
                }
                b'X' => {
                    let length = u32::from_le_bytes(self.take()?) as usize;
                    let text = String::from_utf8(self.slice(length)?.to_vec())?;
                    self.push(Item::text(Value::Text(text), length))?;
                }
                b'c' => {
                    let name = format!("{}.{}", self.line()?, self.line()?);
                    let length = name.len();
                    self.push(Item::text(Value::Global(name), length))?;
                }
                b'q' => {
                    let [key] = self.take()?;
                    self.remember(key.into())?;
                }
                b'r' => {
                    let key = u32::from_le_bytes(self.take()?);
                    self.remember(key)?;
                }
                b'h' => {
                    let [key] = self.take()?;
                    self.recall(key.into())?;
                }
                b'j' => {
                    let key = u32::from_le_bytes(self.take()?);
                    self.recall(key)?;
                }
                b't' => {
                    let items = self.since_mark()?;
                    self.push(Item::tuple(items))?;
                }
                0x85..=0x87 => {
                    let count = usize::from(op - 0x84);
                    let at = self.stack.len().checked_sub(count).context("a tuple is too short")?;
                    let items = self.stack.split_off(at);
                    self.push(Item::tuple(items))?;
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set_items(vec![key, value])?;
                }
                b'u' => {
                    let items = self.since_mark()?;
                    self.set_items(items)?;
                }
                b'a' => {
                    let item = self.pop()?;
                    self.append(vec![item])?;
                }
                b'e' => {
                    let items = self.since_mark()?;
                    self.append(items)?;
                }
                b'Q' => {
                    let id = self.pop()?;
                    let value = value::storage(&id.value)?;
                    self.push(Item { value, ..id })?;
                }
                b'R' => {
                    let (arguments, function) = (self.pop()?, self.pop()?);
                    let Item { value, parts, depth } = arguments;
                    let value = value::call(&function.value, value)?;
                    self.push(Item { value, parts, depth })?;
                }
                // State of an object, such as the versions of a module: not needed.
                b'b' => drop(self.pop()?),
                op => bail!("the pickle has the operation {op:#04x}, which no array needs"),
            }
        }
    }

    fn slice(&mut self, length: usize) -> Result<&[u8]> {
        let slice = self.bytes.get(..length).context("the pickle was cut off")?;
        self.bytes = &self.bytes[length..];
        Ok(slice)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.slice(N)?.try_into().expect("of this length"))
    }

    fn line(&mut self) -> Result<String> {
        let end = self.bytes.iter().position(|&byte| byte == b'\n').context("a line has no end")?;
        let text = String::from_utf8(self.slice(end)?.to_vec())?;
        self.slice(1)?;
        Ok(text)
    }

    /// An integer of any length; a longer one than ours is a magic number.
    fn long(&mut self) -> Result<()> {
        let [length] = self.take()?;
        let bytes = self.slice(length.into())?;
        let mut wide = [0; 8];
        let value = if bytes.len() <= 7 {
            wide[..bytes.len()].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(wide))
        } else {
            Value::Other
        };
        self.push(Item::leaf(value))
    }

    fn push(&mut self, item: Item) -> Result<()> {
        item.check()?;
        self.spend(1)?;
        self.stack.push(item);
        Ok(())
    }

    /// Counts parts that are about to be made.
    fn spend(&mut self, parts: usize) -> Result<()> {
        let left = self.left.checked_sub(parts);
        self.left = left.with_context(|| {
            format!("the pickle unfolds to more than {MOST_PARTS} parts, as no network does")
        })?;
        Ok(())
    }

    fn pop(&mut self) -> Result<Item> {
        self.stack.pop().context("the pickle takes more than it gives")
    }

    fn since_mark(&mut self) -> Result<Vec<Item>> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.context("the pickle lacks a mark")?))
    }

    fn remember(&mut self, key: u32) -> Result<()> {
        let parts = self.stack.last().context("there is nothing to remember")?.parts;
        self.spend(parts)?;
        if let Some(item) = self.stack.last() {
            self.memo.insert(key, item.clone());
        }
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<()> {
        let missing = "the pickle recalls what it never had";
        let parts = self.memo.get(&key).context(missing)?.parts;
        self.spend(parts)?;
        let item = self.memo.get(&key).context(missing)?.clone();
        self.stack.push(item);
        Ok(())
    }

    fn set_items(&mut self, items: Vec<Item>) -> Result<()> {
        if let Some(top) = self.stack.last_mut()
            && let Value::Dict(entries) = &mut top.value
        {
            let extent = extent(&items);
            let mut values = items.into_iter().map(|item| item.value);
            while let (Some(key), Some(value)) = (values.next(), values.next()) {
                entries.push((key, value));
            }
            return top.grow(extent);
        }
        bail!("items are set in what is no dictionary")
    }

    fn append(&mut self, items: Vec<Item>) -> Result<()> {
        if let Some(top) = self.stack.last_mut()
            && let Value::List(list) = &mut top.value
        {
            let extent = extent(&items);
            list.extend(items.into_iter().map(|item| item.value));
            return top.grow(extent);
        }
        bail!("items are appended to what is no list")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(pickle: &[u8]) -> String {
        read(&mut &*pickle).unwrap_err().to_string()
    }

    #[test]
    fn a_small_pickle_that_unfolds_to_gigabytes_is_refused() {
        // Each pair holds the one before it twice, so the last holds 2^24 values.
        let mut pairs = b"\x80\x02)".to_vec();
        for key in 0..24 {
            pairs.extend([b'q', key, b'h', key, 0x86]);
        }
        pairs.push(b'.');
        assert_eq!(pairs.len(), 124);
        assert!(error(&pairs).contains("unfolds to more than"));

        // A text of a kilobyte that is recalled a million times, and a list that is remembered anew
        // after each item.
        let mut text = b"\x80\x02X\x00\x04\x00\x00".to_vec();
        text.extend([b'x'; 1024]);
        text.extend(b"q\x00");
        text.extend(b"h\x00".repeat(1_000_000));
        assert!(error(&text).contains("unfolds to more than"));
        let list = [b"\x80\x02]".to_vec(), b"Naq\x00".repeat(10_000)].concat();
        assert!(error(&list).contains("unfolds to more than"));
    }

    #[test]
    fn a_pickle_that_nests_deeper_than_the_stack_is_refused() {
        for (start, layer) in [(&b"\x80\x02)"[..], &b"\x85"[..]), (b"\x80\x02N", b"\x85")] {
            let deep = [start, &layer.repeat(100_000), b"."].concat();
            assert!(error(&deep).contains("deeper than 100 levels"));
        }
        // Lists within lists, closed from the inside.
        let deep = [b"\x80\x02".to_vec(), b"]".repeat(100_000), b"a".repeat(99_999)].concat();
        assert!(error(&deep).contains("deeper than 100 levels"));
        let flat = [b"\x80\x02)".to_vec(), b"\x85".repeat(90), b".".to_vec()].concat();
        assert!(read(&mut flat.as_slice()).is_ok());
    }

    #[test]
    fn what_is_called_by_name_is_never_run() {
        let run = b"\x80\x02cposix\nsystem\nX\x05\x00\x00\x00touch\x85R.";
        assert_eq!(read(&mut &run[..]).unwrap(), Value::Other);
    }

    #[test]
    fn strides_that_leave_the_range_of_numbers_are_gaps() {
        let view = |shape: &[usize], strides: &[usize]| View {
            kind: String::new(),
            storage: String::new(),
            offset: 0,
            shape: shape.to_vec(),
            strides: strides.to_vec(),
        };
        assert!(view(&[2, 3, 1], &[3, 1, 9]).is_contiguous());
        assert!(!view(&[3, 2], &[1, 3]).is_contiguous());
        assert!(!view(&[2, 1 << 63, 2], &[0, 2, 1]).is_contiguous());
    }
}
