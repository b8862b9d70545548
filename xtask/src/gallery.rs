//! `cargo xtask gallery`: a page with every recipe, its command and a picture of what it makes.
//!
//! Which picture a recipe has is said in `xtask/gallery.toml`; the words are those of the recipes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use crate::cargo;
use crate::output::print;
use crate::run;

const TABLE: &str = "xtask/gallery.toml";
const PAGE: &str = "docs/gallery.md";
/// From the folder of the page.
const PICTURES: &str = "pictures/gallery";

/// Without names, the page is written from what is there. With names, those recipes are trained
/// first, in `runs/gallery`, and their pictures are taken.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Recipes to train, or `all` that are run for the page.
    #[arg(value_name = "RECIPE")]
    recipes: Vec<String>,
}

/// The recipes in the order of the page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gallery {
    machine: String,
    recipe: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    /// Words of the command behind the name of the recipe.
    #[serde(default)]
    words: String,
    /// A picture in `plots` of the run, which `cargo xtask gallery` takes.
    plot: Option<PathBuf>,
    /// A picture from elsewhere, by its path from `docs`: such recipes are not run for the page.
    picture: Option<PathBuf>,
    /// How long the command takes, in words: `0.6 minutes`, `days on a GPU`.
    time: String,
}

/// What a recipe says about itself.
#[derive(Deserialize)]
struct About {
    about: String,
}

/// Trains what is asked for and writes the page.
///
/// # Errors
/// If a recipe is not in the table, its training fails, or a file cannot be read or written.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = cargo::root()?;
    let gallery = Gallery::read(&root)?;
    let all = args.recipes.iter().any(|name| name == "all");
    for name in args.recipes.iter().filter(|name| *name != "all") {
        ensure!(gallery.recipe.iter().any(|entry| entry.name == *name), "{TABLE} has no `{name}`");
    }
    for entry in &gallery.recipe {
        if all || args.recipes.contains(&entry.name) {
            entry.make(&root)?;
        }
    }
    fs::write(root.join(PAGE), gallery.page(&root)?)
        .with_context(|| format!("cannot write {PAGE}"))?;
    print(&format!("{} recipes: {PAGE}", gallery.recipe.len()))?;
    Ok(ExitCode::SUCCESS)
}

impl Gallery {
    fn read(root: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(root.join(TABLE));
        let text = text.with_context(|| format!("cannot read {TABLE}"))?;
        toml::from_str(&text).with_context(|| format!("{TABLE} is not as it must be"))
    }

    fn page(&self, root: &Path) -> anyhow::Result<String> {
        let abouts = abouts(root)?;
        let mut page = format!(
            "# Every recipe\n\nA recipe is a file that says what is trained and how. Each picture\n\
             is what its command drew; a recipe without one has not been run for this page. The times \
             are rough:\nof all of it, with scores and pictures, on {}.\n`cargo xtask gallery` \
             writes this page, and `cargo xtask gallery NAME` runs a recipe for it.\n",
            self.machine
        );
        for entry in &self.recipe {
            let Some(about) = abouts.get(&entry.name) else {
                bail!("{TABLE} names `{}`, which is no recipe", entry.name);
            };
            entry.section(root, about, &mut page);
        }
        Ok(page)
    }
}

impl Entry {
    fn command(&self) -> String {
        format!("cargo xtask train {} {}", self.name, self.words).trim_end().to_owned()
    }

    /// Trains, unless that is done, draws, and takes the picture. Scores take time and are no part
    /// of the page, so they are left out.
    fn make(&self, root: &Path) -> anyhow::Result<()> {
        let Some(plot) = &self.plot else { return Ok(()) };
        let run = format!("runs/gallery/{}", self.name);
        let folder = root.join(&run);
        let is_drawn = folder.join("plots").join(plot).is_file();
        if !is_drawn && !folder.is_dir() {
            let out = ["--no-eval", "--out", &run];
            let words = [self.name.as_str()].into_iter().chain(self.words.split_whitespace());
            flow(root, "train", &words.chain(out).collect::<Vec<_>>())?;
        }
        if !is_drawn {
            flow(root, "plot", &[&run])?;
        }
        let (from, to) =
            (folder.join("plots").join(plot), root.join("docs").join(self.taken(plot)));
        let pictures = root.join("docs").join(PICTURES);
        fs::create_dir_all(pictures).context("cannot make a folder for the pictures")?;
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        Ok(())
    }

    /// Where the picture of a run lies that was taken for the page, from its folder.
    fn taken(&self, plot: &Path) -> PathBuf {
        let extension = plot.extension().and_then(|e| e.to_str()).unwrap_or("png");
        Path::new(PICTURES).join(format!("{}.{extension}", self.name))
    }

    fn section(&self, root: &Path, about: &str, page: &mut String) {
        let Self { name, time, .. } = self;
        let mut about = about.to_owned();
        if let Some(first) = about.get(..1) {
            about.replace_range(..1, &first.to_uppercase());
        }
        let command = self.command();
        let _ = write!(page, "\n## {name}\n\n{about}.\n\n<!-- long: {time} -->\n");
        let _ = write!(page, "```sh\n{command}\n```\n");
        let taken = self.plot.as_deref().map(|plot| self.taken(plot));
        let picture = taken.or_else(|| self.picture.clone());
        if let Some(picture) = picture.filter(|path| root.join("docs").join(path).is_file()) {
            let _ = write!(page, "\n![What {name} makes]({})\n", picture.display());
        }
    }
}

/// Runs a verb of `flow` in the root of the repository.
fn flow(root: &Path, verb: &str, words: &[&str]) -> anyhow::Result<()> {
    let mut command = run::flow(verb, None, words.iter().map(Into::into).collect())?;
    let status = command.current_dir(root).status().context("cannot start `flow`")?;
    ensure!(status.success(), "`{}` failed", cargo::show(&command));
    Ok(())
}

/// What each recipe of the repository says about itself, by name.
fn abouts(root: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let folder = root.join("crates/flow-run/recipes");
    let mut abouts = BTreeMap::new();
    for file in fs::read_dir(&folder).context("cannot read the folder of the recipes")? {
        let path = file.context("cannot read the folder of the recipes")?.path();
        let text = fs::read_to_string(&path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        let about: About = toml::from_str(&text).with_context(|| path.display().to_string())?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        abouts.insert(name, about.about);
    }
    Ok(abouts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_recipe_and_is_as_the_command_writes_it() {
        let root = cargo::root().unwrap();
        let gallery = Gallery::read(&root).unwrap();
        let mut names: Vec<&str> = gallery.recipe.iter().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        let abouts = abouts(&root).unwrap();
        assert_eq!(names, abouts.keys().map(String::as_str).collect::<Vec<_>>(), "{TABLE}");
        let page = fs::read_to_string(root.join(PAGE)).unwrap();
        assert!(page == gallery.page(&root).unwrap(), "`cargo xtask gallery` writes {PAGE} anew");
    }

    #[test]
    fn pictures_of_the_pages_are_small() {
        let mut folders = vec![cargo::root().unwrap().join("docs/pictures")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = path.metadata().unwrap().len();
                    assert!(bytes <= 150_000, "{} has {bytes} bytes", path.display());
                }
            }
        }
    }
}
