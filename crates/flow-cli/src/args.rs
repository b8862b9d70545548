//! The command line: verbs and their options, as clap reads them.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::builder::OsStringValueParser;
use clap::{Parser, Subcommand, ValueEnum};
use flow_import::Family;
use flow_model::AnswerMethod;
use flow_path::ScheduleConfig;
use flow_run::{DEFAULT_BATCH, SampleChanges};

/// Flow matching: train, sample, score and draw generative models.
#[derive(Debug, Parser)]
#[command(name = "flow", version, propagate_version = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Train a recipe, then sample, score and draw the result.
    Train(TrainArgs),
    /// Carry the rows of a file along the flow of a model, from one time to others.
    Push(PushArgs),
    /// Draw samples from a finished run, or from a model that `flow export` wrote.
    Sample(SampleArgs),
    /// Score a finished run, each score beside its floor.
    Eval(EvalArgs),
    /// Draw what a model of a table believes after an observation, with log-densities.
    Posterior(PosteriorArgs),
    /// Fill the holes of a table, in several draws, under a model of a table.
    Impute(ImputeArgs),
    /// Answer a question: the pictures or rows that explain what was seen of them.
    Solve(SolveArgs),
    /// Rank held-out truths among draws: is the posterior calibrated, too narrow, too wide, biased?
    Calibrate(CalibrateArgs),
    /// Log-likelihood of data under a finished run, with bits per dimension of images.
    Likelihood(LikelihoodArgs),
    /// Draw the pictures of a finished run.
    Plot(PlotArgs),
    /// Write the model of a run as a file of its own, which needs neither the run nor its data.
    Export(ExportArgs),
    /// Make a model of weights that another program trained.
    Import(ImportArgs),
    /// Print what a model is: of a run, or of a file that `flow export` wrote.
    Card(CardArgs),
    /// Put a model behind HTTP, with a page to try it; needs the feature `serve`.
    Serve(ServeArgs),
    /// Compute published and derived numbers again and compare.
    Verify(VerifyArgs),
    /// Put runs side by side: where their recipes differ, and their scores.
    Compare(CompareArgs),
    /// List the recipes, data sets, choices of a recipe, solvers and devices.
    List,
    /// Print a recipe with all its comments, as a start for your own.
    Recipe(RecipeArgs),
}

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct TrainArgs {
    /// Name of a recipe (see `flow list`), path of a TOML file, or a file of your own: a table
    /// (`.csv`, `.tsv`, `.parquet`) or an array (`.npy`, `.npz`, `.safetensors`). The default is
    /// checkerboard, or what fits the file of --data.
    pub(crate) recipe: Option<String>,
    /// A file to train on, with the recipe that fits it unless one is named: `table`; `points`,
    /// `images` or `sequence` by the axes of an array; `populations` with --from or --time.
    #[arg(long = "data", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// A file of the rows that paths start from, in place of noise.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Row i of the file of --from belongs to row i of the data.
    #[arg(long, requires = "from")]
    pub(crate) pairs: bool,
    /// Column, or array beside the rows, with the time of each row: the rows of one time flow to
    /// those of the next.
    #[arg(long, value_name = "COLUMN", conflicts_with = "from")]
    pub(crate) time: Option<String>,
    /// Columns of the table that are conditions: given when a sample is drawn, not generated.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) given: Vec<String>,
    /// Columns of the table to leave out.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) drop: Vec<String>,
    /// Change a value of the recipe, for example `--set train.images=2e6`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Seed of the weights, the data order and all noise.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// Folder of the run; the default is the next free `runs/NNNN-recipe`.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with an interrupted run instead of starting one.
    #[arg(long, value_name = "RUN", conflicts_with_all = NEW)]
    pub(crate) resume: Option<PathBuf>,
    /// Train the run to resume on so many images more than its recipe says, a finished one too. The
    /// learning rate goes on along the recipe's schedule of the new length.
    #[arg(long, value_name = "N", value_parser = images)]
    pub(crate) more_images: Option<f64>,
    /// Print the resolved recipe, the number of parameters and of steps, and stop.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Train only: leave out samples, scores and pictures.
    #[arg(long)]
    pub(crate) no_eval: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

/// What belongs to a new run alone.
const NEW: [&str; 10] =
    ["recipe", "file", "from", "pairs", "time", "given", "drop", "out", "set", "seed"];

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ComputeArgs {
    /// Where to compute: flex, ndarray, wgpu, vulkan, metal, webgpu, cuda:0, rocm:0.
    #[arg(long, default_value = "flex")]
    pub(crate) device: String,
    /// Threads of the CPU backend; the default is all cores.
    #[arg(long, value_parser = whole)]
    pub(crate) threads: Option<usize>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DataArgs {
    /// Folder that holds the data files; without it they are downloaded and kept.
    #[arg(long, env = "FLOW_DATA", value_name = "DIR", value_parser = OsStringValueParser::new())]
    data_dir: Option<OsString>,
}

impl DataArgs {
    /// The folder; an empty `FLOW_DATA` is none.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.data_dir.as_deref().filter(|folder| !folder.is_empty()).map(Path::new)
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
    #[arg(long, value_name = "NAME[,KEY=VALUE]", help = schedule_help())]
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

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct SampleArgs {
    /// Folder of a run, or a model that `flow export` wrote.
    pub(crate) run: PathBuf,
    /// Number of samples; the default is 64, or a sample for each row of a --given file.
    #[arg(short = 'n', long, value_parser = whole)]
    pub(crate) number: Option<usize>,
    /// What the model is told. Of a table: `clinic=B,age=40`, or a table whose rows are taken in
    /// turn. Of a model that enlarges: a small picture, or an array of them.
    #[arg(long, value_name = "COLUMN=VALUE,..|FILE")]
    pub(crate) given: Option<String>,
    /// Seed of the noise: sample i of a seed starts from the same noise whatever the number and the
    /// batch. On fixed steps it is then the same sample; adaptive solvers share their steps within
    /// a batch, so that it differs by about the tolerance.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Class to draw, for conditional models; the default goes through all classes in turn.
    #[arg(long, value_parser = whole)]
    pub(crate) class: Option<usize>,
    #[command(flatten)]
    pub(crate) solver: SolverArgs,
    /// A weaker run to move away from, in place of the model without its class (autoguidance).
    #[arg(long, value_name = "RUN")]
    pub(crate) guide_with: Option<PathBuf>,
    /// Samples computed together.
    #[arg(long, default_value_t = DEFAULT_BATCH, value_parser = whole)]
    pub(crate) batch: usize,
    /// File to write: `.npy` for numbers, `.png` for a picture; of a model of an array `.npz` or
    /// `.safetensors` too; of a model of a table `.csv`, `.tsv`, `.npy`, `.npz` or `.parquet`. A
    /// model that is no run needs one.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct PushArgs {
    /// Folder of a run, or a model that `flow export` wrote.
    pub(crate) run: PathBuf,
    /// Rows to carry, in the form of the data: a table with its columns, or an array. Of a file
    /// with a time for each row, those of --from.
    pub(crate) file: PathBuf,
    /// Time of the rows; the default is their own, else that of the first snapshot. Of a model of
    /// noise 0 is the noise and 1 the data.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<f64>,
    /// Times to carry them to, all later or all earlier; the default is the last snapshot. Several
    /// stand one below the other.
    #[arg(long, value_name = "TIME,..", value_delimiter = ',')]
    pub(crate) to: Vec<f64>,
    /// Class of the rows, for models that know any and files that do not say it.
    #[arg(long, value_parser = whole)]
    pub(crate) class: Option<usize>,
    #[command(flatten)]
    pub(crate) solver: SolverArgs,
    /// Rows carried together.
    #[arg(long, default_value_t = DEFAULT_BATCH, value_parser = whole)]
    pub(crate) batch: usize,
    /// File to write, in the form of the rows.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct PosteriorArgs {
    /// Folder of a run of a table with given columns, or a model that `flow export` wrote.
    pub(crate) run: PathBuf,
    /// What was observed: `x1=0.3,x2=-1`, or a table with a row for each observation.
    #[arg(long, value_name = "COLUMN=VALUE,..|FILE")]
    pub(crate) observe: String,
    /// Number of draws for each observation.
    #[arg(short = 'n', long, default_value_t = 1000, value_parser = whole)]
    pub(crate) number: usize,
    /// Seed of the noise.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Leave out the log-density of each draw, which takes a solve of its own.
    #[arg(long)]
    pub(crate) no_density: bool,
    #[command(flatten)]
    pub(crate) solver: SolverArgs,
    /// Table to write, with a corner plot beside it; a model that is no run needs one.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

/// How an observation is brought into a model.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct AnswerArgs {
    #[arg(long, value_name = "NAME[,KEY=VALUE]", default_value = "mmps", help = method_help())]
    pub(crate) method: String,
    /// Sampler: any of `flow list` that steps along a grid.
    #[arg(long, value_name = "NAME[,KEY=VALUE]", default_value = "langevin")]
    pub(crate) sampler: String,
    /// Number of steps.
    #[arg(long, default_value_t = 32, value_parser = whole)]
    pub(crate) steps: usize,
    /// Draws computed together at most, which bounds the memory.
    #[arg(long, default_value_t = 16, value_parser = whole)]
    pub(crate) at_once: usize,
    /// Seed of the noise.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct ImputeArgs {
    /// Folder of a run of a table, or a model that `flow export` wrote.
    pub(crate) run: PathBuf,
    /// A table with the columns of the training; what is missing in it is drawn.
    pub(crate) file: PathBuf,
    /// Draws for each row with a hole.
    #[arg(long, default_value_t = 1, value_parser = whole)]
    pub(crate) draws: usize,
    /// How far from the known values draws may lie, in standard deviations of a column.
    #[arg(long, default_value_t = 0.02)]
    pub(crate) noise: f64,
    /// Table to write: all rows, once for each draw with the number of it in a column `draw`.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct SolveArgs {
    /// Folder of a run, or a model that `flow export` wrote.
    pub(crate) run: PathBuf,
    /// What was seen of a sample: upsample:K (means of K x K pixels), blur:STD (in pixels),
    /// mask:FILE (known entries), matrix:FILE.npy (any linear map, [m, d]).
    #[arg(long, value_name = "NAME:VALUE", required_unless_present = "mask")]
    pub(crate) operator: Option<String>,
    /// What was seen: a picture, or an array of as many numbers, pixels from -1 to 1.
    #[arg(long, value_name = "FILE", required_unless_present = "known")]
    pub(crate) observe: Option<PathBuf>,
    /// A picture of which a part is known: short for --observe FILE.
    #[arg(long, value_name = "FILE", conflicts_with = "observe", requires = "mask")]
    pub(crate) known: Option<PathBuf>,
    /// What of it is known, white in a picture or 1 in an array: short for --operator mask:FILE.
    #[arg(long, value_name = "FILE", conflicts_with = "operator")]
    pub(crate) mask: Option<PathBuf>,
    /// Standard deviation of the noise of what was seen.
    #[arg(long, default_value_t = 0.05)]
    pub(crate) noise: f64,
    /// Number of answers.
    #[arg(long, default_value_t = 16, value_parser = whole)]
    pub(crate) draws: usize,
    /// Class of the answers, for conditional models; without it the model is asked without a class.
    #[arg(long, value_parser = whole)]
    pub(crate) class: Option<usize>,
    /// Folder to make, for the answers, their mean and spread, and a picture.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
#[cfg_attr(not(feature = "serve"), allow(dead_code, reason = "read by the server alone"))]
pub(crate) struct ServeArgs {
    /// Folder of a run, or a model that `flow export` wrote.
    pub(crate) model: PathBuf,
    /// Port to listen on; 0 takes one that is free.
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
    /// Address to listen on; one that other machines reach needs a token.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(crate) host: IpAddr,
    /// What requests must carry as `Authorization: Bearer TOKEN`.
    #[arg(long, env = "FLOW_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Rows that a request may ask for.
    #[arg(long, default_value_t = 10_000, value_parser = whole)]
    pub(crate) max_n: usize,
    /// Steps that a request may ask for.
    #[arg(long, default_value_t = 1_000, value_parser = whole)]
    pub(crate) max_steps: usize,
    /// Bytes of a request's body.
    #[arg(long, value_name = "BYTES", default_value_t = 2 << 20, value_parser = whole)]
    pub(crate) max_body: usize,
    /// Requests that wait, are read or are computed at once.
    #[arg(long, default_value_t = 64, value_parser = whole)]
    pub(crate) max_queue: usize,
    /// Seconds that a request may take, its wait included.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    pub(crate) timeout: f64,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// Weights: .pt, .pth, .bin or .safetensors.
    pub(crate) file: PathBuf,
    #[arg(long = "as", value_name = "FAMILY", help = family_help())]
    pub(crate) family: String,
    /// The configuration of the network, as its program wrote it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Which of several sets of weights in the file, for example the moving average.
    #[arg(long, value_name = "NAME")]
    pub(crate) state: Option<String>,
    /// Model to write, as `flow export` does.
    #[arg(long, value_name = "PATH")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CalibrateArgs {
    /// Folder of a run of a table with given columns.
    pub(crate) run: PathBuf,
    /// Held-out rows.
    #[arg(short = 'n', long, default_value_t = 500, value_parser = whole)]
    pub(crate) number: usize,
    /// Draws for each of them.
    #[arg(long, default_value_t = 99, value_parser = whole)]
    pub(crate) draws: usize,
    /// Seed of the noise and of random points.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Print `calibration.json` instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Folder of a run, or a model that `flow export` wrote.
    pub(crate) run: PathBuf,
    /// What to write: one file if the name ends in `.flow` or `.safetensors`, else a folder with
    /// `model.toml` and `weights.safetensors`; of ONNX the file of the network, NAME.onnx, beside
    /// which NAME.sampler.onnx is a whole sampler.
    #[arg(long, value_name = "PATH")]
    pub(crate) out: PathBuf,
    /// As what: a model that this program opens, or ONNX for others.
    #[arg(long, default_value = "flow", value_parser = ["flow", "onnx"])]
    pub(crate) format: String,
    /// Solver of the sampler of ONNX, in place of the model's own: any Runge-Kutta method of
    /// `flow list`.
    #[arg(long, value_name = "NAME")]
    pub(crate) solver: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CardArgs {
    /// A model that `flow export` wrote, or the folder of a run.
    pub(crate) model: PathBuf,
    /// Print all of `model.toml`.
    #[arg(long)]
    pub(crate) toml: bool,
}

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct EvalArgs {
    /// Folder of a run.
    pub(crate) run: PathBuf,
    /// Number of samples; the default is the recipe's.
    #[arg(short = 'n', long, value_parser = whole)]
    pub(crate) number: Option<usize>,
    /// Seed of the noise, the reference draws and the projections.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Scores by name, or `all`; the default is those of the recipe. Points: sliced, max-sliced,
    /// wasserstein, energy, mmd, frechet, precision-recall, density-coverage, support,
    /// true-likelihood, parzen. Images, on the features of a classifier: frechet, kid,
    /// precision-recall, density-coverage, class-score, class; with --inception also fid and
    /// inception-kid.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) metrics: Vec<String>,
    /// Weights of the network that FID is defined on, `.pth` or `.safetensors`: pytorch-fid's
    /// pt_inception-2015-12-05-6726825d.pth.
    #[arg(long, value_name = "FILE")]
    pub(crate) inception: Option<PathBuf>,
    /// Mean and covariance of reference features in pytorch-fid's `.npz` format: read if the file
    /// exists, else computed from the training images and written there.
    #[arg(long, value_name = "FILE", requires = "inception")]
    pub(crate) reference: Option<PathBuf>,
    /// Print `eval.json` instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

/// Which data are asked for their likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Held {
    /// Seen in training.
    Train,
    /// Held out.
    Test,
}

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct LikelihoodArgs {
    /// Folder of a run.
    pub(crate) run: PathBuf,
    /// A table whose rows are asked for their log-density, under a model of a table.
    pub(crate) file: Option<PathBuf>,
    /// Where to write the rows of FILE with their log-densities.
    #[arg(long, value_name = "FILE", requires = "file")]
    pub(crate) out: Option<PathBuf>,
    /// The data: seen in training or held out.
    #[arg(long, value_enum, default_value_t = Held::Test)]
    pub(crate) data: Held,
    /// Exact divergence, at the cost of one pass for each dimension; the default for points.
    #[arg(long, conflicts_with = "probes")]
    pub(crate) exact: bool,
    /// Random probes for each sample that estimate the divergence; the default for images is 1.
    #[arg(long, value_name = "K", value_parser = whole)]
    pub(crate) probes: Option<usize>,
    /// Noisy copies of each image that its probability is averaged over; with probes it errs high.
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = whole)]
    pub(crate) importance: usize,
    /// Latents that a density is averaged over, for a model with a latent; errs low, less with
    /// more; with probes it may err high.
    #[arg(long, value_name = "K", default_value_t = 16, value_parser = whole)]
    pub(crate) latents: usize,
    /// Number of samples; the default is 1000 points or 100 images.
    #[arg(short = 'n', long, value_parser = whole)]
    pub(crate) number: Option<usize>,
    /// Rows computed together, which bounds the memory; the default is 1000 points or 50 images.
    #[arg(long, value_parser = whole)]
    pub(crate) batch: Option<usize>,
    /// Seed of the points, the pixels' noise and the probes.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Draw probes from a normal distribution in place of signs, which vary less.
    #[arg(long)]
    pub(crate) gaussian: bool,
    /// Solver: any of `flow list`.
    #[arg(long, default_value = "dopri5")]
    pub(crate) solver: String,
    /// Equal steps in place of the tolerances; solvers of fixed step need them.
    #[arg(long, value_parser = whole)]
    pub(crate) steps: Option<usize>,
    /// Relative tolerance, for the sample and its log-density.
    #[arg(long, default_value_t = 1e-5, conflicts_with = "steps")]
    pub(crate) rtol: f64,
    /// Absolute tolerance, for the sample and its log-density.
    #[arg(long, default_value_t = 1e-5, conflicts_with = "steps")]
    pub(crate) atol: f64,
    /// Write `likelihood-TAG.json`, to keep several results of a run.
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// Print `likelihood.json` instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    #[command(flatten)]
    pub(crate) source: DataArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PlotArgs {
    /// Folder of a run.
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// Only these golden numbers, for example G18; the default is all.
    #[arg(value_name = "GOLDEN")]
    pub(crate) only: Vec<String>,
    /// Print the checks as JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompareArgs {
    /// Folders of runs.
    #[arg(required = true)]
    pub(crate) runs: Vec<PathBuf>,
    /// Take runs that differ in their seed alone together: mean and standard deviation.
    #[arg(long)]
    pub(crate) group: bool,
    /// Only scores whose names begin like this; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) score: Vec<String>,
    /// Only rows of solvers that begin like this; may be repeated.
    #[arg(long, value_name = "SOLVER")]
    pub(crate) row: Vec<String>,
    /// What share of the evaluations of B the run A needs for the same error, with a bracket;
    /// columns are named like folders, with --group without their seeds; may be repeated.
    #[arg(long, num_args = 2, value_names = ["A", "B"], action = clap::ArgAction::Append)]
    pub(crate) nfe_at_error: Vec<String>,
    /// Print the numbers as JSON.
    #[arg(long, conflicts_with = "out")]
    pub(crate) json: bool,
    /// File to write, with figures: `.md` has them beside it, `.html` inside.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RecipeArgs {
    /// Name of a recipe.
    pub(crate) recipe: String,
}

/// Names every method of answering.
fn method_help() -> String {
    let each = AnswerMethod::CHOICES.map(|(typed, about)| format!("{typed}: {about}"));
    format!("How what was seen is brought in: {}", each.join("; "))
}

/// Names every family of networks from elsewhere.
fn family_help() -> String {
    let each = Family::ALL.map(|family| format!("{}: {}", family.name(), family.about()));
    format!("What the weights are of: {}", each.join("; "))
}

/// Names every schedule, as the list of choices does.
fn schedule_help() -> String {
    let typed: Vec<String> = ScheduleConfig::choices().into_iter().map(|one| one.typed).collect();
    format!("Schedule to sample along, whatever the model was trained on: {}", typed.join("; "))
}

/// A number of images.
fn images(text: &str) -> Result<f64, String> {
    match number(text)? {
        images if 0.0 < images => Ok(images),
        _ => Err("it must be a positive number".into()),
    }
}

/// A whole number, also as `1e6`.
fn whole(text: &str) -> Result<usize, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    // Above 2^53 floating point skips whole numbers, so that such a count would not be the one
    // typed.
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && (0.0..9.0e15).contains(&number) => {
            Ok(number as usize)
        }
        _ => Err("give a whole number, zero or positive, such as 1000 or 1e3".into()),
    }
}

/// A floating-point number that is not NaN.
fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("give a finite number, such as 0.5 or 1e-5".into()),
    }
}

/// Two numbers with a comma between them.
fn interval(text: &str) -> Result<[f64; 2], String> {
    match text.split_once(',') {
        Some((start, end)) => Ok([number(start.trim())?, number(end.trim())?]),
        None => Err("write START,END".into()),
    }
}
