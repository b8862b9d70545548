//! `flow train`: from a recipe to a scored and drawn model.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use flow_judge::{EvalOptions, check_metrics, check_numbers, evaluate};
use flow_model::Registry;
use flow_parallel::Group;
use flow_run::snapshots::Snapshots;
use flow_run::table::TableData;
use flow_run::{Data, Listener, Lock, Recipe, Start, Training, network};
use flow_train::{Ensemble, Interrupter};

use crate::args::TrainArgs;
use crate::commands::file;
use crate::data_files::data_files;
use crate::device;
use crate::exit::{Interrupted, usage};
use crate::listener::Terminal;
use crate::signals::{Signal, Watch};
use crate::terminal::{print, say, speak_up};

pub(crate) fn run(args: &TrainArgs, registry: &Registry, group: &Arc<dyn Group>) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    let device = device::parse(&args.compute.device)?;
    let start = start(args, registry, &**group)?;
    if !args.dry_run && is_finished(&start, args.no_eval)? {
        return Ok(());
    }
    // A recipe whose regression or scores cannot be built is refused before anything is written.
    let training = Training::open(start, &data_files(args.data.folder()), &Terminal)?;
    let training = training.shared_by(Arc::clone(group))?;
    let recipe = training.recipe();
    check_metrics(recipe, &training.data)?;
    if !args.no_eval {
        check_numbers(recipe, &training.data)?;
    }
    show_columns(&training.data);
    let sizes = training.sizes()?;
    sizes.check()?;
    let model = training.networks(&device, &Terminal)?;
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
    if 1 < group.size() {
        say(&format!(
            "{} processes share the {} parts of each batch, --threads {} in each",
            group.size(),
            run.recipe.train.parts,
            rayon::current_num_threads()
        ));
    }

    let started = Instant::now();
    let interrupter = Interrupter::new();
    let watch = Watch::new(&interrupter, stopping(&**group, &run.folder))?;
    let told: Arc<dyn Listener> = Arc::new(Terminal);
    let step = begun.train(model, &device, &told, &interrupter)?;
    // Scores and pictures are the work of one.
    group.leave();
    if !group.is_first() {
        return Ok(());
    }
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
fn start(args: &TrainArgs, registry: &Registry, group: &dyn Group) -> Result<Start> {
    let Some(folder) = &args.resume else {
        if args.more_images.is_some() {
            return Err(usage!("--more-images makes a run longer, name it with --resume RUN"));
        }
        let (recipe, mut changes) = file::own(args, registry)?;
        changes.extend(args.set.iter().cloned());
        changes.extend(args.seed.map(|seed| format!("seed={seed}")));
        return Ok(Start::New(Recipe::named(registry, &recipe, &changes)?));
    };
    let more = args.more_images.unwrap_or(0.0);
    let lock = !args.dry_run && group.is_first();
    Ok(Start::again(registry, folder, more, lock, &Terminal)?)
}

/// What is said when a signal asks a training to stop.
///
/// A launcher sends a signal to all processes when one of them has died, and ends them soon after,
/// without saying which one died. If it was the first, which prints otherwise, the second prints.
fn stopping(group: &dyn Group, run: &Path) -> impl Fn(Signal) + Send + 'static {
    let (rank, size, run) = (group.rank(), group.size(), run.to_path_buf());
    move |signal| {
        let (signal, folder) = (signal.name(), run.display());
        match (rank, size) {
            (0, 1) => say(&format!(
                "{signal}: stopping after this step, press Ctrl-C again to stop at once"
            )),
            (0, _) => say(&format!(
                "{signal}: stopping {size} processes after this step, unless one of them has died: \
                 then go on from the last checkpoint with `flow train --resume {folder}`"
            )),
            (1, _) if !Lock::is_held(&run) => speak_up(&format!(
                "{signal}: process 0 has died, go on from its last checkpoint with `flow train \
                 --resume {folder}`"
            )),
            _ => {}
        }
    }
}

/// Says what the columns of a table were taken for, and which of its rows are not used.
fn show_columns(data: &Data) {
    if let Some(array) = data.array() {
        say(&array.to_string());
    }
    let Some(table) = data.table() else { return };
    say(&format!(
        "{}\n{} rows to train with, {} held out",
        table.columns, table.train.n, table.held.n
    ));
    if let Some(snapshots) = &table.snapshots {
        say(&journey(table, snapshots));
    }
    let all = table.before.iter().flatten().chain([&table.train, &table.held]);
    let left_out: usize = all.map(|part| part.left_out).sum();
    if 0 < left_out {
        say(&format!(
            "{left_out} rows are left out: they lack a value, or have a category that no training \
             row has"
        ));
    }
}

/// When the snapshots of a table were seen, and how many rows each has to train with.
fn journey(table: &TableData, snapshots: &Snapshots) -> String {
    let rows = table.before.iter().map(|[train, _]| train.n).chain([table.train.n]);
    let one = |(n, t): (usize, &f64)| format!("{n} at {t}");
    let all: Vec<String> = rows.zip(&snapshots.times).map(one).collect();
    format!("paths from one to the next: {} rows to train with", all.join(", "))
}

/// Whether nothing is left to do; prints a message if that is the case.
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
