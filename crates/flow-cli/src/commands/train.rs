//! `flow train`: from a recipe to a scored and drawn model.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use flow_datasets::counted;
use flow_judge::{EvalOptions, check_metrics, check_numbers, evaluate};
use flow_model::Registry;
use flow_parallel::Group;
use flow_run::{Interrupted, Listener, OwnData, Signal, Start, Told, Training, Watch};
use flow_train::Interrupter;

use crate::args::TrainArgs;
use crate::exit::usage;
use crate::terminal::{Terminal, print, say, speak_up};

pub(crate) fn run(args: &TrainArgs, registry: &Registry, group: &Arc<dyn Group>) -> Result<()> {
    let device = args.compute.open()?;
    let start = start(args, registry, &**group)?;
    if !args.dry_run
        && let Some((run, _)) = start.finished()
        && let Some(nothing_left) = start.nothing_left(args.no_eval)
    {
        say(&nothing_left);
        return print(&format!("run folder: {}", run.folder.display()));
    }
    // A recipe whose regression or scores cannot be built is refused before anything is written.
    let training = Training::open(start, &args.data.files(), &Terminal)?;
    let training = training.shared_by(Arc::clone(group))?;
    let recipe = training.recipe();
    check_metrics(recipe, &training.data)?;
    if !args.no_eval {
        check_numbers(recipe, &training.data)?;
    }
    training.data.about().iter().for_each(|line| say(line));
    let sizes = training.sizes()?;
    sizes.check()?;
    let model = training.networks(&device, &Terminal)?;
    let summary = training.summary(&model, &args.compute.device);
    if args.dry_run {
        return print(&format!("# {summary}\n{}\n{}", sizes.comments(), recipe.resolved()));
    }
    let begun = training.begin(args.out.as_deref(), &device, &args.compute.device, &Terminal)?;
    let (run, data) = (&begun.run, &begun.data);
    say(&summary);
    let done = counted(begun.done(), "step");
    say(&format!("run folder: {}, {done} done", run.folder.display()));
    begun.shared(rayon::current_num_threads()).iter().for_each(|text| say(text));

    let (started, interrupter) = (Instant::now(), Interrupter::new());
    let (rank, size, folder) = (group.rank(), group.size(), run.folder.clone());
    let stopping = move |signal| match Told::of(signal, rank, size, &folder) {
        Told::Calmly(text) => say(&text),
        Told::Urgently(text) => speak_up(&text),
        Told::Nothing => {}
    };
    let exit = |signal: Signal| std::process::exit(signal.exit_code().into());
    let watch = Watch::new(&interrupter, stopping, exit)?;
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
    drawn.iter().flatten().try_for_each(|at| print(&format!("picture:    {}", at.display())))?;
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
        let own = OwnData {
            recipe: args.recipe.as_deref(),
            file: args.file.as_deref(),
            from: args.from.as_deref(),
            pairs: args.pairs,
            time: args.time.as_deref(),
            given: &args.given,
            drop: &args.drop,
            set: &args.set,
        };
        return Ok(own.start(registry, args.seed)?);
    };
    let (more, lock) = (args.more_images.unwrap_or(0.0), !args.dry_run && group.is_first());
    Ok(Start::again(registry, folder, more, lock, &Terminal)?)
}
