//! `cargo xtask docs`: the pages of the repository as a book, a folder of HTML that needs no
//! network.
//!
//! `docs/SUMMARY.md` is its table of contents. What its pages link to (other pages, sources,
//! pictures) comes along, each at its path in the repository, and a link that leads nowhere, a
//! formula that cannot be set, or a quoted line of code that is no longer in its file fails the
//! command.

mod contents;
mod frame;
mod math;
mod page;
mod place;
mod quote;
mod site;
mod source;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cargo;
use crate::folder;
use crate::output::print;
use crate::tidy::tree::Tree;
use site::Site;

/// Without `--out` the book is `book/index.html` in cargo's target folder.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder to write the book to: a new one, or one that holds an earlier book.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Makes the book, or says what is wrong with it and writes nothing.
///
/// # Errors
/// If git does not answer, or a file cannot be read or written.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let site = Site::of(&Tree::of(&cargo::root()?)?)?;
    if !site.complaints.is_empty() {
        for complaint in &site.complaints {
            eprintln!("- {complaint}");
        }
        print(&format!("docs: {} to mend, nothing is written", site.complaints.len()))?;
        return Ok(ExitCode::FAILURE);
    }
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => cargo::target_dir("book")?,
    };
    write(&site, &folder)?;
    let index = folder.join("index.html");
    print(&format!("{} pages, {} files: {}", site.pages, site.files.len(), index.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The files of the book as a draft beside the folder, which then takes its place.
fn write(site: &Site, folder: &Path) -> anyhow::Result<()> {
    folder::replace(folder, "book", &[frame::STYLE.0, "index.html"], &site.files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_book_of_this_repository_has_nothing_to_mend() {
        let site = Site::of(&Tree::of(&cargo::root().unwrap()).unwrap()).unwrap();
        assert_eq!(site.complaints, [""; 0]);
        assert!(site.files.contains_key(Path::new("docs/theory.html")));
    }

    #[test]
    fn a_book_takes_the_place_of_an_earlier_one_and_of_nothing_else() {
        let (tree, folder) =
            Tree::of_files(&[("docs/SUMMARY.md", "- [A](a.md)"), ("docs/a.md", "# A\nfirst")]);
        let site = Site::of(&tree).unwrap();
        let out = folder.path().join("out/book");
        write(&site, &out).unwrap();
        fs::write(out.join("old.html"), "").unwrap();
        write(&site, &out).unwrap();
        assert!(out.join("docs/a.html").is_file() && !out.join("old.html").exists());
        let error = write(&site, &folder.path().join("docs")).unwrap_err();
        assert!(error.to_string().contains("is no earlier book"), "{error}");
        assert!(folder.path().join("docs/a.md").is_file());
    }
}
