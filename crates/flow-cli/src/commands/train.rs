//! `flow train`: from a recipe to a scored and drawn model.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use flow_datasets::Table;
use flow_judge::{EvalOptions, check_metrics, check_numbers, evaluate};
use flow_model::Registry;
use flow_run::table::TABLE;
use flow_run::{Data, Listener, Recipe, Start, Training, network};
use flow_train::{Ensemble, Interrupter};

use crate::args::TrainArgs;
use crate::data_files::data_files;
use crate::device;
use crate::exit::{Interrupted, usage};
use crate::listener::Terminal;
use crate::signals::Watch;
use crate::terminal::{print, say};

pub(crate) fn run(args: &TrainArgs, registry: &Registry) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    let device = device::parse(&args.compute.device)?;
    let start = start(args, registry)?;
    if !args.dry_run && is_finished(&start, args.no_eval)? {
        return Ok(());
    }
    // A recipe whose regression or scores cannot be built is refused before anything is written.
    let training = Training::open(start, &data_files(args.data.folder()), &Terminal)?;
    let recipe = training.recipe();
    check_metrics(recipe, &training.data)?;
    if !args.no_eval {
        check_numbers(recipe, &training.data)?;
    }
    show_columns(&training.data);
    let sizes = training.sizes()?;
    sizes.check()?;
    let model = training.networks(&device)?;
    let summary = format!(
        "{}: {}, {} steps of {} images on {}",
        recipe.name,
        parameters(&model),
        recipe.steps(),
        recipe.train.batch,
        args.compute.device
    );
    if args.dry_run {
        return print(&format!("# {summary}\n{}\n{}", sizes.comments(), recipe.resolved()));
    }
    let begun = training.begin(args.out.as_deref(), &device, &args.compute.device, &Terminal)?;
    let (run, data) = (&begun.run, &begun.data);
    say(&summary);
    say(&format!("run folder: {}, {} steps done", run.folder.display(), begun.done()));

    let started = Instant::now();
    let interrupter = Interrupter::new();
    let watch = Watch::new(&interrupter)?;
    let told: Arc<dyn Listener> = Arc::new(Terminal);
    let step = begun.train(model, &device, &told, &interrupter)?;
    if let Some(by) = watch.saved() {
        return Err(Interrupted { by, step, run: run.folder.clone() }.into());
    }
    say(&format!("trained in {:.1} s", started.elapsed().as_secs_f64()));
    if args.no_eval {
        return print(&format!("run folder: {}", run.folder.display()));
    }
    // The pictures are drawn even if scoring fails, because they may show why.
    let scored = evaluate(run, data, &device, &EvalOptions::default(), &Terminal);
    let drawn = flow_report::draw(run, data, &device, &Terminal);
    if let Ok(report) = &scored {
        print(&report.table())?;
    }
    print(&format!("run folder: {}", run.folder.display()))?;
    for picture in drawn.iter().flatten() {
        print(&format!("picture:    {}", picture.display()))?;
    }
    print(&format!("report:     {}", flow_report::page(run)?.display()))?;
    scored?;
    drawn?;
    Ok(())
}

/// The recipe of a new run, or the run to go on with.
fn start(args: &TrainArgs, registry: &Registry) -> Result<Start> {
    let Some(folder) = &args.resume else {
        if args.more_images.is_some() {
            return Err(usage!("--more-images makes a run longer, name it with --resume RUN"));
        }
        let (recipe, mut changes) = own_table(args)?;
        changes.extend(args.set.iter().cloned());
        changes.extend(args.seed.map(|seed| format!("seed={seed}")));
        return Ok(Start::New(Recipe::named(registry, &recipe, &changes)?));
    };
    let more = args.more_images.unwrap_or(0.0);
    Ok(Start::again(registry, folder, more, !args.dry_run, &Terminal)?)
}

/// The name of the recipe, and what a table of the user's own changes in it.
fn own_table(args: &TrainArgs) -> Result<(String, Vec<String>)> {
    let named = args.recipe.as_deref();
    let is_table = |name: &&str| Table::is_named(Path::new(name));
    let file = match (&args.file, named.filter(is_table)) {
        (Some(_), Some(table)) => {
            return Err(usage!("{table} and --data are both given, name one table"));
        }
        (Some(file), None) => Some(file.as_path()),
        (None, table) => table.map(Path::new),
    };
    let Some(file) = file else {
        if !args.given.is_empty() || !args.drop.is_empty() {
            return Err(usage!("--given and --drop name columns of a table, add --data FILE"));
        }
        return Ok((named.unwrap_or("checkerboard").to_owned(), Vec::new()));
    };
    let recipe = named.filter(|name| !is_table(name)).unwrap_or(TABLE);
    // The run is opened again later, perhaps from another folder.
    let file = std::path::absolute(file)
        .with_context(|| format!("cannot find the folder of {}", file.display()))?;
    let Some(text) = file.to_str() else {
        return Err(usage!("{} is no UTF-8, rename the file", file.display()));
    };
    let mut changes = vec![format!("data.set={TABLE}"), format!("data.file={}", quoted(text))];
    for (key, columns) in [("given", &args.given), ("drop", &args.drop)] {
        if !columns.is_empty() {
            let columns: Vec<String> = columns.iter().map(|name| quoted(name.trim())).collect();
            changes.push(format!("data.{key}=[{}]", columns.join(", ")));
        }
    }
    Ok((recipe.to_owned(), changes))
}

/// A text as a value of TOML.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Says what the columns of a table were taken for, and which of its rows are not used.
fn show_columns(data: &Data) {
    let Some(table) = data.table() else { return };
    say(&format!(
        "{}\n{} rows to train with, {} held out",
        table.columns, table.train.n, table.held.n
    ));
    let left_out = table.train.left_out + table.held.left_out;
    if 0 < left_out {
        say(&format!(
            "{left_out} rows are left out: they lack a value, or have a category that no training \
             row has"
        ));
    }
}

/// Whether nothing is left to do; says so if that is the case.
fn is_finished(start: &Start, no_eval: bool) -> Result<bool> {
    let Some((run, step)) = start.finished().filter(|(run, _)| no_eval || run.is_scored()) else {
        return Ok(false);
    };
    let folder = run.folder.display();
    say(&format!(
        "{folder} is finished after {step} steps: train it longer with `flow train --resume \
         {folder} --more-images N`, score it again with `flow eval {folder}`"
    ));
    print(&format!("run folder: {folder}"))?;
    Ok(true)
}

/// `33281 parameters`, and those of the posterior.
fn parameters(model: &Ensemble) -> String {
    match network::parameters(model) {
        [velocity, 0] => format!("{velocity} parameters"),
        [velocity, posterior] => format!("{velocity} parameters, {posterior} of the posterior"),
    }
}
