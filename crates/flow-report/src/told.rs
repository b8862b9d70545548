//! What a model is told before it is sampled.

use flow_datasets::Table;
use flow_run::table::Conditions;
use flow_run::{Given, Listener, Place};

use crate::error::ReportError;
use crate::pixels::Pixels;

/// What a model is told by `--given`: columns of a table, small pictures, or nothing.
#[derive(Debug, Default)]
pub struct Told {
    /// The columns, with a row for each sample in turn.
    pub table: Option<Table>,
    /// The same as the network takes them, for a request.
    pub given: Given,
    /// How many samples are told something of their own, where a file says it.
    pub n: Option<usize>,
}

impl Told {
    /// Reads what was typed after `--given`: a file, or values of columns. What lies outside of all
    /// that the model was told in training is said.
    ///
    /// # Errors
    /// When it is not what the model is told, or cannot be read.
    pub fn read(
        place: &Place,
        text: Option<&str>,
        told: &dyn Listener,
    ) -> Result<Self, ReportError> {
        if let Some(upsampling) = place.upsampling()? {
            let (contexts, n) = Pixels::enlarged(&upsampling, text)?;
            let given = Given { contexts: Some(contexts), ..Given::default() };
            return Ok(Self { table: None, given, n: Some(n) });
        }
        let columns = place.given_columns()?;
        let given = Conditions::given(columns.as_ref(), "--given", text, told)?;
        let Some(Conditions { table, vectors, is_file }) = given else {
            return Ok(Self::default());
        };
        let n = is_file.then(|| table.len());
        let given = Given { vectors: Some(vectors), ..Given::default() };
        Ok(Self { table: Some(table), given, n })
    }
}
