//! As much of Python's pickle format as a dictionary of PyTorch arrays needs.
//!
//! Nothing is executed: what a real unpickler would call is looked at by name, and anything but the parts of
//! an array is refused or kept as an unknown value.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail};

/// A value of a pickle.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Anything that is not needed.
    Other,
    Int(i64),
    Text(String),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// `module.name` of a function or a class.
    Global(String),
    /// Numbers of a kind, such as `FloatStorage`, by the name under which they are kept.
    Storage {
        kind: String,
        name: String,
    },
    View(View),
}

/// An array: a part of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) kind: String,
    pub(super) storage: String,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    strides: Vec<usize>,
}

impl View {
    /// Whether the numbers lie one after another.
    pub(super) fn is_contiguous(&self) -> bool {
        let mut step = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(&size, &stride)| {
            let fits = size == 1 || stride == step;
            step *= size;
            fits
        })
    }
}

/// Bytes of a number in each storage of a state.
pub(super) fn widths(state: &Value) -> BTreeMap<String, usize> {
    let Value::Dict(entries) = state else { return BTreeMap::new() };
    let width = |(_, value): &(Value, Value)| match value {
        Value::View(view) => {
            let width = match view.kind.as_str() {
                "DoubleStorage" | "LongStorage" => 8,
                "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
                "ByteStorage" | "CharStorage" | "BoolStorage" => 1,
                _ => 4,
            };
            Some((view.storage.clone(), width))
        }
        _ => None,
    };
    entries.iter().filter_map(width).collect()
}

/// Reads one pickle and leaves `bytes` behind it.
pub(super) fn read(bytes: &mut &[u8]) -> Result<Value> {
    let mut machine = Machine { bytes, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    let value = machine.run()?;
    *bytes = machine.bytes;
    Ok(value)
}

struct Machine<'a> {
    bytes: &'a [u8],
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Value> {
        loop {
            let [op] = self.take::<1>()?;
            match op {
                b'.' => return self.pop(),
                0x80 => drop(self.take::<1>()?),
                b'(' => self.marks.push(self.stack.len()),
                b'}' => self.stack.push(Value::Dict(Vec::new())),
                b']' => self.stack.push(Value::List(Vec::new())),
                b')' => self.stack.push(Value::Tuple(Vec::new())),
                b'N' | 0x88 | 0x89 => self.stack.push(Value::Other),
                b'K' => {
                    let [byte] = self.take()?;
                    self.stack.push(Value::Int(byte.into()));
                }
                b'M' => {
                    let short = u16::from_le_bytes(self.take()?);
                    self.stack.push(Value::Int(short.into()));
                }
                b'J' => {
                    let int = i32::from_le_bytes(self.take()?);
                    self.stack.push(Value::Int(int.into()));
                }
                0x8a => self.long()?,
                b'G' => {
                    self.take::<8>()?;
                    self.stack.push(Value::Other);
                }
                b'X' => {
                    let length = u32::from_le_bytes(self.take()?) as usize;
                    let text = String::from_utf8(self.slice(length)?.to_vec())?;
                    self.stack.push(Value::Text(text));
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.stack.push(Value::Global(format!("{module}.{name}")));
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
                    self.stack.push(Value::Tuple(items));
                }
                0x85..=0x87 => {
                    let count = usize::from(op - 0x84);
                    let at = self.stack.len().checked_sub(count).context("a tuple is too short")?;
                    let items = self.stack.split_off(at);
                    self.stack.push(Value::Tuple(items));
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
                    self.stack.push(storage(id)?);
                }
                b'R' => {
                    let (arguments, function) = (self.pop()?, self.pop()?);
                    self.stack.push(call(&function, arguments)?);
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
        self.stack.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<Value> {
        self.stack.pop().context("the pickle takes more than it gives")
    }

    fn since_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.context("the pickle lacks a mark")?))
    }

    fn remember(&mut self, key: u32) -> Result<()> {
        let value = self.stack.last().context("there is nothing to remember")?.clone();
        self.memo.insert(key, value);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<()> {
        let value = self.memo.get(&key).context("the pickle recalls what it never had")?.clone();
        self.stack.push(value);
        Ok(())
    }

    fn set_items(&mut self, items: Vec<Value>) -> Result<()> {
        if let Some(Value::Dict(entries)) = self.stack.last_mut() {
            let mut items = items.into_iter();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                entries.push((key, value));
            }
            return Ok(());
        }
        bail!("items are set in what is no dictionary")
    }

    fn append(&mut self, items: Vec<Value>) -> Result<()> {
        if let Some(Value::List(list)) = self.stack.last_mut() {
            list.extend(items);
            return Ok(());
        }
        bail!("items are appended to what is no list")
    }
}

/// `("storage", kind, name, place, length, ..)`.
fn storage(id: Value) -> Result<Value> {
    if let Value::Tuple(parts) = id
        && let [_, Value::Global(kind), Value::Text(name), ..] = parts.as_slice()
    {
        let kind = kind.trim_start_matches("torch.").to_owned();
        return Ok(Value::Storage { kind, name: name.clone() });
    }
    bail!("a storage has no kind and no name")
}

/// What a function gives: arrays and dictionaries are made, all else is unknown.
fn call(function: &Value, arguments: Value) -> Result<Value> {
    let (Value::Global(name), Value::Tuple(arguments)) = (function, arguments) else {
        bail!("what is called is no function")
    };
    match name.as_str() {
        "collections.OrderedDict" => Ok(Value::Dict(Vec::new())),
        "torch._utils._rebuild_parameter" => {
            Ok(arguments.into_iter().next().unwrap_or(Value::Other))
        }
        "torch._utils._rebuild_tensor_v2" => {
            if let [
                Value::Storage { kind, name },
                Value::Int(offset),
                Value::Tuple(shape),
                Value::Tuple(strides),
                ..,
            ] = arguments.as_slice()
            {
                return Ok(Value::View(View {
                    kind: kind.clone(),
                    storage: name.clone(),
                    offset: usize::try_from(*offset)?,
                    shape: sizes(shape)?,
                    strides: sizes(strides)?,
                }));
            }
            bail!("an array has no storage or no shape")
        }
        _ => Ok(Value::Other),
    }
}

fn sizes(values: &[Value]) -> Result<Vec<usize>> {
    let size = |value: &Value| match value {
        Value::Int(size) => Ok(usize::try_from(*size)?),
        _ => bail!("a size is no number"),
    };
    values.iter().map(size).collect()
}
