//! `flow export`, `flow import` and `flow card`: a model as a file of its own, and what it is.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use flow_import::{Family, Import, Imported};
use flow_model::{Registry, check_solver};
use flow_onnx::Pair;
use flow_run::files::{check_apart, check_free, ending, write};
use flow_run::{Model, Place, card, save_model, save_torch};

use crate::args::{CardArgs, ExportArgs, ImportArgs};
use crate::device;
use crate::exit::usage;
use crate::terminal::{print, say};

/// Writes the averaged network of a run's newest checkpoint with all that is needed to use it.
pub(crate) fn run(args: &ExportArgs, registry: &Registry) -> Result<()> {
    check_free(&args.out, args.force)?;
    let model = open(registry, &args.run)?;
    if args.format == "onnx" {
        return onnx(&model, args);
    }
    if args.solver.is_some() {
        return Err(usage!(
            "--solver is for --format onnx: a model keeps the solver of its recipe"
        ));
    }
    if args.format == "pytorch" {
        save_torch(&model, &args.out)?;
        let network = args.out.join("network.py");
        return print(&format!("{}\nnetwork:    {}", card(&model)?, network.display()));
    }
    save_model(&model, &args.out)?;
    print(&format!("{}\nmodel:      {}", card(&model)?, args.out.display()))
}

/// Writes the network as ONNX, and a whole sampler beside it where there is one for the model.
fn onnx(model: &Model, args: &ExportArgs) -> Result<()> {
    let out = &args.out;
    if ending(out) != "onnx" {
        return Err(usage!("--format onnx writes files that end in .onnx, not {}", out.display()));
    }
    let beside = out.with_extension("sampler.onnx");
    check_free(&beside, args.force)?;
    let solver = args.solver.as_deref().map(|name| check_solver("--solver", name)).transpose()?;
    let Pair { network, sampler } = flow_onnx::pair(model, solver)?;
    write(out, |file| file.write_all(&network))?;
    let mut text = format!("{}\nnetwork:    {}", card(model)?, out.display());
    match sampler {
        Ok(sampler) => {
            write(&beside, |file| file.write_all(&sampler))?;
            let _ = write!(text, "\nsampler:    {}", beside.display());
        }
        Err(reason) => say(&format!("no sampler is written, the network alone: {reason}")),
    }
    print(&text)
}

/// The model of a run, or of a file.
fn open(registry: &Registry, path: &Path) -> Result<Model> {
    let device = device::parse("flex")?;
    Ok(Place::open(registry, path, &device)?.model(&device)?)
}

/// Makes a model of weights from elsewhere.
pub(crate) fn import(args: &ImportArgs) -> Result<()> {
    args.config.iter().chain([&args.file]).try_for_each(|read| check_apart(read, &args.out))?;
    check_free(&args.out, args.force)?;
    let import = Import::new(Family::of_name(&args.family)?, &args.file);
    let import = args.config.iter().fold(import, Import::with_config);
    let import = args.state.iter().fold(import, Import::with_part);
    let Imported { model, notes, .. } = import.run(&device::parse("flex")?)?;
    save_model(&model, &args.out)?;
    notes.iter().map(String::as_str).for_each(say);
    print(&format!("{}\nmodel:      {}", card(&model)?, args.out.display()))
}

/// Prints what a model is.
pub(crate) fn show(args: &CardArgs, registry: &Registry) -> Result<()> {
    let model = open(registry, &args.model)?;
    if args.toml {
        return print(model.config().text().trim_end());
    }
    print(&card(&model)?)
}
