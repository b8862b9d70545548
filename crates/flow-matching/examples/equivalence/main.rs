//! Diffusion and flow matching are one computation: the figures of `docs/equivalence.md`.
//!
//! `cargo run --release --package flow-matching --example equivalence FOLDER [FIGURE]..`
//!
//! Without a FIGURE all are drawn: `fields`, `lab`, `scaling`, `straightness`, `samplers`, `heads`,
//! `schedules`. The last three train small networks, in about a minute of two cores each.

#![allow(clippy::print_stdout, reason = "the numbers are this program's result")]

mod fields;
mod heads;
mod lab;
mod samplers;
mod scaling;
mod schedules;
mod straightness;
mod support;

use std::path::{Path, PathBuf};

use support::Outcome;

/// A figure's name and what draws it into a folder.
type Drawing = (&'static str, fn(&Path) -> Outcome<()>);

const FIGURES: &[Drawing] = &[
    ("fields", fields::draw),
    ("lab", lab::draw),
    ("scaling", scaling::draw),
    ("straightness", straightness::draw),
    ("samplers", samplers::draw),
    ("heads", heads::draw),
    ("schedules", schedules::draw),
];

fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let names = || FIGURES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let Some(folder) = words.next().map(PathBuf::from) else {
        return Err(format!("name a folder for the pictures, and figures: {}", names()).into());
    };
    let asked: Vec<String> = words.collect();
    if let Some(name) = asked.iter().find(|name| FIGURES.iter().all(|(known, _)| known != name)) {
        return Err(format!("there is no figure `{name}`, use {}", names()).into());
    }
    for (name, draw) in FIGURES {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            println!("== {name}");
            draw(&folder)?;
        }
    }
    Ok(())
}
