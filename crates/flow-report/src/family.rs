//! The runs whose scores stand beside those of a run in its charts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use flow_run::Run;

use crate::compare::{Column, ScoredRun};

/// Runs that are shown beside one at most: more curves cannot be told apart.
const MOST: usize = 4;

/// The scores of those runs that a run learned from, by its pairs or its weights, and then of those
/// in the same folder that learned from it or from the same: a flow map, the velocity that it began
/// with and a reflow of that velocity stand in one chart. Each under the name of its folder.
///
/// What is gone, was never scored, or is the same recipe with another seed is left out.
pub(crate) fn family(run: &Run) -> Vec<Column> {
    let own = place(&run.folder);
    let parents = learned_from(run);
    let mut relatives: Vec<Run> =
        parents.iter().filter_map(|folder| open(run, folder)).take(MOST).collect();
    let is_relative = |other: &Run| {
        let theirs = learned_from(other);
        let mut same = other.recipe.clone();
        same.seed = run.recipe.seed;
        (theirs.contains(&own) || !theirs.is_disjoint(&parents)) && same != run.recipe
    };
    let known = |folder: &PathBuf| *folder != own && !parents.contains(folder);
    let beside = beside(&own).into_iter().filter(known);
    relatives.extend(beside.filter_map(|folder| open(run, &folder)).filter(is_relative));
    let scored = relatives.iter().filter_map(|run| ScoredRun::read(run).ok());
    Column::each(scored.take(MOST).collect())
}

/// The runs that made the pairs or the weights that a run began with.
fn learned_from(run: &Run) -> BTreeSet<PathBuf> {
    let recipe = &run.recipe;
    let teacher = recipe.reflow.as_ref().map(|reflow| &reflow.run);
    teacher.into_iter().chain(&recipe.train.weights).map(|path| place(Path::new(path))).collect()
}

/// A folder by the name that is the same wherever it is seen from.
fn place(folder: &Path) -> PathBuf {
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf())
}

/// The run in a folder, whose network one registry knows.
fn open(like: &Run, folder: &Path) -> Option<Run> {
    Run::is_one(folder).then(|| Run::open(like.recipe.network.registry(), folder).ok())?
}

/// All that lies beside a folder, in the order of the names.
fn beside(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.parent().and_then(|parent| fs::read_dir(parent).ok());
    let mut all: Vec<PathBuf> =
        entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    all.sort();
    all
}
