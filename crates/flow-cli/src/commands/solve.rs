//! `flow solve`: what explains an observation.

use anyhow::Result;
use flow_model::Registry;
use flow_report::{Asked, Seen, noise};
use flow_run::files::check_folder;

use crate::args::{AnswerArgs, ModelArgs, SolveArgs};
use crate::exit::usage;
use crate::terminal::{Terminal, print};

/// Answers a question and writes the answers into a folder of their own.
pub(crate) fn run(args: &SolveArgs, registry: &Registry) -> Result<()> {
    let (plan, noise) = (args.answer.plan()?, noise(&args.noise)?);
    let out = args.out.as_path();
    if out.symlink_metadata().is_ok() {
        return Err(usage!("{} exists already, name another folder", out.display()));
    }
    check_folder(out)?;
    let (device, place) = args.answer.model.open(registry)?;
    let class = args.class.as_deref().map(|class| place.class(class)).transpose()?;
    let given = place.given(args.given.as_deref(), &Terminal)?;
    let model = place.model(&device)?;
    let file = args.observe.as_deref().or(args.known.as_deref());
    let (operator, mask) = (args.operator.as_deref(), args.mask.as_deref());
    let seen = Seen::read(operator, mask, file, noise, &model, &device)?;
    let AnswerArgs { method, sampler, steps, model: ModelArgs { run, .. }, .. } = &args.answer;
    let given = args.given.as_deref().zip(given.as_deref());
    let asked = Asked { model: run, class, given, method, sampler, steps: *steps };
    let explained = seen.answer(&model, &plan, args.draws, asked, out)?;
    print(&format!("{explained}: {}", out.display()))
}
