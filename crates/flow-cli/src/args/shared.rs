//! Options that several verbs share: the device, the sampler, the form of the answer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::tensor::Device;
use clap::builder::OsStringValueParser;
use flow_datasets::Files;
use flow_model::{AnswerPlan, Registry};
use flow_run::typed::{interval, whole};
use flow_run::{Data, Place, Run, SampleChanges, answer_methods, data_files, schedules};

use super::number::Positive;
use crate::device;
use crate::terminal::Terminal;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ComputeArgs {
    /// Where to compute: flex, ndarray, wgpu, vulkan, metal, webgpu, cuda:0, rocm:0.
    #[arg(long, default_value = "flex")]
    pub(crate) device: String,
    /// Threads of the CPU backend; the default is all cores.
    #[arg(long, value_parser = Positive)]
    pub(crate) threads: Option<usize>,
}

impl ComputeArgs {
    /// Limits the threads and opens the device.
    pub(crate) fn open(&self) -> Result<Device> {
        self.threads.map_or(Ok(()), device::limit_threads)?;
        device::parse(&self.device)
    }
}

/// A model, and where to compute.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ModelArgs {
    /// Folder of a run, or a model that `flow export` wrote.
    #[arg(index = 1)]
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

impl ModelArgs {
    /// The device, and where the model comes from.
    pub(crate) fn open(&self, registry: &Registry) -> Result<(Device, Place)> {
        let device = self.compute.open()?;
        let place = Place::open(registry, &self.run, &device)?;
        Ok((device, place))
    }
}

/// A run with its data, and where to compute.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    source: DataArgs,
}

impl RunArgs {
    /// The device, the run and its data; of a model of its own, the `data` that it is scored on,
    /// and a run whose folder is `out`.
    pub(crate) fn open(
        &self,
        registry: &Registry,
        data: Option<&Path>,
        out: Option<&Path>,
    ) -> Result<(Device, Run, Data)> {
        let ModelArgs { run, compute } = &self.model;
        let (device, files, given) = (compute.open()?, self.source.files(), [data, out]);
        let (run, data) = Run::scored(registry, run, given, &files, &compute.device, &Terminal)?;
        Ok((device, run, data))
    }
}

/// A run, or a model of its own with what a run has beside its model.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ScoredArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Of a model of its own, the data: the name of a set, or a file of such rows as it was trained
    /// on, of which some are held out by the same rule. The default is the set of its training.
    #[arg(long, value_name = "FILE|SET")]
    data: Option<PathBuf>,
    /// Of a model of its own, the folder for what is found of it, a run for every other command;
    /// made unless it is there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl ScoredArgs {
    /// The device, the run and its data.
    pub(crate) fn open(&self, registry: &Registry) -> Result<(Device, Run, Data)> {
        self.run.open(registry, self.data.as_deref(), self.out.as_deref())
    }
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DataArgs {
    /// Folder that holds the data files; without it they are downloaded and kept.
    #[arg(long, env = "FLOW_DATA", value_name = "DIR", value_parser = OsStringValueParser::new())]
    data_dir: Option<OsString>,
}

impl DataArgs {
    /// The files in the folder; without one, or with an empty `FLOW_DATA`, those of the cache,
    /// which are downloaded if they are missing.
    pub(crate) fn files(&self) -> Files {
        let folder = self.data_dir.as_deref().filter(|folder| !folder.is_empty());
        data_files(folder.map(Path::new), Terminal)
    }
}

#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct SolverArgs {
    /// Way from noise to data, with its options: ode; ddim,eta=0; ancestral; churn,fraction=0.5;
    /// edm; karras-churn,amount=40; sde,diffusion=sigma; dpm-solver++,order=2; unipc,order=2; ...
    #[arg(long, value_name = "NAME[,KEY=VALUE]")]
    pub(crate) sampler: Option<String>,
    /// Solver of the sampler ode: euler, midpoint, heun2, rk4, dopri5, tsit5, ...
    #[arg(long)]
    pub(crate) solver: Option<String>,
    /// Number of steps. Without it, methods with an error estimate (dopri5, tsit5, ...) choose
    /// their own by the tolerances; euler, rk4 and, unless a tolerance is given, midpoint and heun2
    /// take the recipe's.
    #[arg(long, value_parser = whole)]
    pub(crate) steps: Option<usize>,
    /// Times of the steps: uniform; karras,rho=7; log-snr,min=-10,max=10; given,times=[0,0.5,1].
    #[arg(long, value_name = "NAME[,KEY=VALUE]")]
    pub(crate) grid: Option<String>,
    /// Moves the times of the steps by t / (t + shift (1 - t)): above 1 towards the noise.
    #[arg(long)]
    pub(crate) shift: Option<f64>,
    #[arg(
        long,
        value_name = "NAME[,KEY=VALUE]",
        help = format!("Schedule to sample along, whatever the model was trained on: {}", schedules())
    )]
    pub(crate) schedule: Option<String>,
    /// Relative tolerance, for adaptive solvers.
    #[arg(long)]
    pub(crate) rtol: Option<f64>,
    /// Absolute tolerance, for adaptive solvers.
    #[arg(long)]
    pub(crate) atol: Option<f64>,
    /// Strength of guidance: 1 is none, 0 ignores the class (or is the run of --guide-with).
    #[arg(long)]
    pub(crate) guidance: Option<f64>,
    /// Times between which guidance acts.
    #[arg(long, value_name = "START,END", value_parser = interval)]
    pub(crate) guidance_interval: Option<[f64; 2]>,
}

impl SolverArgs {
    /// What they change of the way in which a recipe is sampled.
    pub(crate) fn changes(&self) -> SampleChanges {
        SampleChanges {
            sampler: self.sampler.clone(),
            solver: self.solver.clone(),
            steps: self.steps,
            grid: self.grid.clone(),
            shift: self.shift,
            schedule: self.schedule.clone(),
            rtol: self.rtol,
            atol: self.atol,
            guidance: self.guidance,
            guidance_interval: self.guidance_interval,
        }
    }
}

/// How an observation is brought into a model.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct AnswerArgs {
    #[arg(
        long,
        value_name = "NAME[,KEY=VALUE]",
        default_value = AnswerPlan::METHOD,
        help = format!("How what was seen is brought in: {}", answer_methods().line())
    )]
    pub(crate) method: String,
    /// Sampler: any of `flow list` that steps along a grid.
    #[arg(long, value_name = "NAME[,KEY=VALUE]", default_value = AnswerPlan::SAMPLER)]
    pub(crate) sampler: String,
    /// Number of steps.
    #[arg(long, default_value_t = AnswerPlan::STEPS, value_parser = Positive)]
    pub(crate) steps: usize,
    /// Draws computed together at most, which bounds the memory.
    #[arg(long, default_value_t = AnswerPlan::AT_ONCE, value_parser = Positive)]
    pub(crate) at_once: usize,
    /// Seed of the noise.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

impl AnswerArgs {
    /// The same as the model takes it.
    pub(crate) fn plan(&self) -> Result<AnswerPlan> {
        let plan = AnswerPlan::typed(&self.method, &self.sampler, self.steps)?;
        Ok(AnswerPlan { at_once: self.at_once, seed: self.seed, ..plan })
    }
}
