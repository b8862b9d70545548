//! `flow solve`: what explains an observation.

use std::time::Instant;

use anyhow::Result;
use flow_datasets::counted;
use flow_model::{Question, Registry};
use flow_report::{AnswersNote, back_projection, mask, noise, observed, operator, save_answers};
use flow_run::memory;

use crate::args::{AnswerArgs, SolveArgs};
use crate::exit::usage;
use crate::terminal::print;

/// Answers a question and writes the answers into a folder of their own.
pub(crate) fn run(args: &SolveArgs, registry: &Registry) -> Result<()> {
    let &AnswerArgs { ref method, ref sampler, steps, at_once, seed, .. } = &args.answer;
    let (plan, noise) = (args.answer.plan()?, noise(&args.noise)?);
    let out = args.out.as_path();
    if out.symlink_metadata().is_ok() {
        return Err(usage!("{} exists already, name another folder", out.display()));
    }
    let (device, place) = args.answer.model.open(registry)?;
    let class = args.class.as_deref().map(|class| place.class(class)).transpose()?;
    let model = place.model(&device)?;
    if model.table()?.is_some() {
        return Err(usage!("holes of a table are filled by `flow impute`"));
    }
    let (name, operator) = match (&args.operator, &args.mask) {
        (Some(name), _) => (name.clone(), operator(name, &model, &device)?),
        (None, Some(file)) => (format!("mask:{}", file.display()), mask(file, &model, &device)?),
        (None, None) => return Err(usage!("name what was seen by --operator or --mask")),
    };
    let Some(file) = args.observe.as_ref().or(args.known.as_ref()) else {
        return Err(usage!("name what was seen by --observe or --known"));
    };
    let observed = observed(file, &*operator, noise, &model)?;
    let classes = class.map(|class| vec![class]);
    let question = Question {
        classes: classes.as_deref(),
        ..plan.question(&*operator, &observed, noise, args.draws)
    };
    let started = Instant::now();
    let (answered, memory) = memory::grown(|| model.answer(&question, &*plan.sampler));
    let (answered, seconds) = (answered?, started.elapsed().as_secs_f64());
    let note = AnswersNote {
        model: &args.answer.model.run,
        operator: &name,
        observed: file,
        noise,
        class,
        method,
        sampler,
        steps,
        at_once,
        seed,
        seconds,
        memory,
    };
    let seen = back_projection(&*operator, &observed, noise, &device);
    save_answers(out, &model, &seen, &answered, note)?;
    let misfit = answered.misfit.iter().sum::<f64>() / answered.misfit.len() as f64;
    print(&format!(
        "{}, {} each, {} of them with a gradient, {seconds:.1} s, misfit {misfit:.2} (about 1 explains \
         what was seen): {}",
        counted(args.draws, "answer"),
        counted(answered.nfe, "evaluation"),
        answered.gradients,
        out.display()
    ))
}
