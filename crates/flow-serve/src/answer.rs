//! Answers in the form that the client wants.

use axum::http::StatusCode;
use axum::response::Response;
use flow_datasets::Table;
use npyz::WriterBuilder;
use serde::Serialize;

use crate::accept::Format;
use crate::refusal::Refusal;
use crate::typed::typed;

/// A value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<Response, Refusal> {
    let bytes = serde_json::to_vec(value).map_err(|error| failed(&error))?;
    Ok(typed(Format::Json.media(), bytes))
}

/// An array as NumPy reads it.
pub(crate) fn npy<T: npyz::AutoSerialize + Copy>(
    shape: &[usize],
    values: &[T],
) -> Result<Response, Refusal> {
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    let mut bytes = Vec::new();
    let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
    let written = options.writer(&mut bytes).begin_nd().and_then(|mut npy| {
        npy.extend(values.iter().copied())?;
        npy.finish()
    });
    written.map_err(|error| failed(&error))?;
    Ok(typed(Format::Npy.media(), bytes))
}

/// A table in a form that is not JSON.
pub(crate) fn table(format: Format, table: &Table) -> Result<Response, Refusal> {
    let bytes = match format {
        Format::Npy => table.to_npy().ok_or_else(|| {
            let sentence = "the table holds words, which an npy file does not: take JSON or csv";
            Refusal::new(StatusCode::NOT_ACCEPTABLE, sentence)
        })?,
        _ => table.to_csv().map_err(|error| failed(&error))?,
    };
    Ok(typed(format.media(), bytes))
}

/// What cannot happen in memory.
fn failed(error: &dyn std::error::Error) -> Refusal {
    let sentence = format!("the answer cannot be written: {error}");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, sentence)
}
