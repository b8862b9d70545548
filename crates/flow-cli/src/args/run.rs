//! Verbs of a recipe and its run: train, sample, score, draw, compare.

use std::path::PathBuf;

use flow_judge::{LikelihoodData, metrics_in_words};
use flow_model::AnswerPlan;
use flow_run::typed::{images, whole};
use flow_run::{DEFAULT_BATCH, answer_methods};

use super::number::Positive;
use super::shared::{ComputeArgs, DataArgs, ModelArgs, RunArgs, ScoredArgs, SolverArgs};

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct TrainArgs {
    /// Name of a recipe (see `flow list`), path of a TOML file, or data of your own: a table
    /// (`.csv`, `.tsv`, `.parquet`), an array (`.npy`, `.npz`, `.safetensors`), a folder of images
    /// or records of CIFAR-10 (`.bin`). The default is checkerboard, or what fits --data.
    pub(crate) recipe: Option<String>,
    /// A file or a folder of images to train on, with the recipe that fits it unless one is named:
    /// `table`; `points`, `images` or `sequence` by the axes of an array; `cifar16`; `populations`
    /// with --from or --time.
    #[arg(long = "data", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// A model to begin with: the folder of a run, or a file that `flow export` or `flow import`
    /// wrote; the recipe gets its network, and the optimizer starts anew. Or a file of the rows
    /// that paths start from, in place of noise.
    #[arg(long, value_name = "MODEL|FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Row i of the file of --from belongs to row i of the data.
    #[arg(long, requires = "from", conflicts_with = "time")]
    pub(crate) pairs: bool,
    /// Column, or array beside the rows, with the time of each row: the rows of one time flow to
    /// those of the next.
    #[arg(long, value_name = "COLUMN", conflicts_with = "from")]
    pub(crate) time: Option<String>,
    /// Columns of the table that are conditions: given when a sample is drawn, not generated. Or a
    /// second file, whose row i belongs to row i of the table: all its columns are given.
    #[arg(long, value_name = "COLUMNS|FILE", value_delimiter = ',')]
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

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct SampleArgs {
    /// Number of samples; the default is 64, or a sample for each row of a --given file.
    #[arg(short = 'n', long, value_parser = Positive)]
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
    /// Class to draw by its number or its name, for conditional models; the default goes through
    /// all classes in turn.
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// Steps of each sequence, for models of sequences that end early; the default draws them as
    /// those of the data are.
    #[arg(long, value_parser = whole)]
    pub(crate) length: Option<usize>,
    #[command(flatten)]
    pub(crate) solver: SolverArgs,
    /// A weaker run to move away from, in place of the model without its class (autoguidance).
    #[arg(long, value_name = "RUN")]
    pub(crate) guide_with: Option<PathBuf>,
    /// Samples computed together.
    #[arg(long, default_value_t = DEFAULT_BATCH, value_parser = Positive)]
    pub(crate) batch: usize,
    /// File to write: `.npy` for numbers, `.png` for a picture; of a model of an array `.npz` or
    /// `.safetensors` too; of a model of a table `.csv`, `.tsv`, `.npy`, `.npz` or `.parquet`. A
    /// model that is no run needs one.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct EvalArgs {
    /// Number of samples; the default is the recipe's. With --questions: of held-out rows.
    #[arg(short = 'n', long, value_parser = whole)]
    pub(crate) number: Option<usize>,
    /// Seed of the noise, the reference draws and the projections.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[arg(
        long, value_name = "NAMES", value_delimiter = ',',
        help = format!("Scores by name, or `all`; the default is those of the recipe; {}", metrics_in_words())
    )]
    pub(crate) metrics: Vec<String>,
    /// Weights of the network that FID is defined on, `.pth` or `.safetensors`: pytorch-fid's
    /// pt_inception-2015-12-05-6726825d.pth.
    #[arg(long, value_name = "FILE")]
    pub(crate) inception: Option<PathBuf>,
    /// Mean and covariance of reference features in pytorch-fid's `.npz` format: read if the file
    /// exists, else computed from the training images and written there.
    #[arg(long, value_name = "FILE", requires = "inception")]
    pub(crate) reference: Option<PathBuf>,
    /// Print `eval.json`, or what the questions have in its place, instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) questions: QuestionArgs,
    #[command(flatten)]
    pub(crate) run: ScoredArgs,
}

/// Questions about held-out rows in place of the scores of samples.
#[derive(Debug, clap::Args)]
#[group(requires = "questions")]
pub(crate) struct QuestionArgs {
    /// Ask about held-out rows, -n of them (the default is 40). Of images: what is seen of each, as
    /// by the option --operator of `flow solve`, without a class. Of a table: given:COLUMN,COLUMN,
    /// the columns that are known.
    #[arg(
        long,
        value_name = "NAME:VALUE",
        conflicts_with_all = ["metrics", "inception", "reference"]
    )]
    pub(crate) questions: Option<String>,
    /// A model that was trained for the question, set beside the methods: one that enlarges, for
    /// upsample:K; one of the same table with --given COLUMN,COLUMN.
    #[arg(long, value_name = "MODEL")]
    pub(crate) against: Option<PathBuf>,
    #[arg(
        long,
        value_name = "NAME[,KEY=VALUE]",
        help = format!("How what was seen is brought in; may be repeated, the default is each of \
                        {}", answer_methods().line())
    )]
    pub(crate) method: Vec<String>,
    /// Standard deviation of the noise of what is seen.
    #[arg(long, default_value_t = 0.05)]
    pub(crate) noise: f64,
    /// Answers about each row.
    #[arg(long, default_value_t = 16, value_parser = Positive)]
    pub(crate) draws: usize,
    /// Sampler of all: any of `flow list` that steps along a grid.
    #[arg(long, value_name = "NAME[,KEY=VALUE]", default_value = AnswerPlan::SAMPLER)]
    pub(crate) sampler: String,
    /// Its steps.
    #[arg(long, default_value_t = AnswerPlan::STEPS, value_parser = Positive)]
    pub(crate) steps: usize,
}

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct LikelihoodArgs {
    /// A table whose rows are asked for their log-density, under a model of a table.
    #[arg(index = 2, conflicts_with_all = ["number", "tag", "json"])]
    pub(crate) file: Option<PathBuf>,
    /// Where to write the rows of FILE with their log-densities. Without FILE, and of a model of
    /// its own, the folder for what is found of it, made unless it is there.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The data: `train` were seen in training, `test` are held out. Of a model of its own also a
    /// file of such rows as it was trained on, or the name of a set, and of these what is held out.
    #[arg(long, default_value = "test", value_name = "train|test|FILE|SET")]
    pub(crate) data: LikelihoodData,
    /// Exact divergence, at the cost of one pass for each dimension; the default for points.
    #[arg(long, conflicts_with = "probes")]
    pub(crate) exact: bool,
    /// Random probes for each sample that estimate the divergence; the default for images is 1.
    #[arg(long, value_name = "K", value_parser = Positive)]
    pub(crate) probes: Option<usize>,
    /// Noisy copies of each image that its probability is averaged over, or of each row of a table
    /// with whole numbers; with probes it errs high.
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = Positive)]
    pub(crate) importance: usize,
    /// Latents that a density is averaged over, for a model with a latent; errs low, less with
    /// more; with probes it may err high.
    #[arg(long, value_name = "K", default_value_t = 16, value_parser = Positive)]
    pub(crate) latents: usize,
    /// Number of samples; the default is 1000 points or 100 images.
    #[arg(short = 'n', long, value_parser = Positive)]
    pub(crate) number: Option<usize>,
    /// Rows computed together, which bounds the memory; the default is 1000 points or 50 images.
    #[arg(long, value_parser = Positive)]
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
    #[arg(long, value_parser = Positive)]
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
    pub(crate) run: RunArgs,
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
    /// Folders of runs; of a model of its own that of `flow eval MODEL --out DIR`.
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
    /// Draw the paths of all models from the same noise, a row for each of them and a picture for
    /// each time; of runs that are taken together, of the first.
    #[arg(long, requires = "out")]
    pub(crate) strips: bool,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RecipeArgs {
    /// Name of a recipe.
    pub(crate) recipe: String,
}
