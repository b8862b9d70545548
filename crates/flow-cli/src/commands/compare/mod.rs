//! `flow compare`: runs side by side.

mod column;
mod figures;
mod scored;
mod tables;

use anyhow::Result;

use crate::args::CompareArgs;
use crate::document::{Block, Document, Picture};
use crate::exit::usage;
use crate::terminal::print;
pub(crate) use column::Column;
pub(crate) use figures::{Drawn, all as figures};
pub(crate) use scored::ScoredRun;
pub(crate) use tables::of_one;

pub(crate) fn run(args: &CompareArgs) -> Result<()> {
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
    let runs = args.runs.iter().map(|run| ScoredRun::read(run)).collect::<Result<Vec<_>>>()?;
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
    if args.json {
        let json = serde_json::to_string_pretty(&columns).expect("names and numbers");
        return print(&json);
    }
    let mut blocks = tables::blocks(&columns);
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
