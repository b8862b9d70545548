//! Answers as bytes, in the form that is asked for.

use flow_datasets::Table;
use npyz::WriterBuilder;
use serde::Serialize;

use crate::refused::Refused;

/// A form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One object.
    Json,
    /// Numbers as NumPy reads them.
    Npy,
    /// A line for each row.
    Csv,
    /// A picture of all rows.
    Png,
}

impl Form {
    /// Those of samples.
    pub const ALL: [Self; 4] = [Self::Json, Self::Npy, Self::Csv, Self::Png];
    /// Those of what has no picture.
    pub const TABLES: [Self; 3] = [Self::Json, Self::Npy, Self::Csv];

    /// Its media type.
    #[must_use]
    pub fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Npy => "application/x-npy",
            Self::Csv => "text/csv",
            Self::Png => "image/png",
        }
    }

    /// The form of a media type.
    #[must_use]
    pub fn of(media: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.media() == media)
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its form.
    pub form: Form,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// A value as JSON.
    ///
    /// # Errors
    /// When it has a key that is no text, as no answer here has.
    pub fn json(value: &impl Serialize) -> Result<Self, Refused> {
        let bytes = serde_json::to_vec(value).map_err(|error| failed(&error))?;
        Ok(Self { form: Form::Json, bytes })
    }

    /// An array as NumPy reads it.
    pub(crate) fn npy<T: npyz::AutoSerialize + Copy>(
        shape: &[usize],
        values: &[T],
    ) -> Result<Self, Refused> {
        let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
        let mut bytes = Vec::new();
        let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
        let written = options.writer(&mut bytes).begin_nd().and_then(|mut npy| {
            npy.extend(values.iter().copied())?;
            npy.finish()
        });
        written.map_err(|error| failed(&error))?;
        Ok(Self { form: Form::Npy, bytes })
    }

    /// Lines of text.
    pub(crate) fn csv(text: String) -> Self {
        Self { form: Form::Csv, bytes: text.into_bytes() }
    }

    /// A table in a form that is not JSON.
    pub(crate) fn table(form: Form, table: &Table) -> Result<Self, Refused> {
        let bytes = match form {
            Form::Npy => table.to_npy().ok_or_else(|| {
                let sentence =
                    "the table holds words, which an npy file does not: take JSON or csv";
                Refused::Form(sentence.into())
            })?,
            _ => table.to_csv().map_err(|error| failed(&error))?,
        };
        Ok(Self { form, bytes })
    }
}

/// What cannot happen in memory.
fn failed(error: &dyn std::error::Error) -> Refused {
    Refused::Failed(format!("the answer cannot be written: {error}"))
}
