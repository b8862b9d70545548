//! A value on its way, with its extent.

use anyhow::{Result, ensure};

use super::Value;

/// Values within values; a state of a network takes about five.
pub(super) const DEEPEST: usize = 100;

/// A value with what it costs to copy it and how deep it nests, or more.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) value: Value,
    pub(super) parts: usize,
    pub(super) depth: usize,
}

impl Item {
    /// A value that holds no others.
    pub(super) fn leaf(value: Value) -> Self {
        Self { value, parts: 1, depth: 1 }
    }

    /// A text, of which 64 bytes count as much as a value.
    pub(super) fn text(value: Value, bytes: usize) -> Self {
        Self { parts: 1 + bytes / 64, ..Self::leaf(value) }
    }

    pub(super) fn tuple(items: Vec<Self>) -> Self {
        let (parts, depth) = extent(&items);
        let values = items.into_iter().map(|item| item.value).collect();
        Self { value: Value::Tuple(values), parts: 1 + parts, depth: 1 + depth }
    }

    /// Counts items that this one has taken in.
    pub(super) fn grow(&mut self, (parts, depth): (usize, usize)) -> Result<()> {
        self.parts += parts;
        self.depth = self.depth.max(1 + depth);
        self.check()
    }

    pub(super) fn check(&self) -> Result<()> {
        ensure!(self.depth <= DEEPEST, "the pickle nests deeper than {DEEPEST} levels");
        Ok(())
    }
}

/// Parts of all items, and the depth of the deepest.
pub(super) fn extent(items: &[Item]) -> (usize, usize) {
    items.iter().fold((0, 0), |(parts, depth), item| (parts + item.parts, depth.max(item.depth)))
}
