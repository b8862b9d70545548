//! `flow train`: from a recipe to a scored and drawn model.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use burn::module::{Module, ModuleDisplay};
use burn::tensor::Device;
use flow_datasets::Source;
use flow_nn::{Network, Posterior};
use flow_train::{
    BatchSource, Checkpoint, Interrupter, LatentBatches, LatentModel, LearningRate, Objective,
    Outcome, Plan, Regression, Variational, fit,
};

use crate::args::TrainArgs;
use crate::batches::{Sources, batches, matching, sources};
use crate::commands::{eval, plot};
use crate::device;
use crate::drafts;
use crate::exit::{Interrupted, usage};
use crate::lock::Lock;
use crate::metrics::rewind;
use crate::network::{AnyNetwork, AnyPosterior, Networks, strangers};
use crate::progress::{Progress, print, say};
use crate::recipe::Recipe;
use crate::reflow::Teacher;
use crate::registry::{self, Data};
use crate::run::{Run, Shape};
use crate::signals::Watch;
use crate::sizes::Sizes;

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
    let source = source(args.data.folder());
    let data = Data::open(recipe, &source)?;
    let teacher = Teacher::open(recipe, &data)?;
    let taught_by = teacher.as_ref().map(|teacher| &teacher.identity);
    // What cannot be regressed is refused before anything is written.
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
    let networks = Networks::new(recipe, &data.shape(), data.classes(), &device)?;
    let summary = format!(
        "{}: {}, {} steps of {} images on {}",
        recipe.name,
        parameters(&networks),
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
    train(&run, &data, &sources, networks, &device, resume.as_ref())?;
    let seconds = started.elapsed().as_secs_f64();
    say(&format!("trained in {seconds:.1} s"));
    if args.no_eval {
        return print(&format!("run folder: {}", run.folder.display()));
    }
    // Pictures show what is wrong where scores fail.
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
    /// With the checkpoint to go on from, and the right to do so unless nothing is done.
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
        // Before the look at its checkpoints, which the owner of the lock may be writing.
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

    /// Whether nothing is left to do, which is said.
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

/// Where data files are, with downloads told on the terminal.
pub(crate) fn source(data_dir: Option<&Path>) -> Source {
    use flow_datasets::Download;
    let bar = indicatif::ProgressBar::hidden();
    let download = Download::reporting(move |progress| {
        if progress.bytes == 0 {
            say(&format!("downloading {}", progress.file));
        }
        bar.set_position(progress.bytes);
    });
    Source { data_dir: data_dir.map(Into::into), download, ..Source::default() }
}

/// Trains a network and leaves its checkpoints in the run's folder.
fn train(
    run: &Run,
    data: &Data,
    sources: &Sources,
    networks: Networks,
    device: &Device,
    resume: Option<&Checkpoint>,
) -> Result<()> {
    let interrupter = Interrupter::new();
    let watch = Watch::new(&interrupter)?;
    let course = Course { run, data, sources, device, resume, interrupter: &interrupter };
    let outcome = match (networks.velocity, networks.posterior) {
        (AnyNetwork::SplitMlp(network), Some(AnyPosterior::Points(posterior))) => {
            course.variational::<_, _, 2>(LatentModel { network, posterior })?
        }
        (AnyNetwork::UNet(network), Some(AnyPosterior::Images(posterior))) => {
            course.variational::<_, _, 4>(LatentModel { network, posterior })?
        }
        (AnyNetwork::Mlp(network), None) => course.regression::<_, 2>(network)?,
        (AnyNetwork::SplitMlp(network), None) => course.regression::<_, 2>(network)?,
        (AnyNetwork::UNet(network), None) => course.regression::<_, 4>(network)?,
        (network, Some(posterior)) => return Err(strangers(&network, &posterior)),
    };
    match watch.saved() {
        Some(by) => Err(Interrupted { by, step: outcome.step, run: run.folder.clone() }.into()),
        None => Ok(()),
    }
}

/// What a training is made of, but for the network.
struct Course<'a> {
    run: &'a Run,
    data: &'a Data,
    sources: &'a Sources,
    device: &'a Device,
    resume: Option<&'a Checkpoint>,
    interrupter: &'a Interrupter,
}

impl Course<'_> {
    /// Flow matching.
    fn regression<N: Network<D> + ModuleDisplay + 'static, const D: usize>(
        &self,
        network: N,
    ) -> Result<Outcome<()>> {
        let [train, validation] = batches::<D>(&self.run.recipe, self.data, self.sources.clone())?;
        self.fit(network, Regression::<D>, train, validation)
    }

    /// Flow matching with a latent.
    fn variational<N, P, const D: usize>(&self, model: LatentModel<N, P>) -> Result<Outcome<()>>
    where
        N: Network<D> + ModuleDisplay + 'static,
        P: Posterior<D> + ModuleDisplay + 'static,
    {
        let latent =
            self.run.recipe.latent.as_ref().expect("only a recipe with one has a posterior");
        let with_noise = |matching| LatentBatches { matching, latent: latent.dim };
        let [train, validation] =
            batches::<D>(&self.run.recipe, self.data, self.sources.clone())?.map(with_noise);
        let objective = Variational::<D> { kl_weight: latent.kl_weight };
        self.fit(model, objective, train, validation)
    }

    fn fit<N, O, S>(&self, network: N, objective: O, train: S, validation: S) -> Result<Outcome<()>>
    where
        N: Module + ModuleDisplay + 'static,
        O: Objective<N>,
        S: BatchSource<Batch = O::Batch>,
    {
        let Run { folder, recipe } = self.run;
        let steps = recipe.steps();
        let start = self.resume.map_or(0, |checkpoint| checkpoint.step);
        let every = (steps / 500).clamp(1, 50);
        let observer =
            Progress::new(folder, start, steps, recipe.train.batch, every, self.interrupter)?;
        let outcome = fit(
            network,
            objective,
            train,
            validation,
            &plan(recipe),
            self.device,
            &self.run.checkpoints(),
            self.resume,
            Box::new(observer),
            self.interrupter,
        )?;
        Ok(outcome.forget_network())
    }
}

/// `33281 parameters`, and those of the posterior.
fn parameters(networks: &Networks) -> String {
    match networks.parameters() {
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
