//! The stack machine for which a pickle is a program.

use std::collections::HashMap;

use super::value::{Id, Storage, Value, View};
use crate::error::{ReadError, Result, malformed};

/// Operations of one pickle; the state of the network of FID takes about 50,000.
pub(super) const MOST_OPERATIONS: usize = 1 << 20;

/// Sides that an array may have.
const MOST_SIDES: usize = 8;

/// The machine in the middle of a pickle.
pub(super) struct Machine<'a> {
    /// What is left of the file.
    pub(super) bytes: &'a [u8],
    pub(super) values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (values, stack, marks) = (Vec::new(), Vec::new(), Vec::new());
        Self { bytes, values, stack, marks, memo: HashMap::new() }
    }

    /// Runs to the end of the pickle and says where its value lies.
    pub(super) fn run(&mut self) -> Result<Id> {
        for _ in 0..MOST_OPERATIONS {
            let [op] = self.take()?;
            match op {
                b'.' => return self.pop(),
                0x80 => drop(self.take::<1>()?),
                b'(' => self.marks.push(self.stack.len()),
                b'}' => self.push(Value::Dict(Vec::new())),
                b']' => self.push(Value::List(Vec::new())),
                b')' => self.push(Value::Tuple(Vec::new())),
                b'N' | 0x88 | 0x89 => self.push(Value::Other),
                b'K' => {
                    let [byte] = self.take()?;
                    self.push(Value::Int(byte.into()));
                }
                b'M' => {
                    let short = u16::from_le_bytes(self.take()?);
                    self.push(Value::Int(short.into()));
                }
                b'J' => {
                    let int = i32::from_le_bytes(self.take()?);
                    self.push(Value::Int(int.into()));
                }
                0x8a => self.long()?,
                b'G' => {
                    self.take::<8>()?;
                    self.push(Value::Other);
                }
                b'X' => {
                    let length = u32::from_le_bytes(self.take()?) as usize;
                    let text = utf8(self.slice(length)?)?;
                    self.push(Value::Text(text.into()));
                }
                b'c' => {
                    let name = format!("{}.{}", self.line()?, self.line()?);
                    self.push(Value::Global(name.into()));
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
                    self.push(Value::Tuple(items));
                }
                0x85..=0x87 => {
                    let count = usize::from(op - 0x84);
                    let at = self
                        .stack
                        .len()
                        .checked_sub(count)
                        .ok_or(malformed("a tuple is too short"))?;
                    let items = self.stack.split_off(at);
                    self.push(Value::Tuple(items));
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set_items(&[key, value])?;
                }
                b'u' => {
                    let items = self.since_mark()?;
                    self.set_items(&items)?;
                }
                b'a' => {
                    let item = self.pop()?;
                    self.append(&[item])?;
                }
                b'e' => {
                    let items = self.since_mark()?;
                    self.append(&items)?;
                }
                b'Q' => {
                    let id = self.pop()?;
                    let storage = self.storage(id)?;
                    self.push(Value::Storage(storage));
                }
                b'R' => self.call()?,
                // A new object of a class: unknown, as what functions give.
                0x81 => {
                    let (_, _) = (self.pop()?, self.pop()?);
                    self.push(Value::Other);
                }
                // State of an object, such as the versions of a module: not needed.
                b'b' => drop(self.pop()?),
                op => return Err(ReadError::Operation { op }),
            }
        }
        Err(ReadError::Operations { most: MOST_OPERATIONS })
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8]> {
        let (slice, rest) =
            self.bytes.split_at_checked(length).ok_or(malformed("the pickle was cut off"))?;
        self.bytes = rest;
        Ok(slice)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.slice(N)?.try_into().expect("of this length"))
    }

    fn line(&mut self) -> Result<&'a str> {
        let end = self
            .bytes
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or(malformed("a line has no end"))?;
        let line = utf8(self.slice(end)?)?;
        self.slice(1)?;
        Ok(line)
    }

    /// An integer of any length; a longer one than ours is a magic number.
    fn long(&mut self) -> Result<()> {
        let [length] = self.take()?;
        let bytes = self.slice(length.into())?;
        let is_negative = bytes.last().is_some_and(|highest| 0x80 <= *highest);
        let mut wide = if is_negative { [0xff; 8] } else { [0; 8] };
        let value = if bytes.len() <= wide.len() {
            wide[..bytes.len()].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(wide))
        } else {
            Value::Other
        };
        self.push(value);
        Ok(())
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn pop(&mut self) -> Result<Id> {
        self.stack.pop().ok_or(malformed("the pickle takes more than it gives"))
    }

    fn since_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or(malformed("the pickle lacks a mark"))?))
    }

    fn remember(&mut self, key: u32) -> Result<()> {
        let top = *self.stack.last().ok_or(malformed("there is nothing to remember"))?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<()> {
        let id = self.memo.get(&key).ok_or(malformed("the pickle recalls what it never had"))?;
        self.stack.push(*id);
        Ok(())
    }

    fn set_items(&mut self, items: &[Id]) -> Result<()> {
        if let Some(&top) = self.stack.last()
            && let Value::Dict(entries) = &mut self.values[top]
        {
            entries.extend(items.as_chunks::<2>().0.iter().map(|&[key, value]| (key, value)));
            return Ok(());
        }
        Err(malformed("items are set in what is no dictionary"))
    }

    fn append(&mut self, items: &[Id]) -> Result<()> {
        if let Some(&top) = self.stack.last()
            && let Value::List(list) = &mut self.values[top]
        {
            list.extend(items);
            return Ok(());
        }
        Err(malformed("items are appended to what is no list"))
    }

    /// `("storage", kind, name, place, length, ..)`.
    fn storage(&self, id: Id) -> Result<Storage> {
        if let Value::Tuple(parts) = &self.values[id]
            && let [_, kind, name, ..] = *parts.as_slice()
            && let (Value::Global(kind), Value::Text(name)) =
                (&self.values[kind], &self.values[name])
        {
            return Ok(Storage { kind: kind.clone(), name: name.clone() });
        }
        Err(malformed("a storage has no kind and no name"))
    }

    /// What a function gives: arrays and dictionaries are made, all else is unknown.
    fn call(&mut self) -> Result<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let (Value::Global(name), Value::Tuple(arguments)) =
            (&self.values[function], &self.values[arguments])
        else {
            return Err(malformed("what is called is no function"));
        };
        let value = match (&**name, arguments.first()) {
            ("collections.OrderedDict", _) => Value::Dict(Vec::new()),
            ("torch._utils._rebuild_parameter", Some(&array)) => {
                self.stack.push(array);
                return Ok(());
            }
            ("torch._utils._rebuild_tensor_v2", _) => Value::View(Box::new(self.view(arguments)?)),
            _ => Value::Other,
        };
        self.push(value);
        Ok(())
    }

    /// `(storage, offset, shape, strides, ..)`.
    fn view(&self, arguments: &[Id]) -> Result<View> {
        if let [storage, offset, shape, strides, ..] = *arguments
            && let (Value::Storage(storage), &Value::Int(offset)) =
                (&self.values[storage], &self.values[offset])
            && let (Value::Tuple(shape), Value::Tuple(strides)) =
                (&self.values[shape], &self.values[strides])
        {
            return Ok(View {
                kind: storage.kind.clone(),
                storage: storage.name.clone(),
                offset: size(offset)?,
                shape: self.sizes(shape)?,
                strides: self.sizes(strides)?,
            });
        }
        Err(malformed("an array has no storage or no shape"))
    }

    fn sizes(&self, items: &[Id]) -> Result<Vec<usize>> {
        if MOST_SIDES < items.len() {
            return Err(ReadError::Sides { most: MOST_SIDES });
        }
        let size = |&item: &Id| match self.values[item] {
            Value::Int(number) => size(number),
            _ => Err(malformed("a size is no number")),
        };
        items.iter().map(size).collect()
    }
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    str::from_utf8(bytes).map_err(|_| malformed("a text is no UTF-8"))
}

fn size(number: i64) -> Result<usize> {
    usize::try_from(number).map_err(|_| malformed("a size is negative"))
}
