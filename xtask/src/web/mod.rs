//! `cargo xtask web`: the page that trains toys and opens models in a browser, a folder of static
//! files that any server can hand out.

mod toolchain;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};

use crate::cargo;
use crate::folder;
use crate::output::print;
use toolchain::Toolchain;

/// The core.
const CORE: &str = "flow_web.wasm";
/// The page, by the crates that its files are of.
const PAGE: &[(&str, &[&str])] = &[
    ("crates/flow-api/page", &["page.css", "page.js"]),
    ("crates/flow-web/page", &["web.css", "core.js", "model.js", "toy.js", "worker.js"]),
];
const INDEX: &str = "crates/flow-web/page/index.html";
const SECTIONS: &str = "crates/flow-api/page/sections.html";
/// Where the index holds the sections of a model, which flow-serve shows too.
const PLACE: &str = "<!-- sections -->";

/// Without `--out` the page is `web/page/index.html` in cargo's target folder.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder to write the page to: a new one, or one that holds an earlier page.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A model that the page offers, a file of `flow export`; may be given several times.
    #[arg(long = "model", value_name = "FILE")]
    models: Vec<PathBuf>,
}

/// Builds the core for WebAssembly and puts the page together.
///
/// # Errors
/// If no compiler here can make WebAssembly, or a file cannot be read or written.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let models = models(&args.models)?;
    let (root, target) = (cargo::root()?, cargo::target_dir("web")?);
    let toolchain = Toolchain::find()?;
    print(&toolchain.describe())?;
    let mut build = toolchain.build(&target);
    let status = build.current_dir(&root).status().context("cargo does not start")?;
    if !status.success() {
        return Ok(ExitCode::from(cargo::exit_code(status)));
    }
    let core = Toolchain::folder(&target).join(CORE);
    let core = fs::read(&core).with_context(|| format!("cannot read {}", core.display()))?;
    let bytes = core.len();
    let files = files(&root, core, models)?;
    let out = args.out.clone().unwrap_or_else(|| target.join("page"));
    folder::replace(&out, "page", &["index.html", CORE], &files)?;
    print(&format!("{CORE} has {bytes} bytes: {}", out.join("index.html").display()))?;
    print(&format!("To look at it: python3 -m http.server --directory {}", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The models by their names, of which no two are the same.
fn models(paths: &[PathBuf]) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut models = BTreeMap::new();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.with_context(|| format!("{} is no file's name", path.display()))?;
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let other = models.insert(name.to_owned(), bytes);
        ensure!(other.is_none(), "two models are called {name}: rename one");
    }
    Ok(models)
}

/// Everything of the page, by its path in the folder.
fn files(
    root: &Path,
    core: Vec<u8>,
    models: BTreeMap<String, Vec<u8>>,
) -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let read =
        |path: PathBuf| fs::read(&path).with_context(|| format!("cannot read {}", path.display()));
    let text = |path| read(root.join(path)).and_then(|bytes| Ok(String::from_utf8(bytes)?));
    let index = text(INDEX)?;
    ensure!(index.contains(PLACE), "{INDEX} has no place for the sections, {PLACE}");
    let index = index.replace(PLACE, text(SECTIONS)?.trim_end());
    let names: Vec<&String> = models.keys().collect();
    let list = serde_json::to_vec(&names)?;
    let mut files = BTreeMap::from([
        (PathBuf::from("index.html"), index.into_bytes()),
        (PathBuf::from(CORE), core),
        (PathBuf::from("models.json"), list),
    ]);
    for (folder, names) in PAGE {
        for name in *names {
            files.insert(PathBuf::from(name), read(root.join(folder).join(name))?);
        }
    }
    files.extend(models.into_iter().map(|(name, bytes)| (Path::new("models").join(name), bytes)));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_file_that_it_asks_for() {
        let model = BTreeMap::from([("a.flow".to_owned(), vec![1])]);
        let files = files(&cargo::root().unwrap(), Vec::new(), model).unwrap();
        let index = String::from_utf8(files[Path::new("index.html")].clone()).unwrap();
        let asked = index
            .split(['"', '\''])
            .filter(|word| [".js", ".css"].iter().any(|end| word.ends_with(end)));
        let asked: Vec<&str> = asked.collect();
        assert_eq!(asked.len(), 6, "{asked:?}");
        for name in asked.into_iter().chain(["worker.js", CORE, "models/a.flow"]) {
            assert!(files.contains_key(Path::new(name)), "{name}");
        }
        assert!(index.contains("id=\"view\""), "the sections of a model are there");
        assert_eq!(files[Path::new("models.json")], b"[\"a.flow\"]");
    }

    #[test]
    fn two_models_of_one_name_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| folder.path().join(name).join("m.flow"));
        for path in &paths {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let error = models(&paths).unwrap_err();
        assert!(error.to_string().contains("two models are called m.flow"), "{error}");
    }
}
