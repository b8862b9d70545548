//! `report.html`: everything about a run on one page, in one file.

use std::fs;
use std::path::PathBuf;

use flow_run::Run;
use flow_run::files::read_text;

use crate::compare::{self, Column, ScoredRun};
use crate::document::{Block, Document, Picture};
use crate::error::{ReportError, usage};

/// Pictures by the name of their file, in the order of the page; others follow.
const CAPTIONS: &[(&str, &str)] = &[
    ("samples", "Samples"),
    ("data", "Data"),
    ("trajectories", "Paths from noise to samples"),
    ("paths", "A sample in each row, from noise on the left"),
    ("control", "A row for each start, and a column for each latent"),
    ("marginals", "Columns, of the data and of the samples"),
    ("pairs", "Pairs of columns"),
    ("posterior", "Draws of the posterior that was asked for last: each column, and each pair"),
    (
        "calibration",
        "Calibration: the share of held-out truths below each share of their draws, of each column \
         and, as TARP, of all together, with the band that right posteriors stay within",
    ),
    (
        "calibration-ranks",
        "Ranks of held-out truths among their draws, with the band that right posteriors stay \
         within: high at both ends is too narrow, in the middle too wide, on one side biased",
    ),
    ("density", "Density from noise to samples"),
    ("likelihood", "Density of the model"),
    ("flow", "The flow as it moves"),
    ("training", "The course of training"),
];

/// Writes the page of a run from the files of its folder, and returns its path.
///
/// # Errors
/// When a file cannot be read or written.
pub fn page(run: &Run) -> Result<PathBuf, ReportError> {
    let Run { folder, recipe, .. } = run;
    let mut blocks = vec![Block::Text(format!("{}. Seed {}.", recipe.about, recipe.seed))];
    if folder.join("eval.json").exists() {
        let mut column = Column::each(vec![ScoredRun::read(run)?]).remove(0);
        column.name.clone_from(&recipe.name);
        blocks.push(Block::Heading("Scores".into()));
        blocks.extend(compare::of_one(&column));
        blocks.push(Block::Text(
            "Value \u{b1} standard error. The floor is what real data score against other real \
             data at the same number of points: a score at its floor cannot be told from perfect."
                .into(),
        ));
    }
    if let Some(sentence) = calibration(run)? {
        blocks.push(Block::Heading("Calibration".into()));
        blocks.push(Block::Text(format!("{sentence}.")));
    }
    blocks.push(Block::Heading("Pictures".into()));
    for (path, caption) in pictures(run) {
        blocks.push(Block::Picture(Picture::read(&path, &caption)?));
    }
    blocks.push(Block::Heading("Recipe".into()));
    blocks.push(Block::Code(recipe.resolved()));
    blocks.push(Block::Heading("Environment".into()));
    blocks.push(Block::Code(read_text(&folder.join("environment.json"))?));
    let path = folder.join("report.html");
    Document { title: recipe.name.clone(), blocks }.save(&path)?;
    Ok(path)
}

/// What `calibration.json` says in words; nothing before the run is calibrated.
fn calibration(run: &Run) -> Result<Option<String>, ReportError> {
    let path = run.folder.join("calibration.json");
    if !path.exists() {
        return Ok(None);
    }
    let found: serde_json::Value = serde_json::from_str(&read_text(&path)?)
        .map_err(|error| usage!("{} is damaged: {error}", path.display()))?;
    Ok(found["sentence"].as_str().map(str::to_owned))
}

/// The pictures of `plots` that browsers show best, with captions.
fn pictures(run: &Run) -> Vec<(PathBuf, String)> {
    let plots = run.folder.join("plots");
    let mut names: Vec<String> = fs::read_dir(plots.as_path())
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| matches!(name.rsplit_once('.'), Some((_, "png" | "gif"))))
        .collect();
    let stem = |name: &str| name.rsplit_once('.').unwrap_or((name, "")).0.to_owned();
    let place = |name: &str| {
        let known = CAPTIONS.iter().position(|(known, _)| *known == stem(name));
        (known.unwrap_or(CAPTIONS.len()), name.to_owned())
    };
    names.sort_by_key(|name| place(name));
    let caption = |name: &str| {
        let known = CAPTIONS.iter().find(|(known, _)| *known == stem(name));
        known.map_or_else(|| stem(name).replace('-', " "), |(_, caption)| (*caption).to_owned())
    };
    names.iter().map(|name| (plots.join(name), caption(name))).collect()
}
