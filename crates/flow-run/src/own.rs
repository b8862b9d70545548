//! Data of your own: what a file is, and the recipe that fits it.

use std::path::{Path, PathBuf};

use flow_datasets::array::{Array, ArrayHead, ArrayNames};
use flow_datasets::{ImageFiles, ReadOptions, Table};
use flow_model::{ModelConfig, Registry};

use crate::array::{ARRAY, which_array};
use crate::beginning::beginning_with;
use crate::error::{RunError, usage};
use crate::files::ending;
use crate::recipe::{RECORDS, Recipe, is_records};
use crate::recipes::shipped;
use crate::run::Run;
use crate::table::TABLE;
use crate::training::Start;

/// What somebody says of data of their own: the options of `flow train` of the same names.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnData<'a> {
    /// Name of a recipe, path of one, or a file to train on.
    pub recipe: Option<&'a str>,
    /// A file to train on.
    pub file: Option<&'a Path>,
    /// A file of the rows that paths start from, or a model to begin with.
    pub from: Option<&'a Path>,
    /// Whether row i of that file belongs to row i of the data.
    pub pairs: bool,
    /// Column or array with the time of each row.
    pub time: Option<&'a str>,
    /// Columns that are conditions.
    pub given: &'a [String],
    /// Columns that are left out.
    pub drop: &'a [String],
    /// Changes of the recipe, `KEY=VALUE`, which may say what an array is called.
    pub set: &'a [String],
}

impl OwnData<'_> {
    /// The name of the recipe, and what the file changes in it.
    ///
    /// # Errors
    /// When two files are named, or none that the other options are about, and when the file cannot
    /// be read.
    pub fn recipe(&self, registry: &Registry) -> Result<(String, Vec<String>), RunError> {
        own(self, registry)
    }

    /// A new training of that recipe, with its changes and those of the user; a `seed` is the last
    /// of them.
    ///
    /// # Errors
    /// As for [`recipe`](Self::recipe), and for changes that no recipe takes.
    pub fn start(&self, registry: &Registry, seed: Option<u64>) -> Result<Start, RunError> {
        let (recipe, mut changes) = self.recipe(registry)?;
        changes.extend(self.set.iter().cloned());
        changes.extend(seed.map(|seed| format!("seed={seed}")));
        Ok(Start::New(Recipe::named(registry, &recipe, &changes)?))
    }
}

/// The name of the recipe, and what a file of the user's own changes in it.
fn own(args: &OwnData<'_>, registry: &Registry) -> Result<(String, Vec<String>), RunError> {
    let (named, from_rows) = (args.recipe, rows_from(args));
    let is_file = |name: &&str| {
        let path = Path::new(name);
        Table::is_named(path) || Array::is_named(path) || is_records(path) || is_folder(name)
    };
    let file = match (args.file, named.filter(is_file)) {
        (Some(_), Some(file)) => {
            return Err(usage!("{file} and --data are both given, name one file"));
        }
        (Some(file), None) => Some(file),
        (None, file) => file.map(Path::new),
    };
    let Some(file) = file else {
        if !args.given.is_empty() || !args.drop.is_empty() {
            return Err(usage!("--given and --drop name columns of a table, add --data FILE"));
        }
        if from_rows.is_some() || args.time.is_some() {
            return Err(usage!(
                "--time, and --from with a file of rows, say where paths start: add --data FILE"
            ));
        }
        return Ok((
            named.unwrap_or("checkerboard").to_owned(),
            weights(args, from_rows, registry)?,
        ));
    };
    let named = named.filter(|name| !is_file(name));
    if file.is_dir() && Run::is_one(file) {
        return Err(usage!(
            "{0} is a run: `flow train --resume {0}` goes on with it, and `--from {0}` begins \
             another one with its weights",
            file.display()
        ));
    }
    let [images, held] = ["train", "test"].map(|part| file.join(part));
    let held = Some(held).filter(|held| held.is_dir() && images.is_dir());
    let file = if held.is_some() { images.as_path() } else { file };
    let Kind { set, recipe, classes } =
        kind(args, from_rows.is_some() || args.time.is_some(), registry, file, named)?;
    let recipe = named.unwrap_or(recipe).to_owned();
    let mut changes = vec![format!("data.set={set}"), format!("data.file={}", absolute(file)?)];
    if let Some(held) = held {
        let held = absolute(&held)?;
        changes.push(format!("data.split={{ kind = \"file\", path = {held} }}"));
    }
    if classes {
        changes.push("data.conditional=true".into());
    }
    let given = match args.given {
        [other] if Table::is_named(Path::new(other)) => {
            changes.push(format!("data.beside={}", absolute(Path::new(other))?));
            let table = Table::read(Path::new(other), &ReadOptions::default());
            let table = table.map_err(|error| usage!("--given {other}: {error}"))?;
            table.columns().iter().map(|column| column.name.clone()).collect()
        }
        names => names.to_vec(),
    };
    for (key, columns) in [("given", &given[..]), ("drop", args.drop)] {
        if !columns.is_empty() {
            let columns: Vec<String> = columns.iter().map(|name| quoted(name.trim())).collect();
            changes.push(format!("data.{key}=[{}]", columns.join(", ")));
        }
    }
    changes.extend(weights(args, from_rows, registry)?);
    if let Some(from) = from_rows {
        changes.push(format!("data.from={}", absolute(from)?));
        changes.push(format!("data.pairs={}", args.pairs));
        changes.push(format!("path.coupling={}", if args.pairs { "paired" } else { "ot" }));
    }
    if let Some(time) = args.time {
        changes.push(format!("data.time={}", quoted(time)));
        changes.push("path.coupling=ot".into());
    }
    Ok((recipe, changes))
}

/// The file of `--from`, if it holds the rows that paths start from.
fn rows_from<'a>(args: &OwnData<'a>) -> Option<&'a Path> {
    args.from.filter(|from| !is_model(from))
}

/// Whether `--from` names a model to begin with: a folder without images, or a file that is none of
/// rows.
fn is_model(from: &Path) -> bool {
    let holds_rows = if from.is_dir() {
        !Run::is_one(from) && ImageFiles::open(from, None, &[]).is_ok()
    } else {
        Table::is_named(from) || Array::is_named(from)
    };
    // Rows and models may both be safetensors, and a model says what it is.
    let may_be_either = from.extension().is_some_and(|ending| ending == "safetensors");
    !holds_rows || (may_be_either && ModelConfig::read(from).is_ok())
}

/// What a model to begin with changes in the recipe.
fn weights(
    args: &OwnData<'_>,
    from_rows: Option<&Path>,
    registry: &Registry,
) -> Result<Vec<String>, RunError> {
    let Some(model) = args.from.filter(|_| from_rows.is_none()) else {
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

/// Whether a name is that of a folder, and not of a recipe.
fn is_folder(name: &str) -> bool {
    shipped(name).is_err() && Path::new(name).is_dir()
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
fn kind(
    args: &OwnData<'_>,
    data_to_data: bool,
    registry: &Registry,
    file: &Path,
    named: Option<&str>,
) -> Result<Kind, RunError> {
    if is_records(file) {
        return Ok(Kind { set: RECORDS, recipe: "cifar16", classes: false });
    }
    let table = if data_to_data { "populations" } else { "table" };
    let table = Kind { set: TABLE, recipe: table, classes: false };
    if !Array::is_named(file) && !file.is_dir() {
        return Ok(table);
    }
    let said = |key: &str| {
        let value = args.set.iter().rev().find_map(|change| change.strip_prefix(key));
        value.and_then(|rest| rest.strip_prefix('=')).map(|name| name.trim_matches('"').to_owned())
    };
    if file.is_dir() {
        let images = ImageFiles::open(file, said("data.labels").as_deref(), args.given);
        let classes = images
            .map_err(|error| usage!("{error}"))?
            .labels()
            .is_some_and(|labels| 1 < labels.names.len());
        return Ok(Kind { set: ARRAY, recipe: "images", classes });
    }
    let asked = ArrayNames {
        rows: said("data.array"),
        classes: said("data.labels"),
        times: args.time.map(str::to_owned).filter(|_| ending(file) != "npy"),
    };
    let takes = |set: &str| {
        let recipe = named.map(|named| Recipe::named(registry, named, &[]));
        recipe.is_some_and(|recipe| recipe.is_ok_and(|recipe| recipe.data.set == set))
    };
    if Table::is_named(file) && takes(TABLE) {
        return Ok(table);
    }
    let head = ArrayHead::read(file, &asked).map_err(which_array)?;
    let classes = head.names.classes.is_some();
    let beside = classes || head.names.times.is_some() || !Table::is_named(file);
    let recipe = match head.shape.len() {
        2 if !beside && !takes(ARRAY) => return Ok(table),
        2 if data_to_data => "populations",
        2 => "points",
        3 => "sequence",
        _ => "images",
    };
    Ok(Kind { set: ARRAY, recipe, classes })
}

/// The whole name of a file as a value of TOML: the run is opened again later, perhaps from another
/// folder.
fn absolute(file: &Path) -> Result<String, RunError> {
    let whole: PathBuf = std::path::absolute(file)
        .map_err(RunError::io(format!("cannot find the folder of {}", file.display())))?;
    match whole.to_str() {
        Some(text) => Ok(quoted(text)),
        None => Err(usage!("{} is no UTF-8, rename the file", file.display())),
    }
}

/// A text as a value of TOML.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(own: OwnData<'_>) -> Result<(String, Vec<String>), RunError> {
        own.recipe(&Registry::default())
    }

    #[test]
    fn a_table_is_trained_on_by_the_recipe_that_fits_it() {
        let (name, changes) = recipe(OwnData::default()).unwrap();
        assert_eq!((name.as_str(), changes.len()), ("checkerboard", 0));
        let given = ["clinic ".to_owned()];
        let own = OwnData { recipe: Some("rows.csv"), given: &given, ..OwnData::default() };
        let (name, changes) = recipe(own).unwrap();
        assert_eq!((name.as_str(), changes[0].as_str()), ("table", "data.set=table"));
        assert!(changes[1].starts_with("data.file=\"") && changes[1].ends_with("rows.csv\""));
        assert_eq!(changes[2..], ["data.given=[\"clinic\"]"]);
        let (name, changes) = recipe(OwnData { time: Some("hours"), ..own }).unwrap();
        assert_eq!(
            (name.as_str(), changes.last().unwrap().as_str()),
            ("populations", "path.coupling=ot")
        );
    }

    #[test]
    fn records_of_cifar_are_known_by_their_name() {
        let own = OwnData { recipe: Some("data_batch_1.bin"), ..OwnData::default() };
        let (name, changes) = recipe(own).unwrap();
        assert_eq!((name.as_str(), changes[0].as_str()), ("cifar16", "data.set=cifar10"));
        assert!(changes[1].ends_with("data_batch_1.bin\"") && changes.len() == 2, "{changes:?}");
        let file = Some(Path::new("data_batch_1.bin"));
        let named = OwnData { recipe: Some("vrfm-cifar"), file, ..OwnData::default() };
        assert_eq!(recipe(named).unwrap().0, "vrfm-cifar");
    }

    #[test]
    fn options_without_their_file_are_refused() {
        let columns = ["a".to_owned()];
        for own in [
            OwnData { given: &columns, ..OwnData::default() },
            OwnData { drop: &columns, ..OwnData::default() },
            OwnData { time: Some("t"), ..OwnData::default() },
            OwnData { from: Some(Path::new("a.csv")), ..OwnData::default() },
        ] {
            assert!(recipe(own).unwrap_err().to_string().contains("add --data FILE"));
        }
        let file = Some(Path::new("b.csv"));
        let two = OwnData { recipe: Some("a.csv"), file, ..OwnData::default() };
        assert!(recipe(two).unwrap_err().to_string().contains("name one file"));
    }
}
