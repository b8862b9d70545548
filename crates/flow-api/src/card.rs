//! What a model is, and what it can be asked.

use flow_datasets::TableRows;
use flow_datasets::table::{Codec, Coded, Role};
use flow_model::{Model, ModelConfig, SampleConfig, parameters};
use serde_json::{Value, json};

use crate::limits::Limits;

/// The card of a model as JSON.
pub(crate) fn card(model: &Model, table: Option<&TableRows>, limits: &Limits) -> Value {
    let ModelConfig { name, about, schedule, prediction, source, sample, made, network, .. } =
        model.config();
    let signature = model.signature();
    let columns = |role: Role| -> Vec<Value> {
        let all = table.into_iter().flat_map(|table| table.encoder.columns());
        all.filter(|column| column.role == role).map(column).collect()
    };
    json!({
        "name": name,
        "about": about,
        "shape": signature.shape,
        "classes": signature.classes,
        "class_names": model.class_names(),
        "vector": model.vector(),
        "context": signature.context,
        "latent": signature.latent,
        "network": network.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default(),
        "parameters": parameters(model.network()),
        "path": { "schedule": schedule, "predicts": prediction, "starts_from": source },
        "guidance": model.config().learned_without,
        // Those that cost one evaluation a step: one number or a range.
        "strengths": model.config().strengths,
        "sample": way(sample),
        "made": made,
        // Of a model of a table: what is drawn, what it is told, what is the same in every row.
        "columns": columns(Role::Target),
        "given": columns(Role::Given),
        "constants": columns(Role::Constant),
        "given_may_be_missing": table.is_some_and(|table| table.masked),
        "picture": table.is_none() && flow_plot::samples(&[], &signature.shape).is_ok(),
        "limits": {
            "n": limits.n, "steps": limits.steps, "evaluations": limits.evaluations,
        },
        "version": env!("CARGO_PKG_VERSION"),
    })
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
