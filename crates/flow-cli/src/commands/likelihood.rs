//! `flow likelihood`: log-likelihood and bits per dimension of data under a run.

use std::path::Path;

use anyhow::Result;
use flow_judge::{LikelihoodOptions, densities, densities_in_words, likelihood, with_densities};
use flow_model::Registry;
use flow_run::Model;
use flow_run::files::{beside, check_apart};
use flow_run::recipe::check;
use flow_run::table::read_like;

use crate::args::LikelihoodArgs;
use crate::terminal::{Terminal, print};

pub(crate) fn run(args: &LikelihoodArgs, registry: &Registry) -> Result<()> {
    if let Some(tag) = &args.tag {
        check::name("--tag", tag)?;
    }
    if let Some(file) = &args.file {
        args.data.check_beside(file)?;
        return of_file(args, file, registry);
    }
    let data = args.data.other(&args.run.model.run)?;
    let (device, run, data) = args.run.open(registry, data, args.out.as_deref())?;
    let model = Model::load(&run, &device)?;
    let found = likelihood(&run, &data, &model, &options(args))?;
    found.report.save(&run, args.tag.as_deref())?;
    // Points of the plane have a picture, which shows where the model is dense.
    let pictures = match model.shape() {
        [2] => flow_report::draw_density(&run, &model, &found.points, &found.request, &Terminal)?,
        _ => Vec::new(),
    };
    if args.json {
        return print(&found.report.json());
    }
    print(found.report.table().trim_end())?;
    pictures.iter().try_for_each(|picture| print(&format!("picture:    {}", picture.display())))
}

/// The log-density of each row of a table, written beside it.
fn of_file(args: &LikelihoodArgs, file: &Path, registry: &Registry) -> Result<()> {
    let (device, place) = args.run.model.open(registry)?;
    let columns = place.columns(&args.run.model.run)?;
    let out = place.out(args.out.as_deref(), |_| Ok(beside(file)))?;
    check_apart(file, &out)?;
    let rows = read_like(&columns, file)?;
    let model = place.model(&device)?;
    let nats = densities(&model, &columns, &rows, &options(args))?;
    let found = densities_in_words(&nats);
    with_densities(&rows, nats)?.write(&out)?;
    print(&format!("{found}: {}", out.display()))
}

fn options(args: &LikelihoodArgs) -> LikelihoodOptions {
    LikelihoodOptions {
        part: args.data.part(),
        exact: args.exact,
        probes: args.probes,
        importance: args.importance,
        latents: args.latents,
        number: args.number,
        batch: args.batch,
        seed: args.seed,
        gaussian: args.gaussian,
        solver: args.solver.clone(),
        steps: args.steps,
        rtol: args.rtol,
        atol: args.atol,
    }
}
