//! The card of a model: its description and the requests that it answers.

use flow_datasets::TableRows;
use flow_datasets::table::{Codec, Coded, Role};
use flow_model::SampleConfig;
use serde_json::{Value, json};

use crate::api::Api;

/// The card of a model as JSON.
pub(crate) fn card(api: &Api) -> Value {
    let Api { model, table, given: told, limits } = api;
    let columns = |role: Role| -> Vec<Value> {
        let all = table.iter().flat_map(|table| table.encoder.columns());
        all.filter(|column| column.role == role).map(column).collect()
    };
    let about = model.card();
    let mut card = json!(about);
    let more = json!({
        "guidance": model.config().learned_without,
        "sample": way(about.sample),
        // Of a model of columns: what is drawn, what it is told, what is the same in every row.
        "columns": columns(Role::Target),
        "given": told.as_ref().map_or_else(Vec::new, given),
        "constants": columns(Role::Constant),
        "given_may_be_missing": told.as_ref().is_some_and(|told| told.masked),
        "picture": table.is_none() && flow_plot::samples(&[], about.shape).is_ok(),
        "limits": {
            "n": limits.n, "steps": limits.steps, "evaluations": limits.evaluations,
        },
        "version": env!("CARGO_PKG_VERSION"),
    });
    if let (Some(card), Value::Object(more)) = (card.as_object_mut(), more) {
        card.extend(more);
    }
    card
}

/// How it is sampled unless a request says otherwise.
fn way(sample: &SampleConfig) -> Value {
    json!({
        "sampler": sample.sampler.to_string(),
        "solver": sample.solver,
        "steps": sample.steps,
        "guidance": sample.guidance,
    })
}

/// The columns that a model is told, and whether each may be unknown.
fn given(table: &TableRows) -> Vec<Value> {
    let columns = table.encoder.columns().iter().filter(|column| column.role == Role::Given);
    let one = |own: &Coded| {
        let mut told = column(own);
        told["may_be_missing"] = table.may_lack(own).into();
        told
    };
    columns.map(one).collect()
}

/// A column of a table with the values that it takes.
fn column(column: &Coded) -> Value {
    let name = &column.name;
    match &column.codec {
        Codec::Number { min, max, whole, .. } => {
            let kind = if *whole { "integer" } else { "number" };
            json!({ "name": name, "kind": kind, "min": min, "max": max })
        }
        Codec::Category { names } => json!({ "name": name, "kind": "category", "values": names }),
        Codec::Ordinal { levels, .. } => {
            json!({ "name": name, "kind": "ordinal", "values": levels })
        }
        Codec::Constant { value } => json!({ "name": name, "kind": "constant", "value": value }),
        _ => json!({ "name": name, "kind": "other" }),
    }
}
