//! `flow posterior` and `flow calibrate`: what a model of a table believes after an observation,
//! and how far that can be trusted.

use std::path::Path;

use anyhow::Result;
use flow_judge::calibrate as judged;
use flow_model::Registry;
use flow_report::{Posterior, draw_posterior};
use flow_run::files::{check_apart, check_table};
use flow_run::table::Conditions;
use flow_run::{Model, posterior_name};

use crate::args::{CalibrateArgs, PosteriorArgs};
use crate::exit::usage;
use crate::terminal::{Terminal, print, say};

/// Draws for each observation, one observation after another.
pub(crate) fn run(args: &PosteriorArgs, registry: &Registry) -> Result<()> {
    let (device, place) = args.model.open(registry)?;
    let Some(columns) = place.table()? else {
        let run = args.model.run.display();
        return Err(usage!("{run} is no model of a table with given columns"));
    };
    let asked = Some(args.observe.as_str());
    let Some(observed) = Conditions::given(Some(&columns), "--observe", asked, &Terminal)? else {
        return Err(usage!("--observe names no column that the model is told"));
    };
    let changes = args.solver.changes();
    let name = posterior_name(&args.observe, &changes, args.seed, args.number);
    let out = place.out(args.out.as_deref(), |_| Ok(name))?;
    check_table(&out)?;
    check_apart(Path::new(&args.observe), &out)?;
    let number = observed.table.len() * args.number;
    let request = place.request(&changes, number, args.seed)?;
    let (run, model) = (place.run().cloned(), place.model(&device)?);
    let posterior = Posterior::draw(&model, &columns, &observed, request, &Terminal)?;
    if let Some(picture) = posterior.save(!args.no_density, &out)? {
        print(&format!("picture:    {}", picture.display()))?;
    }
    print(&format!("{posterior}: {}", out.display()))?;
    if let (Some(run), Some(figure)) = (run, posterior.picture())
        && let Err(error) = draw_posterior(&run, &figure)
    {
        say(&format!("{} stays without these draws: {error}", run.folder.display()));
    }
    Ok(())
}

/// Ranks held-out truths among draws given the same conditions.
pub(crate) fn calibrate(args: &CalibrateArgs, registry: &Registry) -> Result<()> {
    let (device, run, data) = args.run.open(registry)?;
    let model = Model::load(&run, &device)?;
    let counts = (args.number, args.draws, args.seed);
    let found = judged(&run, &data, &model, counts, &Terminal)?;
    found.save(&run)?;
    let pictures = flow_report::draw_calibration(&run, &found)?;
    if args.json {
        return print(&found.json());
    }
    print(&found.to_string())?;
    pictures.iter().try_for_each(|picture| print(&format!("picture:    {}", picture.display())))
}
