//! `flow train`: from a recipe to a scored and drawn model.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;
use flow_nn::Network;
use flow_train::{
    Checkpoint, Ensemble, Interrupter, LearningRate, Objective, Plan, Regression, Session, Task,
    Variational, fit,
};

use crate::args::TrainArgs;
use crate::batches::{Sources, batches, matching, sources};
use crate::commands::{eval, export, plot};
use crate::data_files::data_files;
use crate::device;
use crate::drafts;
use crate::environment::Shape;
use crate::exit::{Interrupted, usage};
use crate::lock::Lock;
use crate::metrics::rewind;
use crate::model::Model;
use crate::network;
use crate::progress::Progress;
use crate::recipe::Recipe;
use crate::reflow::Teacher;
use crate::registry::{self, Data};
use crate::run::Run;
use crate::signals::Watch;
use crate::sizes::Sizes;
use crate::terminal::{print, say};

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    let device = device::parse(&args.compute.device)?;
    let prepared = match &args.resume {
        Some(folder) => Prepared::again(folder, args)?,
        None if args.more_images.is_some() => {
            return Err(usage!("--more-images makes a run longer, name it with --resume RUN"));
        }
        None => Prepared::new(args)?,
    };
    if !args.dry_run && prepared.is_finished(args.no_eval)? {
        return Ok(());
    }
    let recipe = prepared.recipe();
    let files = data_files(args.data.folder());
    let data = Data::open(recipe, &files)?;
    let teacher = Teacher::open(recipe, &data)?;
    let taught_by = teacher.as_ref().map(|teacher| &teacher.identity);
    // A recipe whose regression cannot be built is refused before anything is written.
    if let Prepared::Existing { run, .. } = &prepared {
        run.check_data(&data)?;
        run.check_teacher(taught_by)?;
    }
    matching(recipe, &data)?;
    eval::check(recipe, &data)?;
    if !args.no_eval {
        eval::check_numbers(recipe, &data)?;
    }
    let sizes = Sizes::of(recipe, &data.shape(), data.classes())?;
    sizes.check()?;
    let signature = network::signature(recipe, &data.shape(), data.classes())?;
    let model = network::build(recipe, &signature, &device)?;
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
    let sources = sources(recipe, &data, teacher.as_ref(), &device)?;
    drafts::clear(&flow_datasets::default_cache_dir().join(&recipe.data.set));
    let (run, resume, _lock) = match prepared {
        Prepared::New(recipe) => {
            let (rows, out) = (Shape::of(&data), args.out.as_deref());
            let run = Run::create(recipe, &rows, taught_by, out, &args.compute.device)?;
            let lock = Lock::take(&run.folder)?;
            (run, None, Some(lock))
        }
        Prepared::Existing { run, from, lock } => {
            lengthen(&run, from.as_ref())?;
            run.tidy();
            rewind(&run.folder, from.as_ref().map_or(0, |checkpoint| checkpoint.step))?;
            (run, from, lock)
        }
    };
    let done = resume.as_ref().map_or(0, |checkpoint| checkpoint.step);
    say(&summary);
    say(&format!("run folder: {}, {done} steps done", run.folder.display()));

    let started = Instant::now();
    train(&run, &data, &sources, model, &device, resume.as_ref())?;
    let seconds = started.elapsed().as_secs_f64();
    say(&format!("trained in {seconds:.1} s"));
    if args.no_eval {
        return print(&format!("run folder: {}", run.folder.display()));
    }
    // The pictures are drawn even if scoring fails, because they may show why.
    let scored = eval::evaluate(&run, &data, &device, &eval::Options::default());
    let drawn = plot::draw(&run, &data, &device);
    if let Ok(report) = &scored {
        print(&report.table())?;
    }
    print(&format!("run folder: {}", run.folder.display()))?;
    for picture in drawn.iter().flatten() {
        print(&format!("picture:    {}", picture.display()))?;
    }
    print(&format!("report:     {}", plot::page(&run)?.display()))?;
    scored?;
    drawn.map(drop)
}

/// A run that may not have its folder yet.
enum Prepared {
    New(Recipe),
    /// The run with the checkpoint to go on from, and the lock on it unless nothing is left to do.
    Existing {
        run: Run,
        from: Option<Checkpoint>,
        lock: Option<Lock>,
    },
}

impl Prepared {
    fn new(args: &TrainArgs) -> Result<Self> {
        let mut changes = args.set.clone();
        changes.extend(args.seed.map(|seed| format!("seed={seed}")));
        Ok(Self::New(registry::recipe(&args.recipe, &changes)?))
    }

    fn again(folder: &Path, args: &TrainArgs) -> Result<Self> {
        let mut run = Run::open(folder)?;
        // Taken before the checkpoints are read, because another owner of the lock may be writing
        // them.
        let lock = if args.dry_run { None } else { Some(Lock::take(folder)?) };
        run.recipe.train.images += args.more_images.unwrap_or(0.0);
        let from = run.checkpoints().to_resume()?;
        Ok(Self::Existing { run, from, lock })
    }

    fn recipe(&self) -> &Recipe {
        match self {
            Self::New(recipe) | Self::Existing { run: Run { recipe, .. }, .. } => recipe,
        }
    }

    /// Whether nothing is left to do; says so if that is the case.
    fn is_finished(&self, no_eval: bool) -> Result<bool> {
        let Self::Existing { run, from: Some(from), .. } = self else { return Ok(false) };
        if from.step < run.recipe.steps() || !(no_eval || run.is_scored()) {
            return Ok(false);
        }
        let folder = run.folder.display();
        say(&format!(
            "{folder} is finished after {} steps: train it longer with `flow train --resume \
             {folder} --more-images N`, score it again with `flow eval {folder}`",
            from.step
        ));
        print(&format!("run folder: {folder}"))?;
        Ok(true)
    }
}

/// Takes note of a recipe that asks for more than the checkpoint was trained by.
fn lengthen(run: &Run, from: Option<&Checkpoint>) -> Result<()> {
    if let (Some(before), Some(from)) = (run.lengthen(from)?, from) {
        let rate = |recipe: &Recipe| plan(recipe).learning_rate.at(from.step);
        let mut shorter = run.recipe.clone();
        shorter.train.images = before;
        say(&format!(
            "train.images was {before} and is {}: the learning rate goes on along the schedule of \
             the new length, from {:.2e} in place of {:.2e}",
            run.recipe.train.images,
            rate(&run.recipe),
            rate(&shorter)
        ));
    }
    Ok(())
}

/// Trains a network and leaves its checkpoints in the run's folder.
fn train(
    run: &Run,
    data: &Data,
    sources: &Sources,
    model: Ensemble,
    device: &Device,
    resume: Option<&Checkpoint>,
) -> Result<()> {
    let interrupter = Interrupter::new();
    let watch = Watch::new(&interrupter)?;
    let Run { folder, recipe } = run;
    let objective: Arc<dyn Objective> = match &recipe.latent {
        Some(latent) => Arc::new(Variational { kl_weight: latent.kl_weight }),
        None => Arc::new(Regression),
    };
    let noise = objective.noise(model.network.signature());
    let [train, validation] = batches(recipe, data, sources.clone(), noise)?;
    let task = Task { model, objective, train: Arc::new(train), validation: Arc::new(validation) };
    let steps = recipe.steps();
    let (start, every) = (resume.map_or(0, |from| from.step), (steps / 500).clamp(1, 50));
    let observer = Progress::new(folder, start, steps, recipe.train.batch, every, &interrupter)?;
    let session = Session {
        device,
        checkpoints: &run.checkpoints(),
        resume,
        observer: Box::new(observer),
        interrupter: &interrupter,
    };
    let outcome = fit(task, &plan(recipe), session)?;
    // What any program opens, beside what only a training can go on from.
    let model = Model::load(run, device)?;
    export::save(&model, &folder.join("model"))?;
    match watch.saved() {
        Some(by) => Err(Interrupted { by, step: outcome.step, run: run.folder.clone() }.into()),
        None => Ok(()),
    }
}

/// `33281 parameters`, and those of the posterior.
fn parameters(model: &Ensemble) -> String {
    match network::parameters(model) {
        [velocity, 0] => format!("{velocity} parameters"),
        [velocity, posterior] => format!("{velocity} parameters, {posterior} of the posterior"),
    }
}

fn plan(recipe: &Recipe) -> Plan {
    let train = &recipe.train;
    let steps = recipe.steps();
    Plan {
        steps,
        every: recipe.checkpoint_steps(),
        also: recipe.moments(),
        learning_rate: LearningRate {
            peak: train.learning_rate,
            warmup: (train.warmup_images / train.batch as f64).ceil() as usize,
            steps,
            decay: train.decay,
            floor: train.floor,
        },
        optimizer: recipe.optimizer,
        ema: recipe.ema,
        max_gradient_norm: train.clip,
        validation_batches: train.validation_batches,
    }
}
