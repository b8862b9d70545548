//! Verbs that bring rows of a user: push, posterior, impute, solve, calibrate.

use std::path::PathBuf;

use flow_run::DEFAULT_BATCH;

use super::number::Positive;
use super::shared::{AnswerArgs, ModelArgs, ScoredArgs, SolverArgs};

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct PushArgs {
    /// Rows to carry, in the form of the data: a table with its columns, an array, or a folder of
    /// images. Of a file with a time for each row, those of --from.
    #[arg(index = 2)]
    pub(crate) file: PathBuf,
    /// Time of the rows; the default is their own, else that of the first snapshot. Of a model of
    /// noise 0 is the noise and 1 the data.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<f64>,
    /// Times to carry them to, all later or all earlier; the default is the last snapshot. Several
    /// stand one below the other.
    #[arg(long, value_name = "TIME,..", value_delimiter = ',')]
    pub(crate) to: Vec<f64>,
    /// Class of the rows by its number or its name, for models that know any and files that do not
    /// say it.
    #[arg(long)]
    pub(crate) class: Option<String>,
    #[command(flatten)]
    pub(crate) solver: SolverArgs,
    /// Rows carried together.
    #[arg(long, default_value_t = DEFAULT_BATCH, value_parser = Positive)]
    pub(crate) batch: usize,
    /// File to write, in the form of the rows.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct PosteriorArgs {
    /// What was observed: `x1=0.3,x2=-1`, or a table with a row for each observation.
    #[arg(long, value_name = "COLUMN=VALUE,..|FILE")]
    pub(crate) observe: String,
    /// Number of draws for each observation.
    #[arg(short = 'n', long, default_value_t = 1000, value_parser = Positive)]
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
    pub(crate) model: ModelArgs,
}

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct ImputeArgs {
    /// A table with the columns of the training; what is missing in it is drawn.
    #[arg(index = 2)]
    pub(crate) file: PathBuf,
    /// Draws for each row with a hole.
    #[arg(long, default_value_t = 1, value_parser = Positive)]
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
    /// What was seen of a sample: upsample:K (means of K x K pixels), blur:STD (in pixels),
    /// mask:FILE (known entries), matrix:FILE.npy (any linear map, [m, d]), sparse:FILE.npz (the
    /// same of few entries, as scipy.sparse.save_npz writes it).
    #[arg(long, value_name = "NAME:VALUE", required_unless_present = "mask")]
    pub(crate) operator: Option<String>,
    /// What was seen: a picture, or an array of as many numbers, pixels from -1 to 1; counts as
    /// they are.
    #[arg(long, value_name = "FILE", required_unless_present = "known")]
    pub(crate) observe: Option<PathBuf>,
    /// A picture of which a part is known: short for --observe FILE.
    #[arg(long, value_name = "FILE", conflicts_with = "observe", requires = "mask")]
    pub(crate) known: Option<PathBuf>,
    /// What of it is known, white in a picture or 1 in an array: short for --operator mask:FILE.
    #[arg(long, value_name = "FILE", conflicts_with = "operator")]
    pub(crate) mask: Option<PathBuf>,
    /// Standard deviation of the noise of what was seen; or poisson:GAIN of counts, whose rate is
    /// GAIN (z + 1) where pixels from -1 to 1 are z, or poisson:GAIN,OFFSET of a rate
    /// GAIN (z + OFFSET).
    #[arg(long, value_name = "STD|poisson:GAIN[,OFFSET]", default_value = "0.05")]
    pub(crate) noise: String,
    /// Number of answers.
    #[arg(long, default_value_t = 16, value_parser = Positive)]
    pub(crate) draws: usize,
    /// Class of the answers by its number, or by its name where the model's classes have names;
    /// without it the model is asked without a class.
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// What the model is told of the columns that it was given.
    #[arg(long, value_name = "COLUMN=VALUE,..")]
    pub(crate) given: Option<String>,
    /// Folder to make, for the answers, their mean and spread, and a picture.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CalibrateArgs {
    /// Held-out rows.
    #[arg(short = 'n', long, default_value_t = 500, value_parser = Positive)]
    pub(crate) number: usize,
    /// Draws for each of them.
    #[arg(long, default_value_t = 99, value_parser = Positive)]
    pub(crate) draws: usize,
    /// Seed of the noise and of random points.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Print `calibration.json` instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) run: ScoredArgs,
}
