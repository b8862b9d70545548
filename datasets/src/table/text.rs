//! A column of words: each different word is held once.

use std::collections::HashMap;

/// The code of a missing value.
pub const NO_TEXT: u32 = u32::MAX;

/// Words, each row by the number of its word.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// For each row the position of its word, or [`NO_TEXT`].
    pub codes: Vec<u32>,
    /// The different words.
    pub names: Vec<String>,
}

impl Text {
    /// The word of a row, or nothing where the value is missing.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        match self.codes[row] {
            NO_TEXT => None,
            code => Some(&self.names[code as usize]),
        }
    }

    /// The first row that holds the word of this number.
    pub(crate) fn first_row(&self, code: usize) -> usize {
        self.codes.iter().position(|&c| c as usize == code).unwrap_or(0)
    }

    /// Numbers of the words that some row holds: rows may have been left out since they were read.
    pub(crate) fn used(&self) -> Vec<usize> {
        let mut used = vec![false; self.names.len()];
        for &code in self.codes.iter().filter(|&&code| code != NO_TEXT) {
            used[code as usize] = true;
        }
        (0..used.len()).filter(|&code| used[code]).collect()
    }

    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let codes = rows.iter().map(|&row| self.codes[row]).collect();
        Self { codes, names: self.names.clone() }
    }
}

impl<'a> FromIterator<Option<&'a str>> for Text {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(words: I) -> Self {
        let mut builder = TextBuilder::default();
        for word in words {
            builder.push(word);
        }
        builder.text
    }
}

/// Collects a [`Text`] word after word.
#[derive(Debug, Default)]
pub(crate) struct TextBuilder {
    pub(crate) text: Text,
    numbers: HashMap<String, u32>,
}

impl TextBuilder {
    /// Adds a word; gives the bytes of memory that it takes beside its code.
    pub(crate) fn push(&mut self, word: Option<&str>) -> u64 {
        let Some(word) = word else {
            self.text.codes.push(NO_TEXT);
            return 0;
        };
        if let Some(&code) = self.numbers.get(word) {
            self.text.codes.push(code);
            return 0;
        }
        let code = self.text.names.len() as u32;
        self.text.codes.push(code);
        self.text.names.push(word.to_owned());
        self.numbers.insert(word.to_owned(), code);
        // The word twice, two headers of 24 bytes, the code and the room that both collections
        // keep free.
        2 * word.len() as u64 + 100
    }
}
