//! `flow compare`: runs side by side.

mod column;
mod course;
mod equal;
mod figures;
mod scored;
mod tables;

use anyhow::Result;
use flow_model::Registry;

use flow_run::Run;

use crate::args::CompareArgs;
use crate::document::{Block, Document, Picture};
use crate::exit::usage;
use crate::terminal::print;
pub(crate) use column::Column;
use equal::EqualErrors;
pub(crate) use figures::{Drawn, all as figures};
pub(crate) use scored::ScoredRun;
pub(crate) use tables::of_one;

pub(crate) fn run(args: &CompareArgs, registry: &Registry) -> Result<()> {
    let extension = args.out.as_ref().and_then(|out| out.extension()).and_then(|e| e.to_str());
    if let Some(out) = &args.out {
        if !matches!(extension, Some("md" | "html")) {
            return Err(usage!("{} ends neither in .md nor in .html", out.display()));
        }
        if let Some(folder) = out.parent()
            && !folder.join(".").is_dir()
        {
            return Err(usage!("there is no folder {}, make it or change --out", folder.display()));
        }
    }
    let runs = args
        .runs
        .iter()
        .map(|run| ScoredRun::read(&Run::open(registry, run)?))
        .collect::<Result<Vec<_>>>()?;
    let mut columns = if args.group { Column::grouped(runs) } else { Column::each(runs) };
    for column in &mut columns {
        column.keep(&args.score, &args.row);
    }
    let solved = |column: &Column| column.scores.iter().any(|compared| compared.solver.is_some());
    let none_of_the_rows = !args.row.is_empty() && !columns.iter().any(solved);
    if none_of_the_rows || columns.iter().all(|column| column.scores.is_empty()) {
        return Err(usage!(
            "nothing is left to compare: --score takes the beginning of a score's name, --row that \
             of a solver's"
        ));
    }
    let mut equal = Vec::new();
    for pair in args.nfe_at_error.chunks_exact(2) {
        let [a, b] = [named(&columns, &pair[0])?, named(&columns, &pair[1])?];
        let ratios = equal::ratios(&columns[a], &columns[b])?;
        equal.extend(equal::blocks(&pair[0], &pair[1], &ratios));
        columns[a].equal_errors.push(EqualErrors { with: pair[1].clone(), ratios });
    }
    if args.json {
        let json = serde_json::to_string_pretty(&columns).expect("names and numbers");
        return print(&json);
    }
    let mut blocks = tables::blocks(&columns);
    blocks.extend(equal);
    let Some(out) = &args.out else {
        return print(Document { title: String::new(), blocks }.markdown().trim_end());
    };
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    for Drawn { name, caption, figure } in figures::all(&columns) {
        let (name, bytes) = (format!("{stem}-{name}.svg"), figure.to_svg().into_bytes());
        blocks.push(Block::Picture(Picture { name, caption, bytes }));
    }
    let title = if extension == Some("html") { "Runs side by side" } else { "" };
    Document { title: title.into(), blocks }.save(out)?;
    print(&out.display().to_string())
}

/// The place of the column of this name.
fn named(columns: &[Column], name: &str) -> Result<usize> {
    columns.iter().position(|column| column.name == name).ok_or_else(|| {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        usage!("--nfe-at-error {name}: there is no such column, use one of {}", names.join(", "))
    })
}
