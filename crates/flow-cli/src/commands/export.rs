//! `flow export`, `flow import` and `flow card`: a model as a file of its own, and what it is.

use std::fmt::Write as _;

use anyhow::Result;
use flow_import::{Family, Import, Imported};
use flow_model::{Model as Exported, ModelConfig, Registry, parameters};
use flow_run::{Model, Run, save_model};
use toml::Value;

use crate::args::{CardArgs, ExportArgs, ImportArgs};
use crate::device;
use crate::terminal::{print, say};

/// Writes the averaged network of a run's newest checkpoint with all that is needed to use it.
pub(crate) fn run(args: &ExportArgs, registry: &Registry) -> Result<()> {
    let run = Run::open(registry, &args.run)?;
    let model = Model::load(&run, &device::parse("flex")?)?;
    save_model(&model, &args.out)?;
    print(&format!("{}\nmodel:      {}", card(&model).trim_end(), args.out.display()))
}

/// Makes a model of weights from elsewhere.
pub(crate) fn import(args: &ImportArgs) -> Result<()> {
    let mut import = Import::new(Family::of_name(&args.family)?, &args.file);
    if let Some(config) = &args.config {
        import = import.with_config(config);
    }
    if let Some(state) = &args.state {
        import = import.with_part(state);
    }
    let Imported { model, notes, .. } = import.run(&device::parse("flex")?)?;
    for note in &notes {
        say(note);
    }
    model.save(&args.out)?;
    print(&format!("{}\nmodel:      {}", card(&model).trim_end(), args.out.display()))
}

/// Prints what a model is.
pub(crate) fn show(args: &CardArgs, registry: &Registry) -> Result<()> {
    let device = device::parse("flex")?;
    let model = if Run::is_one(&args.model) {
        Model::load(&Run::open(registry, &args.model)?, &device)?
    } else {
        Model::of_file(registry, &args.model, &device)?
    };
    if args.toml {
        return print(model.config().text().trim_end());
    }
    print(card(&model).trim_end())
}

/// A model in a few lines.
fn card(model: &Exported) -> String {
    let ModelConfig { name, about, schedule, prediction, source, sample, made, network, .. } =
        model.config();
    let signature = model.signature();
    let mut text = String::new();
    let mut line = |key: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{key:11} {value}");
        }
    };
    line("name", name);
    line("about", about);
    line("rows", &format!("shape {:?}", signature.shape));
    let names = model.class_names().join(", ");
    match (signature.classes, names.as_str()) {
        (0, _) => {}
        (classes, "") => line("classes", &classes.to_string()),
        (classes, names) => line("classes", &format!("{classes}: {names}")),
    }
    for (key, size) in [("vector", signature.vector), ("latent", signature.latent)] {
        line(key, &if size == 0 { String::new() } else { format!("{size} numbers a row") });
    }
    let kind = network.get("kind").and_then(Value::as_str).unwrap_or_default();
    line("network", &format!("{kind}, {} parameters", parameters(model.network())));
    line("path", &format!("{schedule}, predicts {prediction}, starts from {source}"));
    let mut sampled = sample.sampler.to_string();
    if sample.sampler.is_ode() {
        sampled = format!("ode by {}", sample.solver);
    }
    if sample.is_guided() {
        let _ = write!(sampled, ", guidance {}", sample.guidance);
    }
    line("sampled by", &sampled);
    let made: Vec<String> = made
        .iter()
        .map(|(key, value)| match value {
            Value::String(text) => format!("{key} {text}"),
            value => format!("{key} {value}"),
        })
        .collect();
    line("made by", &made.join(", "));
    text
}
