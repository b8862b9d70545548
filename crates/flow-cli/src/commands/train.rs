//! `flow train`: from a recipe to a scored and drawn model.

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
use crate::exit::{Interrupted, usage};
use crate::network::{AnyNetwork, AnyPosterior, Networks, strangers};
use crate::progress::{Progress, print, rewind, say};
use crate::recipe::Recipe;
use crate::registry::{self, Data};
use crate::run::{Run, Shape};
use crate::sizes::Sizes;

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    device::limit_threads(args.compute.threads)?;
    let device = device::parse(&args.compute.device)?;
    let (run, resume) = if let Some(folder) = &args.resume {
        let run = Run::open(folder)?;
        let checkpoint = run.progress()?;
        (Prepared::Existing(run), checkpoint)
    } else {
        let mut changes = args.set.clone();
        changes.extend(args.seed.map(|seed| format!("seed={seed}")));
        (Prepared::New(registry::recipe(&args.recipe, &changes)?), None)
    };
    let recipe = run.recipe();
    let source = source(args.data.folder());
    let data = Data::open(recipe, &source)?;
    // What cannot be regressed is refused before anything is written.
    matching(recipe, &data)?;
    eval::check(recipe, &data)?;
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
    let sources = sources(recipe, &data, &device)?;
    let done = resume.as_ref().map_or(0, |checkpoint| checkpoint.step);
    let run = match run {
        Prepared::New(recipe) => {
            let rows = Shape { shape: data.shape(), classes: data.classes() };
            Run::create(recipe, &rows, args.out.as_deref(), &args.compute.device)?
        }
        Prepared::Existing(run) => {
            rewind(&run.folder, done)?;
            run
        }
    };
    say(&summary);
    say(&format!("run folder: {}, {done} steps done", run.folder.display()));

    let started = Instant::now();
    train(&run, &data, &sources, networks, &device, resume.as_ref())?;
    let seconds = started.elapsed().as_secs_f64();
    say(&format!("trained in {seconds:.1} s"));
    if args.no_eval {
        return print(&format!("run folder: {}", run.folder.display()));
    }
    let report = eval::evaluate(&run, &data, &device, &eval::Options::default())?;
    let pictures = plot::draw(&run, &data, &device)?;
    print(&report.table())?;
    print(&format!("run folder: {}", run.folder.display()))?;
    for picture in pictures {
        print(&format!("picture:    {}", picture.display()))?;
    }
    print(&format!("report:     {}", plot::page(&run)?.display()))
}

/// A run that may not have its folder yet.
enum Prepared {
    New(Recipe),
    Existing(Run),
}

impl Prepared {
    fn recipe(&self) -> &Recipe {
        match self {
            Self::New(recipe) | Self::Existing(Run { recipe, .. }) => recipe,
        }
    }
}

/// Where data files are, with downloads told on the terminal.
pub(crate) fn source(data_dir: Option<&std::path::Path>) -> Source {
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
    stop_on_ctrl_c(&interrupter)?;
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
    if outcome.interrupted {
        let folder = run.folder.display();
        return Err(Interrupted(format!(
            "interrupted after {} steps, go on with `flow train --resume {folder}`",
            outcome.step
        ))
        .into());
    }
    // From here on there is nothing to save, so the next Ctrl-C stops at once.
    interrupter.stop(None);
    Ok(())
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
        let observer =
            Progress::new(folder, start, steps, recipe.train.batch, (steps / 500).clamp(1, 50))?;
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

/// The first Ctrl-C asks the run to write a checkpoint and stop; the second stops at once.
fn stop_on_ctrl_c(interrupter: &Interrupter) -> Result<()> {
    let interrupter = interrupter.clone();
    ctrlc::set_handler(move || {
        if interrupter.should_stop() {
            std::process::exit(130);
        }
        say("stopping after this step, press Ctrl-C again to stop at once");
        interrupter.stop(Some("Ctrl-C"));
    })
    .map_err(|error| usage!("cannot watch for Ctrl-C: {error}"))
}
