//! `flow train FILE`: what a file of the user's own is, and the recipe for it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flow_datasets::array::{Array, ArrayHead, ArrayNames};
use flow_datasets::{ReadOptions, Table};
use flow_model::{ModelConfig, Registry};
use flow_run::array::ARRAY;
use flow_run::table::TABLE;
use flow_run::{Recipe, beginning_with};

use crate::args::TrainArgs;
use crate::exit::usage;

/// The name of the recipe, and what a file of the user's own changes in it.
pub(crate) fn own(args: &TrainArgs, registry: &Registry) -> Result<(String, Vec<String>)> {
    let named = args.recipe.as_deref();
    let is_file =
        |name: &&str| Table::is_named(Path::new(name)) || Array::is_named(Path::new(name));
    let file = match (&args.file, named.filter(is_file)) {
        (Some(_), Some(file)) => {
            return Err(usage!("{file} and --data are both given, name one file"));
        }
        (Some(file), None) => Some(file.as_path()),
        (None, file) => file.map(Path::new),
    };
    let Some(file) = file else {
        if !args.given.is_empty() || !args.drop.is_empty() {
            return Err(usage!("--given and --drop name columns of a table, add --data FILE"));
        }
        if rows_from(args).is_some() || args.time.is_some() {
            return Err(usage!(
                "--time, and --from with a file of rows, say where paths start: add --data FILE"
            ));
        }
        return Ok((named.unwrap_or("checkerboard").to_owned(), weights(args, registry)?));
    };
    let named = named.filter(|name| !is_file(name));
    let Kind { set, recipe, classes } = kind(args, registry, file, named)?;
    let recipe = named.unwrap_or(recipe).to_owned();
    let mut changes = vec![format!("data.set={set}"), format!("data.file={}", absolute(file)?)];
    if classes {
        changes.push("data.conditional=true".into());
    }
    let given = match &args.given[..] {
        [other] if Table::is_named(Path::new(other)) => {
            changes.push(format!("data.beside={}", absolute(Path::new(other))?));
            let table = Table::read(Path::new(other), &ReadOptions::default());
            let table = table.map_err(|error| usage!("--given {other}: {error}"))?;
            table.columns().iter().map(|column| column.name.clone()).collect()
        }
        names => names.to_vec(),
    };
    for (key, columns) in [("given", &given), ("drop", &args.drop)] {
        if !columns.is_empty() {
            let columns: Vec<String> = columns.iter().map(|name| quoted(name.trim())).collect();
            changes.push(format!("data.{key}=[{}]", columns.join(", ")));
        }
    }
    changes.extend(weights(args, registry)?);
    if let Some(from) = rows_from(args) {
        changes.push(format!("data.from={}", absolute(from)?));
        changes.push(format!("data.pairs={}", args.pairs));
        changes.push(format!("path.coupling={}", if args.pairs { "paired" } else { "ot" }));
    }
    if let Some(time) = &args.time {
        changes.push(format!("data.time={}", quoted(time)));
        changes.push("path.coupling=ot".into());
    }
    Ok((recipe, changes))
}

/// The file of `--from`, if it holds the rows that paths start from.
fn rows_from(args: &TrainArgs) -> Option<&Path> {
    args.from.as_deref().filter(|from| !is_model(from))
}

/// Whether `--from` names a model to begin with: a folder, or a file that is none of rows.
fn is_model(from: &Path) -> bool {
    let holds_rows = !from.is_dir() && (Table::is_named(from) || Array::is_named(from));
    // Rows and models may both be safetensors, and a model says what it is.
    let may_be_either = from.extension().is_some_and(|ending| ending == "safetensors");
    !holds_rows || (may_be_either && ModelConfig::read(from).is_ok())
}

/// What a model to begin with changes in the recipe.
fn weights(args: &TrainArgs, registry: &Registry) -> Result<Vec<String>> {
    let Some(model) = args.from.as_deref().filter(|from| is_model(from)) else {
        return Ok(Vec::new());
    };
    if args.pairs {
        return Err(usage!(
            "--pairs says that rows belong together, and {} is a model: name the file of the rows \
             that paths start from with --from, and the model with --set train.weights=MODEL",
            model.display()
        ));
    }
    Ok(beginning_with(registry, model)?.into())
}

/// What a file is.
struct Kind {
    /// The name of its set.
    set: &'static str,
    /// The recipe, unless one is named.
    recipe: &'static str,
    /// Whether rows have classes.
    classes: bool,
}

/// An array of rank two without classes is a table, unless the recipe that is named takes arrays.
fn kind(args: &TrainArgs, registry: &Registry, file: &Path, named: Option<&str>) -> Result<Kind> {
    let data_to_data = rows_from(args).is_some() || args.time.is_some();
    let table = if data_to_data { "populations" } else { "table" };
    let table = Kind { set: TABLE, recipe: table, classes: false };
    if !Array::is_named(file) {
        return Ok(table);
    }
    let said = |key: &str| {
        let value = args.set.iter().rev().find_map(|change| change.strip_prefix(key));
        value.and_then(|rest| rest.strip_prefix('=')).map(|name| name.trim_matches('"').to_owned())
    };
    let asked = ArrayNames {
        rows: said("data.array"),
        classes: said("data.labels"),
        times: args.time.clone().filter(|_| file.extension().is_none_or(|e| e != "npy")),
    };
    let head = ArrayHead::read(file, &asked).map_err(|error| usage!("{error}"))?;
    let classes = head.names.classes.is_some();
    let takes_arrays = || {
        let recipe = named.map(|named| Recipe::named(registry, named, &[]));
        recipe.is_some_and(|recipe| recipe.is_ok_and(|recipe| recipe.data.set == ARRAY))
    };
    let beside = classes || head.names.times.is_some() || !Table::is_named(file);
    let recipe = match head.shape.len() {
        2 if !beside && !takes_arrays() => return Ok(table),
        2 if data_to_data => "populations",
        2 => "points",
        3 => "sequence",
        _ => "images",
    };
    Ok(Kind { set: ARRAY, recipe, classes })
}

/// The whole name of a file as a value of TOML: the run is opened again later, perhaps from another
/// folder.
fn absolute(file: &Path) -> Result<String> {
    let whole: PathBuf = std::path::absolute(file)
        .with_context(|| format!("cannot find the folder of {}", file.display()))?;
    match whole.to_str() {
        Some(text) => Ok(quoted(text)),
        None => Err(usage!("{} is no UTF-8, rename the file", file.display())),
    }
}

/// A text as a value of TOML.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
