//! Verbs of a model as a file: export, import, card, serve.

use std::net::IpAddr;
use std::path::PathBuf;

use flow_run::typed::whole;

use super::shared::ComputeArgs;
use crate::commands::list::families;

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
    #[arg(
        long = "as",
        value_name = "FAMILY",
        help = format!("What the weights are of: {}", families().line())
    )]
    pub(crate) family: String,
    /// The configuration of the network, as its program wrote it; of diffusers also the folder of a
    /// model, whose scheduler then says how it was trained.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) config: Option<PathBuf>,
    /// Which of several sets of weights in the file, for example the moving average.
    #[arg(long, value_name = "NAME")]
    pub(crate) state: Option<String>,
    /// Model to write, as `flow export` does.
    #[arg(long, value_name = "PATH")]
    pub(crate) out: PathBuf,
    /// Replace the model that is there.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Folder of a run, or a model that `flow export` wrote.
    pub(crate) run: PathBuf,
    /// What to write: one file if the name ends in `.flow` or `.safetensors`, else a folder with
    /// `model.toml` and `weights.safetensors`; of ONNX the file of the network, NAME.onnx, beside
    /// which NAME.sampler.onnx is a whole sampler; of PyTorch a folder with `weights.safetensors`,
    /// a state dict, `config.json`, and `network.py`, the network in plain torch.
    #[arg(long, value_name = "PATH")]
    pub(crate) out: PathBuf,
    /// Format: a model that this program opens, or ONNX or PyTorch for other programs.
    #[arg(long, default_value = "flow", value_parser = ["flow", "onnx", "pytorch"])]
    pub(crate) format: String,
    /// Replace the model that is there.
    #[arg(long)]
    pub(crate) force: bool,
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
