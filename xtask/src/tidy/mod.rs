//! `cargo xtask tidy`: what a compiler does not check.
//!
//! Each rule is a module and gives its violations as sentences: what, where, what to do.

mod binary;
mod circles;
mod code;
mod crates;
mod docs;
mod imports;
mod licences;
mod lines;
mod markdown;
mod mission;
mod packages;
mod reliability;
mod sizes;
mod sources;
mod syncs;
pub(crate) mod tree;

use std::process::ExitCode;

use crate::output::print;
use crate::{cargo, run};
use packages::Package;
use tree::Tree;

/// Checks the repository and prints the violations.
///
/// # Errors
/// If git or cargo do not answer, or a file cannot be read.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    check().map(ExitCode::from)
}

/// Like [`run()`], with the exit code as a number: 0, or 1 if there is a violation.
///
/// # Errors
/// Those of [`run()`].
pub(crate) fn check() -> anyhow::Result<u8> {
    let tree = Tree::of(&cargo::root()?)?;
    let packages = Package::all(&cargo::metadata()?)?;
    let verbs = docs::Verbs {
        xtask: crate::cli().get_subcommands().map(|c| c.get_name().to_owned()).collect(),
        flow: run::VERBS.iter().map(|verb| verb.name.to_owned()).collect(),
    };
    let violations = [
        imports::violations(&packages),
        crates::violations(&packages, &tree)?,
        docs::violations(&tree, &verbs)?,
        mission::violations(&tree)?,
        sources::violations(&tree)?,
        sizes::violations(&tree)?,
        binary::violations(&tree)?,
        syncs::violations(&tree)?,
        circles::violations(&tree)?,
        licences::violations(&tree)?,
        reliability::violations(&tree)?,
        lines::violations(&tree)?,
    ]
    .concat();
    for violation in &violations {
        eprintln!("- {violation}");
    }
    let (files, crates) = (tree.files().len(), packages.len());
    match violations.len() {
        0 => print(&format!("tidy: {files} files in {crates} crates, nothing to mend"))?,
        n => print(&format!("tidy: {n} to mend in {files} files and {crates} crates"))?,
    }
    Ok(u8::from(!violations.is_empty()))
}
